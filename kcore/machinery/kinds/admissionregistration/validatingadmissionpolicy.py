"""ValidatingAdmissionPolicy: expressions that a request must satisfy, and what is noted of it.

Source: Kubernetes `pkg/apis/admissionregistration/validation`, `pkg/registry/admissionregistration/validatingadmissionpolicy`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import cel, meta, names
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.admissionregistration import match, policy
from kcore.machinery.kinds.conditions import validate_conditions
from kcore.machinery.kinds.rules import KindRules, Object, keep_spec_and_metadata

AUDIT_ANNOTATIONS_COUNT_MAX: Final = 20
VALUE_EXPRESSION_SIZE_MAX: Final = 5 * 1024

_REASONS: Final = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_NOTHING: Final = "validations or auditAnnotations must contain at least one item"

Part = dict[str, Any]


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
    policy.validate_frame(spec, same_conditions, errors)
    composed = policy.validate_variables(spec, errors)
    validations, annotations = spec.get("validations") or (), spec.get("auditAnnotations") or ()
    if not validations and not annotations:
        errors += (fe.required("spec.validations", _NOTHING), fe.required("spec.auditAnnotations", _NOTHING))
    for index, validation in enumerate(validations):
        _validate_validation(validation or {}, policy.has_params(spec), composed, f"spec.validations[{index}]", errors)
    scope = cel.admission(params=policy.has_params(spec), composed=composed)
    _validate_annotations(annotations, meta.name(value), scope, "spec.auditAnnotations", errors)
    return errors


def _validate_validation(part: Part, params: bool, composed: policy.Composed | None, path: str, errors: list[FieldError]) -> None:
    expression, message = part.get("expression") or "", part.get("message") or ""
    scope = cel.admission(params=params, composed=composed)
    if expression.strip():
        match.validate_expression(expression, scope, f"{path}.expression", errors, ("bool",))
    else:
        errors.append(fe.required(f"{path}.expression", "expression is not specified"))
    wording = part.get("messageExpression") or ""
    if wording and not wording.strip():
        errors.append(fe.invalid(f"{path}.messageExpression", wording, "must be non-empty if specified"))
    elif wording:
        scope = cel.admission(params=params, authorizer=False, composed=composed)
        match.validate_expression(wording, scope, f"{path}.messageExpression", errors, ("string",))
    if message and not message.strip():
        errors.append(fe.invalid(f"{path}.message", message, "message must be non-empty if specified"))
    elif "\n" in message.strip() or "\r" in message.strip():
        errors.append(fe.invalid(f"{path}.message", message, "message must not contain line breaks"))
    match.validate_choice(part.get("reason"), _REASONS, f"{path}.reason", errors)


def _validate_annotations(annotations: Any, name: str, scope: cel.Scope, path: str, errors: list[FieldError]) -> None:
    if len(annotations) > AUDIT_ANNOTATIONS_COUNT_MAX:
        errors.append(fe.invalid(path, annotations, f"must not have more than {AUDIT_ANNOTATIONS_COUNT_MAX} auditAnnotations"))
    seen: set[str] = set()
    for index, annotation in enumerate(annotations):
        key = (annotation or {}).get("key") or ""
        _validate_annotation(annotation or {}, name, scope, f"{path}[{index}]", errors)
        if key in seen:
            errors.append(fe.duplicate(f"{path}[{index}].key", key))
        seen.add(key)


def _validate_annotation(annotation: Part, name: str, scope: cel.Scope, path: str, errors: list[FieldError]) -> None:
    key, expression = annotation.get("key") or "", (annotation.get("valueExpression") or "").strip()
    full = f"{name}/{key}"
    if name:
        errors.extend(fe.invalid(f"{path}.key", full, sentence) for sentence in names.qualified_name(full))
    else:
        errors.append(fe.invalid(f"{path}.key", key, "requires metadata.name be non-empty"))
    if not expression:
        errors.append(fe.required(f"{path}.valueExpression", "valueExpression is not specified"))
    elif len(expression.encode()) > VALUE_EXPRESSION_SIZE_MAX:
        errors.append(fe.required(f"{path}.valueExpression", f"must not exceed {VALUE_EXPRESSION_SIZE_MAX} bytes in length"))
    else:
        match.validate_expression(expression, scope, f"{path}.valueExpression", errors, ("string", "null_type"))


def validate_policy_status_update(new: Object, _old: Object) -> list[FieldError]:
    """Check what the type checker found, and the conditions."""
    errors: list[FieldError] = []
    status = new.get("status") or {}
    for index, warning in enumerate((status.get("typeChecking") or {}).get("expressionWarnings") or ()):
        path = f"status.typeChecking.expressionWarnings[{index}]"
        for field in ("warning", "fieldRef"):
            if not warning.get(field):
                errors.append(fe.required(f"{path}.{field}"))
    validate_conditions(status.get("conditions") or (), "status.conditions", errors)
    return errors


RULES: Final = KindRules(
    validate=validate_policy, validate_update=validate_policy_update, validate_status_update=validate_policy_status_update,
    prepare_status_update=keep_spec_and_metadata, own_finalizers=False, allow_unconditional_update=False,
)
