"""PriorityClass: the `system-` names are Kubernetes' own, user values are bounded, and value and policy never change.

Source: Kubernetes `pkg/apis/scheduling/validation`, `pkg/apis/scheduling/helpers.go`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import field_error as fe
from kcore.machinery import meta
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing
from kcore.machinery.kinds.values import validate_immutable

SYSTEM_PREFIX: Final = "system-"
USER_VALUE_MAX: Final = 1_000_000_000
SYSTEM_CLASSES: Final = {
    "system-node-critical": (2_000_001_000, "Used for system critical pods that must not be moved from their current node."),
    "system-cluster-critical": (
        2_000_000_000, "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
}
_POLICIES: Final = ("PreemptLowerPriority", "Never")
_RESERVED: Final = "priority class names with 'system-' prefix are reserved for system use only. error: "


def validate_priority_class(value: Object) -> list[FieldError]:
    """Check name, value and policy."""
    errors: list[FieldError] = []
    name, number = meta.name(value), value.get("value") or 0
    if name.startswith(SYSTEM_PREFIX):
        trouble = _system_trouble(value, name, number)
        if trouble:
            errors.append(fe.forbidden("metadata.name", _RESERVED + trouble))
    elif number > USER_VALUE_MAX:
        errors.append(fe.forbidden("value", f"maximum allowed value of a user defined priority is {USER_VALUE_MAX}"))
    policy = value.get("preemptionPolicy")
    if policy == "":
        errors.append(fe.required("preemptionPolicy"))
    elif policy is not None and policy not in _POLICIES:
        errors.append(fe.not_supported("preemptionPolicy", policy, _POLICIES))
    return errors


def _system_trouble(value: Object, name: str, number: int) -> str:
    known = SYSTEM_CLASSES.get(name)
    if known is None:
        return f"{name} is not a known system priority class"
    if number != known[0]:
        return f"value of {name} PriorityClass must be {known[0]}"
    if value.get("globalDefault"):
        return f"globalDefault of {name} PriorityClass must be false"
    return ""


def validate_priority_class_update(new: Object, old: Object) -> list[FieldError]:
    """Refuse to change what pods have already copied."""
    errors: list[FieldError] = []
    if (new.get("value") or 0) != (old.get("value") or 0):
        errors.append(fe.forbidden("value", "may not be changed in an update."))
    validate_immutable(new.get("preemptionPolicy"), old.get("preemptionPolicy"), "preemptionPolicy", errors)
    return errors


RULES: Final = KindRules(
    validate=validate_priority_class, validate_update=validate_priority_class_update, prepare_create=nothing, prepare_update=keep_all,
)
