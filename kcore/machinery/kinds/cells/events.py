"""Cells of Events of either group, in the form of the core group, in which they are stored.

Source: Kubernetes `pkg/printers/internalversion/printers.go`, recorded tables of 1.37.
"""

from __future__ import annotations

from typing import Any, Final

from kcore.machinery.kinds.cells.forms import UNKNOWN, Cells, Object, at, part, plain, since

GROUPS: Final = ("", "events.k8s.io")


def regarding(obj: Object) -> Object:
    """What an Event is about."""
    return obj.get("involvedObject") or {}


def event_object(obj: Object) -> str:
    """`pod/a`."""
    kind, name = (regarding(obj).get("kind") or "").lower(), regarding(obj).get("name") or ""
    return f"{kind}/{name}" if name else kind


def event_source(obj: Object) -> str:
    """Who says it."""
    source = obj.get("source") or {}
    component = source.get("component") or obj.get("reportingComponent") or ""
    instance = source.get("host") or obj.get("reportingInstance")
    return f"{component}, {instance}" if instance else component


def first_seen(obj: Object, now: float) -> Any:
    """How long ago it happened first."""
    return since(obj.get("firstTimestamp") or obj.get("eventTime"), now, UNKNOWN)


def last_seen(obj: Object, now: float) -> Any:
    """How long ago it happened last."""
    last = part(obj, "series.lastObservedTime") or obj.get("lastTimestamp")
    return since(last, now) if last else first_seen(obj, now)


def count(obj: Object) -> int:
    """How often it happened."""
    found: int = part(obj, "series.count") or obj.get("count") or 1
    return found


CELLS: Final[Cells] = {
    (group, "Event", column): compute
    for group in GROUPS
    for column, compute in {
        "Last Seen": last_seen,
        "Type": at("type", ""),
        "Reason": at("reason", ""),
        "Object": plain(event_object),
        "Subobject": plain(lambda obj: regarding(obj).get("fieldPath") or ""),
        "Source": plain(event_source),
        "Message": plain(lambda obj: (obj.get("message") or "").strip()),
        "First Seen": first_seen,
        "Count": plain(count),
    }.items()
}
