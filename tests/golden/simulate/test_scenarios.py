"""`kcore simulate` told as stories: each command line of a scenario file has its output below it (`KCORE_REWRITE=1` writes it anew)."""

import os
import shlex
from pathlib import Path

import pytest

from kcore.cli.main import main

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.txt"))


def told(line: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What a command line prints, and its exit status where that is not 0."""
    code = main(shlex.split(line))
    printed = capsys.readouterr()
    lines = f"{printed.out}{printed.err}".splitlines()
    return [f"  {each}".rstrip() for each in [*lines, *([f"exit status {code}"] if code else [])]]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_simulation_tells_what_it_told(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(path.parent)
    script = [line for line in path.read_text().splitlines() if line and not line.startswith(" ")]
    found = "".join(f"{each}\n" for line in script for each in (line, *(told(line, capsys) if line[0] != "#" else ())))
    if os.environ.get("KCORE_REWRITE"):
        path.write_text(found)
    assert found == path.read_text()
