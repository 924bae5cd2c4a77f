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
        if before is not None and before.owner != last.owner and (former := self._owner_of(before)) is not None:
            _, look, key = former
            look(key)
        if last.controller is not None:
            self._show(last, is_new=old is None, gone=new is None)
        elif new is not None and not last.is_deleting and not (before is not None and last.is_free_as(before)):
            self._look_at_matching(last)

    def _show(self, last: Traits, *, is_new: bool, gone: bool) -> None:
        """Show its owner the newest state of an object."""
        found = self._owner_of(last)
        if found is None:
            return
        claimant, look, key = found
        claimant.seen(key, last.object, gone=gone)
        if claimant.looks_at_new or not is_new:
            look(key)

    def _owner_of(self, of: Traits) -> tuple[Claimant, Look, str] | None:
        """Return the key of an object's owner, if it is known, and who claims for it."""
        found = None if of.controller is None else self._claimants.get(of.controller.kind)
        if found is None:
            return None
        claimant, look = found
        owner = adoption.resolve(claimant.owners, of.object, claimant.kind)
        return None if owner is None else (claimant, look, key_of(owner))

    def _look_at_matching(self, orphan: Traits) -> None:
        for claimant, look in self._claimants.values():
            for owner in adoption.matching(claimant.owners, orphan.object):
                look(key_of(owner))
