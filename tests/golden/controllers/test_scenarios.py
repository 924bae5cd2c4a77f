"""What controllers plan, told as stories: each command of a scenario file has its output below it (`KCORE_REWRITE=1` writes it anew).

The commands are described in `story`, those of scenarios about owners in `owner_story`.
"""

import os
from pathlib import Path

import pytest

from tests.golden.controllers.owner_story import OwnerStory
from tests.golden.controllers.story import Story

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.txt"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario_goes_as_written(path: Path) -> None:
    make = OwnerStory if path.stem.startswith("owners") else Story
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
