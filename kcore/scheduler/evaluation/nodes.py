"""Masks and raw scores that only nodes decide, by what plugins read of an ask."""
from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from kcore.base.limits import SCHEDULER_KEPT_BYTES_MAX, SCHEDULER_KEPT_MAX, SCHEDULER_KEPT_MIN
from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.profile import Profile
from kcore.scheduler.rows import Ask

# A mask of a byte or raw scores of eight bytes per slot.
BYTES_PER_SLOT: Final = 8


class NodeResults:
    """Masks and raw scores that only nodes decide, by what they read of an ask; dropped when a node changes."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._version = -1
        self.masks: dict[Hashable, UInt8] = {}
        self._raws: dict[Hashable, Int64 | None] = {}

    def mask(self, ask: Ask, columns: Columns) -> UInt8:
        """Return 1 where all node filters pass; not to be written to."""
        self._expire(columns)
        key = tuple(plugin.reads(ask) for plugin in self._profile.node_filters)
        mask = self.masks.get(key)
        if mask is None:
            mask = columns.present[: columns.count].copy()
            for plugin, reads in zip(self._profile.node_filters, key, strict=True):
                if reads is not None:
                    mask &= plugin.mask(ask, columns)
            self._keep(self.masks, key, mask, columns)
        return mask

    def raw(self, index: int, ask: Ask, columns: Columns) -> Int64 | None:
        """Return the raw scores of the node score with this index in the profile; not to be written to."""
        self._expire(columns)
        plugin, _ = self._profile.node_scores[index]
        key = (index, plugin.reads(ask))
        if key not in self._raws:
            self._keep(self._raws, key, plugin.raw(ask, columns), columns)
        return self._raws[key]

    def _expire(self, columns: Columns) -> None:
        if self._version != columns.static_version:
            self.masks.clear()
            self._raws.clear()
            self._version = columns.static_version

    def _keep(self, results: dict[Hashable, UInt8] | dict[Hashable, Int64 | None], key: Hashable, value: object, columns: Columns) -> None:
        if len(results) >= kept_max(columns):
            del results[next(iter(results))]
        results[key] = value  # type: ignore[assignment]


def kept_max(columns: Columns) -> int:
    """Return how many masks and raw scores are kept each."""
    return max(SCHEDULER_KEPT_MIN, min(SCHEDULER_KEPT_MAX, SCHEDULER_KEPT_BYTES_MAX // (BYTES_PER_SLOT * columns.capacity)))
