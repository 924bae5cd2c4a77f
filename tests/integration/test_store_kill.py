"""kill -9 under load, and a disk that is full: what was acknowledged is there, and nothing goes back."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

from kcore.base.clock import SystemClock
from kcore.base.entropy import SystemEntropy
from kcore.store import Engine

ROOT = Path(__file__).parents[2]
KILLS = 6
ACKNOWLEDGED_MAX = 2_000


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.integration.store_under_load", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def lines_until_killed(process: subprocess.Popen[str], count: int) -> list[list[str]]:
    """Read so many lines, kill, and read what was still printed: all whole lines are acknowledged writes."""
    assert process.stdout is not None
    text = "".join(process.stdout.readline() for _ in range(count + 1))
    process.send_signal(signal.SIGKILL)
    text += process.stdout.read()
    process.wait()
    process.stdout.close()
    return [line.split() for line in text.split("\n")[:-1]]


def check(engine: Engine, acknowledged: list[list[str]]) -> None:
    for key, revision in acknowledged:
        kv = engine.get(key.encode())
        assert kv is not None, f"{key} of revision {revision} was acknowledged and is gone"
        assert kv.value == key.encode() * 60
        assert kv.mod_revision == int(revision)
    assert engine.revision >= max(int(revision) for _, revision in acknowledged)
    # One transaction put the counter too: none is torn.
    changes = engine.changes(max(engine.compact_revision, engine.revision - 100))
    assert [len([m for m in changes if m.revision == r]) for r in {m.revision for m in changes}] == [2] * len({m.revision for m in changes})


def test_every_acknowledged_write_survives_kill_9(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    acknowledged: list[list[str]] = []
    revision = 1
    for kill in range(KILLS):
        process = start(str(tmp_path / "store"), f"round-{kill}")
        lines = lines_until_killed(process, chance.randrange(1, ACKNOWLEDGED_MAX))
        assert lines[0][0] == "open"
        assert int(lines[0][1]) >= revision, "the revision went back"
        acknowledged += lines[1:]
        revision = max([revision, *(int(line[1]) for line in lines[1:])])
    engine = Engine(tmp_path / "store", SystemClock(), SystemEntropy(), threaded=False)
    check(engine, acknowledged)
    print(f"{len(acknowledged)} acknowledged writes over {KILLS} kills, revision {engine.revision}")
    engine.close()


def test_a_full_disk_fails_writes_clearly_keeps_reads_and_recovers(tmp_path: Path) -> None:
    process = start(str(tmp_path / "store"), "full", str(1 << 20))
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    opened, full, recovered = [line.split() for line in output.splitlines()]
    assert opened == ["open", "1"]
    assert full[0] == "full"
    assert int(full[-1]) == int(full[-2]) > 100
    assert recovered[0] == "recovered"
    engine = Engine(tmp_path / "store", SystemClock(), SystemEntropy(), threaded=False)
    assert len(engine.keys(b"/fill/", b"/fill0")) == int(full[-2]) + 1
    assert engine.revision == int(recovered[1])
    engine.close()
