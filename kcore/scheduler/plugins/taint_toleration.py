"""TaintToleration: hard taints must be tolerated, soft ones should be.

Nodes have few different sets of taints, so a set has a number, and what a pod tolerates becomes one table over those numbers.

Source: kube-scheduler TaintToleration.
"""
from __future__ import annotations

from collections.abc import Hashable
from typing import Final

import numpy as np

from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.events import ClusterEvent, NodeChanged
from kcore.scheduler.framework import normalise_to_largest
from kcore.scheduler.rows import Ask, Tolerances

SOFT: Final = "PreferNoSchedule"


class TaintToleration:
    """Reject untolerated NoSchedule and NoExecute; score by the number of untolerated PreferNoSchedule."""

    name: Final = "TaintToleration"
    reason: Final = "node(s) had untolerated taint(s)"
    hears: Final = (NodeChanged,)

    def reads(self, ask: Ask) -> Hashable:
        """Return the tolerations."""
        return ask.tolerations

    def mask(self, ask: Ask, columns: Columns) -> UInt8:
        """Return 1 where every hard taint is tolerated."""
        tolerances = Tolerances(ask.tolerations)
        table = [not any(map(tolerances.reject, taints)) for taints in columns.taint_sets]
        mask: UInt8 = np.array(table, np.uint8)[columns.taint_set[: columns.count]]
        return mask

    def raw(self, ask: Ask, columns: Columns) -> Int64 | None:
        """Return the number of soft taints that are not tolerated."""
        tolerances = Tolerances(toleration for toleration in ask.tolerations if toleration.effect in ("", SOFT))
        counts = [sum(taint.effect == SOFT and not tolerances.tolerate(taint) for taint in taints) for taints in columns.taint_sets]
        if not any(counts):
            return None
        raw: Int64 = np.array(counts, np.int64)[columns.taint_set[: columns.count]]
        return raw if raw.any() else None

    def normalise(self, raw: Int64 | None, feasible: UInt8) -> Int64 | int:
        """Give 100 to nodes without such taints and 0 to those with most."""
        return 100 if raw is None else normalise_to_largest(raw, feasible, reverse=True)

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """A node helps whose taints the pod tolerates, if it is new or has just lost others."""
        if not isinstance(event, NodeChanged):
            return False
        tolerances = Tolerances(ask.tolerations)
        if any(map(tolerances.reject, event.new.taints)):
            return False
        return event.old is None or any(map(tolerances.reject, event.old.taints))
