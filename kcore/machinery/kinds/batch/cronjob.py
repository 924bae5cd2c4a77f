"""CronJob: when, in which time zone, and what a run is made of.

Source: Kubernetes `pkg/apis/batch/validation`, `pkg/apis/batch/v1/defaults.go`, `pkg/registry/batch/cronjob`.
"""
from __future__ import annotations

import re
import zoneinfo
from functools import cache
from typing import Any, Final

from kcore.base.features import NO_FEATURES, Features
from kcore.machinery import field_error as fe
from kcore.machinery import labels, meta
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.batch.job import default_job_template
from kcore.machinery.kinds.batch.job_validation import validate_template_spec
from kcore.machinery.kinds.batch.schedule import schedule_trouble
from kcore.machinery.kinds.core.podtemplate import drop_disabled, template_warnings
from kcore.machinery.kinds.disabled import drop_unless_stored
from kcore.machinery.kinds.rules import PREPARING, KindRules, Object, drop_status, keep_status
from kcore.machinery.kinds.values import validate_not_negative

# A run's name is the CronJob's with a dash and ten digits, and a Job's name must fit into a label.
NAME_SIZE_MAX: Final = 52

_POLICIES: Final = ("Allow", "Forbid", "Replace")
_ZONE: Final = re.compile(r"[A-Za-z0-9_+./-]+")
_SCHEDULING: Final = ("spec", "jobTemplate", "spec", "scheduling")


def default_cron_job(value: Object) -> None:
    """Set the defaults of the pods of a run; the Job gets its own when it is made."""
    template = (value.get("spec") or {}).get("jobTemplate") or {}
    if template.get("spec"):
        default_job_template(template["spec"])


def _pod_template(value: Object | None) -> dict[str, Any]:
    spec = (((value or {}).get("spec") or {}).get("jobTemplate") or {}).get("spec") or {}
    return spec.get("template") or {}


def prepare_create(value: Object, features: Features = NO_FEATURES) -> None:
    """Start without status."""
    drop_status(value)
    drop_unless_stored(value, None, _SCHEDULING)
    if _pod_template(value):
        drop_disabled(_pod_template(value), features=features)


def prepare_update(new: Object, old: Object, features: Features = NO_FEATURES) -> None:
    """Keep the stored status."""
    keep_status(new, old)
    drop_unless_stored(new, old, _SCHEDULING)
    if _pod_template(new):
        drop_disabled(_pod_template(new), _pod_template(old), features)


def validate_cron_job(value: Object) -> list[FieldError]:
    """Check a new CronJob."""
    errors: list[FieldError] = []
    _validate_spec(value.get("spec") or {}, errors)
    if len(meta.name(value)) > NAME_SIZE_MAX:
        errors.append(fe.invalid("metadata.name", meta.name(value), f"must be no more than {NAME_SIZE_MAX} characters"))
    return errors


def _validate_spec(spec: dict[str, Any], errors: list[FieldError]) -> None:
    schedule, zone = spec.get("schedule") or "", spec.get("timeZone")
    if schedule:
        _validate_schedule(schedule, zone, errors)
    validate_not_negative(spec.get("startingDeadlineSeconds"), "spec.startingDeadlineSeconds", errors)
    policy = spec.get("concurrencyPolicy") or ""
    if not policy:
        errors.append(fe.required("spec.concurrencyPolicy"))
    elif policy not in _POLICIES:
        errors.append(fe.not_supported("spec.concurrencyPolicy", policy, _POLICIES))
    template, path = (spec.get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec"
    if template.get("selector") is not None:
        errors.append(fe.invalid(f"{path}.selector", labels.rendered(template["selector"]), "`selector` will be auto-generated"))
    if template.get("manualSelector"):
        errors.append(fe.not_supported(f"{path}.manualSelector", True, ("nil", "false")))
    validate_template_spec(template, path, errors)
    for field in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        validate_not_negative(spec.get(field), f"spec.{field}", errors)
    if zone is not None:
        _validate_zone(zone, errors)
    if not schedule:
        errors.append(fe.required("spec.schedule"))


def _validate_schedule(schedule: str, zone: str | None, errors: list[FieldError]) -> None:
    trouble = schedule_trouble(schedule)
    if trouble:
        errors.append(fe.invalid("spec.schedule", schedule, trouble))
    if "TZ" in schedule:
        if zone is not None:
            errors.append(fe.invalid("spec.schedule", schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule"))
        else:
            detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
            errors.append(fe.invalid("spec.schedule", schedule, detail))


def _validate_zone(zone: str, errors: list[FieldError]) -> None:
    if not zone:
        errors.append(fe.invalid("spec.timeZone", zone, "timeZone must be nil or non-empty string"))
    elif zone.lower() == "local":
        errors.append(fe.invalid("spec.timeZone", zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"))
    elif not _is_zone(zone):
        errors.append(fe.invalid("spec.timeZone", zone, f"unknown time zone {zone}"))


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _is_zone(zone: str) -> bool:
    return _ZONE.fullmatch(zone) is not None and (zone == "UTC" or zone in _zones())


def validate_update(new: Object, _old: Object) -> list[FieldError]:
    """Check an update; the length of the name is not judged again."""
    errors: list[FieldError] = []
    _validate_spec(new.get("spec") or {}, errors)
    return errors


def warn_cron_job(new: Object, _old: Object | None) -> list[str]:
    """Warn of what the pods of a run would be warned of."""
    template = _pod_template(new)
    return template_warnings(template, "spec.jobTemplate.spec.template") if template else []


RULES: Final = KindRules(
    default=default_cron_job, validate=validate_cron_job, validate_update=validate_update, prepare_create=prepare_create,
    prepare_update=prepare_update, warnings=warn_cron_job, gated=PREPARING,
)
