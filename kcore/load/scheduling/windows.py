"""How many pods a second were scheduled: on the whole, and in windows of a second. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

WINDOW_S: Final = 1.0
STEP_S: Final = 0.1
"""From the beginning of a window to that of the next."""

PERCENTILES: Final = (50, 90, 99)


def rates(times_s: Sequence[float]) -> dict[str, Any]:
    """The figures of pods that were scheduled so many seconds after the first was sent.

    A run that is shorter than a window is one. `series` are the middles of the windows and their rates.
    """
    times = np.sort(np.asarray(times_s, np.float64))
    end = max(float(times[-1]), 1e-9)
    width = min(WINDOW_S, end)
    starts = np.arange(0.0, end - width + STEP_S / 2, STEP_S)
    counts = np.searchsorted(times, starts + width, "right") - np.searchsorted(times, starts, "left")
    found = counts / width
    return {
        "scheduled_per_s": round(len(times) / end, 1),
        "window_per_s": {f"p{each}": round(float(np.percentile(found, each)), 1) for each in PERCENTILES},
        "took_s": round(end, 3),
        "series": [[round(float(at + width / 2), 2), round(float(rate), 1)] for at, rate in zip(starts, found, strict=True)],
    }
