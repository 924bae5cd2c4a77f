"""What the status of a Job may say: it ends once and one way, at rest, and its indexes are those of the Job.

A rule about some fields or conditions is asked only if one of them changed: what is wrong already, or became so by a change of the spec,
does not stand in the way of other changes.

Source: Kubernetes `pkg/apis/batch/validation` (validateJobStatus, ValidateJobStatusUpdate), `pkg/registry/batch/job`, KEP-4368.
"""
from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import timestamp
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.kinds import workload
from kcore.machinery.kinds.batch.job_validation import INDEXED
from kcore.machinery.kinds.rules import Object

COMPLETE: Final = "Complete"
FAILED: Final = "Failed"
FAILURE_TARGET: Final = "FailureTarget"
SUCCESS_CRITERIA_MET: Final = "SuccessCriteriaMet"

_COUNTS: Final = ("active", "succeeded", "failed", "ready", "terminating")
_UNCOUNTED: Final = (StructField("Succeeded", "succeeded"), StructField("Failed", "failed"))
_NUMBER: Final = re.compile(r"[+-]?[0-9]+")

Part = dict[str, Any]


class NoIndexes(ValueError):
    """A text says no indexes; the text of the error is Kubernetes' sentence."""


def validate_status_update(new: Object, old: Object) -> list[FieldError]:
    """Check a new status against the stored one."""
    errors: list[FieldError] = []
    status, stored = workload.status_of(new), workload.status_of(old)
    holds, held = _holding(status), _holding(stored)
    workload.validate_counts(status, _COUNTS, errors)
    _validate_uncounted(status.get("uncountedTerminatedPods") or {}, errors)
    changed = {field for field in {*status, *stored} if status.get(field) != stored.get(field)}
    changed |= holds ^ held
    if (holds ^ held) & {COMPLETE, FAILED} and bool(holds & {COMPLETE, FAILED}) != bool(held & {COMPLETE, FAILED}):
        changed.add("finished")
    spec = workload.spec_of(new)
    _validate_end(status, spec, holds, changed, errors)
    _validate_indexes(status, spec, changed, errors)
    _validate_rest(status, spec, holds, changed, errors)
    _validate_lasting(new, old, holds, held, errors)
    return errors


def _holding(status: Part) -> set[str]:
    return {condition.get("type") or "" for condition in status.get("conditions") or () if condition.get("status") == "True"}


def _conditions(sentence: str) -> FieldError:
    return fe.invalid("status.conditions", fe.OMITTED, sentence)


def _validate_uncounted(uncounted: Part, errors: list[FieldError]) -> None:
    seen: set[str] = set()
    for field in ("succeeded", "failed"):
        for index, uid in enumerate(uncounted.get(field) or ()):
            path = f"status.uncountedTerminatedPods.{field}[{index}]"
            if not uid:
                errors.append(fe.invalid(path, uid, "must not be empty"))
            elif uid in seen:
                errors.append(fe.duplicate(path, uid))
            seen.add(uid)


def _validate_end(status: Part, spec: Part, holds: set[str], changed: set[str], errors: list[FieldError]) -> None:
    started, completed, complete = status.get("startTime"), status.get("completionTime"), COMPLETE in holds
    if complete and FAILED in holds and changed & {COMPLETE, FAILED}:
        errors.append(_conditions("cannot set Complete=True and Failed=true conditions"))
    if complete and FAILURE_TARGET in holds and changed & {COMPLETE, FAILURE_TARGET}:
        errors.append(_conditions("cannot set Complete=True and FailureTarget=true conditions"))
    if changed & {COMPLETE, "completionTime"} and (completed is not None) != complete:
        if complete:
            errors.append(fe.required("status.completionTime", "completionTime is required for Complete jobs"))
        else:
            sentence = "cannot set completionTime when there is no Complete=True condition"
            errors.append(fe.invalid("status.completionTime", completed, sentence))
    if changed & {"startTime", "completionTime"} and started is not None and completed is not None and _is_before(completed, started):
        errors.append(fe.invalid("status.completionTime", completed, "must be equal to or after `startTime`"))
    if FAILED in holds and FAILURE_TARGET not in holds and changed & {FAILED, "failedIndexes"}:
        errors.append(_conditions("cannot set Failed=True condition without the FailureTarget=true condition"))
    if complete and SUCCESS_CRITERIA_MET not in holds and changed & {COMPLETE, SUCCESS_CRITERIA_MET}:
        errors.append(_conditions("cannot set Complete=True condition without the SuccessCriteriaMet=true condition"))
    if not holds & {COMPLETE, FAILED}:
        return
    if changed & {"finished", "active"} and (status.get("active") or 0) > 0:
        errors.append(fe.invalid("status.active", status["active"], "active>0 is invalid for finished job"))
    asleep = spec.get("suspend") is True and spec.get("completions") == 0
    if changed & {"finished", "startTime"} and started is None and not asleep:
        errors.append(fe.required("status.startTime", "startTime is required for finished job"))
    uncounted = status.get("uncountedTerminatedPods") or {}
    if changed & {"finished", "uncountedTerminatedPods"} and (uncounted.get("succeeded") or uncounted.get("failed")):
        errors.append(fe.invalid("status.uncountedTerminatedPods", fe.struct(uncounted, _UNCOUNTED), "must be empty for finished job"))


def _is_before(left: str, right: str) -> bool:
    return timestamp.parse_time(left) < timestamp.parse_time(right)


def _validate_indexes(status: Part, spec: Part, changed: set[str], errors: list[FieldError]) -> None:
    done, failed, completions = status.get("completedIndexes") or "", status.get("failedIndexes"), spec.get("completions")
    if "completedIndexes" in changed and completions is not None:
        _validate_form(done, completions, "completedIndexes", errors)
    per_index = spec.get("backoffLimitPerIndex") is not None
    if "failedIndexes" in changed and completions is not None and per_index and failed is not None:
        _validate_form(failed, completions, "failedIndexes", errors)
    if "completedIndexes" in changed and done and spec.get("completionMode") != INDEXED:
        errors.append(fe.invalid("status.completedIndexes", done, "cannot set non-empty completedIndexes when non-indexed completion mode"))
    if "failedIndexes" in changed and not per_index and failed is not None:
        errors.append(fe.invalid("status.failedIndexes", failed, "cannot set non-null failedIndexes when backoffLimitPerIndex is null"))
    if changed & {"completedIndexes", "failedIndexes"} and completions is not None and failed is not None:
        overlap = _overlap(done, failed, completions)
        if overlap is not None:
            errors.append(fe.invalid("status.failedIndexes", failed, f"failedIndexes and completedIndexes overlap at index: {overlap}"))


def _validate_form(text: str, completions: int, field: str, errors: list[FieldError]) -> None:
    last: int | None = None
    try:
        for interval in text.split(",") if text else ():
            first, end = _interval(interval, completions)
            if last is not None and last >= first:
                raise NoIndexes(f"non-increasing order, previous: {last}, current: {first}")
            last = end
    except NoIndexes as error:
        errors.append(fe.invalid(f"status.{field}", text, f"error parsing {field}: {error}"))


def _interval(text: str, completions: int) -> tuple[int, int]:
    """Read `3` or `3-5`. Raises NoIndexes."""
    parts = text.split("-")
    if len(parts) > 2:
        at_most = "violates the requirement that an index interval can have at most two parts separated by '-'"
        raise NoIndexes(f"the fragment {fe.quote(text)} {at_most}")
    ends = [_index(part, completions) for part in parts]
    if len(ends) > 1 and ends[0] >= ends[1]:
        raise NoIndexes(f"non-increasing order, previous: {ends[0]}, current: {ends[1]}")
    return ends[0], ends[-1]


def _index(text: str, completions: int) -> int:
    if not _NUMBER.fullmatch(text):
        raise NoIndexes(f"cannot convert string to integer for index: {fe.quote(text)}")
    if int(text) >= completions:
        raise NoIndexes(f"too large index: {fe.quote(text)}")
    return int(text)


def _intervals(text: str, completions: int) -> Iterator[tuple[int, int]]:
    for part in text.split(",") if text else ():
        try:
            yield _interval(part, completions)
        except NoIndexes:
            continue


def _overlap(done: str, failed: str, completions: int) -> int | None:
    """The first index that is in both texts, as far as they can be read."""
    of_failed = list(_intervals(failed, completions))
    both = [
        max(first, other) for first, end in _intervals(done, completions) for other, other_end in of_failed
        if first <= other_end and other <= end
    ]
    return min(both, default=None)


def _validate_rest(status: Part, spec: Part, holds: set[str], changed: set[str], errors: list[FieldError]) -> None:
    ready, active, met = status.get("ready"), status.get("active") or 0, SUCCESS_CRITERIA_MET in holds
    if changed & {"finished", "terminating"} and (status.get("terminating") or 0) > 0 and holds & {COMPLETE, FAILED}:
        errors.append(fe.invalid("status.terminating", status["terminating"], "terminating>0 is invalid for finished job"))
    if changed & {"ready", "active"} and ready is not None and ready > active:
        errors.append(fe.invalid("status.ready", ready, "cannot set more ready pods than active"))
    if met and FAILED in holds:
        errors.append(_conditions("cannot set SuccessCriteriaMet=True and Failed=true conditions"))
    if met and FAILURE_TARGET in holds:
        errors.append(_conditions("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"))
    if spec.get("successPolicy") is not None and not met and COMPLETE in holds:
        errors.append(_conditions("cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"))


def _validate_lasting(new: Object, old: Object, holds: set[str], held: set[str], errors: list[FieldError]) -> None:
    status, stored, spec = workload.status_of(new), workload.status_of(old), workload.spec_of(new)
    for kind in (FAILED, COMPLETE, FAILURE_TARGET):
        if kind in held - holds:
            errors.append(_conditions(f"cannot disable the terminal {kind}=True condition"))
    scales = spec.get("completionMode") == INDEXED and spec.get("completions") == spec.get("parallelism")
    for field in ("failed", "succeeded"):
        count = status.get(field) or 0
        if count < (stored.get(field) or 0) and not (scales and field == "succeeded"):
            errors.append(fe.invalid(f"status.{field}", count, f"cannot decrease the {field} counter"))
    completed, started = status.get("completionTime"), stored.get("startTime")
    if completed is not None and stored.get("completionTime") not in (None, completed):
        errors.append(fe.immutable("status.completionTime", completed))
    resumes = "Suspended" in held and any(
        condition.get("type") == "Suspended" and condition.get("status") == "False" for condition in status.get("conditions") or ()
    )
    if started is not None and status.get("startTime") != started and not spec.get("suspend") and not resumes:
        errors.append(fe.invalid("status.startTime", status.get("startTime"), "field is immutable for unsuspended job once set"))
    if SUCCESS_CRITERIA_MET in held - holds:
        errors.append(_conditions("cannot disable the SuccessCriteriaMet=True condition"))
    if COMPLETE in held and SUCCESS_CRITERIA_MET in holds - held:
        errors.append(_conditions("cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"))
