"""Runs the rows of a size, and holds their figures against the targets."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable
from typing import Any, Final

from kcore import __version__
from kcore.load.bench import applies, calls, floods, http_watches, kubectl, lists, podload, rest, watches
from kcore.load.bench.plane import BenchError
from kcore.load.bench.rows import (
    Applies,
    FirstAnswer,
    Flood,
    HttpList,
    HttpWatches,
    IdleWatches,
    Kubectl,
    List,
    PodLoad,
    Requests,
    Rest,
    Row,
    Watches,
    is_met,
)

Figures = dict[str, Any]
RUNS: Final[dict[type[Row], Callable[[Any], Figures]]] = {
    Rest: rest.run,
    PodLoad: podload.run,
    Requests: calls.run,
    List: lists.run,
    HttpList: lists.run_http,
    Watches: watches.run,
    HttpWatches: http_watches.run,
    IdleWatches: http_watches.run_idle,
    Applies: applies.run,
    Kubectl: kubectl.run,
    FirstAnswer: kubectl.run_first,
    Flood: floods.run,
}


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


def run(size: str, rows: Iterable[Row], on_row: Callable[[str], None]) -> Figures:
    """Run rows; -> the report."""
    where, found = machine(), dict[str, Figures]()
    for row in rows:
        on_row(row.name)
        try:
            figures = RUNS[type(row)](row)
        except BenchError as error:
            figures = {"error": str(error)}
        found[row.name] = figures | {"targets": dict(row.targets)}
        if isinstance(row, PodLoad) and row.beside in found:
            found[row.name] |= compared(found[row.name], found[row.beside])
    return {"size": size, "machine": where, "rows": found, "missed": missed(found), "not_measured": not_measured(found)}


def compared(figures: Figures, other: Figures) -> Figures:
    """How a load's pods a second are to those of another."""
    if not other.get("bound_per_s") or "bound_per_s" not in figures:
        return {}
    return {"speed_ratio": round(figures["bound_per_s"] / other["bound_per_s"], 2)}


def missed(rows: dict[str, Figures]) -> list[str]:
    """The targets that are not reached, the rows that failed, and the parts that died, a sentence each."""
    found = []
    for name, row in rows.items():
        if "error" in row:
            found.append(f"{name}: {row['error']}")
        elif "not_measured" not in row:
            found += [
                f"{name}: {figure} is {f'{row[figure]:g}' if figure in row else 'not known'}, the target {target:g}"
                for figure, target in row["targets"].items()
                if figure not in row or not is_met(figure, row[figure], target)
            ]
        found += [f"{name}: {part} died {count} times" for part, count in row.get("restarts", {}).items()]
    return found


def not_measured(rows: dict[str, Figures]) -> list[str]:
    """The rows that were not measured, and why, a sentence each."""
    return [f"{name}: {row['not_measured']}" for name, row in rows.items() if "not_measured" in row]
