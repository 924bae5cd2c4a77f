"""When a Job gives up, and when it has succeeded: its failure and success policies.

Source: Kubernetes `pkg/apis/batch/validation`, KEP-3329, KEP-3998.
"""
from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.values import validate_not_negative
from kcore.machinery.quantity import parse_int64

RULES_COUNT_MAX: Final = 20
CONDITIONS_COUNT_MAX: Final = 20
EXIT_CODES_COUNT_MAX: Final = 255
INDEXES_SIZE_MAX: Final = 64 * 1024

_ACTIONS: Final = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS: Final = ("In", "NotIn")
_STATUSES: Final = ("False", "True", "Unknown")

Spec = dict[str, Any]


def validate_pod_failure_policy(spec: Spec, path: str, errors: list[FieldError]) -> None:
    """Check the rules by which a failed pod is judged."""
    rules = spec["podFailurePolicy"].get("rules") or ()
    if len(rules) > RULES_COUNT_MAX:
        errors.append(fe.too_many(f"{path}.rules", len(rules), RULES_COUNT_MAX))
    pod = (spec.get("template") or {}).get("spec") or {}
    containers = {container.get("name") for field in ("initContainers", "containers") for container in pod.get(field) or ()}
    for index, rule in enumerate(rules):
        _validate_rule(rule or {}, spec, containers, f"{path}.rules[{index}]", errors)


def _validate_rule(rule: Spec, spec: Spec, containers: set[Any], path: str, errors: list[FieldError]) -> None:
    action, codes, conditions = rule.get("action") or "", rule.get("onExitCodes"), rule.get("onPodConditions") or ()
    _validate_word(action, _ACTIONS, f"{path}.action", errors)
    if action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
        errors.append(fe.invalid(f"{path}.action", action, "requires the backoffLimitPerIndex to be set"))
    if codes is not None:
        _validate_exit_codes(codes, containers, f"{path}.onExitCodes", errors)
    if len(conditions) > CONDITIONS_COUNT_MAX:
        errors.append(fe.too_many(f"{path}.onPodConditions", len(conditions), CONDITIONS_COUNT_MAX))
    for index, condition in enumerate(conditions):
        at, kind = f"{path}.onPodConditions[{index}]", condition.get("type") or ""
        errors.extend(fe.invalid(f"{at}.type", kind, sentence) for sentence in names.qualified_name(kind))
        _validate_word(condition.get("status") or "", _STATUSES, f"{at}.status", errors)
    if codes is not None and conditions:
        errors.append(fe.invalid(path, fe.OMITTED, "specifying both OnExitCodes and OnPodConditions is not supported"))
    if codes is None and not conditions:
        errors.append(fe.invalid(path, fe.OMITTED, "specifying one of OnExitCodes and OnPodConditions is required"))


def _validate_word(word: str, known: tuple[str, ...], path: str, errors: list[FieldError]) -> None:
    if not word:
        shown = " ".join(f'"{each}"' for each in known)
        errors.append(fe.required(path, f"valid values: [{shown}]"))
    elif word not in known:
        errors.append(fe.not_supported(path, word, known))


def _validate_exit_codes(codes: Spec, containers: set[Any], path: str, errors: list[FieldError]) -> None:
    operator, container, values = codes.get("operator") or "", codes.get("containerName"), codes.get("values")
    _validate_word(operator, _OPERATORS, f"{path}.operator", errors)
    if container is not None and container not in containers:
        detail = "must be one of the container or initContainer names in the pod template"
        errors.append(fe.invalid(f"{path}.containerName", container, detail))
    if not values:
        errors.append(fe.invalid(f"{path}.values", values, "at least one value is required"))
        return
    if len(values) > EXIT_CODES_COUNT_MAX:
        errors.append(fe.too_many(f"{path}.values", len(values), EXIT_CODES_COUNT_MAX))
    seen: set[int] = set()
    for index, value in enumerate(values):
        if operator == "In" and value == 0:
            errors.append(fe.invalid(f"{path}.values[{index}]", value, "must not be 0 for the In operator"))
        if value in seen:
            errors.append(fe.duplicate(f"{path}.values[{index}]", value))
        seen.add(value)
    if any(before > after for before, after in pairwise(values)):
        errors.append(fe.invalid(f"{path}.values", values, "must be ordered"))


def validate_success_policy(policy: Spec, completions: int | None, path: str, errors: list[FieldError]) -> None:
    """Check the rules by which an indexed Job has succeeded early."""
    rules = policy.get("rules") or ()
    if not rules:
        errors.append(fe.required(f"{path}.rules", "at least one rules must be specified when the successPolicy is specified"))
    if len(rules) > RULES_COUNT_MAX:
        errors.append(fe.too_many(f"{path}.rules", len(rules), RULES_COUNT_MAX))
    for index, rule in enumerate(rules):
        _validate_success_rule(rule or {}, completions, f"{path}.rules[{index}]", errors)


def _validate_success_rule(rule: Spec, completions: int | None, path: str, errors: list[FieldError]) -> None:
    count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
    if count is None and indexes is None:
        errors.append(fe.required(path, "at least one of succeededCount or succeededIndexes must be specified"))
    named = 0
    if indexes is not None:
        if len(indexes.encode()) > INDEXES_SIZE_MAX:
            errors.append(fe.too_long(f"{path}.succeededIndexes", INDEXES_SIZE_MAX))
        named, trouble = count_indexes(indexes, completions or 0)
        if trouble:
            errors.append(fe.invalid(f"{path}.succeededIndexes", indexes, f"error parsing succeededIndexes: {trouble}"))
    if count is None:
        return
    validate_not_negative(count, f"{path}.succeededCount", errors)
    if completions is not None and count > completions:
        detail = f"must be less than or equal to {completions} (the number of specified completions)"
        errors.append(fe.invalid(f"{path}.succeededCount", count, detail))
    if named and count > named:
        detail = f"must be less than or equal to {named} (the number of indexes in the specified succeededIndexes field)"
        errors.append(fe.invalid(f"{path}.succeededCount", count, detail))


def count_indexes(text: str, completions: int) -> tuple[int, str]:
    """Count the indexes of a text such as `1,3-5`; the second value says what is wrong with it."""
    count, last = 0, -1
    for part in text.split(",") if text else ():
        bounds, numbers = part.split("-"), []
        if len(bounds) > 2:
            return 0, f'the fragment "{part}" violates the requirement that an index interval can have at most two parts separated by \'-\''
        for bound in bounds:
            number = parse_int64(bound)
            if number is None:
                return 0, f'cannot convert string to integer for index: "{bound}"'
            if number >= completions:
                return 0, f'too large index: "{bound}"'
            numbers.append(number)
        first, end = numbers[0], numbers[-1]
        if first <= last:
            return 0, f"non-increasing order, previous: {last}, current: {first}"
        if len(bounds) == 2 and end <= first:
            return 0, f"non-increasing order, previous: {first}, current: {end}"
        count, last = count + end - first + 1, end
    return count, ""
