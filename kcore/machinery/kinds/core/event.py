"""Event: it belongs into its object's namespace; one with an event time must say who saw what, and through events.k8s.io it never changes.

Source: Kubernetes `pkg/apis/core/validation/events.go`, `pkg/registry/core/event`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import meta, names, timestamp
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing

WORD_SIZE_MAX: Final = 128
NOTE_SIZE_MAX: Final = 1024

_REFERENCE_FIELDS: Final = tuple(
    StructField(go, json, "") for go, json in (
        ("Kind", "kind"), ("Namespace", "namespace"), ("Name", "name"), ("UID", "uid"), ("APIVersion", "apiVersion"),
        ("ResourceVersion", "resourceVersion"), ("FieldPath", "fieldPath"),
    )
)
_SOURCE_FIELDS: Final = (StructField("Component", "component", ""), StructField("Host", "host", ""))
_NAMESPACES_FOR_ALL: Final = ("default", "kube-system")  # events about what is in no namespace
_NEW_FIELDS_UNSET: Final = ("firstTimestamp", "lastTimestamp", "count")


def validate_event(value: Object) -> list[FieldError]:
    """Check an event that came through the core group."""
    return validate_common(value, "reportingComponent")


def validate_event_update(new: Object, _old: Object) -> list[FieldError]:
    """Check an update through the core group as a new event."""
    return validate_event(new)


def validate_common(value: Object, controller_path: str) -> list[FieldError]:
    """Check what holds for both groups, on an event in the core group's form."""
    errors: list[FieldError] = []
    involved, own = (value.get("involvedObject") or {}).get("namespace") or "", meta.namespace(value)
    if value.get("eventTime"):
        agree = bool(involved) or own in _NAMESPACES_FOR_ALL
    else:
        agree = involved == own or (not involved and own == _NAMESPACES_FOR_ALL[0])
    if not agree:
        errors.append(fe.invalid("involvedObject.namespace", involved, "does not match event.namespace"))
    if value.get("eventTime"):
        _validate_series_event(value, controller_path, errors)
    return errors


def _validate_series_event(value: Object, controller_path: str, errors: list[FieldError]) -> None:
    controller = value.get("reportingComponent") or ""
    if not controller:
        errors.append(fe.required(controller_path))
    errors.extend(fe.invalid(controller_path, controller, sentence) for sentence in names.qualified_name(controller))
    for field in ("reportingInstance", "action", "reason"):
        word = value.get(field) or ""
        if not word:
            errors.append(fe.required(field))
        if len(word.encode()) > WORD_SIZE_MAX:
            errors.append(fe.invalid(field, "", f"can have at most {WORD_SIZE_MAX} characters"))
    if len((value.get("message") or "").encode()) > NOTE_SIZE_MAX:
        errors.append(fe.invalid("message", "", f"can have at most {NOTE_SIZE_MAX} characters"))


def validate_new_form(value: Object) -> list[FieldError]:
    """Check what only events.k8s.io asks of a new event, on its core form."""
    errors: list[FieldError] = []
    validate_series(value, errors)
    if not value.get("eventTime"):
        errors.append(fe.required("eventTime"))
    kind = value.get("type") or ""
    if kind not in ("Normal", "Warning"):
        errors.append(fe.invalid("type", "", f"has invalid value: {kind}"))
    errors.extend(fe.invalid(field, "", "needs to be unset") for field in _NEW_FIELDS_UNSET if value.get(field))
    if any((value.get("source") or {}).values()):
        errors.append(fe.invalid("source", "", "needs to be unset"))
    return errors


def validate_series(value: Object, errors: list[FieldError]) -> None:
    """Check a series: at least two events, and the time of the last."""
    series = value.get("series")
    if series is None:
        return
    if (series.get("count") or 0) < 2:
        errors.append(fe.invalid("series.count", "", "should be at least 2"))
    if not series.get("lastObservedTime"):
        errors.append(fe.required("series.lastObservedTime"))


def validate_unchanged(new: Object, old: Object, errors: list[FieldError]) -> None:
    """Refuse any change of an event but of its series, on core forms."""
    if (new.get("series") or None) != (old.get("series") or None):
        validate_series(new, errors)
    _same_struct(new, old, "involvedObject", _REFERENCE_FIELDS, errors)
    _same_text(new, old, "reason", errors)
    _same_text(new, old, "message", errors)
    _same_struct(new, old, "source", _SOURCE_FIELDS, errors)
    for field in ("firstTimestamp", "lastTimestamp"):
        _same_time(new, old, field, errors)
    if (new.get("count") or 0) != (old.get("count") or 0):
        errors.append(fe.immutable("count", new.get("count") or 0))
    _same_text(new, old, "reportingComponent", errors, "reportingController")
    _same_text(new, old, "reportingInstance", errors)
    _same_text(new, old, "action", errors)
    _same_text(new, old, "type", errors)
    if (new.get("related") or None) != (old.get("related") or None):
        related = new.get("related")
        errors.append(fe.immutable("related", fe.struct(related, _REFERENCE_FIELDS)))
    _same_time(new, old, "eventTime", errors)


def _same_text(new: Object, old: Object, field: str, errors: list[FieldError], path: str = "") -> None:
    if (new.get(field) or "") != (old.get(field) or ""):
        errors.append(fe.immutable(path or field, new.get(field) or ""))


def _same_time(new: Object, old: Object, field: str, errors: list[FieldError]) -> None:
    if not timestamp.same_moment(new.get(field), old.get(field)):
        errors.append(fe.immutable(field, new.get(field)))


def _same_struct(new: Object, old: Object, field: str, fields: tuple[StructField, ...], errors: list[FieldError]) -> None:
    fresh, stored = fe.struct(_present(new.get(field)), fields), fe.struct(_present(old.get(field)), fields)
    if fresh != stored:
        errors.append(fe.immutable(field, fresh))


def _present(value: dict[str, Any] | None) -> dict[str, Any]:
    return value or {}


RULES: Final = KindRules(
    validate=validate_event, validate_update=validate_event_update, prepare_create=nothing, prepare_update=keep_all,
    own_metadata=False, allow_create_on_update=True,
)
