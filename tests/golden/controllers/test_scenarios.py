"""What controllers plan, told as stories: each command of a scenario file has its output below it (`KCORE_REWRITE=1` writes it anew).

The commands are described in `story`, in `owner_story` for scenarios about owners, in `service_story` for those of services and nodes,
in `stateful_story` for those of StatefulSets, in `batch_story` for those of Jobs and DaemonSets, and in `volume_story` for those of claims.
"""

import os
from pathlib import Path

import pytest

from tests.golden.controllers.batch_story import BatchStory
from tests.golden.controllers.owner_story import OwnerStory
from tests.golden.controllers.service_story import ServiceStory
from tests.golden.controllers.stateful_story import StatefulStory
from tests.golden.controllers.story import Story
from tests.golden.controllers.volume_story import VolumeStory

SCENARIOS = sorted((Path(__file__).parent / "scenarios").rglob("*.txt"))


def story_of(path: Path) -> type[Story | OwnerStory | ServiceStory]:
    """Whose commands a scenario file is written in."""
    if path.stem.startswith("volumes"):
        return VolumeStory
    if path.parent.name == "services":
        return ServiceStory
    if path.stem.startswith(("job", "daemonset")):
        return BatchStory
    if path.stem.startswith("statefulset"):
        return StatefulStory
    return OwnerStory if path.stem.startswith("owners") else Story


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario_goes_as_written(path: Path) -> None:
    make = story_of(path)
    story = make()
    told: list[str] = []
    for line in path.read_text().splitlines():
        if line.startswith("    "):
            continue
        told.append(line)
        if line == "---":
            story = make()
        elif line and not line.startswith("#"):
            told += [f"    {output}" for output in story.run(line)]
    text = "\n".join(told) + "\n"
    if os.environ.get("KCORE_REWRITE"):
        path.write_text(text)
    assert text == path.read_text()
