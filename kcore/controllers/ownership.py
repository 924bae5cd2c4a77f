"""Objects that several controllers may own: one look at a change for all of them.

    Source(PODS, Claimant("ReplicaSet", sets, seen), reads_if_owned=POD_READS)

A change has those owners looked at to which the object belongs, belonged, or may belong: an orphan to each whose selector matches it. A
controller's kind names it, so that an owned object concerns its own controller alone, and what decides about an orphan is read once.

Source: Kubernetes `pkg/controller/controller_ref_manager.go`, `pkg/controller/replicaset/replica_set.go`. Thread: the event loop's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kcore.controllers import adoption
from kcore.controllers.adoption import Traits, traits_of
from kcore.controllers.controller import Claimant, key_of

Look = Callable[[str], None]
"""Has the owner with a key looked at."""


class Ownership:
    """The claimants of one resource's objects."""

    def __init__(self) -> None:
        self._claimants: dict[str, tuple[Claimant, Look]] = {}

    def add(self, claimant: Claimant, look: Look) -> None:
        """Have a claimant's owners looked at from now on."""
        assert claimant.kind not in self._claimants, f"{claimant.kind} claims already"
        self._claimants[claimant.kind] = claimant, look

    def changed(self, old: Any, new: Any) -> None:
        """Have those looked at whom a change concerns; None stands for what is not there."""
        last = traits_of(old if new is None else new)
        before = None if old is None or new is None else traits_of(old)
        if before is not None and before.owner != last.owner:
            self._look_at_owner(before)
        if last.controller is not None:
            self._look_at_owner(last, is_shown=True, gone=new is None, is_new=old is None)
        elif new is not None and not last.is_deleting and not (before is not None and last.is_free_as(before)):
            self._look_at_matching(last)

    def _look_at_owner(self, of: Traits, *, is_shown: bool = False, gone: bool = False, is_new: bool = False) -> None:
        found = None if of.controller is None else self._claimants.get(of.controller.kind)
        if found is None:
            return
        claimant, look = found
        owner = adoption.resolve(claimant.owners, of.object, claimant.kind)
        if owner is None:
            return
        key = key_of(owner)
        if is_shown:
            claimant.seen(key, of.object, gone=gone)
        if claimant.looks_at_new or not is_new:
            look(key)

    def _look_at_matching(self, orphan: Traits) -> None:
        for claimant, look in self._claimants.values():
            for owner in adoption.matching(claimant.owners, orphan.object):
                look(key_of(owner))
