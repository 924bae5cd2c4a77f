"""The managers of an object: `metadata.managedFields` as sets of fields by who has them.

A manager is known by name, operation and subresource, one that updates also by its version. Of an entry that does not change, the dict that
was read is written again.
Source: apimachinery `pkg/util/managedfields/internal` (managedfields.go, capmanagers.go).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson

from kcore.base import limits
from kcore.machinery import timestamp
from kcore.machinery.apply import fieldset
from kcore.machinery.apply.fieldset import FieldSetError, Set

Entry = dict[str, Any]
APPLY: Final = "Apply"
UPDATE: Final = "Update"
FIELDS_TYPE: Final = "FieldsV1"
ANCIENT: Final = "ancient-changes"
BEFORE_FIRST_APPLY: Final = "before-first-apply"


class ManagerKey(NamedTuple):
    """Who it is; `api_version` is empty for one that applies."""

    name: str
    operation: str
    api_version: str
    subresource: str


class Managed(NamedTuple):
    """What a manager has, in terms of a version, and since when; `entry` is what stands for it in the list, if that is known."""

    fields: Set
    api_version: str
    time: str | None
    entry: Entry | None = None


Managers = dict[ManagerKey, Managed]


class ManagersError(ValueError):
    """A list of managers that somebody sent is none."""


def key_of(entry: Entry) -> ManagerKey:
    """Who an entry is about."""
    operation = entry.get("operation", "")
    version = "" if operation == APPLY else entry.get("apiVersion", "")
    return ManagerKey(entry.get("manager", ""), operation, version, entry.get("subresource", ""))


def stored(entries: list[Entry] | None) -> Managers:
    """The managers of a stored object."""
    return {
        key_of(entry): Managed(entry.get("fieldsV1") or fieldset.EMPTY, entry["apiVersion"], entry.get("time"), entry)
        for entry in entries or ()
    }


def sent(entries: list[Entry]) -> Managers:
    """The managers that a client sent. Raises ManagersError."""
    found: Managers = {}
    for index, entry in enumerate(entries):
        if entry.get("operation") not in (APPLY, UPDATE):
            raise ManagersError("operation must be `Apply` or `Update`")
        if not entry.get("apiVersion"):
            raise ManagersError("apiVersion must not be empty")
        if entry.get("fieldsType") != FIELDS_TYPE:
            raise ManagersError(f"invalid fieldsType in managed fields entry {index}")
        try:
            fields = fieldset.normal(entry.get("fieldsV1"))
        except FieldSetError as error:
            raise ManagersError(str(error)) from error
        found[key_of(entry)] = Managed(fields, entry["apiVersion"], entry.get("time"))
    return found


def is_reset(entries: list[Entry] | None) -> bool:
    """Whether a client asks for the list to be forgotten: by an empty one, or by a single empty entry."""
    return entries is not None and (not entries or (len(entries) == 1 and not any(entries[0].values())))


def keep_reset(obj: Any) -> None:
    """Let a list without any entry survive decoding: one with an empty entry means the same."""
    metadata = obj.get("metadata") if isinstance(obj, dict) else None
    if isinstance(metadata, dict) and metadata.get("managedFields") == []:
        metadata["managedFields"] = [{}]


def entries_of(managers: Managers) -> list[Entry]:
    """The list of managers as an object has it: those that apply first, then by time and name."""
    found = [(_place(key, managed), managed.entry or _entry(key, managed)) for key, managed in managers.items()]
    found.sort(key=lambda pair: pair[0])
    return [entry for _, entry in found]


def _place(key: ManagerKey, managed: Managed) -> tuple[str, int, str, str, str]:
    return key.operation, _seconds(managed.time), key.name, managed.api_version, key.subresource


def _seconds(time: str | None) -> int:
    return int(timestamp.parse_time(time)) if time else 0


def _entry(key: ManagerKey, managed: Managed) -> Entry:
    entry: Entry = {"manager": key.name, "operation": key.operation, "apiVersion": managed.api_version}
    if managed.time:
        entry["time"] = managed.time
    entry["fieldsType"] = FIELDS_TYPE
    entry["fieldsV1"] = fieldset.ordered(managed.fields)
    if key.subresource:
        entry["subresource"] = key.subresource
    return entry


def capped(managers: Managers) -> Managers:
    """The managers with no more than ten that update: of the oldest, those of one version become one."""
    updaters = [key for key in managers if key.operation == UPDATE]
    surplus = len(updaters) - limits.UPDATE_MANAGERS_MAX
    if surplus <= 0:
        return managers
    found = dict(managers)
    updaters.sort(key=lambda key: (_seconds(found[key].time), identifier(key)))
    first: dict[str, ManagerKey] = {}
    for key in updaters:
        if not surplus:
            break
        managed = found[key]
        bucket = ManagerKey(ANCIENT, UPDATE, managed.api_version, "")
        if managed.api_version not in first:
            first[managed.api_version] = key
            continue
        if bucket not in found:
            found[bucket] = found.pop(first[managed.api_version])
        if key != bucket:
            before = found[bucket]
            found[bucket] = Managed(fieldset.union(managed.fields, before.fields), managed.api_version, managed.time)
            del found[key]
        surplus -= 1
    return found


def same_but_for_times(one: list[Entry] | None, other: list[Entry] | None) -> bool:
    """Whether two lists say the same except for when, which decides their order.

    Differs from upstream: an order that is another one makes no difference, so that an apply without effect never writes.
    """
    if not one or not other or len(one) != len(other):
        return not one and not other
    found = {key_of(entry): entry for entry in other}
    return all({**entry, "time": None} == {**found.get(key_of(entry), {}), "time": None} for entry in one)


def identifier(key: ManagerKey) -> str:
    """The text by which Kubernetes sorts managers."""
    shown = {"manager": key.name, "operation": key.operation, "apiVersion": key.api_version, "subresource": key.subresource}
    return orjson.dumps({name: value for name, value in shown.items() if value}).decode()
