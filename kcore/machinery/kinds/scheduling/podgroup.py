"""PodGroup: pods that are scheduled together, all of at least `minCount` or none; and what it shares with the templates of a Workload.

Only minCount may change. Fields of features that cannot be switched on are dropped, unless the stored object has them.

Source: Kubernetes `pkg/registry/scheduling/podgroup`, the declarative rules of `api/scheduling/v1beta1`.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.conditions import validate_conditions
from kcore.machinery.kinds.rules import KindRules, Object, drop_status, keep_spec_and_metadata, keep_status
from kcore.machinery.kinds.scheduling.priorityclass import USER_VALUE_MAX
from kcore.machinery.kinds.values import validate_immutable

POLICIES: Final = ("basic", "gang")
MODES: Final = ("single", "all")
_OFF: Final = ("parentCompositePodGroupName", "schedulingConstraints", "resourceClaims", "preemptionPolicy")
"""Fields of features that are off in Kubernetes 1.37, and that nothing here knows."""
_FIXED: Final = ("workloadRef", "disruptionMode", "priorityClassName", "priority")


def drop_disabled(spec: Object, stored: Object | None = None) -> None:
    """Remove the fields of features that are off from a group or a template, in place."""
    for field in _OFF:
        if not (stored or {}).get(field):
            spec.pop(field, None)


def validate_one_of(found: Object | None, members: tuple[str, ...], path: str, errors: list[FieldError]) -> None:
    """Check that exactly one of some fields is there."""
    given = [name for name in members if name in (found or {})]
    wanted = ", ".join(f"`{name}`" for name in members)
    if not given:
        errors.append(fe.invalid(path, "", f"must specify one of: {wanted}"))
    elif len(given) > 1:
        errors.append(fe.invalid(path, f"{{{', '.join(given)}}}", f"must specify exactly one of: {wanted}"))


def validate_group(spec: Object, path: str) -> list[FieldError]:
    """Check what groups and templates of groups have in common."""
    errors: list[FieldError] = []
    policy = spec.get("schedulingPolicy") or {}
    validate_one_of(policy, POLICIES, f"{path}.schedulingPolicy", errors)
    if "gang" in policy:
        _validate_min_count((policy["gang"] or {}).get("minCount") or 0, f"{path}.schedulingPolicy.gang.minCount", errors)
    if spec.get("disruptionMode") is not None:
        validate_one_of(spec["disruptionMode"], MODES, f"{path}.disruptionMode", errors)
    if spec.get("priorityClassName"):
        _validate_name(spec["priorityClassName"], names.subdomain_name, f"{path}.priorityClassName", errors)
    if (spec.get("priority") or 0) > USER_VALUE_MAX:
        errors.append(fe.invalid(f"{path}.priority", spec["priority"], f"must be less than or equal to {USER_VALUE_MAX}"))
    return errors


def validate_group_update(new: Object, old: Object, path: str, fixed: Iterable[str]) -> list[FieldError]:
    """Check that of a group or a template only minCount changes."""
    errors: list[FieldError] = []
    policy, before = new.get("schedulingPolicy") or {}, old.get("schedulingPolicy") or {}
    validate_immutable(policy.get("basic"), before.get("basic"), f"{path}.schedulingPolicy.basic", errors)
    if ("gang" in policy) != ("gang" in before):
        word = "set once created" if "gang" in policy else "cleared once set"
        errors.append(fe.invalid(f"{path}.schedulingPolicy.gang", None, f"field cannot be {word}"))
    for field in fixed:
        validate_immutable(new.get(field), old.get(field), f"{path}.{field}", errors)
    return errors


def validate_pod_group(value: Object) -> list[FieldError]:
    """Check a new group."""
    spec = value.get("spec") or {}
    errors = validate_group(spec, "spec")
    reference = spec.get("workloadRef")
    if reference is not None:
        for field, rule in (("workloadName", names.subdomain_name), ("templateName", names.label_name)):
            _validate_name(reference.get(field), rule, f"spec.workloadRef.{field}", errors)
    return errors


def validate_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update."""
    spec, stored = new.get("spec") or {}, old.get("spec") or {}
    return validate_pod_group(new) + validate_group_update(spec, stored, "spec", _FIXED)


def validate_status_update(new: Object, _old: Object) -> list[FieldError]:
    """Check the conditions."""
    errors: list[FieldError] = []
    validate_conditions((new.get("status") or {}).get("conditions") or (), "status.conditions", errors)
    return errors


def prepare_create(value: Object) -> None:
    """Start without status."""
    drop_status(value)
    drop_disabled(value.setdefault("spec", {}))


def prepare_update(new: Object, old: Object) -> None:
    """Keep the stored status."""
    keep_status(new, old)
    drop_disabled(new.setdefault("spec", {}), old.get("spec"))


def prepare_status_update(new: Object, old: Object) -> None:
    """Take the status alone, without claims that nothing here knows."""
    keep_spec_and_metadata(new, old)
    (new.get("status") or {}).pop("resourceClaimStatuses", None)


def _validate_min_count(count: int, path: str, errors: list[FieldError]) -> None:
    if not count:
        errors.append(fe.required(path))
    elif count < 1:
        errors.append(fe.invalid(path, count, "must be greater than or equal to 1"))


def _validate_name(name: Any, rule: names.NameValidator, path: str, errors: list[FieldError]) -> None:
    if not name:
        errors.append(fe.required(path))
    else:
        errors += [fe.invalid(path, name, sentence) for sentence in rule(name, False)]


RULES: Final = KindRules(
    validate=validate_pod_group, validate_update=validate_update, validate_status_update=validate_status_update,
    prepare_create=prepare_create, prepare_update=prepare_update, prepare_status_update=prepare_status_update,
    allow_unconditional_update=False,
)
