"""Log lines: one per event, readable, and parseable whatever the values hold."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from kcore.base import limits, log


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger("kcore")
    handlers, levels = list(root.handlers), (root.level, own.level)
    root.handlers = []
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers = handlers
    root.setLevel(levels[0])
    own.setLevel(levels[1])


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines()


def test_a_line_holds_time_level_part_event_and_fields(tmp_path: Path) -> None:
    log.configure(tmp_path / "a.log")
    log.get("scheduler").info("pod bound", pod="default/a", node="n 1", after_s=0.25, tries=2)
    time, rest = lines(tmp_path / "a.log")[0].split(" ", 1)
    assert rest == 'info scheduler pod bound pod=default/a node="n 1" after_s=0.25 tries=2'
    assert len(time) == len("2026-01-01T00:00:00.000Z")
    assert time.endswith("Z")


def test_an_exception_and_its_traceback_stay_in_the_line(tmp_path: Path) -> None:
    log.configure(tmp_path / "a.log")
    try:
        raise ValueError("line one\nline two")
    except ValueError as error:
        log.get("store").error("commit failed", error, revision=7)
    (line,) = lines(tmp_path / "a.log")
    assert 'error="ValueError: line one\\nline two"' in line
    assert "Traceback" in line


def test_quiet_levels_are_not_written(tmp_path: Path) -> None:
    log.configure(tmp_path / "a.log", level="warning")
    log.get("x").info("no")
    log.get("x").debug("no")
    log.get("x").warning("yes")
    assert [line.split()[-1] for line in lines(tmp_path / "a.log")] == ["yes"]


def test_json_lines_keep_numbers(tmp_path: Path) -> None:
    log.configure(tmp_path / "a.log", as_json=True)
    log.get("store").info("compacted", revision=41, reason='it was "old"')
    record = json.loads(lines(tmp_path / "a.log")[0])
    del record["time"]
    assert record == {"level": "info", "part": "store", "event": "compacted", "revision": 41, "reason": 'it was "old"'}


def test_messages_of_libraries_come_out_in_the_same_form(tmp_path: Path) -> None:
    log.configure(tmp_path / "a.log")
    logging.getLogger("asyncio").warning("slow\ncallback %d", 3)
    assert lines(tmp_path / "a.log")[0].endswith("warning asyncio slow\\ncallback 3")


def test_long_values_are_cut(tmp_path: Path) -> None:
    log.configure(tmp_path / "a.log")
    log.get("x").info("big", value="v" * 1_000_000)
    assert len(lines(tmp_path / "a.log")[0]) < limits.LOG_VALUE_CHARS_MAX + 100


def test_a_full_file_is_turned_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOG_FILE_BYTES_MAX", 1000)
    log.configure(tmp_path / "a.log")
    for number in range(100):
        log.get("x").info("event", number=number)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.log", "a.log.1"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2100
