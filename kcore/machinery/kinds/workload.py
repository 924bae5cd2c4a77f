"""What kinds that run pods from a template share: the frame of their rules, selector and template, and the counts of a status.

Source: Kubernetes `pkg/apis/apps/validation`, `pkg/apis/core/validation`.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kcore.base.features import NO_FEATURES, Features
from kcore.machinery import field_error as fe
from kcore.machinery import labels, meta, names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.core.podtemplate import default_template, drop_disabled, template_warnings, validate_template
from kcore.machinery.kinds.rules import Validate, ValidateUpdate, drop_status, keep_status
from kcore.machinery.kinds.values import validate_not_negative
from kcore.machinery.labels import Selector

Object = dict[str, Any]

EMPTY_SELECTOR: Final = "empty selector is invalid for deployment"
MISMATCH: Final = "`selector` does not match template `labels`"
INVALID_SELECTOR: Final = "invalid label selector"
MORE_THAN_REPLICAS: Final = "cannot be greater than status.replicas"
MORE_THAN_READY: Final = "cannot be greater than readyReplicas"
_POD_NAMES: Final = (
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended"
)
DECREMENTED: Final = "cannot be decremented"


def spec_of(value: Mapping[str, Any]) -> Object:
    """Return the spec of an object, an empty dict if it has none."""
    found: Object = value.get("spec") or {}
    return found


def status_of(value: Mapping[str, Any]) -> Object:
    """Return the status of an object, an empty dict if it has none."""
    found: Object = value.get("status") or {}
    return found


def prepare_create(value: Object, features: Features = NO_FEATURES) -> None:
    """Start without status."""
    drop_status(value)
    drop_disabled_pod_fields(value, features=features)


def prepare_update(new: Object, old: Object, features: Features = NO_FEATURES) -> None:
    """Keep the stored status."""
    keep_status(new, old)
    drop_disabled_pod_fields(new, old, features)


def with_same_selector(validate: Validate) -> ValidateUpdate:
    """Return what checks an update as a new object, whose selector stays."""

    def validate_update(new: Object, old: Object) -> list[FieldError]:
        errors = validate(new)
        validate_selector_unchanged(new, old, errors)
        return errors

    return validate_update


def with_counts(counts: tuple[str, ...], parts: tuple[str, ...], more_than_ready: str = MORE_THAN_READY) -> ValidateUpdate:
    """Return what checks a status update.

    counts           what must not be negative; collisions are not forgotten where they are counted
    parts            what is counted of `replicas`, and so is not more
    more_than_ready  what to say if more replicas are available than ready
    """

    def validate_status_update(new: Object, old: Object) -> list[FieldError]:
        errors: list[FieldError] = []
        status = status_of(new)
        validate_counts(status, counts, errors)
        for field in parts:
            validate_not_more_than(status, field, "replicas", MORE_THAN_REPLICAS, errors)
        validate_not_more_than(status, "availableReplicas", "readyReplicas", more_than_ready, errors)
        if "collisionCount" in counts:
            validate_collision_count(new, old, errors)
        return errors

    return validate_status_update


def default_pod_template(value: Object) -> None:
    """Set the defaults of `spec.template`."""
    template = spec_of(value).get("template")
    if template:
        default_template(template)


def drop_disabled_pod_fields(new: Object, old: Object | None = None, features: Features = NO_FEATURES) -> None:
    """Drop what switched-off features put into `spec.template`."""
    template = spec_of(new).get("template")
    if template:
        drop_disabled(template, spec_of(old or {}).get("template"), features)


def pod_template_warnings(new: Object, _old: Object | None) -> list[str]:
    """Warn of what the pods of `spec.template` would be warned of."""
    template = spec_of(new).get("template")
    return template_warnings(template, "spec.template") if template else []


def name_and_template_warnings(new: Object, old: Object | None) -> list[str]:
    """Warn also of a new name that makes no good host name."""
    warnings = []
    wrong = names.dns1123_label(meta.name(new)) if old is None else ()
    if wrong:
        warnings.append(f"{_POD_NAMES}: [{' '.join(wrong)}]")
    return warnings + pod_template_warnings(new, old)


def validate_selector(
    spec: Mapping[str, Any], errors: list[FieldError], empty: str = EMPTY_SELECTOR, malformed: str = INVALID_SELECTOR,
) -> Selector | None:
    """Check `spec.selector` and compile it; None if it cannot be compiled.

    empty      what to say of a selector without requirements; nothing if it is the empty string
    malformed  what to say once more of a selector that cannot be compiled
    """
    at = "spec.selector"
    selector = spec.get("selector")
    own: list[FieldError] = []
    if selector is None:
        errors.append(fe.required(at))
    else:
        labels.validate_message(selector, at, own)
        errors += own
        if empty and not selector.get("matchLabels") and not selector.get("matchExpressions"):
            errors.append(fe.invalid(at, labels.rendered(selector), empty))
    if own:
        errors.append(fe.invalid(at, labels.rendered(selector), malformed))
        return None
    return labels.from_message(selector)


def validate_selected_template(
    template: Mapping[str, Any], selector: Selector, path: str, errors: list[FieldError], controller: str = "ReplicaSet",
) -> None:
    """Check a template whose pods restart always and must be found by the selector again."""
    validate_template_labels(template, selector, path, errors)
    validate_template(template, path, errors)
    spec = template.get("spec") or {}
    policy = spec.get("restartPolicy") or ""
    if policy != "Always":
        errors.append(fe.not_supported(f"{path}.spec.restartPolicy", policy, ("Always",)))
    if spec.get("activeDeadlineSeconds") is not None:
        errors.append(fe.forbidden(f"{path}.spec.activeDeadlineSeconds", f"activeDeadlineSeconds in {controller} is not Supported"))


def validate_template_labels(template: Mapping[str, Any], selector: Selector, path: str, errors: list[FieldError]) -> None:
    """Check that the selector finds the template's pods."""
    found = (template.get("metadata") or {}).get("labels")
    if not selector.everything and not selector.matches(found or {}):
        errors.append(fe.invalid(f"{path}.metadata.labels", found, MISMATCH))


def validate_counts(status: Mapping[str, Any], fields: tuple[str, ...], errors: list[FieldError]) -> None:
    """Refuse counts below zero."""
    for field in fields:
        validate_not_negative(status.get(field), f"status.{field}", errors)


def validate_not_more_than(
    status: Mapping[str, Any], field: str, bound: str, sentence: str, errors: list[FieldError],
) -> None:
    """Refuse a count that is above another."""
    count = status.get(field) or 0
    if count > (status.get(bound) or 0):
        errors.append(fe.invalid(f"status.{field}", count, sentence))


def validate_collision_count(new: Object, old: Object, errors: list[FieldError]) -> None:
    """Refuse to count collisions of names backwards."""
    fresh, stored = status_of(new).get("collisionCount"), status_of(old).get("collisionCount")
    if stored is not None and (fresh is None or fresh < stored):
        errors.append(fe.invalid("status.collisionCount", fresh or 0, DECREMENTED))


def validate_selector_unchanged(new: Object, old: Object, errors: list[FieldError]) -> None:
    """Refuse another selector."""
    fresh, stored = spec_of(new).get("selector"), spec_of(old).get("selector")
    if fresh != stored:
        errors.append(fe.immutable("spec.selector", labels.rendered(fresh)))
