"""What the controllers of services and nodes plan, told as stories (`KCORE_REWRITE=1` writes the outputs anew).

The commands are described in `service_story`; what is told follows what kube-controller-manager leaves behind in the same situations.
"""

import os
from pathlib import Path

import pytest

from tests.golden.controllers.service_story import ServiceStory

SCENARIOS = sorted((Path(__file__).parent / "scenarios" / "services").glob("*.txt"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario_goes_as_written(path: Path) -> None:
    story = ServiceStory()
    told: list[str] = []
    for line in path.read_text().splitlines():
        if line.startswith("    "):
            continue
        told.append(line)
        if line == "---":
            story = ServiceStory()
        elif line and not line.startswith("#"):
            told += [f"    {output}" for output in story.run(line)]
    text = "\n".join(told) + "\n"
    if os.environ.get("KCORE_REWRITE"):
        path.write_text(text)
    assert text == path.read_text()
