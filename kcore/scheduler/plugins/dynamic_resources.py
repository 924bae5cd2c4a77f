"""DynamicResources: a node must have the devices that the pod's claims ask for, and those that its claims have must be usable there.

Where claims name alternatives, nodes that can give earlier ones score higher.

Source: kube-scheduler DynamicResources.
"""
from __future__ import annotations

from collections.abc import Hashable
from typing import Final

import numpy as np

from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.dra.devices import DevicesChanged
from kcore.scheduler.dra.needs import has_alternatives
from kcore.scheduler.dra.rows import DeviceClaim
from kcore.scheduler.dra.verdict import verdict
from kcore.scheduler.events import ClusterEvent, NodeChanged
from kcore.scheduler.framework import UNRESOLVABLE, normalise_to_largest
from kcore.scheduler.plugins.node_affinity import terms_mask
from kcore.scheduler.rows import Ask

CANNOT_ALLOCATE: Final = 1
NOT_AVAILABLE: Final = 2


class DynamicResources:
    """Find devices for claims."""

    name: Final = "DynamicResources"
    hears: Final = (NodeChanged, DevicesChanged)

    def reads(self, ask: Ask) -> Hashable:
        """Return what the claims need."""
        return ask.device_needs

    def codes(self, ask: Ask, columns: Columns, start: int, stop: int, out: Int64) -> None:
        """Write 1 where devices are missing, 2 where those that claims have cannot be used."""
        needs = ask.device_needs
        assert needs is not None, "reads was None"
        out[start:stop] = 0
        for terms in needs.nodes:
            out[start:stop] = np.where(terms_mask(terms, columns)[start:stop] != 0, out[start:stop], NOT_AVAILABLE)
        if needs.wishes:
            can = verdict(needs.wishes, columns).can[start:stop]
            out[start:stop] = np.where(can == 0, CANNOT_ALLOCATE, out[start:stop])
        out[start:stop] |= (out[start:stop] != 0) * UNRESOLVABLE

    def reasons(self, ask: Ask) -> tuple[str, ...]:
        """Return the reason of each bit."""
        return ("cannot allocate all claims", "resourceclaim not available on the node")

    def raw(self, ask: Ask, columns: Columns) -> Int64 | None:
        """Return 8 for the first of the alternatives, 7 for the second, summed up over requests."""
        wishes = ask.device_needs.wishes if ask.device_needs is not None else ()
        if not has_alternatives(wishes):
            return None
        return verdict(wishes, columns).scores.copy()

    def normalise(self, raw: Int64 | None, feasible: UInt8) -> Int64 | int:
        """Give 100 to the nodes with the largest sum."""
        return 0 if raw is None else normalise_to_largest(raw, feasible, reverse=False)

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """A node, a slice or a class that is new or another one helps, and a claim that is the pod's or gives devices back."""
        if isinstance(event, NodeChanged):
            return event.old is None or event.old.labels != event.new.labels
        if not isinstance(event, DevicesChanged):
            return False
        if not isinstance(event.new, DeviceClaim):
            return True
        is_own = any(reference.key == event.new.key for reference in ask.claims or ())
        before = event.old.allocation if isinstance(event.old, DeviceClaim) else None
        return is_own or (bool(before) and not event.new.allocation)
