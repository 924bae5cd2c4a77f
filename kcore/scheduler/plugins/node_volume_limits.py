"""NodeVolumeLimits: a node can have so many volumes of a CSI driver attached, as its CSINode says.

A volume that a pod of the node uses already takes no further place; what is attached beside that, for no pod any more or not yet, takes
one. A node without CSINode, or whose CSINode names no number, has no limit. Where a driver says so, a node must have it.

Source: kube-scheduler NodeVolumeLimits.
"""
from __future__ import annotations

from collections.abc import Hashable
from typing import Final

import numpy as np

from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.events import ClusterEvent, PodGone
from kcore.scheduler.rows import Ask
from kcore.scheduler.volumes.asks import PodVolumes
from kcore.scheduler.volumes.catalog import StorageChanged
from kcore.scheduler.volumes.rows import Attachment, Claim, Driver, Limits

NO_LIMIT: Final = -1
TOO_MANY: Final = 1


class NodeVolumeLimits:
    """Reject nodes on which the pod's volumes cannot all be attached."""

    name: Final = "NodeVolumeLimits"
    hears: Final = (PodGone, StorageChanged)

    def reads(self, ask: Ask) -> Hashable:
        """Return the volumes to attach, by driver, and the drivers that a node must have."""
        needs = ask.needs
        return (needs.attached, needs.handles, needs.required) if needs and (needs.attached or needs.required) else None

    def codes(self, ask: Ask, columns: Columns, start: int, stop: int, out: Int64) -> None:
        """Write 1 where a driver would have too many, a further bit where the first of the drivers is missing that a node must have."""
        assert ask.needs is not None, "reads was None"
        out[start:stop] = 0
        for driver, count in ask.needs.attached:
            new = np.full(stop - start, count, np.int64)
            for handle in ask.needs.handles:
                if handle[0] == driver:
                    users = columns.usage.handles.get(handle, {})
                    new[[slot - start for slot in users if start <= slot < stop]] -= 1
            limits = _limits(driver, columns)[start:stop]
            attached = columns.usage.attached_to(driver, columns.capacity)[start:stop] + _idle(driver, columns, start, stop)
            out[start:stop] |= (limits != NO_LIMIT) & (new > 0) & (attached + new > limits)
        for bit, (driver, of_old) in reversed([*enumerate(ask.needs.required, 1)]):
            missing = _lacks(driver, of_old, columns)[start:stop] != 0
            out[start:stop] = np.where(missing, TOO_MANY << bit, out[start:stop])

    def reasons(self, ask: Ask) -> tuple[str, ...]:
        """Return the reason of each bit."""
        required = ask.needs.required if ask.needs is not None else ()
        return ("node(s) exceed max volume count", *(f"{driver} CSI driver is not installed on the node" for driver, _ in required))

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """A CSINode helps that is new, allows more or has more drivers; the end of a pod with volumes, or of an attachment; a claim."""
        if isinstance(event, PodGone):
            held = event.account.volumes
            return held is not None and bool(held.claims or held.attached)
        if not isinstance(event, StorageChanged):
            return False
        old, new = event.old, event.new
        match new:
            case Limits():
                return not isinstance(old, Limits) or _allows_more(old, new)
            case Attachment():
                return isinstance(old, Attachment)
            case Driver():
                return isinstance(old, Driver) and old.required and not new.required
            case Claim():
                return old is None and new.key in {use.key for use in (ask.volumes or PodVolumes()).claims}
        return False


def _allows_more(old: Limits, new: Limits) -> bool:
    before, after = dict(old.counts), dict(new.counts)
    if any(count > before.get(driver, count) for driver, count in after.items()) or any(driver not in after for driver in before):
        return True
    return not set(new.drivers) <= set(old.drivers)


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


def _lacks(driver: str, of_old: bool, columns: Columns) -> UInt8:
    """Return 1 where a driver is missing; nodes without CSINode know nothing of volumes that name disks of old (of_old)."""
    catalog = columns.catalog
    key = ("lacks", driver, of_old, catalog.limits_version)
    found: UInt8 | None = catalog.kept.get(key, columns.static_version)
    if found is None:
        found = np.full(columns.count, not of_old, np.uint8)
        for node_name, limits in catalog.limits.items():
            if node_name in columns.slots:
                found[columns.slots[node_name]] = driver not in limits.drivers
        catalog.kept.put(key, found)
    return found


def _idle(driver: str, columns: Columns, start: int, stop: int) -> Int64:
    """Return how many volumes are attached to each slot of a span that no pod there uses."""
    found = np.zeros(stop - start, np.int64)
    attached, handles = columns.catalog.attached, columns.usage.handles
    if not attached:
        return found
    for name in attached if stop - start > 1 else (columns.names[start],):
        slot = columns.slots.get(name, -1)
        if start <= slot < stop:
            on = columns.catalog.attached_handles(name, driver)
            found[slot - start] = sum(slot not in handles.get(handle, {}) for handle in on)
    return found
