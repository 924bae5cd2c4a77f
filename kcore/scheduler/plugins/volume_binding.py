"""VolumeBinding: a node must reach the pod's bound volumes, and its other claims must find a volume, or be provisioned, there.

Source: kube-scheduler VolumeBinding.
"""
from __future__ import annotations

from collections.abc import Hashable
from typing import Final

import numpy as np

from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.events import ClusterEvent, NodeChanged
from kcore.scheduler.framework import UNRESOLVABLE
from kcore.scheduler.rows import Ask
from kcore.scheduler.volumes.asks import PodVolumes
from kcore.scheduler.volumes.catalog import StorageChanged
from kcore.scheduler.volumes.matching import reach_mask, verdict
from kcore.scheduler.volumes.rows import Claim, Class, Driver, Limits, Room, Volume

OUT_OF_REACH: Final = 1
LOST: Final = 8


class VolumeBinding:
    """Match claims and volumes with nodes; score by how much of the chosen volumes stays free."""

    name: Final = "VolumeBinding"
    hears: Final = (NodeChanged, StorageChanged)

    def reads(self, ask: Ask) -> Hashable:
        """Return where bound volumes can be reached, and the claims to bind; a pod with none of both has no such filter."""
        needs = ask.needs
        if needs is None or not (needs.affinities or needs.wanted or needs.lost):
            return None
        return needs.affinities, needs.wanted, needs.lost, needs.versions

    def codes(self, ask: Ask, columns: Columns, start: int, stop: int, out: Int64) -> None:
        """Write a bit for each thing that is wrong with a node: 1 out of reach, 2 no volume, 4 no room, 8 a bound volume is gone."""
        needs = ask.needs
        assert needs is not None, "reads was None"
        found = np.full(stop - start, LOST if needs.lost else 0, np.int64)
        for reach in needs.affinities:
            found |= reach_mask(reach, columns)[start:stop] == 0
        if needs.wanted:
            found |= verdict(needs, columns).codes[start:stop].astype(np.int64) << 1
        out[start:stop] = found | (found != 0) * UNRESOLVABLE

    def reasons(self, ask: Ask) -> tuple[str, ...]:
        """Return the reason of each bit."""
        return (
            "node(s) didn't match PersistentVolume's node affinity",
            "node(s) didn't find available persistent volumes to bind",
            "node(s) did not have enough free storage",
            "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
        )

    def score(self, ask: Ask, columns: Columns, feasible: UInt8, start: int, stop: int, out: Int64) -> None:
        """Write what stays free of the volumes or the room that the claims to bind would take."""
        assert ask.needs is not None, "reads was None"
        out[start:stop] = verdict(ask.needs, columns).scores[start:stop] if ask.needs.wanted else 0

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """A node helps that is new or has other labels; so do claims of the pod, volumes that could be for it, and more supply."""
        if isinstance(event, NodeChanged):
            return event.old is None or event.old.labels != event.new.labels
        if not isinstance(event, StorageChanged):
            return False
        keys = {use.key for use in (ask.volumes or PodVolumes()).claims}
        old, new = event.old, event.new
        match new:
            case Claim():
                return new.key in keys
            case Volume():
                return not new.claim or new.claim in keys
            case Class():
                return not isinstance(old, Class) or old.topologies != new.topologies
            case Room():
                return not isinstance(old, Room) or (new.limit_bytes or 0) > (old.limit_bytes or 0)
            case Driver():
                return isinstance(old, Driver) and old.capacity and not new.capacity
            case Limits():
                return not isinstance(old, Limits) or old.migrated != new.migrated
        return False
