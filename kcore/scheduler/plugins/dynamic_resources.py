"""DynamicResources: a node must have the devices that the pod's claims ask for, and those that its claims have must be usable there.

Where claims name alternatives, nodes that can give earlier ones score higher. Extended resources of which a node offers none itself are
asked of its devices, where a class of devices stands for them.

Source: kube-scheduler DynamicResources.
"""
from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.dra.devices import DevicesChanged
from kcore.scheduler.dra.extended import plan
from kcore.scheduler.dra.needs import has_alternatives
from kcore.scheduler.dra.rows import DeviceClaim
from kcore.scheduler.dra.verdict import Verdict, offered, verdict
from kcore.scheduler.events import ClusterEvent, NodeChanged
from kcore.scheduler.framework import UNRESOLVABLE, normalise_to_largest
from kcore.scheduler.plugins.node_affinity import terms_mask
from kcore.scheduler.rows import Ask

NOT_AVAILABLE: Final = 8
STALE: Final = 16


class DynamicResources:
    """Find devices for claims."""

    name: Final = "DynamicResources"
    hears: Final = (NodeChanged, DevicesChanged)

    def reads(self, ask: Ask) -> Hashable:
        """Return what the claims need."""
        return ask.device_needs

    def codes(self, ask: Ask, columns: Columns, start: int, stop: int, out: Int64) -> None:
        """Write what the verdict says where devices are missing, 8 where those of claims cannot be used, 16 while a claim is left over."""
        needs = ask.device_needs
        assert needs is not None, "reads was None"
        out[start:stop] = NOT_AVAILABLE if needs.lost else 0
        for terms in needs.nodes:
            out[start:stop] = np.where(terms_mask(terms, columns)[start:stop] != 0, out[start:stop], NOT_AVAILABLE)
        for where, found in _verdicts(ask, columns):
            codes = found.codes[start:stop]
            rejected = codes != 0 if where is None else (codes != 0) & where[start:stop]
            out[start:stop] = np.where(rejected, codes, out[start:stop])
        if needs.extended is not None and needs.extended.stale:
            out[start:stop] = STALE
        out[start:stop] |= (out[start:stop] != 0) * UNRESOLVABLE

    def reasons(self, ask: Ask) -> tuple[str, ...]:
        """Return the reason of each bit."""
        return (
            "cannot allocate all claims",
            "invalid resource pools were encountered",
            "allocating devices failed",
            "resourceclaim not available on the node",
            "cannot schedule extended resource claim",
        )

    def raw(self, ask: Ask, columns: Columns) -> Int64 | None:
        """Return 8 for the first of the alternatives, 7 for the second, summed up over requests."""
        needs = ask.device_needs
        if needs is None or not (needs.earned or has_alternatives(needs.wishes)):
            return None
        scores = np.full(columns.count, needs.earned, np.int64)
        for where, found in _verdicts(ask, columns):
            scores += found.scores if where is None else np.where(where, found.scores, 0)
        return scores

    def normalise(self, raw: Int64 | None, feasible: UInt8) -> Int64 | int:
        """Give 100 to the nodes with the largest sum."""
        return 0 if raw is None else normalise_to_largest(raw, feasible, reverse=False)

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """A node, a slice, a class or a rule that is new or another one helps, and a claim that is the pod's or gives devices back."""
        if isinstance(event, NodeChanged):
            return event.old is None or (event.old.labels, event.old.allocatable) != (event.new.labels, event.new.allocatable)
        if not isinstance(event, DevicesChanged):
            return False
        if not isinstance(event.new, DeviceClaim):
            return True
        is_own = any(reference.key == event.new.key for reference in ask.claims or ())
        before = event.old.allocation if isinstance(event.old, DeviceClaim) else None
        return is_own or (bool(before) and not event.new.allocation)


def problem_at(slot: int, ask: Ask, columns: Columns) -> tuple[str, int]:
    """Return why a slot cannot be judged, with `{claim}` for the claim that has this number among those without devices."""
    for where, found in _verdicts(ask, columns):
        if (where is None or where[slot]) and slot in found.problems:
            return found.problems[slot].text, found.problems[slot].claim
    return "", 0


def _verdicts(ask: Ask, columns: Columns) -> Iterator[tuple[NDArray[np.bool_] | None, Verdict]]:
    """Yield for each set of extended resources that some slots lack what they are to all that is asked then; which, if not all slots."""
    needs = ask.device_needs
    assert needs is not None, "whoever asks has needs"
    if needs.extended is None:
        if needs.wishes:
            yield None, verdict(needs.wishes, columns)
        return
    sets = np.zeros(columns.count, np.int64)
    for bit, (resource, _) in enumerate(needs.extended.classes):
        sets |= (offered(resource, columns) == 0).astype(np.int64) << bit
    for each in np.unique(sets).tolist():
        resources = [resource for bit, (resource, _) in enumerate(needs.extended.classes) if each >> bit & 1]
        wishes = (*needs.wishes, plan(needs.extended, resources).wish) if resources else needs.wishes
        if wishes:
            yield sets == each, verdict(wishes, columns)
