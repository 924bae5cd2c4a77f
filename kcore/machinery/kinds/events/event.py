"""Event of events.k8s.io: stricter than that of the core group, in whose form it is stored and judged.

Source: Kubernetes `pkg/apis/core/validation/events.go`, `pkg/registry/core/event/strategy.go`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import meta, names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.core import event
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing


def validate_event(value: Object) -> list[FieldError]:
    """Check a new event, its metadata included."""
    errors = event.validate_common(value, "reportingController")
    meta.validate(meta.metadata(value), True, names.subdomain_name, errors)
    return errors + event.validate_new_form(value)


def validate_event_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update: nothing but the series may change."""
    errors = event.validate_common(new, "reportingController")
    event.validate_unchanged(new, old, errors)
    return errors


RULES: Final = KindRules(
    validate=validate_event, validate_update=validate_event_update, prepare_create=nothing, prepare_update=keep_all,
    own_metadata=False, allow_create_on_update=True,
)
