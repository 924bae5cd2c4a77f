"""Pictures of the scheduler's figures. Needs matplotlib (the extra `bench`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from kcore.load.plots import DPI, canvas

Figures = dict[str, Any]


def over_time(report: Figures, path: Path) -> Path:
    """Pods scheduled a second over time, a line for each case."""
    figure, axes = canvas(1)
    for name, row in report["rows"].items():
        if "series" in row:
            axes.plot(*zip(*row["series"], strict=True), ".-", label=name, markersize=3)
    axes.set(title="pods scheduled a second, in windows of a second", xlabel="s since the first create")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    if axes.lines:
        axes.legend(fontsize=7)
    figure.savefig(path, dpi=DPI)
    return path


def growth(report: Figures, path: Path) -> Path:
    """Microseconds of a decision over nodes, and over pods that are bound, a line for each sort of pod."""
    figure, (over_nodes, over_bound) = canvas(2)
    rows = [row for row in report["rows"].values() if "decide_us" in row]
    draw(over_nodes, "nodes", (row for row in rows if not row["bound"]), lambda row: int(row["nodes"]))
    over_nodes.set(title="us a decision, over nodes", xscale="log", yscale="log")
    on = {row["nodes"] for row in rows if row["bound"]}
    draw(over_bound, "bound pods", (row for row in rows if row["nodes"] in on), lambda row: int(row["bound"]))
    over_bound.set(title=f"over pods that are bound, {', '.join(f'{number:,}' for number in sorted(on))} nodes")
    over_bound.set_ylim(bottom=0)
    over_bound.locator_params(axis="x", nbins=5)
    figure.savefig(path, dpi=DPI)
    return path


def draw(axes: Any, over: str, rows: Iterable[Figures], place: Callable[[Figures], int]) -> None:
    """A line of decision times for each sort of pod."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        lines.setdefault(row["sort"], []).append((place(row), row["decide_us"]))
    for sort, points in lines.items():
        axes.plot(*zip(*sorted(points), strict=True), "o-", label=f"pods {sort}")
    axes.set_xlabel(over)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    if lines:
        axes.legend(fontsize=8)
