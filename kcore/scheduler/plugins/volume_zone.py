"""VolumeZone: zone and region labels of a bound volume say where it is; a node with such labels must agree.

Source: kube-scheduler VolumeZone.
"""
from __future__ import annotations

from collections.abc import Hashable
from typing import Final

import numpy as np

from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.events import ClusterEvent, NodeChanged
from kcore.scheduler.framework import UNRESOLVABLE
from kcore.scheduler.plugins.node_affinity import expression_mask
from kcore.scheduler.rows import Ask, Expression
from kcore.scheduler.volumes.asks import PodVolumes
from kcore.scheduler.volumes.catalog import StorageChanged
from kcore.scheduler.volumes.needs import ZONE_LABELS
from kcore.scheduler.volumes.rows import Claim, Class, Volume

TODAY: Final = dict(zip(ZONE_LABELS[:2], ZONE_LABELS[2:], strict=True))
"""By the label of old, the one that replaced it."""


class VolumeZone:
    """Compare the labels of bound volumes with those of nodes."""

    name: Final = "VolumeZone"
    hears: Final = (NodeChanged, StorageChanged)

    def reads(self, ask: Ask) -> Hashable:
        """Return the labels of volumes."""
        return ask.needs.zones or None if ask.needs else None

    def codes(self, ask: Ask, columns: Columns, start: int, stop: int, out: Int64) -> None:
        """Write 1 where a label disagrees."""
        assert ask.needs is not None, "reads was None"
        out[start:stop] = np.where(_agreeing(ask.needs.zones, columns)[start:stop] == 0, 1 | UNRESOLVABLE, 0)

    def reasons(self, ask: Ask) -> tuple[str, ...]:
        """Return the one reason."""
        return ("node(s) had no available volume zone",)

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """A node helps that is new or has other labels; so do claims of the pod, volumes with other labels, and a class that waits."""
        if isinstance(event, NodeChanged):
            return event.old is None or event.old.labels != event.new.labels
        if not isinstance(event, StorageChanged):
            return False
        keys = {use.key for use in (ask.volumes or PodVolumes()).claims}
        match event.new:
            case Claim():
                return event.new.key in keys
            case Volume():
                return not isinstance(event.old, Volume) or event.old.labels != event.new.labels
            case Class():
                return event.old is None and event.new.waits
        return False


def _agreeing(zones: tuple[tuple[str, tuple[str, ...]], ...], columns: Columns) -> UInt8:
    """Return 1 where all labels agree, or a node has none at all; kept until nodes change."""
    kept = columns.catalog.kept
    found: UInt8 | None = kept.get(zones, columns.static_version)
    if found is None:
        found = np.ones(columns.count, np.uint8)
        for key, values in zones:
            here = expression_mask(Expression(key, "In", values), columns)
            if key in TODAY:
                here |= expression_mask(Expression(key, "DoesNotExist", ()), columns) & expression_mask(
                    Expression(TODAY[key], "In", values), columns
                )
            found &= here
        unlabelled = np.ones(columns.count, np.uint8)
        for label in ZONE_LABELS:
            unlabelled &= expression_mask(Expression(label, "DoesNotExist", ()), columns)
        found |= unlabelled
        kept.put(zones, found)
    return found
