"""NodeVolumeLimits: a node can have so many volumes of a CSI driver attached, as its CSINode says.

A volume that the node has attached already takes no further place. A node without CSINode, or whose CSINode names no number, has no limit.

Differs from upstream: in-tree volumes are not counted as those of the CSI drivers that took them over.

Source: kube-scheduler NodeVolumeLimits.
"""
from __future__ import annotations

from collections.abc import Hashable
from typing import Final

import numpy as np

from kcore.scheduler.columns import Columns, Int64
from kcore.scheduler.events import ClusterEvent, PodGone
from kcore.scheduler.rows import Ask
from kcore.scheduler.volumes.asks import PodVolumes
from kcore.scheduler.volumes.catalog import StorageChanged
from kcore.scheduler.volumes.rows import Claim, Limits

NO_LIMIT: Final = -1


class NodeVolumeLimits:
    """Reject nodes on which the pod's volumes cannot all be attached."""

    name: Final = "NodeVolumeLimits"
    hears: Final = (PodGone, StorageChanged)

    def reads(self, ask: Ask) -> Hashable:
        """Return the volumes to attach, by driver."""
        return (ask.needs.attached, ask.needs.handles) if ask.needs and ask.needs.attached else None

    def codes(self, ask: Ask, columns: Columns, start: int, stop: int, out: Int64) -> None:
        """Write 1 where a driver would have too many."""
        assert ask.needs is not None, "reads was None"
        out[start:stop] = 0
        for driver, count in ask.needs.attached:
            new = np.full(stop - start, count, np.int64)
            for handle in ask.needs.handles:
                if handle[0] == driver:
                    users = columns.usage.handles.get(handle, {})
                    new[[slot - start for slot in users if start <= slot < stop]] -= 1
            limits = _limits(driver, columns)[start:stop]
            attached = columns.usage.attached_to(driver, columns.capacity)[start:stop]
            out[start:stop] |= (limits != NO_LIMIT) & (new > 0) & (attached + new > limits)

    def reasons(self, ask: Ask) -> tuple[str, ...]:
        """Return the one reason."""
        return ("node(s) exceed max volume count",)

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """A CSINode helps that is new or allows more, the end of a pod with claims, or a claim that comes."""
        if isinstance(event, PodGone):
            return event.account.volumes is not None and bool(event.account.volumes.claims)
        if not isinstance(event, StorageChanged):
            return False
        if isinstance(event.new, Limits):
            before = dict(event.old.counts) if isinstance(event.old, Limits) else None
            return before is None or any(driver in before and count > before[driver] for driver, count in event.new.counts) or any(
                driver not in dict(event.new.counts) for driver in before
            )
        return isinstance(event.new, Claim) and event.old is None and event.new.key in _keys(ask)


def _keys(ask: Ask) -> set[str]:
    return {use.key for use in (ask.volumes or PodVolumes()).claims}


def _limits(driver: str, columns: Columns) -> Int64:
    """Return how many volumes of a driver each slot may have; kept until nodes or limits change."""
    catalog = columns.catalog
    key = ("limits", driver, catalog.limits_version)
    found: Int64 | None = catalog.kept.get(key, columns.static_version)
    if found is None:
        found = np.full(columns.count, NO_LIMIT, np.int64)
        for node_name, limits in catalog.limits.items():
            count = dict(limits.counts).get(driver)
            if count is not None and node_name in columns.slots:
                found[columns.slots[node_name]] = count
        catalog.kept.put(key, found)
    return found
