"""IngressClass: which controller, which never changes, with which parameters.

Source: Kubernetes `pkg/apis/networking/validation`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.networking.reference import validate_local_reference
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing
from kcore.machinery.kinds.values import validate_immutable

CONTROLLER_SIZE_MAX: Final = 250

_CLUSTER: Final = "Cluster"
_NAMESPACE: Final = "Namespace"


def validate_class(value: Object) -> list[FieldError]:
    """Check controller and parameters."""
    errors: list[FieldError] = []
    spec = value.get("spec") or {}
    controller = spec.get("controller") or ""
    if len(controller.encode()) > CONTROLLER_SIZE_MAX:
        errors.append(fe.too_long("spec.controller", CONTROLLER_SIZE_MAX))
    if not controller:
        errors.append(fe.required("spec.controller"))
    else:
        errors.extend(fe.invalid("spec.controller", controller, sentence) for sentence in names.domain_prefixed_path(controller))
    if spec.get("parameters") is not None:
        _validate_parameters(spec["parameters"], "spec.parameters", errors)
    return errors


def _validate_parameters(parameters: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    validate_local_reference(parameters, path, errors)
    scope, namespace = parameters.get("scope"), parameters.get("namespace")
    if scope is None:
        errors.append(fe.required(f"{path}.scope"))
    elif scope not in (_CLUSTER, _NAMESPACE):
        errors.append(fe.not_supported(f"{path}.scope", scope, (_CLUSTER, _NAMESPACE)))
    elif scope == _NAMESPACE:
        if namespace is None:
            errors.append(fe.required(f"{path}.namespace", "`parameters.scope` is set to 'Namespace'"))
            return
        errors.extend(fe.invalid(f"{path}.namespace", namespace, sentence) for sentence in names.dns1123_label(namespace))
    elif namespace is not None:
        errors.append(fe.forbidden(f"{path}.namespace", "`parameters.scope` is set to 'Cluster'"))


def validate_class_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; the controller stays."""
    errors: list[FieldError] = []
    fresh, stored = ((value.get("spec") or {}).get("controller") or "" for value in (new, old))
    validate_immutable(fresh, stored, "spec.controller", errors)
    return errors + validate_class(new)


RULES: Final = KindRules(validate=validate_class, validate_update=validate_class_update, prepare_create=nothing, prepare_update=keep_all)
