"""ImageLocality: prefer nodes that hold the pod's images, weighed by size and by how widely they are spread.

Source: kube-scheduler ImageLocality.
"""
from __future__ import annotations

from collections.abc import Hashable
from typing import Final

import numpy as np

from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.rows import Ask

SIZE_MIN: Final = 23 << 20
SIZE_MAX: Final = 1000 << 20


class ImageLocality:
    """Score by the bytes that need not be pulled."""

    name: Final = "ImageLocality"

    def reads(self, ask: Ask) -> Hashable:
        """Return the images."""
        return ask.images or None

    def raw(self, ask: Ask, columns: Columns) -> Int64 | None:
        """Return 0 to 100 by the size of the images present."""
        if not any(image in columns.images for image in ask.images):
            return None
        sizes = np.zeros(columns.count, np.int64)
        for image in ask.images:
            holders = columns.images.get(image, {})
            held = np.fromiter(holders.values(), np.float64, len(holders)) * (len(holders) / columns.node_count)
            sizes[np.fromiter(holders, np.int64, len(holders))] += held.astype(np.int64)
        limit = SIZE_MAX * len(ask.images)
        raw: Int64 = 100 * (np.clip(sizes, SIZE_MIN, limit) - SIZE_MIN) // (limit - SIZE_MIN)
        return raw

    def normalise(self, raw: Int64 | None, feasible: UInt8) -> Int64 | int:
        """Leave the score as it is."""
        return 0 if raw is None else raw


def normalised(image: str) -> str:
    """Write an image's name with a tag, as nodes do: a name without tag or digest means latest."""
    return image if image.rfind(":") > image.rfind("/") else f"{image}:latest"
