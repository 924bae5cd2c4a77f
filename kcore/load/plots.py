"""Pictures of a bench report: pods a second and latencies of the loads, memory by part. Needs matplotlib (the extra `bench`)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

Figures = dict[str, Any]
STEPS = (("created_per_s", "created"), ("bound_per_s", "bound"), ("running_per_s", "running"))
LATENCIES = (("create_ms", "created"), ("bind_ms", "bound"), ("run_ms", "running"))
PERCENTILES = ("p50", "p95", "p99")
WIDTH = 0.26


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
    for name, row in loads.items():
        latency = {label: [row[figure][percentile] for percentile in PERCENTILES] for figure, label in LATENCIES}
        file = f"latency-{'-'.join(name.replace(',', '').split())}.png"
        made.append(bars(folder / file, list(PERCENTILES), latency, f"ms from sending the create ({name})"))
    return made


def bars(path: Path, groups: list[str], series: dict[str, list[float]], title: str) -> Path:
    """Groups of bars."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for place, (label, values) in enumerate(series.items()):
        drawn = axes.bar([index + (place - 1) * WIDTH for index in range(len(groups))], values, WIDTH, label=label)
        axes.bar_label(drawn, fmt="%.0f", fontsize=8)
    axes.set_xticks(range(len(groups)), groups, fontsize=8)
    axes.set_title(title)
    axes.legend()
    figure.savefig(path, dpi=120)
    return path
