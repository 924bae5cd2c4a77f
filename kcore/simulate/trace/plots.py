"""A picture of replays: utilisation, fragmentation and waiting pods over time, and how long pods waited. Needs matplotlib."""

from __future__ import annotations

from math import nan
from pathlib import Path
from typing import Any, Final

from kcore.simulate.trace.text import unit_of

Report = dict[str, Any]

PICTURES: Final = (
    ("gpu", "part of all GPUs that is asked for"),
    ("fragmentation", "part of free GPUs that is wasted"),
    ("cpu", "part of all cpu that is asked for"),
    ("waiting", "pods that wait"),
)
"""What is drawn of the samples, where it is known."""

DPI: Final = 120
FAINT: Final = 0.35


def draw(report: Report, path: Path) -> None:
    """Draw all replays over time into a PNG file, one colour for each policy; further seeds are drawn faintly."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    pictures = [(name, title) for name, title in PICTURES if any(name in run["series"] for run in report["runs"])]
    figure = Figure(figsize=(11, 4 * ((len(pictures) + 1) // 2)), layout="constrained")
    FigureCanvasAgg(figure)
    every = figure.subplots((len(pictures) + 1) // 2, 2, squeeze=False).flatten()
    policies = list(dict.fromkeys(run["policy"] for run in report["runs"]))
    size, unit = unit_of(max((run["window_s"] for run in report["runs"]), default=0.0))
    for axes, (name, title) in zip(every, pictures, strict=False):
        seen = set[str]()
        for run in report["runs"]:
            series = run["series"]
            times = [at_s / size for at_s in series["at_s"]]
            values = [nan if value is None else value for value in series.get(name, [None] * len(times))]
            first = run["policy"] not in seen
            seen.add(run["policy"])
            colour = f"C{policies.index(run['policy'])}"
            axes.plot(times, values, color=colour, alpha=1 if first else FAINT, label=run["policy"] if first else None, linewidth=1)
        axes.set(title=title, xlabel=unit)
        axes.set_ylim(bottom=0)
        axes.legend(fontsize=8)
    for axes in every[len(pictures) :]:
        axes.remove()
    figure.savefig(path, format="png", dpi=DPI)
