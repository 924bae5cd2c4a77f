"""What an apply, or any other write, makes of an object and of who owns its fields.

Source: structured-merge-diff `merge/update.go`; apimachinery `pkg/util/managedfields/internal` (structuredmerge.go, stripmeta.go,
managedfieldsupdater.go, skipnonapplied.go, lastappliedmanager.go, lastappliedupdater.go).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, NamedTuple

from kcore.machinery import codec
from kcore.machinery.apply import fieldset, last_applied, managers
from kcore.machinery.apply.comparing import Comparison, compare
from kcore.machinery.apply.conflicts import ConflictsError
from kcore.machinery.apply.fieldset import EMPTY, Set
from kcore.machinery.apply.managers import APPLY, UPDATE, Entry, Managed, ManagerKey, Managers
from kcore.machinery.apply.merging import merge
from kcore.machinery.apply.pruning import prune
from kcore.machinery.apply.reset import Touched
from kcore.machinery.apply.schema import Map, type_of
from kcore.machinery.apply.typed import TypedError, fields_of

Object = dict[str, Any]
NOBODYS: Final = fieldset.of_paths(
    ("f:apiVersion",), ("f:kind",), ("f:metadata",),
    *(("f:metadata", f"f:{name}") for name in (
        "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion",
    )),
)  # fmt: skip
"""Fields that nobody owns: what names an object, and what is the server's alone."""

KUBECTL: Final = "kubectl"


class Versioned(NamedTuple):
    """An object in a version, and its message there."""

    obj: Object
    message: str


@dataclass(frozen=True, slots=True)
class Operation:
    """Who writes what, and when.

    message      of the object that is written, `api_version` the version in which it is
    subresource  the part of the object that is written
    touched      what of a set of fields this write touches, whatever is sent
    now          the present second, as objects state it
    in_version   an object in another version; None if there is no such version
    """

    message: str
    api_version: str
    kind: str
    manager: str
    subresource: str
    touched: Touched
    now: str
    in_version: Callable[[Object, str], Versioned | None]

    def shape(self) -> Map:
        """The type of the object."""
        return shape_of(self.message)

    def key(self, operation: str) -> ManagerKey:
        """The writer as a manager."""
        return ManagerKey(self.manager, operation, "" if operation == APPLY else self.api_version, self.subresource)


def update(write: Operation, old: Object | None, new: Object, sent: list[Entry] | None) -> list[Entry]:
    """The managers of an object after a write that is no apply: who changes a field owns it.

    old   as it is stored; None for one that is created
    new   as it is to be, defaults filled in
    sent  the managers that the new object came with
    """
    before = old["metadata"].get("managedFields") if old is not None else None
    current = _sent_or_stored(write, before, sent)
    if not current and old is not None:
        return []
    found = _updated(write, current, empty_object(write.message, write.api_version, write.kind) if old is None else old, new)
    return managers.entries_of(managers.capped(found))


def _sent_or_stored(write: Operation, before: list[Entry] | None, sent: list[Entry] | None) -> Managers:
    """The managers to start from: those that were sent if they make sense and the object itself is written, else those stored."""
    if sent is None or write.subresource:
        return managers.stored(before)
    if managers.is_reset(sent):
        return {}
    if sent == before:
        return managers.stored(before)
    try:
        return managers.sent(sent) or managers.stored(before)
    except managers.ManagersError:
        return managers.stored(before)


def _updated(write: Operation, current: Managers, old: Object, new: Object) -> Managers:
    differences = Differences(write, old, new)
    found, _ = _taken(current, differences, None)
    gained = fieldset.difference(differences.own.changed, NOBODYS)
    if gained:
        key = write.key(UPDATE)
        mine = found[key].fields if key in found else EMPTY
        found[key] = Managed(fieldset.union(gained, mine), write.api_version, write.now)
    return found


class Differences:
    """What of the difference between two states the write touches, in each version in which somebody owns something."""

    def __init__(self, write: Operation, old: Object, new: Object) -> None:
        self.write, self.old, self.new = write, old, new
        self.own = self.between(old, new, write.message)
        self.found: dict[str, Comparison | None] = {write.api_version: self.own}

    def between(self, old: Object, new: Object, message: str) -> Comparison:
        removed, changed = compare(old, new, shape_of(message))
        return Comparison(self.write.touched(removed), self.write.touched(changed))

    def of(self, api_version: str) -> Comparison | None:
        """The difference in terms of a version; None if there is no such version."""
        if api_version not in self.found:
            old, new = (self.write.in_version(obj, api_version) for obj in (self.old, self.new))
            self.found[api_version] = self.between(old.obj, new.obj, new.message) if old and new else None
        return self.found[api_version]


def _taken(current: Managers, differences: Differences, writer: ManagerKey | None) -> tuple[Managers, dict[ManagerKey, Set]]:
    """The managers without what a write takes from all but the writer; and what of it they had, by manager."""
    left: Managers = {}
    conflicts: dict[ManagerKey, Set] = {}
    for key, managed in current.items():
        if key == writer:
            left[key] = managed
            continue
        found, fields = differences.of(managed.api_version), managed.fields
        if found is None:
            continue
        if found.changed and (taken := fieldset.intersection(fields, found.changed)):
            conflicts[key] = taken
            fields = fieldset.difference(fields, taken)
        if found.removed:
            fields = fieldset.difference(fields, found.removed)
        if not fields:
            continue
        left[key] = managed if fields == managed.fields else Managed(fields, managed.api_version, managed.time)
    return left, conflicts


class Applied:
    """The outcome of an apply: the merged object, not yet brought into its normal form, and its managers."""

    def __init__(self, obj: Object, entries: list[Entry]) -> None:
        self.obj, self.entries = obj, entries


def apply(write: Operation, live: Object | None, wanted: Object, force: bool) -> Applied:
    """Apply a configuration to an object, or to nothing.

    Raises  ConflictsError if others own what it changes, unless by force; TypedError if the configuration does not fit its schema
    """
    base = empty_object(write.message, write.api_version, write.kind) if live is None else live
    current = managers.stored(base["metadata"].get("managedFields"))
    if not current and live is not None:
        before = replace(write, manager=managers.BEFORE_FIRST_APPLY)
        current = _updated(before, {}, empty_object(write.message, write.api_version, write.kind), base)
    stated = fields_of(wanted, write.shape())
    try:
        found = _applied(write, base, wanted, stated, current, force)
    except ConflictsError as error:
        if write.manager != KUBECTL:
            raise
        allowed = last_applied.agreed(base, write.api_version, write.shape())
        if allowed is None:
            raise
        left = {key: fieldset.difference(owned, allowed) for key, owned in error.owned.items()}
        if any(left.values()):
            raise ConflictsError({key: owned for key, owned in left.items() if owned}) from error
        found = _applied(write, base, wanted, stated, current, True)
    if write.manager == KUBECTL:
        found.obj = last_applied.refreshed(found.obj, wanted)
    return found


def _applied(write: Operation, live: Object, wanted: Object, stated: Set, current: Managers, force: bool) -> Applied:
    merged: Object = merge(live, wanted, write.shape())
    mine = write.touched(stated)
    writer = write.key(APPLY)
    last = current.get(writer)
    found = {**current, writer: Managed(mine, write.api_version, last.time if last else None)}
    if last is not None and last.api_version == write.api_version and fieldset.difference(last.fields, mine):
        owned = EMPTY
        for managed in found.values():
            owned = fieldset.union(owned, managed.fields)
        merged = prune(merged, write.shape(), last.fields, owned)
    changed = merged is not live and merged != live
    if changed:
        found, conflicts = _taken(found, Differences(write, live, merged), writer)
        if conflicts and not force:
            raise ConflictsError(conflicts)
    _settle(found, writer, last, write.now if changed else None)
    return Applied(merged if changed else live, managers.entries_of(found))


def _settle(found: Managers, writer: ManagerKey, last: Managed | None, now: str | None) -> None:
    """Write down what the writer has: without what nobody owns, and with the time if anything changed."""
    mine = found.pop(writer, None)
    fields = fieldset.difference(mine.fields, NOBODYS) if mine else EMPTY
    if not mine or not fields:
        return
    if last is not None and fields == last.fields and mine.api_version == last.api_version and not now:
        found[writer] = last
    else:
        found[writer] = Managed(fields, mine.api_version, now or mine.time)


@cache
def shape_of(message: str) -> Map:
    """The type of an object."""
    found = type_of(message)
    assert isinstance(found, Map), message
    return found


@cache
def empty_object(message: str, api_version: str, kind: str) -> Object:
    """An object of a kind that says nothing, as Kubernetes writes it; nobody changes it."""
    return codec.decode(message, b"", api_version, kind)


__all__ = ["Applied", "ConflictsError", "Operation", "TypedError", "Versioned", "apply", "empty_object", "update"]
