"""The rules of a Job's spec, as Jobs and the templates of CronJobs have it.

Source: Kubernetes `pkg/apis/batch/validation`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import labels, meta, names
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.kinds import workload
from kcore.machinery.kinds.batch.job_policy import validate_pod_failure_policy, validate_success_policy
from kcore.machinery.kinds.core.podtemplate import validate_template
from kcore.machinery.kinds.rules import Object
from kcore.machinery.kinds.values import validate_not_negative

INDEXED: Final = "Indexed"
CONTROLLER_UIDS: Final = ("controller-uid", "batch.kubernetes.io/controller-uid")
JOB_NAMES: Final = ("job-name", "batch.kubernetes.io/job-name")
PARALLELISM_MAX: Final = 100_000
FAILED_INDEXES_MAX: Final = 100_000
MANAGED_BY_SIZE_MAX: Final = 63

_MODES: Final = ("NonIndexed", INDEXED)
_NUMBERS: Final = (
    "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "backoffLimitPerIndex",
)
SUCCESS_FIELDS: Final = (
    StructField("Rules", "rules", None, (
        StructField("SucceededIndexes", "succeededIndexes"), StructField("SucceededCount", "succeededCount"),
    )),
)

Spec = dict[str, Any]


def validate_job(value: Object) -> list[FieldError]:
    """Check a new Job whose selector is made."""
    errors: list[FieldError] = []
    spec = value.get("spec") or {}
    _validate_generated_selector(value, spec, errors)
    validate_job_spec(spec, "spec", errors)
    _validate_pod_names(value, spec, errors)
    return errors


def _validate_pod_names(value: Object, spec: Spec, errors: list[FieldError]) -> None:
    """Refuse a name that is too long for the host names of an indexed Job's pods."""
    completions = spec.get("completions") or 0
    if spec.get("completionMode") == INDEXED and completions > 0:
        host = f"{meta.name(value)}-{completions - 1}"
        if names.dns1123_label(host):
            detail = f"will not able to create pod with invalid DNS label: {host}"
            errors.append(fe.invalid("metadata.name", meta.name(value), detail))


def _validate_generated_selector(value: Object, spec: Spec, errors: list[FieldError]) -> None:
    if spec.get("manualSelector") or spec.get("selector") is None:
        return
    found = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    expected = dict.fromkeys(CONTROLLER_UIDS, meta.uid(value)) | dict.fromkeys(JOB_NAMES, meta.name(value))
    for key in (CONTROLLER_UIDS[0], JOB_NAMES[0], CONTROLLER_UIDS[1], JOB_NAMES[1]):
        path = f"spec.template.metadata.labels[{key}]"
        if key not in found:
            errors.append(fe.required(path, f"must be '{expected[key]}'"))
        elif found[key] != expected[key]:
            errors.append(fe.invalid(path, found, f"must be '{expected[key]}'"))
    own: list[FieldError] = []
    labels.validate_message(spec["selector"], "", own)
    made = {CONTROLLER_UIDS[1]: meta.uid(value), JOB_NAMES[1]: meta.name(value)}
    if not own and not labels.from_message(spec["selector"]).matches(made):
        errors.append(fe.invalid("spec.selector", labels.rendered(spec["selector"]), "`selector` not auto-generated"))


def validate_job_spec(spec: Spec, path: str, errors: list[FieldError]) -> None:
    """Check the spec of a Job, its selector included."""
    validate_template_spec(spec, path, errors)
    selector, own = spec.get("selector"), list[FieldError]()
    if selector is None:
        own.append(fe.required(f"{path}.selector"))
    labels.validate_message(selector, f"{path}.selector", own)
    errors += own
    if not own or selector is None:
        workload.validate_template_labels(spec.get("template") or {}, labels.from_message(selector), f"{path}.template", errors)


def validate_template_spec(spec: Spec, path: str, errors: list[FieldError]) -> None:
    """Check the spec of a Job, its selector left out (CronJobs have none)."""
    for field in _NUMBERS:
        validate_not_negative(spec.get(field), f"{path}.{field}", errors)
    _validate_failed_indexes(spec, path, errors)
    _validate_manager(spec.get("managedBy"), f"{path}.managedBy", errors)
    mode = spec.get("completionMode")
    if mode is not None and mode not in _MODES:
        errors.append(fe.not_supported(f"{path}.completionMode", mode, _MODES))
    if mode == INDEXED:
        _validate_indexed(spec, path, errors)
    elif mode in (None, "NonIndexed"):
        for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(field) is not None:
                errors.append(fe.invalid(f"{path}.{field}", spec[field], "requires indexed completion mode"))
    _validate_policies(spec, path, errors)
    template = spec.get("template") or {}
    validate_template(template, f"{path}.template", errors)
    _validate_restart_policy(spec, template, f"{path}.template.spec.restartPolicy", errors)


def _validate_failed_indexes(spec: Spec, path: str, errors: list[FieldError]) -> None:
    if spec.get("maxFailedIndexes") is None:
        return
    validate_not_negative(spec["maxFailedIndexes"], f"{path}.maxFailedIndexes", errors)
    if spec.get("backoffLimitPerIndex") is None:
        errors.append(fe.required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified"))


def _validate_manager(name: str | None, path: str, errors: list[FieldError]) -> None:
    if name is None:
        return
    if not name:
        errors.append(fe.required(path))
    else:
        errors.extend(fe.invalid(path, name, sentence) for sentence in names.domain_prefixed_path(name))
    if len(name.encode()) > MANAGED_BY_SIZE_MAX:
        errors.append(fe.too_long(path, MANAGED_BY_SIZE_MAX))


def _validate_indexed(spec: Spec, path: str, errors: list[FieldError]) -> None:
    completions, parallelism, failed = (spec.get(field) for field in ("completions", "parallelism", "maxFailedIndexes"))
    if completions is None:
        errors.append(fe.required(f"{path}.completions", f"when completion mode is {INDEXED}"))
    if parallelism is not None and parallelism > PARALLELISM_MAX:
        detail = f"must be less than or equal to {PARALLELISM_MAX} when completion mode is {INDEXED}"
        errors.append(fe.invalid(f"{path}.parallelism", parallelism, detail))
    if failed is not None and completions is not None and failed > completions:
        errors.append(fe.invalid(f"{path}.maxFailedIndexes", failed, "must be less than or equal to completions"))
    if failed is not None and failed > FAILED_INDEXES_MAX:
        errors.append(fe.invalid(f"{path}.maxFailedIndexes", failed, f"must be less than or equal to {FAILED_INDEXES_MAX}"))


def _validate_policies(spec: Spec, path: str, errors: list[FieldError]) -> None:
    if spec.get("podFailurePolicy") is not None:
        validate_pod_failure_policy(spec, f"{path}.podFailurePolicy", errors)
    success = spec.get("successPolicy")
    if success is not None:
        if spec.get("completionMode") == INDEXED:
            validate_success_policy(success, spec.get("completions"), f"{path}.successPolicy", errors)
        else:
            detail = "requires indexed completion mode"
            errors.append(fe.invalid(f"{path}.successPolicy", fe.struct(success, SUCCESS_FIELDS), detail))
    replacement = spec.get("podReplacementPolicy")
    known = ("Failed", "TerminatingOrFailed") if spec.get("podFailurePolicy") is None else ("Failed",)
    if replacement is not None and replacement not in known:
        errors.append(fe.not_supported(f"{path}.podReplacementPolicy", replacement, known))


def _validate_restart_policy(spec: Spec, template: Spec, path: str, errors: list[FieldError]) -> None:
    policy = (template.get("spec") or {}).get("restartPolicy") or ""
    if policy in ("", "Always"):
        errors.append(fe.required(path, 'valid values: "OnFailure", "Never"'))
    elif policy not in ("OnFailure", "Never"):
        errors.append(fe.not_supported(path, policy, ("OnFailure", "Never")))
    elif spec.get("podFailurePolicy") is not None and policy != "Never":
        errors.append(fe.invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified'))
