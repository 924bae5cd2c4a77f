"""Event between events.k8s.io/v1 and v1, in which it is stored: the same fields under other names.

Source: Kubernetes `pkg/apis/events/v1/conversion.go`.
"""

from __future__ import annotations

from typing import Any, Final

Object = dict[str, Any]

_CORE_NAMES: Final = {
    "regarding": "involvedObject", "note": "message", "reportingController": "reportingComponent", "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp", "deprecatedLastTimestamp": "lastTimestamp", "deprecatedCount": "count",
}  # fmt: skip
_EVENTS_NAMES: Final = {core: new for new, core in _CORE_NAMES.items()}

FIELDS: Final = {
    **{f"regarding.{name}": f"involvedObject.{name}"
       for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")},
    "reportingController": "reportingComponent",
}  # fmt: skip
"""Selectable fields of events.k8s.io, as the stored form calls them."""


def to_core(value: Object) -> Object:
    """An Event of events.k8s.io/v1 as one of v1."""
    return {**{_CORE_NAMES.get(name, name): found for name, found in value.items()}, "apiVersion": "v1"}


def to_events(value: Object) -> Object:
    """An Event of v1 as one of events.k8s.io/v1."""
    return {**{_EVENTS_NAMES.get(name, name): found for name, found in value.items()}, "apiVersion": "events.k8s.io/v1"}
