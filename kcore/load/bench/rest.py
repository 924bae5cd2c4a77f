"""Rows about a control plane that starts, and then does nothing."""

from __future__ import annotations

import statistics
import time
from typing import Any

from kcore.load import processes
from kcore.load.bench import plane
from kcore.load.bench.rows import Rest

Figures = dict[str, Any]


def run(row: Rest) -> Figures:
    """Start several times, then look at what the last one costs while nothing happens."""
    starts_s: list[float] = []
    for turn in range(row.starts):
        with plane.data_directory() as directory:
            starts_s.append(round(plane.start(directory, row.nodes), 3))
            if turn + 1 < row.starts:
                continue
            time.sleep(row.settle_s)
            before = processes.cpu_s(directory)
            time.sleep(row.idle_s)
            idle = processes.spent_s(before, processes.cpu_s(directory))
            memory = processes.pss_bytes(directory)
            restarts = processes.restarts(directory)
    return {
        "nodes": row.nodes,
        "start_s": statistics.median(starts_s),
        "starts_s": starts_s,
        "restarts": restarts,
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
