"""Which requests something is about: rules, resources, selectors and conditions, shared by webhooks and policies.

Source: Kubernetes `pkg/apis/admissionregistration/validation`.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from kcore.machinery import cel, labels, names
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError

Part = dict[str, Any]

CONDITIONS_COUNT_MAX: Final = 64
FAILURE_POLICIES: Final = ("Fail", "Ignore")
MATCH_POLICIES: Final = ("Equivalent", "Exact")

_OPERATIONS: Final = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES: Final = ("*", "Cluster", "Namespaced")


def validate_choice(value: str | None, choices: Sequence[str], path: str, errors: list[FieldError], required: bool = False) -> None:
    """Check a value that is one of a few, if it is there."""
    if value is not None and value not in choices:
        errors.append(fe.not_supported(path, value, choices))
    elif value is None and required:
        errors.append(fe.required(path))


def validate_resources(match: Part | None, path: str, errors: list[FieldError]) -> None:
    """Check MatchResources: policy, selectors, and the rules that take in and leave out."""
    if match is None:
        return
    validate_choice(match.get("matchPolicy"), MATCH_POLICIES, f"{path}.matchPolicy", errors, required=True)
    for field in ("namespaceSelector", "objectSelector"):
        if match.get(field) is None:
            errors.append(fe.required(f"{path}.{field}"))
        labels.validate_message(match.get(field), f"{path}.{field}", errors)
    for field in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(match.get(field) or ()):
            _validate_named_rule(rule or {}, f"{path}.{field}[{index}]", errors)


def _validate_named_rule(rule: Part, path: str, errors: list[FieldError]) -> None:
    seen: set[str] = set()
    for index, name in enumerate(rule.get("resourceNames") or ()):
        at = f"{path}.resourceNames[{index}]"
        errors.extend(fe.invalid(at, name, sentence) for sentence in names.path_segment(name))
        if name in seen:
            errors.append(fe.duplicate(at, name))
        seen.add(name)
    validate_rule(rule, path, errors)


def validate_rule(rule: Part, path: str, errors: list[FieldError]) -> None:
    """Check operations, groups, versions, resources and scope of a rule."""
    operations = rule.get("operations") or ()
    _validate_any_alone(operations, "operations", f"{path}.operations", errors)
    for index, operation in enumerate(operations):
        validate_choice(operation or "", _OPERATIONS, f"{path}.operations[{index}]", errors)
    _validate_any_alone(rule.get("apiGroups") or (), "API groups", f"{path}.apiGroups", errors)
    versions = rule.get("apiVersions") or ()
    _validate_any_alone(versions, "API versions", f"{path}.apiVersions", errors)
    errors.extend(fe.required(f"{path}.apiVersions[{index}]") for index, version in enumerate(versions) if not version)
    _validate_resource_names(rule.get("resources") or (), f"{path}.resources", errors)
    validate_choice(rule.get("scope"), _SCOPES, f"{path}.scope", errors)


def _validate_any_alone(values: Sequence[str], what: str, path: str, errors: list[FieldError]) -> None:
    if not values:
        errors.append(fe.required(path))
    elif len(values) > 1 and "*" in values:
        errors.append(fe.invalid(path, values, f"if '*' is present, must not specify other {what}"))


def _validate_resource_names(resources: Sequence[str], path: str, errors: list[FieldError]) -> None:
    if not resources:
        errors.append(fe.required(path))
    all_of: set[str] = set()
    of_all: set[str] = set()
    plain = False
    for index, name in enumerate(resources):
        at = f"{path}[{index}]"
        resource, slash, part = (name or "").partition("/")
        if not name:
            errors.append(fe.required(at))
        elif not slash:
            plain = name != "*"
        else:
            if resource in all_of:
                errors.append(fe.invalid(at, name, f"if '{resource}/*' is present, must not specify {name}"))
            if part in of_all:
                errors.append(fe.invalid(at, name, f"if '*/{part}' is present, must not specify {name}"))
            if part == "*":
                all_of.add(resource)
            if resource == "*":
                of_all.add(part)
    if len(resources) > 1 and "*/*" in resources:
        errors.append(fe.invalid(path, resources, "if '*/*' is present, must not specify other resources"))
    if "*" in resources and plain:
        errors.append(fe.invalid(path, resources, "if '*' is present, must not specify other resources without subresources"))


def validate_conditions(conditions: Sequence[Part], scope: cel.Scope, path: str, errors: list[FieldError]) -> None:
    """Check match conditions: names, and expressions that say yes or no."""
    if len(conditions) > CONDITIONS_COUNT_MAX:
        errors.append(fe.too_many(path, len(conditions), CONDITIONS_COUNT_MAX))
    seen: set[str] = set()
    for index, condition in enumerate(conditions):
        at = f"{path}[{index}]"
        expression, name = (condition.get("expression") or "").strip(), condition.get("name") or ""
        if expression:
            validate_expression(expression, scope, f"{at}.expression", errors, ("bool",))
        else:
            errors.append(fe.required(f"{at}.expression"))
        if name:
            errors.extend(fe.invalid(f"{at}.name", name, sentence) for sentence in names.qualified_name(name))
        else:
            errors.append(fe.required(f"{at}.name"))
        if name and name in seen:
            errors.append(fe.duplicate(f"{at}.name", name))
        seen.add(name)


def validate_expression(expression: str, scope: cel.Scope, path: str, errors: list[FieldError], wanted: Sequence[str] = ()) -> None:
    """Check that an expression compiles to a type that is wanted."""
    found = cel.fault(expression, scope, wanted)
    if found:
        errors.append(fe.invalid(path, expression, found))
