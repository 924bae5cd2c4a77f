"""kill -9 and power loss under load, and a disk that is full: what was acknowledged is there whole, and nothing goes back."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.integration.disk.history import Told
from tests.integration.disk.load import FAILURES
from tests.integration.disk.power import TELL, Disk, Event, lay_out, read_trace

ROOT = Path(__file__).parents[2]
KILLS = 100
LINES_MAX = 16
SPINS_MAX = 100_000
"""Rounds of an empty loop between the last line read and the kill: some milliseconds, a few commits."""

RUNS = 4
TRANSACTIONS = 500
LOSSES = 25


@pytest.fixture(scope="module")
def recorder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "recorder.so"
        source = ROOT / "tests" / "integration" / "disk" / "recorder.c"
        subprocess.run(["cc", "-Wall", "-Werror", "-O1", "-fPIC", "-shared", "-o", library, source, "-lpthread"], check=True)
        yield library


def seeded() -> random.Random:
    seed = int(os.environ.get("KCORE_SEED") or random.randrange(1 << 32))
    print(f"KCORE_SEED={seed}")
    return random.Random(seed)


class Children:
    """Children of one process that has imported everything already."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def read(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the process that forks is gone"
        return line

    def start(self, *words: str) -> int:
        assert self.process.stdin is not None
        print(*words, file=self.process.stdin, flush=True)
        return int(self.read().split()[1])

    def end(self) -> list[str]:
        """What is still printed; the last line tells the exit code."""
        lines = [self.read()]
        while not lines[-1].startswith("end "):
            lines.append(self.read())
        return lines

    def killed(self, how: str, folder: Path, lines: int, spins: int) -> list[str]:
        """Let a child write, kill it somewhere after so many lines, and return all it told."""
        child = self.start(how, str(folder))
        told = [self.read() for _ in range(lines)]
        for _ in range(spins):
            pass
        os.kill(child, signal.SIGKILL)
        *rest, last = self.end()
        assert last == f"end {-signal.SIGKILL}\n"
        return told + rest

    def check(self, folder: Path, told: Told) -> list[str]:
        """Open a store after an accident; -> what is wrong with it."""
        self.start("check", str(folder), json.dumps(asdict(told)))
        *found, last = self.end()
        if last != "end 0\n":
            return [f"opening the store ended the process: {last.strip()}"]
        faults, told.seen = json.loads(found[0])
        return list(faults)


@pytest.fixture(scope="module")
def children() -> Iterator[Children]:
    command = [sys.executable, "-m", "tests.integration.disk.load", "serve"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Children(process)
        assert process.stdin is not None
        process.stdin.close()


# kill -9


def faults_after_kills(children: Children, how: str, store: Path, chance: random.Random) -> tuple[list[str], Told]:
    """What is wrong after a kill, and what was told till then."""
    told = Told()
    for kill in range(KILLS):
        lines = children.killed(how, store, chance.randrange(1, LINES_MAX), chance.randrange(SPINS_MAX))
        assert lines[0] == f"open {told.seen}\n"
        told.hear(lines)
        faults = children.check(store, told)
        if faults:
            return [f"kill {kill}: {fault}" for fault in faults], told
    return [], told


def test_a_hundred_kills_lose_nothing_that_was_told(children: Children, tmp_path: Path) -> None:
    faults, told = faults_after_kills(children, "write", tmp_path / "store", seeded())
    assert faults == []
    assert told.acknowledged > KILLS
    print(f"{told.acknowledged} transactions acknowledged over {KILLS} kills")


def test_kills_find_a_store_that_answers_before_it_has_written(children: Children, tmp_path: Path) -> None:
    faults, _ = faults_after_kills(children, "hasty", tmp_path / "store", seeded())
    print(faults)
    assert faults != []


# power loss


def recorded(recorder: Path, folder: Path, trace: Path, *arguments: str, meta_early: bool = False) -> list[Event]:
    """Run the load on the store of a folder with its disk recorded."""
    command = [sys.executable, "-m", "tests.integration.disk.load", arguments[0], str(folder / "store"), *arguments[1:]]
    environment = {**os.environ, "LD_PRELOAD": str(recorder), "RECORD_FOLDER": str(folder), "RECORD_TRACE": str(trace)}
    if meta_early:
        environment["RECORD_META_EARLY"] = "1"
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return read_trace(trace)


def faults_after_losses(
    children: Children, disk: Disk, events: list[Event], start: int, before: Path, chance: random.Random, into: Path
) -> tuple[list[str], int]:
    """Replay a trace and let the power go at random moments; what the last one left stays at `into`.

    start    the transaction at which the load began, which was durable
    Returns  what is wrong after one, and the transaction up to which the last one left the store
    """
    moments = sorted(chance.sample(range(len(events)), LOSSES))
    place = 0
    told = Told()
    for moment in moments:
        for event in events[place:moment]:
            disk.replay(event)
        place = moment
        told = Told(start, start)
        told.hear(line for line in disk.told if not line.startswith("open"))
        shutil.rmtree(into, ignore_errors=True)
        lay_out(disk.after_loss(chance), before, into)
        found = children.check(into / "store", told)
        if found:
            return [f"event {moment} of {len(events)}: {fault}" for fault in found], told.seen
    return [], told.seen


def test_power_loss_takes_nothing_that_was_acknowledged(recorder: Path, children: Children, tmp_path: Path) -> None:
    chance = seeded()
    before = tmp_path / "0"
    before.mkdir()
    start = 0
    for run in range(RUNS):
        disk = Disk(before)
        events = recorded(recorder, before, tmp_path / f"trace-{run}", "write", str(TRANSACTIONS))
        after = tmp_path / str(run + 1)
        faults, start = faults_after_losses(children, disk, events, start, before, chance, after)
        assert faults == [], f"run {run}"
        before = after
    assert start > TRANSACTIONS


def test_power_loss_leaves_a_restored_store_whole_or_none(recorder: Path, children: Children, tmp_path: Path) -> None:
    chance = seeded()
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    disk = Disk(before)
    found = 0
    for event in recorded(recorder, before, tmp_path / "trace", "restore", str(TRANSACTIONS)):
        disk.replay(event)
        shutil.rmtree(after, ignore_errors=True)
        lay_out(disk.after_loss(chance), before, after)
        if (after / "store").exists():
            found += 1
            assert children.check(after / "store", Told(TRANSACTIONS, TRANSACTIONS)) == []
        else:
            assert disk.told == [], "the store was acknowledged and is gone"
    assert found > 0


@pytest.mark.parametrize(
    ("mutant", "meta_early"),
    [("--no-sync", False), ("--no-metasync", False), ("", True)],
    ids=["no sync", "no metasync", "meta page early"],
)
def test_power_loss_finds_a_store_that_does_not_sync(
    recorder: Path, children: Children, tmp_path: Path, mutant: str, meta_early: bool
) -> None:
    chance = seeded()
    before = tmp_path / "before"
    before.mkdir()
    disk = Disk(before)
    events = recorded(recorder, before, tmp_path / "trace", "write", str(TRANSACTIONS), mutant, meta_early=meta_early)
    faults, _ = faults_after_losses(children, disk, events, 0, before, chance, tmp_path / "after")
    print(faults)
    assert faults != []


# a full disk


@pytest.mark.parametrize("failure", FAILURES)
def test_a_full_disk_fails_writes_clearly_keeps_reads_and_recovers(
    recorder: Path, children: Children, tmp_path: Path, failure: str
) -> None:
    chance = seeded()
    before = tmp_path / "before"
    before.mkdir()
    disk = Disk(before)
    events = recorded(recorder, before, tmp_path / "trace", "fill", failure)
    told = [event.data.decode() for event in events if event.kind == TELL]
    said = [line for line in told if line.startswith(("refused", "read", "recovered"))]
    assert [line.split(":")[0] for line in said[:6]] == 3 * ["refused no space", "read True"]
    assert said[6].startswith("recovered")
    assert len(said) == 7
    assert faults_after_losses(children, disk, events, 0, before, chance, tmp_path / "after")[0] == []
