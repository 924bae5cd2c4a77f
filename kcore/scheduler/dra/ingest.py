"""From the bytes of slices, device classes and resource claims to their rows.

Source: resource.k8s.io/v1.
"""
from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from kcore.machinery import codec, quantity
from kcore.scheduler.dra.asks import Choice, Constraint, Request, Wish
from kcore.scheduler.dra.rows import Consumer, Device, DeviceClaim, DeviceClass, DeviceRow, Slice, Where
from kcore.scheduler.rows import Expression, Taint, Term, Toleration

_MESSAGE: Final = "kcore.api.resource.v1."
ALL: Final = "All"


def slice_row(raw: bytes) -> Slice:
    """Read a ResourceSlice.

    Raises  DecodeError
    """
    found = codec.decode(f"{_MESSAGE}ResourceSlice", raw)
    spec, pool = found["spec"], found["spec"]["pool"]
    per_device = bool(spec.get("perDeviceNodeSelection"))
    return Slice(
        name=found["metadata"]["name"],
        driver=spec["driver"],
        pool=pool["name"],
        generation=pool.get("generation", 0),
        slice_count=pool.get("resourceSliceCount", 0),
        where=_where(spec),
        devices=tuple(_device(device, spec["driver"], per_device) for device in spec.get("devices") or ()),
        counters=tuple(_counters(spec.get("sharedCounters"), "name")),
    )


def class_row(raw: bytes) -> DeviceClass:
    """Read a DeviceClass.

    Raises  DecodeError
    """
    found = codec.decode(f"{_MESSAGE}DeviceClass", raw)
    spec = found.get("spec") or {}
    return DeviceClass(found["metadata"]["name"], _selectors(spec), tuple(json.dumps(each) for each in spec.get("config") or ()))


def claim_row(raw: bytes) -> DeviceClaim:
    """Read a ResourceClaim.

    Raises  DecodeError
    """
    found = codec.decode(f"{_MESSAGE}ResourceClaim", raw)
    meta, status = found["metadata"], found.get("status") or {}
    devices = (found.get("spec") or {}).get("devices") or {}
    allocation = status.get("allocation")
    return DeviceClaim(
        key=f"{meta.get('namespace', '')}/{meta['name']}",
        uid=meta.get("uid", ""),
        wish=Wish(tuple(map(_choice, devices.get("requests") or ())), tuple(map(_constraint, devices.get("constraints") or ()))),
        config=tuple(json.dumps(each) for each in devices.get("config") or ()),
        allocation=None if allocation is None else tuple(_results(allocation)),
        terms=_terms((allocation or {}).get("nodeSelector")),
        reserved=tuple(
            Consumer(each["resource"], each["name"], each["uid"], each.get("apiGroup", "")) for each in status.get("reservedFor") or ()
        ),
        finalizers=tuple(meta.get("finalizers") or ()),
        owner=next((each["uid"] for each in meta.get("ownerReferences") or () if each.get("controller")), ""),
        terminating="deletionTimestamp" in meta,
        resource_version=meta.get("resourceVersion", ""),
    )


DEVICE_KINDS: Final[dict[str, Callable[[bytes], DeviceRow]]] = {
    "ResourceSlice": slice_row,
    "DeviceClass": class_row,
    "ResourceClaim": claim_row,
}
"""How each kind is read."""


def _results(allocation: dict[str, Any]) -> Iterable[tuple[tuple[str, str, str], bool]]:
    for result in (allocation.get("devices") or {}).get("results") or ():
        yield (result["driver"], result["pool"], result["device"]), bool(result.get("adminAccess"))


def _choice(request: dict[str, Any]) -> Choice:
    name = request["name"]
    alternatives = request.get("firstAvailable")
    if alternatives:
        return Choice(name, tuple(_request(each, f"{name}/{each['name']}") for each in alternatives), scored=True)
    return Choice(name, (_request(request.get("exactly") or {}, name),))


def _request(spec: dict[str, Any], name: str) -> Request:
    tolerations = tuple(
        Toleration(each.get("key", ""), each.get("operator", "Equal"), each.get("value", ""), each.get("effect", ""))
        for each in spec.get("tolerations") or ()
    )
    count = None if spec.get("allocationMode") == ALL else spec.get("count", 1) or 1
    return Request(name, spec.get("deviceClassName", ""), _selectors(spec), count, bool(spec.get("adminAccess")), tolerations)


def _constraint(found: dict[str, Any]) -> Constraint:
    distinct = found.get("distinctAttribute")
    return Constraint(tuple(found.get("requests") or ()), distinct or found.get("matchAttribute") or "", bool(distinct))


def _selectors(spec: dict[str, Any]) -> tuple[str, ...]:
    return tuple((each.get("cel") or {}).get("expression", "") for each in spec.get("selectors") or ())


def _device(found: dict[str, Any], driver: str, per_device: bool) -> Device:
    attributes = sorted((_qualified(name, driver), _value(value)) for name, value in (found.get("attributes") or {}).items())
    capacity = sorted((_qualified(name, driver), (value or {}).get("value", "0")) for name, value in (found.get("capacity") or {}).items())
    taints = tuple(Taint(each.get("key", ""), each.get("value", ""), each.get("effect", "")) for each in found.get("taints") or ())
    consumes = tuple(_counters(found.get("consumesCounters"), "counterSet"))
    return Device(found["name"], tuple(attributes), tuple(capacity), taints, consumes, _where(found) if per_device else None)


def _qualified(name: str, driver: str) -> str:
    return name if "/" in name else f"{driver}/{name}"


def _value(value: dict[str, Any]) -> tuple[str, Any]:
    kind, found = next(iter(value.items()), ("", None))
    return kind, tuple(found) if isinstance(found, list) else found


def _counters(sets: Iterable[dict[str, Any]] | None, named: str) -> Iterable[tuple[tuple[str, str], int]]:
    for each in sets or ():
        for name, counter in sorted((each.get("counters") or {}).items()):
            yield (each[named], name), quantity.parse((counter or {}).get("value", "0")).nano


def _where(found: dict[str, Any]) -> Where:
    return Where(found.get("nodeName") or "", _terms(found.get("nodeSelector")))


def _terms(selector: dict[str, Any] | None) -> tuple[Term, ...] | None:
    if selector is None:
        return None
    return tuple(
        Term(_expressions(term.get("matchExpressions")), _expressions(term.get("matchFields")))
        for term in selector.get("nodeSelectorTerms") or ()
    )


def _expressions(found: Iterable[dict[str, Any]] | None) -> tuple[Expression, ...]:
    return tuple(Expression(each["key"], each["operator"], tuple(each.get("values") or ())) for each in found or ())
