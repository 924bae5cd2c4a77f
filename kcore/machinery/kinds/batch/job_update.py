"""What of the spec of a Job may change: little.

Source: Kubernetes `pkg/apis/batch/validation`, `pkg/registry/batch/job`, KEP-2926 (directives of suspended Jobs), KEP-3715 (elastic Jobs).
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import labels
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.kinds.batch.job_validation import INDEXED, SUCCESS_FIELDS, validate_job_spec
from kcore.machinery.kinds.core.pod_printed import printed, same
from kcore.machinery.kinds.rules import Object

_EXIT_CODES: Final = (
    StructField("ContainerName", "containerName"), StructField("Operator", "operator", ""), StructField("Values", "values"),
)
_CONDITIONS: Final = (StructField("Type", "type", ""), StructField("Status", "status", ""))
_FAILURE_FIELDS: Final = (
    StructField("Rules", "rules", None, (
        StructField("Action", "action", ""), StructField("OnExitCodes", "onExitCodes", None, _EXIT_CODES),
        StructField("OnPodConditions", "onPodConditions", None, _CONDITIONS),
    )),
)
# What may change in the template of a Job that is suspended and has not started.
_DIRECTIVES: Final = ("nodeSelector", "tolerations", "schedulingGates", "affinity")

Spec = dict[str, Any]


def validate_job_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update of the spec."""
    errors: list[FieldError] = []
    fresh, stored = new.get("spec") or {}, old.get("spec") or {}
    validate_job_spec(fresh, "spec", errors)
    _validate_completions(fresh, stored, errors)
    if fresh.get("selector") != stored.get("selector"):
        errors.append(fe.immutable("spec.selector", labels.rendered(fresh.get("selector"))))
    _validate_template(fresh, stored, _is_mutable(old), errors)
    if fresh.get("completionMode") != stored.get("completionMode"):
        errors.append(fe.immutable("spec.completionMode", fresh.get("completionMode")))
    if fresh.get("podFailurePolicy") != stored.get("podFailurePolicy"):
        errors.append(fe.immutable("spec.podFailurePolicy", fe.struct(fresh.get("podFailurePolicy"), _FAILURE_FIELDS)))
    for field in ("backoffLimitPerIndex", "managedBy"):
        if fresh.get(field) != stored.get(field):
            errors.append(fe.immutable(f"spec.{field}", fresh.get(field)))
    if fresh.get("successPolicy") != stored.get("successPolicy"):
        errors.append(fe.immutable("spec.successPolicy", fe.struct(fresh.get("successPolicy"), SUCCESS_FIELDS)))
    return errors


def _validate_completions(fresh: Spec, stored: Spec, errors: list[FieldError]) -> None:
    completions, path = fresh.get("completions"), "spec.completions"
    if completions == stored.get("completions"):
        return
    if fresh.get("completionMode") != INDEXED:
        errors.append(fe.immutable(path, completions))
    elif completions is not None and completions != fresh.get("parallelism"):
        errors.append(fe.invalid(path, completions, "can only be modified in tandem with spec.parallelism"))


def _is_mutable(old: Object) -> bool:
    return bool((old.get("spec") or {}).get("suspend")) and (old.get("status") or {}).get("startTime") is None


def _validate_template(fresh: Spec, stored: Spec, mutable: bool, errors: list[FieldError]) -> None:
    after, before = fresh.get("template") or {}, stored.get("template") or {}
    if not mutable:
        if not same("PodTemplateSpec", before, after):
            errors.append(fe.immutable("spec.template", printed("PodTemplateSpec", after)))
        return
    pod, kept = after.get("spec") or {}, dict(before.get("spec") or {})
    for field in _DIRECTIVES:
        kept.pop(field, None)
        if field in pod:
            kept[field] = pod[field]
    _take_resources(kept, pod)
    if not same("PodSpec", kept, pod):
        errors.append(fe.immutable("spec.template.spec", printed("PodSpec", pod)))


def _take_resources(kept: Spec, pod: Spec) -> None:
    """Let the resources of containers that stay in their places change."""
    for field in ("containers", "initContainers"):
        before, after = kept.get(field) or [], pod.get(field) or []
        if len(before) == len(after) and before:
            kept[field] = [
                {**{name: found for name, found in old.items() if name != "resources"},
                 **({"resources": new["resources"]} if "resources" in new else {})}
                for old, new in zip(before, after, strict=True)
            ]
