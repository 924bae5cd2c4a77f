"""ReplicaSet: a selector that finds the template's pods, and counts that fit each other.

Source: Kubernetes `pkg/apis/apps/validation`, `pkg/registry/apps/replicaset`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds import workload
from kcore.machinery.kinds.rules import PREPARING, KindRules, Object
from kcore.machinery.kinds.values import validate_not_negative

_PARTS: Final = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")
_COUNTS: Final = ("replicas", *_PARTS, "terminatingReplicas", "observedGeneration")


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


RULES: Final = KindRules(
    default=workload.default_pod_template, validate=validate_replica_set,
    validate_update=workload.with_same_selector(validate_replica_set), validate_status_update=workload.with_counts(_COUNTS, _PARTS),
    prepare_create=workload.prepare_create, prepare_update=workload.prepare_update,
    warnings=workload.pod_template_warnings, gated=PREPARING,
)
