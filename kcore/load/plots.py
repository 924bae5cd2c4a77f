"""Pictures: latencies of a load, and the figures of a bench report. Needs matplotlib (the extra `bench`)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from kcore.load.bench.rows import is_at_least
from kcore.load.measure import PERCENTILES, Times

Figures = dict[str, Any]
STEPS: Final = (("created_per_s", "created"), ("bound_per_s", "bound"), ("running_per_s", "running"))
LATENCIES: Final = (("create_ms", "created"), ("bind_ms", "bound"), ("run_ms", "running"))
WIDTH: Final = 0.26
DPI: Final = 120
BAR_MAX: Final = 4.0
"""A bar ends here, whatever multiple of its target it tells, so that the others can be seen."""

CURVE_POINTS_MAX: Final = 2_000
"""More points of a curve than this no picture shows."""


def can_plot() -> bool:
    """Whether matplotlib is there."""
    return find_spec("matplotlib") is not None


def plot(report: Figures, folder: Path) -> list[Path]:
    """Write PNG files into a folder; -> which."""
    folder.mkdir(parents=True, exist_ok=True)
    loads = {name: row for name, row in report["rows"].items() if "bound_per_s" in row}
    made = []
    if loads:
        throughput = {label: [row[figure] for row in loads.values()] for figure, label in STEPS}
        made.append(bars(folder / "throughput.png", list(loads), throughput, "pods a second"))
        made.append(scale(loads, folder / "scale.png"))
    for name, row in loads.items():
        latency = {label: [row[figure][f"p{percentile}"] for percentile in PERCENTILES] for figure, label in LATENCIES}
        file = f"latency-{'-'.join(name.replace(',', '').split())}.png"
        made.append(bars(folder / file, [f"p{each}" for each in PERCENTILES], latency, f"ms from sending the create ({name})"))
    if parts := reached(report["rows"]):
        made.append(against(folder / "targets.png", parts, "multiples of the targets"))
    return made


def reached(rows: dict[str, Figures]) -> dict[str, float]:
    """Each figure that has a target, as a multiple of it: 1 and more is met."""
    return {
        f"{name}: {figure}": row[figure] / target if is_at_least(figure) else target / max(row[figure], 1e-9)
        for name, row in rows.items()
        for figure, target in row["targets"].items()
        if figure in row
    }


def against(path: Path, parts: dict[str, float], title: str) -> Path:
    """A bar for each figure, as a multiple of what it should be, which is the line."""
    figure, axes = canvas(1)
    colours = ["tab:green" if part >= 1 else "tab:red" for part in parts.values()]
    drawn = axes.barh(list(parts), [min(part, BAR_MAX) for part in parts.values()], color=colours)
    axes.bar_label(drawn, [f"{part:.2f}" for part in parts.values()], fontsize=8)
    axes.axvline(1.0, color="black", linewidth=1)
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize=7)
    axes.set_title(title)
    figure.savefig(path, dpi=DPI)
    return path


def canvas(columns: int) -> tuple[Any, Any]:
    """A figure, and its axes side by side."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, columns)


def bars(path: Path, groups: list[str], series: dict[str, list[float]], title: str) -> Path:
    """Groups of bars."""
    figure, axes = canvas(1)
    for place, (label, values) in enumerate(series.items()):
        drawn = axes.bar([index + (place - 1) * WIDTH for index in range(len(groups))], values, WIDTH, label=label)
        axes.bar_label(drawn, fmt="%.0f", fontsize=8)
    axes.set_xticks(range(len(groups)), groups, fontsize=8)
    axes.set_title(title)
    axes.legend()
    figure.savefig(path, dpi=DPI)
    return path


def scale(loads: dict[str, Figures], path: Path) -> Path:
    """Pods a second, and memory, over pods; a line for each number of nodes, and of pods that all differ."""
    figure, (speed, memory) = canvas(2)
    lines: dict[str, list[Figures]] = {}
    for row in sorted(loads.values(), key=lambda row: int(row["count"])):
        lines.setdefault(f"{row['nodes']:,} nodes{', all different' if row['vary'] else ''}", []).append(row)
    for label, rows in lines.items():
        counts = [row["count"] for row in rows]
        speed.plot(counts, [row["bound_per_s"] for row in rows], "o-", label=label)
        memory.plot(counts, [row["memory_mb"] for row in rows], "o-", label=label)
    for axes, title in ((speed, "pods bound a second"), (memory, "memory of all processes (MB)")):
        axes.set_title(title)
        axes.set_xlabel("pods")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.locator_params(axis="x", nbins=6)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=DPI)
    return path


def latencies(times: Times, path: Path) -> Path:
    """What one load saw: how far its pods were at each moment, and which part of them had come so far after how long."""
    figure, (progress, distribution) = canvas(2)
    start = min(times.sent.values(), default=0.0)
    for label, reached in (("created", times.acknowledged), ("bound", times.bound), ("running", times.running)):
        if reached:
            names = list(reached)
            moments = np.sort(np.array([reached[name] for name in names])) - start
            took_ms = np.sort(np.array([reached[name] - times.sent[name] for name in names])) * 1000
            kept = np.unique(np.linspace(0, len(names) - 1, min(len(names), CURVE_POINTS_MAX)).astype(int))
            progress.plot(moments[kept], kept + 1, label=label)
            distribution.plot(took_ms[kept], 100 * (kept + 1) / len(names), label=label)
    progress.set(title="how many", xlabel="s since the first create")
    distribution.set(title="% that took at most", xlabel="ms from sending the create")
    for percentile in PERCENTILES:
        distribution.axhline(percentile, linewidth=0.5, linestyle=":")
    if times.acknowledged:
        for axes in (progress, distribution):
            axes.legend(fontsize=8)
    figure.savefig(path, dpi=DPI)
    return path
