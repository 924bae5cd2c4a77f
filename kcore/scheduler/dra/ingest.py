"""From the bytes of slices, device classes, taint rules and resource claims to their rows.

Source: resource.k8s.io/v1.
"""
from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from kcore.machinery import codec, quantity, timestamp
from kcore.scheduler.dra.asks import Choice, Constraint, Request, Wish
from kcore.scheduler.dra.capacity import Capacity, Consumed, Range
from kcore.scheduler.dra.rows import (
    Config,
    Consumer,
    Device,
    DeviceClaim,
    DeviceClass,
    DeviceRow,
    Held,
    Readiness,
    Slice,
    TaintRule,
    Where,
)
from kcore.scheduler.rows import Expression, Taint, Term, Toleration

_MESSAGE: Final = "kcore.api.resource.v1."
ALL: Final = "All"
EXTENDED_CLAIM: Final = "resource.kubernetes.io/extended-resource-claim"
"""The annotation of a claim that was made for the extended resources of a pod."""


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
        per_device=per_device,
    )


def class_row(raw: bytes) -> DeviceClass:
    """Read a DeviceClass.

    Raises  DecodeError
    """
    found = codec.decode(f"{_MESSAGE}DeviceClass", raw)
    meta, spec = found["metadata"], found.get("spec") or {}
    config = tuple(json.dumps(each) for each in spec.get("config") or ())
    return DeviceClass(
        meta["name"], _selectors(spec), config, spec.get("extendedResourceName", ""), int(_seconds(meta.get("creationTimestamp")))
    )


def rule_row(raw: bytes) -> TaintRule:
    """Read a DeviceTaintRule.

    Raises  DecodeError
    """
    found = codec.decode(f"{_MESSAGE}DeviceTaintRule", raw)
    spec = found.get("spec") or {}
    selector = spec.get("deviceSelector")
    selects = None if selector is None else tuple(selector.get(name, "") for name in ("driver", "pool", "device"))
    return TaintRule(found["metadata"]["name"], _taint(spec.get("taint") or {}), selects)


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
        config=tuple(map(_config, devices.get("config") or ())),
        allocation=None if allocation is None else tuple(_results(allocation)),
        terms=_terms((allocation or {}).get("nodeSelector")),
        readiness=_readiness(meta["name"], allocation or {}, status.get("devices") or ()),
        reserved=tuple(
            Consumer(each["resource"], each["name"], each["uid"], each.get("apiGroup", "")) for each in status.get("reservedFor") or ()
        ),
        finalizers=tuple(meta.get("finalizers") or ()),
        owner=next((each["uid"] for each in meta.get("ownerReferences") or () if each.get("controller")), ""),
        terminating="deletionTimestamp" in meta,
        extended=(meta.get("annotations") or {}).get(EXTENDED_CLAIM) == "true",
        resource_version=meta.get("resourceVersion", ""),
    )


DEVICE_KINDS: Final[dict[str, Callable[[bytes], DeviceRow]]] = {
    "ResourceSlice": slice_row,
    "DeviceClass": class_row,
    "DeviceTaintRule": rule_row,
    "ResourceClaim": claim_row,
}
"""How each kind is read."""


def _results(allocation: dict[str, Any]) -> Iterable[Held]:
    for result in (allocation.get("devices") or {}).get("results") or ():
        device = result["driver"], result["pool"], result["device"]
        yield Held(
            device, result["request"], bool(result.get("adminAccess")), result.get("shareID", ""), _amounts(result.get("consumedCapacity"))
        )


def _readiness(claim: str, allocation: dict[str, Any], statuses: Iterable[dict[str, Any]]) -> Readiness:
    """Look at the devices one by one, as far as the first that failed or is not ready."""
    waited = [result for result in (allocation.get("devices") or {}).get("results") or () if result.get("bindingConditions")]
    if not waited:
        return Readiness()
    since = _seconds(allocation.get("allocationTimestamp"))
    of_device = {(each["driver"], each["pool"], each["device"]): each.get("conditions") or () for each in statuses}
    for result in waited:
        said = {each["type"]: each for each in of_device.get((result["driver"], result["pool"], result["device"]), ())}
        true = {name for name, condition in said.items() if condition.get("status") == "True"}
        failed = next((said[name] for name in result.get("bindingFailureConditions") or () if name in true), None)
        if failed is not None:
            reason, text = failed.get("reason", ""), json.dumps(failed.get("message", ""), ensure_ascii=False)
            return Readiness(True, False, f"device binding failed: claim={claim}, reason={reason}, message={text}", since)
        if not true.issuperset(result["bindingConditions"]):
            return Readiness(True, False, "", since)
    return Readiness(True, True, "", since)


def _config(found: dict[str, Any]) -> Config:
    requests = tuple(found.get("requests") or ())
    return Config(requests, json.dumps({name: value for name, value in found.items() if name != "requests"}))


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
    capacity = _amounts((spec.get("capacity") or {}).get("requests"))
    return Request(name, spec.get("deviceClassName", ""), _selectors(spec), count, bool(spec.get("adminAccess")), tolerations, capacity)


def _constraint(found: dict[str, Any]) -> Constraint:
    distinct = found.get("distinctAttribute")
    return Constraint(tuple(found.get("requests") or ()), distinct or found.get("matchAttribute") or "", bool(distinct))


def _selectors(spec: dict[str, Any]) -> tuple[str, ...]:
    return tuple((each.get("cel") or {}).get("expression", "") for each in spec.get("selectors") or ())


def _device(found: dict[str, Any], driver: str, per_device: bool) -> Device:
    attributes = sorted((_qualified(name, driver), _value(value)) for name, value in (found.get("attributes") or {}).items())
    return Device(
        name=found["name"],
        attributes=tuple(attributes),
        capacity=tuple(sorted((name, _capacity(value or {})) for name, value in (found.get("capacity") or {}).items())),
        taints=tuple(map(_taint, found.get("taints") or ())),
        consumes=tuple(_counters(found.get("consumesCounters"), "counterSet")),
        where=_where(found) if per_device else None,
        shared=bool(found.get("allowMultipleAllocations")),
        conditions=tuple(found.get("bindingConditions") or ()),
        failures=tuple(found.get("bindingFailureConditions") or ()),
        binds_to_node=bool(found.get("bindsToNode")),
    )


def _taint(found: dict[str, Any]) -> Taint:
    return Taint(found.get("key", ""), found.get("value", ""), found.get("effect", ""))


def _capacity(found: dict[str, Any]) -> Capacity:
    text, policy = found.get("value", "0"), found.get("requestPolicy") or {}
    bounds = policy.get("validRange")
    return Capacity(
        text,
        _amount(text),
        _optional(policy.get("default")),
        tuple(map(_amount, policy.get("validValues") or ())),
        Range(_amount(bounds.get("min", "0")), _optional(bounds.get("max")), _optional(bounds.get("step"))) if bounds else None,
    )


def _amounts(found: Mapping[str, str] | None) -> Consumed:
    return tuple(sorted((name, _amount(text)) for name, text in (found or {}).items()))


def _amount(text: str) -> int:
    return quantity.parse(text).nano


def _optional(text: str | None) -> int | None:
    return None if text is None else _amount(text)


def _seconds(text: str | None) -> float:
    return timestamp.parse_time(text) if text else 0.0


def _qualified(name: str, driver: str) -> str:
    return name if "/" in name else f"{driver}/{name}"


def _value(value: dict[str, Any]) -> tuple[str, Any]:
    kind, found = next(iter(value.items()), ("", None))
    return kind, tuple(found) if isinstance(found, list) else found


def _counters(sets: Iterable[dict[str, Any]] | None, named: str) -> Iterable[tuple[tuple[str, str], int]]:
    for each in sets or ():
        for name, counter in sorted((each.get("counters") or {}).items()):
            yield (each[named], name), _amount((counter or {}).get("value", "0"))


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
