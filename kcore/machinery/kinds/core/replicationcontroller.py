"""ReplicationController: selector and labels follow the template's labels, counts fit each other.

Source: Kubernetes `pkg/apis/core/validation`, `pkg/apis/core/v1/defaults.go`, `pkg/registry/core/replicationcontroller`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import labels, names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds import workload
from kcore.machinery.kinds.rules import PREPARING, KindRules, Object
from kcore.machinery.kinds.values import validate_not_negative

_PARTS: Final = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")
_COUNTS: Final = ("replicas", *_PARTS, "observedGeneration")


def default_replication_controller(value: Object) -> None:
    """Let selector and labels follow the labels of the template."""
    spec = workload.spec_of(value)
    found = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if found:
        if not spec.get("selector"):
            spec["selector"] = dict(found)
        metadata = value.setdefault("metadata", {})
        if not metadata.get("labels"):
            metadata["labels"] = dict(found)
    workload.default_pod_template(value)


def validate_replication_controller(value: Object) -> list[FieldError]:
    """Check the spec."""
    errors: list[FieldError] = []
    spec = workload.spec_of(value)
    validate_not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds", errors)
    if not spec.get("selector"):
        errors.append(fe.required("spec.selector"))
    if spec.get("replicas") is None:
        errors.append(fe.required("spec.replicas"))
    validate_not_negative(spec.get("replicas"), "spec.replicas", errors)
    template: dict[str, Any] | None = spec.get("template")
    if template is None:
        errors.append(fe.required("spec.template"))
    else:
        selector = labels.from_labels(spec.get("selector") or {})
        workload.validate_selected_template(template, selector, "spec.template", errors, "ReplicationController")
    return errors


def validate_update(new: Object, _old: Object) -> list[FieldError]:
    """Check an update as a new controller."""
    return validate_replication_controller(new)


RULES: Final = KindRules(
    default=default_replication_controller, validate=validate_replication_controller, validate_update=validate_update,
    validate_status_update=workload.with_counts(_COUNTS, _PARTS), prepare_create=workload.prepare_create,
    prepare_update=workload.prepare_update,
    warnings=workload.name_and_template_warnings, name_validator=names.long_name,
    orphans=True, gated=PREPARING,
)
