"""Replays for people: what was replayed, and a line for each policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kcore.simulate.text import cluster_lines, counted, percent, table
from kcore.simulate.trace.workload import RESOURCES

Report = dict[str, Any]

UNITS: Final = ((86400.0, "d"), (3600.0, "h"), (60.0, "m"), (1.0, "s"))
REASONS_SHOWN: Final = 3
"""Of each policy, so many reasons for which pods are left are shown."""


def lines(report: Report) -> Iterator[str]:
    """Tell of replays side by side."""
    yield from cluster_lines(report)
    yield from _workload_lines(report)
    yield ""
    yield from table(*_figures(report))
    if any(policy["seeds"] > 1 for policy in report["policies"]):
        yield "each figure is the mean over the seeds; --json tells of each"
    for run in report["runs"]:
        if run["preempted"]:
            yield f"{run['policy']}, seed {run['seed']}: pods had to begin anew {run['preempted']} times, for others of higher priority"
    for run in report["runs"]:
        if run["reasons"]:
            yield ""
            yield from _reason_lines(run)


def duration(seconds: float | None) -> str:
    """Write a time in its largest unit of which there are two or more."""
    if seconds is None:
        return "-"
    size, unit = unit_of(seconds)
    return f"{seconds / size:.3g}{unit}" if seconds else "0"


def unit_of(seconds: float) -> tuple[float, str]:
    """Return the largest unit of which there are two or more, in seconds, and its sign."""
    return next(((size, unit) for size, unit in UNITS if seconds >= 2 * size), UNITS[-1])


def _workload_lines(report: Report) -> Iterator[str]:
    skipped = [f"{count} {reason}" for reason, count in report["skipped"].items()]
    if skipped:
        yield f"rows passed over: {', '.join(skipped)}"
    for run in {run["seed"]: run for run in report["runs"]}.values():
        rounds = f" in {run['rounds']} rounds" if run["rounds"] > 1 else ""
        seed = f"seed {run['seed']}: " if len({each["seed"] for each in report["runs"]}) > 1 else ""
        load = ", ".join(f"{name} {percent(each['peak'])} ({percent(each['mean'])})" for name, each in run["load"].items())
        yield f"{seed}{counted(run['pods'], 'pod')}{rounds} over {duration(run['window_s'])}; load at its peak (on average): {load}"


def _figures(report: Report) -> tuple[list[str], list[list[str]]]:
    shown = [name for name in (*RESOURCES, "fragmentation") if any(name in policy["mean"] for policy in report["policies"])]
    heads = ["POLICY", "PLACED", "AT ONCE", "LEFT", "WAIT p50", "p90", "p99", "MAX", *(_head(name) for name in shown)]
    rows = []
    for policy in report["policies"]:
        mean = policy["mean"]
        waits = [duration(mean[f"wait_{name}_s"]) for name in ("p50", "p90", "p99", "max")]
        parts = [f"{100 * mean[name]:.1f}%" for name in ("placed", "at_once", "left")]
        rows.append([policy["policy"], *parts, *waits, *(_part(mean.get(name)) for name in shown)])
    return heads, rows


def _head(name: str) -> str:
    return "FRAGMENTED" if name == "fragmentation" else f"{name.upper()} USED"


def _part(fraction: float | None) -> str:
    return "-" if fraction is None else f"{100 * fraction:.1f}%"


def _reason_lines(run: Report) -> Iterator[str]:
    yield f"{run['policy']}, seed {run['seed']}: {counted(run['left'], 'pod')} found no node:"
    yield from (f"  {count}: {message}" for message, count in list(run["reasons"].items())[:REASONS_SHOWN])


