"""A metric of an autoscaler: one source, as its type says, and an amount to aim at.

Source: Kubernetes `pkg/apis/autoscaling/validation`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import field_error as fe
from kcore.machinery import names, quantity
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.autoscaling.cross_version_reference import validate_reference
from kcore.machinery.kinds.core.container_resources import container_resource_problems
from kcore.machinery.kinds.rules import Object
from kcore.machinery.kinds.values import POSITIVE

_SOURCES: Final = {
    "Object": "object", "External": "external", "Pods": "pods", "Resource": "resource", "ContainerResource": "containerResource",
}
_TARGET_TYPES: Final = ("Utilization", "Value", "AverageValue")
_EITHER_RAW_OR_SHARE: Final = "must set either a target raw value or a target utilization"
_NOT_BOTH_RAW_AND_SHARE: Final = "may not set both a target raw value and a target utilization"


def validate_metric(metric: Object, path: str, errors: list[FieldError], any_version: bool) -> None:
    """Check a metric.

    any_version  the version of an object that is measured is not judged
    """
    kind = metric.get("type") or ""
    if not kind:
        errors.append(fe.required(f"{path}.type", "must specify a metric source type"))
    if kind not in _SOURCES:
        errors.append(fe.not_supported(f"{path}.type", kind, sorted(_SOURCES)))
    present = [source for source in _SOURCES.values() if metric.get(source) is not None]
    if present:
        _validate_source(present[0], metric[present[0]], f"{path}.{present[0]}", errors, any_version)
    wanted = _SOURCES.get(kind, "")
    if wanted and wanted not in present:
        errors.append(fe.required(f"{path}.{wanted}", "must populate information for the given metric source"))
    if len(present) != 1:
        for source in sorted(set(present) - {wanted}):
            errors.append(fe.forbidden(f"{path}.{source}", "must populate the given metric source only"))


def _validate_source(name: str, source: Object, path: str, errors: list[FieldError], any_version: bool) -> None:
    if name in ("resource", "containerResource"):
        _validate_resource(name, source, path, errors)
        return
    if name == "object":
        validate_reference(source.get("describedObject") or {}, f"{path}.describedObject", errors, True, any_version)
    _validate_identifier(source.get("metric") or {}, f"{path}.metric", errors)
    target = source.get("target") or {}
    _validate_target(target, f"{path}.target", errors)
    plain, average = target.get("value") is not None, target.get("averageValue") is not None
    if name == "pods" and not average:
        errors.append(fe.required(f"{path}.target.averageValue", "must specify a positive target averageValue"))
    if name == "object" and not plain and not average:
        errors.append(fe.required(f"{path}.target.averageValue", "must set either a target value or averageValue"))
    if name == "external" and not plain and not average:
        errors.append(fe.required(f"{path}.target.averageValue", "must set either a target value for metric or a per-pod target"))
    if name == "external" and plain and average:
        errors.append(fe.forbidden(f"{path}.target.value", "may not set both a target value for metric and a per-pod target"))


def _validate_resource(name: str, source: Object, path: str, errors: list[FieldError]) -> None:
    if not source.get("name"):
        errors.append(fe.required(f"{path}.name", "must specify a resource name"))
    elif name == "containerResource":
        errors.extend(fe.invalid(f"{path}.name", source["name"], sentence) for sentence, _ in container_resource_problems(source["name"]))
    if name == "containerResource":
        container = source.get("container") or ""
        if not container:
            errors.append(fe.required(f"{path}.container", "must specify a container"))
        else:
            errors.extend(fe.invalid(f"{path}.container", container, sentence) for sentence in names.dns1123_label(container))
    target = source.get("target") or {}
    _validate_target(target, f"{path}.target", errors)
    share, average = target.get("averageUtilization") is not None, target.get("averageValue") is not None
    if not share and not average:
        errors.append(fe.required(f"{path}.target.averageUtilization", _EITHER_RAW_OR_SHARE))
    if share and average:
        errors.append(fe.forbidden(f"{path}.target.averageValue", _NOT_BOTH_RAW_AND_SHARE))


def _validate_identifier(metric: Object, path: str, errors: list[FieldError]) -> None:
    name = metric.get("name") or ""
    if not name:
        errors.append(fe.required(f"{path}.name", "must specify a metric name"))
    errors.extend(fe.invalid(f"{path}.name", name, sentence) for sentence in names.path_segment(name))


def _validate_target(target: Object, path: str, errors: list[FieldError]) -> None:
    kind = target.get("type") or ""
    if not kind:
        errors.append(fe.required(f"{path}.type", "must specify a metric target type"))
    if kind not in _TARGET_TYPES:
        errors.append(fe.invalid(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue"))
    for field in ("value", "averageValue"):
        amount = target.get(field)
        if amount is not None and quantity.compare(amount, "0") <= 0:
            errors.append(fe.invalid(f"{path}.{field}", amount, "must be positive"))
    share = target.get("averageUtilization")
    if share is not None and share < 1:
        errors.append(fe.invalid(f"{path}.averageUtilization", share, POSITIVE))
