"""Job: defaults that depend on each other, and the selector that finds its own pods only.

Source: Kubernetes `pkg/apis/batch/v1/defaults.go`, `pkg/registry/batch/job`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.base.features import NO_FEATURES, Features
from kcore.machinery import meta, names
from kcore.machinery.kinds import workload
from kcore.machinery.kinds.batch import job_status, job_update, job_validation
from kcore.machinery.kinds.batch.job_validation import CONTROLLER_UIDS, JOB_NAMES
from kcore.machinery.kinds.disabled import drop_unless_stored
from kcore.machinery.kinds.rules import PREPARING, KindRules, Object, drop_status, keep_spec, keep_status

BACKOFF_LIMIT: Final = 6
BACKOFF_LIMIT_UNBOUNDED: Final = 2**31 - 1
ORPHANS: Final = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
    "propagationPolicy=Orphan to suppress this warning"
)
_SCHEDULING: Final = ("spec", "scheduling")


def default_job(value: Object) -> None:
    """Set the defaults of a Job."""
    spec = value.setdefault("spec", {})
    if spec.get("parallelism") is None:
        if spec.get("completions") is None:
            spec["completions"] = 1
        spec["parallelism"] = 1
    if spec.get("backoffLimit") is None:
        spec["backoffLimit"] = BACKOFF_LIMIT if spec.get("backoffLimitPerIndex") is None else BACKOFF_LIMIT_UNBOUNDED
    if spec.get("completionMode") is None:
        spec["completionMode"] = "NonIndexed"
    for switch in ("suspend", "manualSelector"):
        if spec.get(switch) is None:
            spec[switch] = False
    if spec.get("podReplacementPolicy") is None:
        spec["podReplacementPolicy"] = "TerminatingOrFailed" if spec.get("podFailurePolicy") is None else "Failed"
    default_job_template(spec)


def default_job_template(spec: dict[str, Any]) -> None:
    """Set the defaults that the Job of a CronJob gets before there is a Job."""
    for rule in (spec.get("podFailurePolicy") or {}).get("rules") or ():
        for condition in rule.get("onPodConditions") or ():
            if not condition.get("status"):
                condition["status"] = "True"
    workload.default_pod_template({"spec": spec})


def prepare_create(value: Object, features: Features = NO_FEATURES) -> None:
    """Start without status; make the selector, from the uid, unless the user does; take the labels of the template."""
    drop_status(value)
    spec = value.setdefault("spec", {})
    given = _template_labels(spec)
    if not spec.get("manualSelector"):
        _generate_selector(value, spec)
    # A name that is no label is refused in the template; it is not to be refused in the Job's own labels as well.
    if not meta.labels(value) and _template_labels(spec) and (given or not names.label_value(meta.name(value))):
        value.setdefault("metadata", {})["labels"] = dict(_template_labels(spec))
    workload.drop_disabled_pod_fields(value, features=features)
    drop_unless_stored(value, None, _SCHEDULING)


def _template_labels(spec: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    return found


def _generate_selector(value: Object, spec: dict[str, Any]) -> None:
    metadata = spec.setdefault("template", {}).setdefault("metadata", {})
    generated = dict.fromkeys(JOB_NAMES, meta.name(value)) | dict.fromkeys(CONTROLLER_UIDS, meta.uid(value))
    metadata["labels"] = generated | (metadata.get("labels") or {})
    selector = dict(spec.get("selector") or {})
    selector["matchLabels"] = {CONTROLLER_UIDS[-1]: meta.uid(value)} | (selector.get("matchLabels") or {})
    spec["selector"] = selector


def prepare_update(new: Object, old: Object, features: Features = NO_FEATURES) -> None:
    """Keep the stored status; a Job without labels takes those of its template, as a new one."""
    keep_status(new, old)
    _take_labels(new)
    workload.drop_disabled_pod_fields(new, old, features)
    drop_unless_stored(new, old, _SCHEDULING)


def prepare_status_update(new: Object, old: Object) -> None:
    """Take the status; a Job without labels takes those of its template here too."""
    keep_spec(new, old)
    _take_labels(new)


def _take_labels(value: Object) -> None:
    found = _template_labels(value.get("spec") or {})
    if found and not meta.labels(value):
        value.setdefault("metadata", {})["labels"] = dict(found)


def has_generated_labels(value: Object) -> bool:
    """Say whether all labels of a Job are those that were made for its template."""
    return meta.labels(value).keys() == {*JOB_NAMES, *CONTROLLER_UIDS}


RULES: Final = KindRules(
    default=default_job, validate=job_validation.validate_job, validate_update=job_update.validate_job_update,
    validate_status_update=job_status.validate_status_update, prepare_create=prepare_create, prepare_update=prepare_update,
    prepare_status_update=prepare_status_update, warnings=workload.name_and_template_warnings, orphans=True, deletion_doubt=ORPHANS,
    completed_on_read=has_generated_labels, gated=PREPARING,
)
