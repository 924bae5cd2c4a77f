"""kill -9 and power loss under load, and a disk that is full: what was acknowledged is there whole, and nothing goes back."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kcore.base.clock import SystemClock
from kcore.base.entropy import SystemEntropy
from kcore.store import Engine, StoreError
from tests.integration.disk.history import Told, faults_of
from tests.integration.disk.load import FAILURES
from tests.integration.disk.power import TELL, Disk, Event, lay_out, read_trace

ROOT = Path(__file__).parents[2]
KILLS = 100
LINES_MAX = 30
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


def opened(folder: Path, told: Told) -> list[str]:
    """Open a store after an accident; -> what is wrong with it."""
    try:
        engine = Engine(folder, SystemClock(), SystemEntropy(), threaded=False)
    except StoreError as error:
        return [f"the store cannot be opened: {error}"]
    try:
        return faults_of(engine, told)
    finally:
        engine.close()


# kill -9


def killed(server: subprocess.Popen[str], folder: Path, lines: int, spins: int) -> list[str]:
    """Let a child write, kill it somewhere after so many lines, and return all it told."""
    assert server.stdin is not None
    assert server.stdout is not None
    print(folder, file=server.stdin, flush=True)
    child = int(server.stdout.readline().split()[1])
    told = [server.stdout.readline() for _ in range(lines)]
    for _ in range(spins):
        pass
    os.kill(child, signal.SIGKILL)
    while (line := server.stdout.readline()) not in ("end\n", ""):
        told.append(line)
    return told


def test_a_hundred_kills_lose_nothing_that_was_told(tmp_path: Path) -> None:
    chance, told = seeded(), Told()
    command = [sys.executable, "-m", "tests.integration.disk.load", "serve"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        for kill in range(KILLS):
            lines = killed(server, tmp_path / "store", chance.randrange(1, LINES_MAX), chance.randrange(SPINS_MAX))
            assert lines[0] == f"open {told.seen}\n"
            told.hear(lines)
            assert opened(tmp_path / "store", told) == [], f"kill {kill}"
        assert server.stdin is not None
        server.stdin.close()
    assert told.acknowledged > KILLS
    print(f"{told.acknowledged} transactions acknowledged over {KILLS} kills")


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
    disk: Disk, events: list[Event], start: int, before: Path, chance: random.Random, into: Path
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
        found = opened(into / "store", told)
        if found:
            return [f"event {moment} of {len(events)}: {fault}" for fault in found], told.seen
    return [], told.seen


def test_power_loss_takes_nothing_that_was_acknowledged(recorder: Path, tmp_path: Path) -> None:
    chance = seeded()
    before = tmp_path / "0"
    before.mkdir()
    start = 0
    for run in range(RUNS):
        disk = Disk(before)
        events = recorded(recorder, before, tmp_path / f"trace-{run}", "write", str(TRANSACTIONS))
        after = tmp_path / str(run + 1)
        faults, start = faults_after_losses(disk, events, start, before, chance, after)
        assert faults == [], f"run {run}"
        before = after
    assert start > TRANSACTIONS


@pytest.mark.parametrize(
    ("mutant", "meta_early"),
    [("--no-sync", False), ("--no-metasync", False), ("", True)],
    ids=["no sync", "no metasync", "meta page early"],
)
def test_power_loss_finds_a_store_that_does_not_sync(recorder: Path, tmp_path: Path, mutant: str, meta_early: bool) -> None:
    chance = seeded()
    before = tmp_path / "before"
    before.mkdir()
    disk = Disk(before)
    events = recorded(recorder, before, tmp_path / "trace", "write", str(TRANSACTIONS), mutant, meta_early=meta_early)
    faults, _ = faults_after_losses(disk, events, 0, before, chance, tmp_path / "after")
    print(faults)
    assert faults != []


# a full disk


@pytest.mark.parametrize("failure", FAILURES)
def test_a_full_disk_fails_writes_clearly_keeps_reads_and_recovers(recorder: Path, tmp_path: Path, failure: str) -> None:
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
    assert faults_after_losses(disk, events, 0, before, chance, tmp_path / "after")[0] == []
