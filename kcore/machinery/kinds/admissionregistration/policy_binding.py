"""Bindings of policies: which policy, with which parameter, for which resources.

Source: Kubernetes `pkg/apis/admissionregistration/validation`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import labels, names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.admissionregistration import match

_NOT_FOUND_ACTIONS: Final = ("Deny", "Allow")
_EXCLUSIVE: Final = "name and selector are mutually exclusive"


def validate_frame(spec: dict[str, Any], errors: list[FieldError]) -> None:
    """Check policy, parameter and resources."""
    name = spec.get("policyName") or ""
    if not name:
        errors.append(fe.required("spec.policyName"))
    else:
        errors.extend(fe.invalid("spec.policyName", name, sentence) for sentence in names.dns1123_subdomain(name))
    if spec.get("paramRef") is not None:
        _validate_param(spec["paramRef"], "spec.paramRef", errors)
    # The path is misspelt upstream.
    match.validate_resources(spec.get("matchResources"), "spec.matchResources", errors)


def _validate_param(param: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    name, selector = param.get("name") or "", param.get("selector")
    errors.extend(fe.invalid(f"{path}.name", name, sentence) for sentence in names.path_segment(name) if name)
    if name and selector is not None:
        errors.append(fe.forbidden(f"{path}.name", _EXCLUSIVE))
    labels.validate_message(selector, f"{path}.selector", errors)
    if name and selector is not None:
        errors.append(fe.forbidden(f"{path}.selector", _EXCLUSIVE))
    if not name and selector is None:
        errors.append(fe.required(path, "one of name or selector must be specified"))
    action = param.get("parameterNotFoundAction") or ""
    if not action:
        errors.append(fe.required(f"{path}.parameterNotFoundAction"))
    else:
        match.validate_choice(action, _NOT_FOUND_ACTIONS, f"{path}.parameterNotFoundAction", errors)
