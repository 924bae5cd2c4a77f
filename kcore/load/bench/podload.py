"""Rows about generated pods: the figures of `kcore load`, beside what each process used."""

from __future__ import annotations

import json
from typing import Any

from kcore.load import processes
from kcore.load.bench import plane
from kcore.load.bench.rest import megabytes
from kcore.load.bench.rows import PodLoad

Figures = dict[str, Any]


def run(row: PodLoad) -> Figures:
    """Load a fresh control plane."""
    with plane.data_directory() as directory:
        start_s = plane.start(directory, row.nodes)
        before = processes.cpu_s(directory)
        vary = ("--vary",) if row.vary else ()
        where = ("--data-dir", str(directory.path), "--json", "-")
        done = plane.command("load", "pods", "--count", str(row.count), "--via", "bulk", *vary, *where)
        used = processes.spent_s(before, processes.cpu_s(directory))
        memory = processes.pss_bytes(directory)
        restarts = processes.restarts(directory)
    figures: Figures = json.loads(done.stdout)
    return figures | {
        "vary": row.vary,
        "start_s": round(start_s, 3),
        "restarts": restarts,
        "memory_mb": megabytes(sum(memory.values())),
        "memory_mb_by_part": {part: megabytes(size) for part, size in memory.items()},
        "cpu_us_per_pod": {part: round(used_s / row.count * 1e6, 1) for part, used_s in used.items()},
    }
