"""Event of events.k8s.io: the rules of the core Event, on an object whose fields have other names.

Source: Kubernetes `pkg/apis/core/validation/events.go`, `pkg/apis/events/v1/conversion.go`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import meta, names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.core import event
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing

CORE_NAMES: Final = {
    "regarding": "involvedObject", "note": "message", "reportingController": "reportingComponent", "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp", "deprecatedLastTimestamp": "lastTimestamp", "deprecatedCount": "count",
}


def core_form(value: Object) -> Object:
    """Return the event with the core group's field names."""
    return {CORE_NAMES.get(field, field): found for field, found in value.items()}


def validate_event(value: Object) -> list[FieldError]:
    """Check a new event, its metadata included."""
    core = core_form(value)
    errors = event.validate_common(core, "reportingController", any_namespace_counts=False)
    meta.validate(meta.metadata(value), True, names.subdomain_name, errors)
    return errors + event.validate_new_form(core)


def validate_event_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update: nothing but the series may change."""
    core = core_form(new)
    errors = event.validate_common(core, "reportingController", any_namespace_counts=False)
    event.validate_unchanged(core, core_form(old), errors)
    return errors


RULES: Final = KindRules(
    validate=validate_event, validate_update=validate_event_update, prepare_create=nothing, prepare_update=keep_all,
    own_metadata=False, allow_create_on_update=True,
)
