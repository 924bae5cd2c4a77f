"""The owners of an object's fields after a write.

Source: Kubernetes apiserver `pkg/endpoints/handlers` (create.go, update.go, patch.go).
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from kcore.apiserver.registry import Registry, Write
from kcore.machinery import conversion, scheme
from kcore.machinery.apply import reset, tracking
from kcore.machinery.apply.managers import Entry
from kcore.machinery.apply.tracking import Operation, Versioned
from kcore.machinery.request import Request

Object = dict[str, Any]
SCALE = "scale"
EMPTY_LIST = re.compile(rb"\[\s*\]")


def track(registry: Registry, write: Write, request: Request) -> None:
    """Let a write say who owns what it changes, if its request names a manager."""
    if manager := request.options.get("fieldManager") or request.manager:
        tells_empty = isinstance(request.body, bytes) and EMPTY_LIST.search(request.body) is not None
        write.owners = partial(updated, write, operation(write, manager, registry.now()), tells_empty)


def updated(
    write: Write, operation: Operation, tells_empty: bool, new: Object, old: Object | None, sent: list[Entry] | None
) -> list[Entry]:
    """The owners after a write that is no apply; the objects are in the form that is stored. Who gives an empty list for null owns it."""
    if operation.subresource != SCALE:
        new = conversion.served(write.served, new)
        old = old and conversion.served(write.served, old)
    if tells_empty:
        new = with_empty_lists(new, write.given())
    return tracking.update(operation, old, new, sent)


def with_empty_lists(obj: Any, given: Any) -> Any:
    """An object with the lists that it shows as null and that were given empty."""
    if isinstance(obj, dict) and isinstance(given, dict):
        return {
            name: [] if value is None and given.get(name) == [] else with_empty_lists(value, given.get(name)) for name, value in obj.items()
        }
    if isinstance(obj, list) and isinstance(given, list) and len(obj) == len(given):
        return [with_empty_lists(each, value) for each, value in zip(obj, given, strict=True)]
    return obj


def operation(write: Write, manager: str, now: str) -> Operation:
    """What a write is to the owners."""
    spec, subresource = write.served, write.subresource
    if subresource == SCALE:
        body = spec.subresources[SCALE].body
        message = scheme.load().message_of(body.api_version, body.kind)
        assert message is not None, body
        return Operation(message, body.api_version, body.kind, manager, subresource, reset.all_fields, now, nothing)
    touched = reset.touched(spec.group, spec.kind, subresource, "status" in spec.subresources)
    return Operation(spec.message, spec.api_version, spec.kind, manager, subresource, touched, now, partial(in_version, write))


def in_version(write: Write, obj: Object, api_version: str) -> Versioned | None:
    """An object, given in the version of the client, in another one of its kind; None if there is no such version."""
    group, _, version = api_version.rpartition("/")
    spec = next((spec for gvk, spec in scheme.everything().kinds.items() if gvk == (group, version, write.served.kind)), None)
    kept = write.spec
    if spec is None or spec.storage != kept.storage:
        return None
    return Versioned(conversion.served(spec, conversion.stored(write.served, obj)), spec.message)


def nothing(_: Object, __: str) -> None:
    """A form that has one version."""
