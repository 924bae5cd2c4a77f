"""ReplicaSet: a selector that finds the template's pods, and counts that fit each other.

Source: Kubernetes `pkg/apis/apps/validation`, `pkg/registry/apps/replicaset`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds import workload
from kcore.machinery.kinds.rules import KindRules, Object, drop_status, keep_status
from kcore.machinery.kinds.values import validate_not_negative

_COUNTS: Final = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "terminatingReplicas", "observedGeneration")


def prepare_create(value: Object) -> None:
    """Start without status."""
    drop_status(value)
    workload.drop_disabled_pod_fields(value)


def prepare_update(new: Object, old: Object) -> None:
    """Keep the stored status."""
    keep_status(new, old)
    workload.drop_disabled_pod_fields(new, old)


def validate_replica_set(value: Object) -> list[FieldError]:
    """Check the spec."""
    errors: list[FieldError] = []
    spec = workload.spec_of(value)
    validate_not_negative(spec.get("replicas"), "spec.replicas", errors)
    validate_not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds", errors)
    selector = workload.validate_selector(spec, errors)
    if selector is not None:
        workload.validate_selected_template(spec.get("template") or {}, selector, "spec.template", errors)
    return errors


def validate_replica_set_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; the selector stays."""
    errors = validate_replica_set(new)
    workload.validate_selector_unchanged(new, old, errors)
    return errors


def validate_status_update(new: Object, _old: Object) -> list[FieldError]:
    """Check that the counts fit each other."""
    errors: list[FieldError] = []
    status = workload.status_of(new)
    workload.validate_counts(status, _COUNTS, errors)
    for field in ("fullyLabeledReplicas", "readyReplicas", "availableReplicas"):
        workload.validate_not_more_than(status, field, "replicas", workload.MORE_THAN_REPLICAS, errors)
    workload.validate_not_more_than(status, "availableReplicas", "readyReplicas", workload.MORE_THAN_READY, errors)
    return errors


RULES: Final = KindRules(
    default=workload.default_pod_template, validate=validate_replica_set, validate_update=validate_replica_set_update,
    validate_status_update=validate_status_update, prepare_create=prepare_create, prepare_update=prepare_update,
    warnings=workload.pod_template_warnings,
)
