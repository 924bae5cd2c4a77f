"""Metrics of a HorizontalPodAutoscaler, and their state, between v2 and the form that v1 carries in annotations.

v2 says of a source `{metric, target}` or `{metric, current}`; v1 has a field for each kind of amount instead: `targetAverageValue`,
`currentValue` and so on.

Source: Kubernetes `pkg/apis/autoscaling/v1/conversion.go`; field order of `k8s.io/api/autoscaling/v1`.
"""

from __future__ import annotations

from typing import Any, Final

Object = dict[str, Any]

_ZERO: Final = "0"
_SOURCES: Final = ("object", "pods", "resource", "containerResource", "external")


def cpu(amount: str, value: Object) -> Object:
    """The metric of the CPU in v2; `amount` is `target` or `current`."""
    return {"type": "Resource", "resource": {"name": "cpu", amount: value}}


def is_cpu_utilization(metric: Object) -> bool:
    """Whether a metric of v2 is the one that v1 has a field for."""
    resource = _cpu(metric)
    return resource is not None and (resource.get("target") or {}).get("averageUtilization") is not None


def cpu_utilization(metrics: list[Object], amount: str) -> int | None:
    """The CPU's utilization in the metrics, or their state, of v2. Of targets the first of the CPU counts, of the state the last."""
    found = [(resource.get(amount) or {}).get("averageUtilization") for metric in metrics if (resource := _cpu(metric)) is not None]
    if amount == "target":
        return found[0] if found else None
    known = [value for value in found if value is not None]
    return known[-1] if known else None


def _cpu(metric: Object) -> Object | None:
    resource: Object | None = metric.get("resource") if metric.get("type") == "Resource" else None
    return resource if resource is not None and resource.get("name") == "cpu" else None


def spec_to_v1(metric: Object) -> Object:
    """A metric of v2 in v1's form."""
    return _to_v1(metric, "target")


def status_to_v1(metric: Object) -> Object:
    """The state of a metric of v2 in v1's form."""
    return _to_v1(metric, "current")


def _to_v1(metric: Object, amount: str) -> Object:
    found: Object = {"type": metric.get("type", "")}
    for source in _SOURCES:
        given = metric.get(source)
        if given is not None:
            found[source] = _without_none(_source_to_v1(source, given, given.get(amount) or {}, amount))
    return found


def _source_to_v1(source: str, given: Object, value: Object, amount: str) -> Object:
    """One source in v1's form, its fields in v1's order; None stands for what is left out."""
    state = amount == "current"
    metric = given.get("metric") or {}
    average = value.get("averageValue")
    if source == "object":
        target = given.get("describedObject") or {}
        reference = {"kind": target.get("kind", ""), "name": target.get("name", ""), "apiVersion": target.get("apiVersion") or None}
        return {"target": _without_none(reference), "metricName": metric.get("name", ""), f"{amount}Value": value.get("value", _ZERO),
                "selector": metric.get("selector"), "averageValue": average}  # fmt: skip
    if source == "pods":
        return {"metricName": metric.get("name", ""), f"{amount}AverageValue": average or _ZERO, "selector": metric.get("selector")}
    if source == "external":
        plain = value.get("value", _ZERO if state else None)
        return {"metricName": metric.get("name", ""), "metricSelector": metric.get("selector"), f"{amount}Value": plain,
                f"{amount}AverageValue": average}  # fmt: skip
    found = {"name": given.get("name", ""), f"{amount}AverageUtilization": value.get("averageUtilization"),
             f"{amount}AverageValue": (average or _ZERO) if state else average}  # fmt: skip
    return {**found, "container": given.get("container", "")} if source == "containerResource" else found


def spec_to_v2(metric: Object) -> Object:
    """A metric of v1's form in v2."""
    return _to_v2(metric, "target")


def status_to_v2(metric: Object) -> Object:
    """The state of a metric of v1's form in v2."""
    return _to_v2(metric, "current")


def _to_v2(metric: Object, amount: str) -> Object:
    found: Object = {"type": metric.get("type", "")}
    for source in _SOURCES:
        given = metric.get(source)
        if isinstance(given, dict):
            value = _amounts(source, given, amount)
            if amount == "target":
                value = {"type": _target_type(source, value), **value}
            found[source] = _source_to_v2(source, given, {amount: value})
    return found


def _source_to_v2(source: str, given: Object, made: Object) -> Object:
    if source in ("resource", "containerResource"):
        found = {"name": given.get("name", ""), **made}
        return {**found, "container": given.get("container", "")} if source == "containerResource" else found
    selector = given.get("metricSelector" if source == "external" else "selector")
    found = {"metric": _without_none({"name": given.get("metricName", ""), "selector": selector}), **made}
    if source == "object":
        target = given.get("target") or {}
        found["describedObject"] = _kept_text(target, "kind", "name", "apiVersion")
    return found


def _amounts(source: str, given: Object, amount: str) -> Object:
    """What is wanted, or measured, in v2's names."""
    average = given.get("averageValue" if source == "object" else f"{amount}AverageValue")
    plain = given.get(f"{amount}Value")
    return _without_none({"value": plain, "averageValue": average, "averageUtilization": given.get(f"{amount}AverageUtilization")})


def _target_type(source: str, value: Object) -> str:
    if source == "pods":
        return "AverageValue"
    if source == "object":
        return "AverageValue" if "averageValue" in value else "Value"
    if source == "external":
        return "Value" if "value" in value else "AverageValue"
    return "Utilization" if "averageUtilization" in value else "AverageValue"


def _kept_text(value: Object, *names: str) -> Object:
    return {name: value[name] for name in names if value.get(name)}


def _without_none(value: Object) -> Object:
    return {name: found for name, found in value.items() if found is not None}
