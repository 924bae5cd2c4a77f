"""A picture of a simulation: each node a square, as dark as its requests fill it. Needs matplotlib (the extra `bench`)."""

from __future__ import annotations

from importlib.util import find_spec
from math import ceil, nan, sqrt
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Report = dict[str, Any]

RESOURCES: Final = ("cpu", "memory")
MOMENTS: Final = ("before", "after")
DPI: Final = 120
ABSENT: Final = "lightgrey"


def can_plot() -> bool:
    """Say whether matplotlib is there."""
    return find_spec("matplotlib") is not None


def heat_map(report: Report, path: Path) -> None:
    """Draw the nodes before and after, by cpu and by memory, into a PNG file; a node that is not there is grey."""
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 8), layout="constrained")
    FigureCanvasAgg(figure)
    every = figure.subplots(len(RESOURCES), len(MOMENTS), squeeze=False)
    colours = colormaps["viridis"].with_extremes(bad=ABSENT)
    images: list[Any] = []
    for resource, row in zip(RESOURCES, every, strict=True):
        for moment, axes in zip(MOMENTS, row, strict=True):
            images.append(axes.imshow(grid(report, resource, moment), cmap=colours, vmin=0, vmax=1, interpolation="nearest"))
            fraction = report["utilisation"][moment]["resources"].get(resource, {}).get("fraction")
            axes.set(title=f"{resource} {moment}" + ("" if fraction is None else f": {100 * fraction:.0f}%"), xticks=[], yticks=[])
    figure.colorbar(images[0], ax=every, label="requested part of what a node has", shrink=0.6)
    figure.suptitle(f"{len(report['nodes'])} nodes, row by row in the order in which they are listed")
    figure.savefig(path, format="png", dpi=DPI)


def grid(report: Report, resource: str, moment: str) -> NDArray[np.float64]:
    """Lay the nodes out in rows of a near-square; what is not there is not a number."""
    values = [nan if (found := (node[moment] or {}).get(resource)) is None else found for node in report["nodes"]]
    width = max(1, ceil(sqrt(len(values))))
    height = max(1, ceil(len(values) / width))
    cells = np.full(width * height, nan)
    cells[: len(values)] = values
    return cells.reshape(height, width)
