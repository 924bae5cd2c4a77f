"""MutatingAdmissionPolicy: expressions that say what of an object is changed.

Source: Kubernetes `pkg/apis/admissionregistration/validation`, `pkg/registry/admissionregistration/mutatingadmissionpolicy`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import cel
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.admissionregistration import match, policy
from kcore.machinery.kinds.rules import KindRules, Object

_OPERATIONS: Final = ("*", "CONNECT", "CREATE", "UPDATE")
_REINVOCATIONS: Final = ("IfNeeded", "Never")
_APPLY: Final = "ApplyConfiguration"
_PATCH: Final = "JSONPatch"
# By kind of patch: the field that holds its expression, and the type that this must have.
_FORMS: Final = {_APPLY: ("applyConfiguration", "Object"), _PATCH: ("jsonPatch", "list(JSONPatch)")}


def validate_policy(value: Object) -> list[FieldError]:
    """Check a new policy."""
    return _validate(value, same_conditions=False)


def validate_policy_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; match conditions that stay are not compiled again."""
    fresh, stored = ((value.get("spec") or {}).get("matchConditions") or None for value in (new, old))
    return _validate(new, same_conditions=fresh == stored)


def _validate(value: Object, same_conditions: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    spec = value.get("spec") or {}
    policy.validate_frame(spec, same_conditions, errors, _OPERATIONS)
    composed = policy.validate_variables(spec, errors, mutating=True)
    mutations = spec.get("mutations") or ()
    if not mutations:
        errors.append(fe.required("spec.mutations", "mutations must contain at least one item"))
    scope = cel.admission(params=policy.has_params(spec), composed=composed, mutating=True)
    for index, mutation in enumerate(mutations):
        _validate_mutation(mutation or {}, scope, f"spec.mutations[{index}]", errors)
    policy.validate_filled(spec.get("reinvocationPolicy") or "", _REINVOCATIONS, "spec.reinvocationPolicy", errors)
    return errors


def _validate_mutation(mutation: dict[str, Any], scope: cel.Scope, path: str, errors: list[FieldError]) -> None:
    kind = mutation.get("patchType") or ""
    policy.validate_filled(kind, tuple(_FORMS), f"{path}.patchType", errors)
    if kind not in _FORMS:
        return
    for other, (field, wanted) in _FORMS.items():
        given = mutation.get(field)
        if other != kind and given is not None:
            errors.append(fe.invalid(f"{path}.{field}", f"{{{field}}}", f"must not be specified when patchType is {kind}"))
        elif other == kind and given is None:
            errors.append(fe.required(f"{path}.{field}", f"must be specified when patchType is {kind}"))
        elif other == kind and given is not None:
            _validate_made(given.get("expression") or "", wanted, scope, f"{path}.{field}.expression", errors)


def _validate_made(expression: str, wanted: str, scope: cel.Scope, path: str, errors: list[FieldError]) -> None:
    if not expression.strip():
        errors.append(fe.required(path))
    else:
        match.validate_expression(expression, scope, path, errors, (wanted,))


RULES: Final = KindRules(
    validate=validate_policy, validate_update=validate_policy_update, own_finalizers=False, allow_unconditional_update=False,
)
