"""What policies that validate and policies that mutate have in common: failure policy, parameter, what they match, variables.

Source: Kubernetes `pkg/apis/admissionregistration/validation`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import cel, names
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.admissionregistration import match

Part = dict[str, Any]
Composed = tuple[tuple[str, str], ...]

# Types of variables that later expressions are checked by; any other one is taken as it comes.
_KEPT_TYPES: Final = ("bool", "int", "string", "double")


def validate_frame(spec: Part, same_conditions: bool, errors: list[FieldError], operations: tuple[str, ...] = ()) -> None:
    """Check when a policy applies, and what happens if it cannot be asked.

    same_conditions  the match conditions are those that are stored
    operations       the only ones that its rules may name, if not all
    """
    match.validate_choice(spec.get("failurePolicy"), match.FAILURE_POLICIES, "spec.failurePolicy", errors, required=True)
    if spec.get("paramKind") is not None:
        _validate_param_kind(spec["paramKind"], "spec.paramKind", errors)
    constraints = spec.get("matchConstraints")
    if constraints is None:
        errors.append(fe.required("spec.matchConstraints"))
    else:
        match.validate_resources(constraints, "spec.matchConstraints", errors)
        if not constraints.get("resourceRules"):
            errors.append(fe.required("spec.matchConstraints.resourceRules"))
        for rule in (constraints.get("resourceRules") or ()) if operations else ():
            for operation in (rule or {}).get("operations") or ():
                match.validate_choice(operation or "", operations, "spec.matchConstraints.resourceRules.operations", errors)
    if not same_conditions:
        scope = cel.admission(params=has_params(spec))
        match.validate_conditions(spec.get("matchConditions") or (), scope, "spec.matchConditions", errors)


def validate_filled(value: str, choices: tuple[str, ...], path: str, errors: list[FieldError]) -> None:
    """Check a value that is one of a few and may not be empty."""
    if not value:
        errors.append(fe.required(path))
    else:
        match.validate_choice(value, choices, path, errors)


def has_params(spec: Part) -> bool:
    """Say whether a policy has a parameter that expressions may name."""
    return spec.get("paramKind") is not None


def _validate_param_kind(param: Part, path: str, errors: list[FieldError]) -> None:
    version, kind = param.get("apiVersion") or "", param.get("kind") or ""
    if not version:
        errors.append(fe.required(f"{path}.apiVersion"))
    elif version.count("/") > 1:
        errors.append(fe.invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}"))
    else:
        _validate_group_version(version, f"{path}.apiVersion", errors)
    wrong = names.dns1035_label(kind.lower())
    if not kind:
        errors.append(fe.required(f"{path}.kind"))
    elif wrong:
        errors.append(fe.invalid(f"{path}.kind", kind, f"may have mixed case, but should otherwise match: {','.join(wrong)}"))


def _validate_group_version(text: str, path: str, errors: list[FieldError]) -> None:
    group, _, version = text.rpartition("/")
    wrong = names.dns1123_subdomain(group) if group else ()
    if wrong:
        errors.append(fe.invalid(path, group, ",".join(wrong)))
    wrong = names.dns1035_label(version)
    if not version:
        errors.append(fe.invalid(path, text, "version must be specified"))
    elif wrong:
        errors.append(fe.invalid(path, version, ",".join(wrong)))


def validate_variables(spec: Part, errors: list[FieldError], mutating: bool = False) -> Composed | None:
    """Check the variables, each of which may name those before it, and return what expressions may name; None if there are none."""
    variables = spec.get("variables") or ()
    composed: Composed = ()
    for index, variable in enumerate(variables):
        path = f"spec.variables[{index}]"
        name, expression = variable.get("name") or "", variable.get("expression") or ""
        if not name.strip():
            errors.append(fe.required(f"{path}.name", "name is not specified"))
        elif not cel.is_identifier(name):
            errors.append(fe.invalid(f"{path}.name", name, "must be a valid CEL identifier"))
        if not expression.strip():
            errors.append(fe.required(f"{path}.expression", "expression is not specified"))
            continue
        scope = cel.admission(params=has_params(spec), composed=composed, mutating=mutating)
        match.validate_expression(expression, scope, f"{path}.expression", errors)
        found = cel.compile_expression(expression, scope).type
        composed = (*composed, (name, found if found in _KEPT_TYPES else "dyn"))
    return composed if variables else None
