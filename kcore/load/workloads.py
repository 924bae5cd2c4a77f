"""The workloads of `kcore bench`: a table of rows in two sizes, and how one row is run.

Every row starts from nothing: a fresh data directory, a control plane of processes, the commands that a user would type, and what they
print. The small size runs in the tests, so that the large one works when it is wanted.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from kcore import __version__
from kcore.base import limits, service
from kcore.base.config import DataDir
from kcore.load import processes

Figures = dict[str, Any]


class BenchError(Exception):
    """A row could not be run; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class PodLoad:
    """Generated pods on hollow nodes."""

    name: str
    nodes: int
    count: int
    vary: bool = False


@dataclass(frozen=True, slots=True)
class Rest:
    """A control plane that starts and then does nothing."""

    name: str
    nodes: int
    starts: int
    settle_s: float
    idle_s: float


SIZES: Final[dict[str, tuple[Rest | PodLoad, ...]]] = {
    "full": (
        Rest("start and rest, 100 nodes", nodes=100, starts=5, settle_s=5.0, idle_s=20.0),
        PodLoad("10,000 pods, 1,000 nodes", nodes=1_000, count=10_000),
        PodLoad("10,000 pods, 1,000 nodes, all different", nodes=1_000, count=10_000, vary=True),
        PodLoad("10,000 pods, 5,000 nodes", nodes=5_000, count=10_000),
        PodLoad("10,000 pods, 5,000 nodes, all different", nodes=5_000, count=10_000, vary=True),
    ),
    "smoke": (
        Rest("start and rest, 2 nodes", nodes=2, starts=1, settle_s=0.0, idle_s=0.2),
        PodLoad("20 pods, 2 nodes, all different", nodes=2, count=20, vary=True),
    ),
}

FLOORS: Final[dict[tuple[str, str], float]] = {
    ("start and rest, 100 nodes", "start_s"): 2.0,
    ("start and rest, 100 nodes", "memory_mb"): 300.0,
    ("10,000 pods, 5,000 nodes", "bound_per_s"): 1_500.0,
    ("10,000 pods, 5,000 nodes, all different", "bound_per_s"): 1_500.0,
}
"""What must at least be reached: seconds and megabytes at most, pods a second at least."""

AT_LEAST: Final = frozenset(("bound_per_s",))


def missed(rows: dict[str, Figures]) -> list[str]:
    """The floors that a report does not reach, and the parts that died, a sentence each."""
    found = []
    for (row, figure), floor in FLOORS.items():
        if row not in rows:
            continue
        value = rows[row][figure]
        if value < floor if figure in AT_LEAST else value > floor:
            found.append(f"{row}: {figure} is {value:g}, the floor {floor:g}")
    found += [f"{row}: {part} died {count} times" for row, figures in rows.items() for part, count in figures.get("restarts", {}).items()]
    return found


def machine() -> Figures:
    """On what the figures were measured."""
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "memory_mb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 20)),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "kcore": __version__,
        "load_average": round(os.getloadavg()[0], 2),
    }


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `kcore` as a user would. Raises BenchError with its sentence if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "kcore", *arguments], capture_output=True, text=True, timeout=limits.BENCH_COMMAND_TIMEOUT_S, check=False
    )
    if done.returncode:
        raise BenchError(f"kcore {arguments[0]} failed: {(done.stderr or done.stdout).strip()[-limits.REASON_CHARS_MAX :]}")
    return done


@contextmanager
def data_directory() -> Iterator[DataDir]:
    """A fresh data directory; what runs in it is stopped at the end."""
    directory = DataDir.at(tempfile.mkdtemp(prefix="kcore-bench-"))
    try:
        yield directory
    finally:
        service.stop_all(directory)
        shutil.rmtree(directory.path, ignore_errors=True)


def start(directory: DataDir, nodes: int) -> float:
    """Start a control plane; -> seconds from exec until it is ready."""
    began = time.monotonic()
    ports = ("--port", "0", "--grpc-port", "0", "--etcd-port", "0")
    command("up", "--data-dir", str(directory.path), "--nodes", str(nodes), *ports, "--detach")
    return time.monotonic() - began


def run_rest(row: Rest) -> Figures:
    """Start several times, then look at what the last one costs while nothing happens."""
    starts_s: list[float] = []
    for turn in range(row.starts):
        with data_directory() as directory:
            starts_s.append(round(start(directory, row.nodes), 3))
            if turn + 1 < row.starts:
                continue
            time.sleep(row.settle_s)
            before = processes.cpu_s(directory)
            time.sleep(row.idle_s)
            idle = processes.spent_s(before, processes.cpu_s(directory))
            memory = processes.pss_bytes(directory)
    return {
        "nodes": row.nodes,
        "start_s": statistics.median(starts_s),
        "starts_s": starts_s,
        "memory_mb": megabytes(sum(memory.values())),
        "memory_mb_by_part": {part: megabytes(size) for part, size in memory.items()},
        "idle_cpu_percent": percent(sum(idle.values()), row.idle_s),
        "idle_cpu_percent_by_part": {part: percent(used_s, row.idle_s) for part, used_s in idle.items()},
    }


def megabytes(size: int) -> float:
    """Bytes as MB (2^20)."""
    return round(size / (1 << 20), 1)


def percent(used_s: float, of_s: float) -> float:
    """A share of one processor."""
    return round(100 * used_s / of_s, 2)


def run_load(row: PodLoad) -> Figures:
    """Load a fresh control plane; the figures are those of `kcore load`, beside what each process used."""
    with data_directory() as directory:
        start_s = start(directory, row.nodes)
        before = processes.cpu_s(directory)
        vary = ("--vary",) if row.vary else ()
        done = command("load", "pods", "--count", str(row.count), "--via", "bulk", *vary, "--data-dir", str(directory.path), "--json", "-")
        used = processes.spent_s(before, processes.cpu_s(directory))
        memory = processes.pss_bytes(directory)
        restarts = processes.restarts(directory)
    figures: Figures = json.loads(done.stdout)
    return figures | {
        "vary": row.vary,
        "start_s": round(start_s, 3),
        "restarts": restarts,
        "memory_mb": megabytes(sum(memory.values())),
        "cpu_us_per_pod": {part: round(used_s / row.count * 1e6, 1) for part, used_s in used.items()},
    }


def run(size: str, on_row: Callable[[str], None]) -> Figures:
    """Run all rows of a size; -> the report. Raises BenchError."""
    rows: dict[str, Figures] = {}
    where = machine()
    for row in SIZES[size]:
        on_row(row.name)
        rows[row.name] = run_rest(row) if isinstance(row, Rest) else run_load(row)
    return {"size": size, "machine": where, "rows": rows, "missed": missed(rows)}
