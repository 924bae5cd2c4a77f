"""The supervisor with real processes: starts, failures, restarts, stops, and kill -9 of everything."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from kcore.base import limits, service
from kcore.base.config import DataDir, read_json
from kcore.base.lock import Holder, holder_of
from kcore.base.supervisor import PartFailedError, detach

_MODULE = "tests.integration.supervised_up"
_DEADLINE_S = 20.0


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[DataDir]:
    directory = DataDir(tmp_path / "data")
    yield directory
    for holder in service.running(directory).values():
        holder.send(signal.SIGKILL)


def up(directory: DataDir, *parts: tuple[str, list[str], list[str]]) -> None:
    detach([json.dumps(parts), "--data-dir", str(directory.path)], directory, _MODULE)


def part(name: str, *arguments: str, after: list[str] | None = None) -> tuple[str, list[str], list[str]]:
    return name, list(arguments), after or []


def record(directory: DataDir) -> list[str]:
    return [" ".join(line.split()[:2]) for line in (directory.path / "record").read_text().splitlines()]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        os.sched_yield()


def running(directory: DataDir, name: str) -> Holder:
    holder = holder_of(directory.run / f"{name}.lock")
    assert holder is not None and holder.is_alive()
    return holder


def state(directory: DataDir, name: str) -> dict[str, object]:
    parts: dict[str, dict[str, object]] = (read_json(directory.part_state("supervisor")) or {}).get("parts", {})
    return parts.get(name, {})


def is_back(directory: DataDir, name: str, restart_count: int) -> bool:
    return state(directory, name).get("restarts") == restart_count and state(directory, name).get("state") == "ready"


def test_parts_start_when_their_needs_are_ready_and_stop_in_reverse(directory: DataDir) -> None:
    up(directory, part("apiserver"), part("scheduler", after=["apiserver"]), part("nodes", after=["scheduler"]))
    assert record(directory) == ["apiserver started", "scheduler started", "nodes started"]
    assert set(service.running(directory)) == {"supervisor", "apiserver", "scheduler", "nodes"}
    assert service.stop_all(directory) == ["supervisor"]
    assert record(directory)[3:] == ["nodes stopped", "scheduler stopped", "apiserver stopped"]
    assert service.running(directory) == {}


def test_detaching_keeps_no_inherited_descriptor_open(directory: DataDir) -> None:
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    up(directory, part("apiserver"))
    os.close(writer)
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_a_part_that_fails_to_start_ends_the_whole_with_its_sentence(directory: DataDir) -> None:
    with pytest.raises(PartFailedError, match=r"^scheduler failed: no node in sight$"):
        up(directory, part("apiserver"), part("scheduler", "--fail", "no node\nin sight"))
    assert service.running(directory) == {}


def test_a_part_that_crashes_ends_the_whole_with_its_last_line(directory: DataDir) -> None:
    with pytest.raises(PartFailedError, match=r"^scheduler failed: RuntimeError: out of luck$"):
        up(directory, part("apiserver"), part("scheduler", "--crash", "out of luck"))
    assert service.running(directory) == {}


def test_a_second_up_is_told_who_holds_the_directory(directory: DataDir) -> None:
    up(directory, part("apiserver"))
    pid = running(directory, "supervisor").pid
    with pytest.raises(PartFailedError, match=rf"is in use by another kcore up, process {pid}$"):
        up(directory, part("apiserver"))
    assert running(directory, "supervisor").pid == pid


def test_a_part_that_dies_is_started_again(directory: DataDir) -> None:
    up(directory, part("apiserver"), part("scheduler", after=["apiserver"]))
    for count in (1, 2):
        first = running(directory, "scheduler")
        first.send(signal.SIGKILL)
        wait_for(partial(is_back, directory, "scheduler", count))
        assert running(directory, "scheduler") != first
    assert state(directory, "apiserver")["restarts"] == 0


def test_a_part_that_never_gets_ready_again_is_given_up(directory: DataDir, tmp_path: Path) -> None:
    marker = tmp_path / "broken"
    up(directory, part("apiserver"), part("scheduler", "--fail-once-marker", str(marker)))
    supervisor = running(directory, "supervisor")
    marker.touch()
    running(directory, "scheduler").send(signal.SIGKILL)
    assert supervisor.wait(_DEADLINE_S + limits.RESTARTS_UNREADY_MAX * limits.RESTART_BACKOFF_S_MAX)
    assert "scheduler died 6 times in a row before it was ready" in (directory.logs / "supervisor.out").read_text()
    assert service.running(directory) == {}


def test_parts_die_with_their_supervisor_and_up_just_works_again(directory: DataDir) -> None:
    up(directory, part("apiserver"), part("scheduler"))
    apiserver, scheduler = running(directory, "apiserver"), running(directory, "scheduler")
    running(directory, "supervisor").send(signal.SIGKILL)
    assert apiserver.wait(_DEADLINE_S)
    assert scheduler.wait(_DEADLINE_S)
    up(directory, part("apiserver"), part("scheduler"))
    assert set(service.running(directory)) == {"supervisor", "apiserver", "scheduler"}


def test_up_works_after_everything_was_killed_at_once(directory: DataDir) -> None:
    up(directory, part("apiserver"), part("scheduler"))
    for holder in service.running(directory).values():
        holder.send(signal.SIGKILL)
    up(directory, part("apiserver"), part("scheduler"))
    assert set(service.running(directory)) == {"supervisor", "apiserver", "scheduler"}


def test_down_ends_a_part_that_outlived_its_supervisor(directory: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    up(directory, part("apiserver", "--deaf"))
    apiserver, supervisor = running(directory, "apiserver"), running(directory, "supervisor")
    supervisor.send(signal.SIGKILL)
    assert supervisor.wait(_DEADLINE_S)
    assert apiserver.is_alive()
    monkeypatch.setattr(limits, "PART_STOP_TIMEOUT_S", 0.2)
    assert service.stop_all(directory) == ["apiserver"]
    assert not apiserver.is_alive()


def test_volatile_files_are_gone_when_nothing_runs(directory: DataDir) -> None:
    directory.make()
    directory.endpoints.write_text("{}")
    up(directory, part("apiserver"))
    assert not directory.endpoints.exists()
    directory.endpoints.write_text("{}")
    service.stop_all(directory)
    assert not directory.endpoints.exists()
    assert not directory.part_state("supervisor").exists()
