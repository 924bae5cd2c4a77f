"""A report for people: tables that stay readable for thousands of nodes and pods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from kcore.scheduler.requests import CPU

Report = dict[str, Any]

NAMES_SHOWN: Final = 3
"""Of a group of pods, so many are named."""

BYTES: Final = ("memory", "ephemeral-storage")
HUGE_PAGES: Final = "hugepages-"


def lines(report: Report, rows: int) -> Iterator[str]:
    """Tell of a simulation; rows: so many nodes and reasons at most, 0 for all."""
    yield from cluster_lines(report)
    if report["changes"]:
        yield ""
        cells = [(step["change"], step["pods"], step["placed"], step["unplaced"]) for step in report["changes"]]
        yield from table(("CHANGE", "PODS", "PLACED", "NOT PLACED"), cells)
    if report["placements"]:
        yield ""
        yield from _placement_lines(report, rows)
    if report["unplaced"]:
        yield ""
        yield from _unplaced_lines(report["unplaced"], rows)
    yield from _notes(report)
    yield ""
    yield from _utilisation_lines(report["utilisation"])


def backtest_lines(report: Report, rows: int) -> Iterator[str]:
    """Tell how the pods of a cluster stand."""
    bound, feasible, best = report["bound"], report["feasible"], report["best"]
    yield from cluster_lines(report)
    yield ""
    yield f"{feasible} of {bound} bound pods stand on a node that is feasible for them{_share(feasible, bound)}"
    yield f"{best} of {bound} stand on one that scores best{_share(best, bound)}"
    for title, found in (("NOT FEASIBLE", report["infeasible"]), ("NOT JUDGED", report["not_judged"])):
        if found:
            yield ""
            yield from table((title, "NODE", "REASON"), [(each["pod"], each["node"], each["reason"]) for each in _shown(found, rows)])
            yield from _more(found, rows)
    if report["not_best"]:
        yield ""
        cells = [
            (each["pod"], each["node"], each["total"], each["best"], each["best_total"], _gains(each["gains"]))
            for each in _shown(report["not_best"], rows)
        ]
        yield from table(("NOT BEST", "NODE", "SCORE", "BEST NODE", "SCORE", "DIFFERENCE"), cells)
        yield from _more(report["not_best"], rows)


def cluster_lines(report: Report) -> Iterator[str]:
    """Tell what was read of a cluster, and what was not."""
    cluster = report["cluster"]
    yield f"{counted(cluster['nodes'], 'node')}, {counted(cluster['pods'], 'pod')}"
    for why, pods in cluster["undecided"].items():
        yield f"not looked at: {counted(pods, 'pod')} that {why}" if pods == 1 else f"not looked at: {pods} pods, each of which {why}"
    counts = [f"{count} {kind}" for kind, count in cluster["skipped"].items() if isinstance(count, int)]
    if counts:
        yield f"skipped, since nothing is decided by it: {', '.join(counts)}"
    yield from (f"skipped: {what}: {why}" for what, why in cluster["skipped"].items() if isinstance(why, str))


def _placement_lines(report: Report, rows: int) -> Iterator[str]:
    """How many pods came to each node, the most first."""
    came = Counter(each["node"] for each in report["placements"])
    after = {each["node"]: each["after"] for each in report["nodes"]}
    ranked = sorted(came.items(), key=lambda item: -item[1])
    cells = [
        (node, count, *(percent((after.get(node) or {}).get(name)) for name in (CPU, "memory"))) for node, count in _shown(ranked, rows)
    ]
    yield from table(("PLACED ON", "PODS", "CPU", "MEMORY"), cells)
    yield from _more(ranked, rows)


def _unplaced_lines(groups: list[Report], rows: int) -> Iterator[str]:
    for group in _shown(groups, rows):
        pods = group["pods"]
        named = ", ".join(pods[:NAMES_SHOWN])
        others = f" and {len(pods) - NAMES_SHOWN} more" if len(pods) > NAMES_SHOWN else ""
        yield f"{counted(len(pods), 'pod')} {'fits' if len(pods) == 1 else 'fit'} nowhere ({named}{others}):"
        yield f"  {group['message']}"
    yield from _more(groups, rows)


def _notes(report: Report) -> Iterator[str]:
    """What else somebody would want to know."""
    preempted, unmanaged = report["preempted"], report["unmanaged"]
    if preempted or unmanaged:
        yield ""
    if preempted:
        named = ", ".join(f"{each['pod']} on {each['node']} for {each['preemptor']}" for each in preempted[:NAMES_SHOWN])
        yield f"{counted(len(preempted), 'pod')} preempted: {named}{' ...' if len(preempted) > NAMES_SHOWN else ''}"
    if unmanaged:
        named = f"{', '.join(unmanaged[:NAMES_SHOWN])}{' ...' if len(unmanaged) > NAMES_SHOWN else ''}"
        yield f"evicted though no controller makes them again: {counted(len(unmanaged), 'pod')}: {named}"


def _utilisation_lines(found: Report) -> Iterator[str]:
    before, after = found["before"], found["after"]
    yield from table(
        ("REQUESTED", "BEFORE", "OF", "", "AFTER", "OF", ""),
        [
            (name, *_amounts(name, before["resources"].get(name)), *_amounts(name, after["resources"].get(name)))
            for name in dict.fromkeys([*before["resources"], *after["resources"]])
        ],
    )
    yield f"nodes: {before['nodes']} before, {after['nodes']} after"


def _amounts(name: str, amount: Report | None) -> tuple[str, str, str]:
    if amount is None:
        return "-", "-", ""
    return quantity(name, amount["requested"]), quantity(name, amount["allocatable"]), percent(amount["fraction"])


def quantity(name: str, value: float) -> str:
    """Write an amount of a resource: bytes in the largest binary unit, others as they are."""
    if name not in BYTES and not name.startswith(HUGE_PAGES):
        return f"{value:.10g}"
    size = float(value)
    for unit in ("", "Ki", "Mi", "Gi"):
        if size < 1024:
            return f"{size:.4g}{unit}"
        size /= 1024
    return f"{size:.1f}Ti"


def percent(fraction: float | None) -> str:
    """Write a part in hundredths."""
    return "-" if fraction is None else f"{100 * fraction:.0f}%"


def _share(part: int, whole: int) -> str:
    return f" ({100 * part / whole:.1f}%)" if whole else ""


def _gains(gains: dict[str, int]) -> str:
    return ", ".join(f"{plugin} {gain:+}" for plugin, gain in sorted(gains.items(), key=lambda item: -item[1]))


def counted(count: int, noun: str) -> str:
    """Write how many."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _shown(found: list[Any], rows: int) -> list[Any]:
    return found[:rows] if rows else found


def _more(found: list[Any], rows: int) -> Iterator[str]:
    if rows and len(found) > rows:
        yield f"... and {len(found) - rows} more (--rows 0 shows all)"


def table(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Columns as wide as they need; numbers to the right."""
    cells = [titles, *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rights = [all(isinstance(cell, int) or str(cell)[:1].isdigit() or cell == "-" for cell in column) for column in zip(*rows, strict=True)]
    for row in cells:
        padded = (f"{cell:>{width}}" if right else f"{cell:{width}}" for cell, width, right in zip(row, widths, rights, strict=True))
        yield "  ".join(padded).rstrip()
