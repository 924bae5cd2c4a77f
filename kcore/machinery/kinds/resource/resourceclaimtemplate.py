"""ResourceClaimTemplate: the claims that pods get of their own; it never changes.

Source: Kubernetes `pkg/apis/resource/validation`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError, Rendered
from kcore.machinery.kinds.core.pod_printed import metadata_tree
from kcore.machinery.kinds.core.volume_claim import validate_template_metadata
from kcore.machinery.kinds.resource import claim
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing


def default_template(value: Object) -> None:
    """Count what is asked for."""
    claim.default_claim((value.get("spec") or {}).get("spec") or {})


def validate_template(value: Object) -> list[FieldError]:
    """Check labels, annotations and claim."""
    errors: list[FieldError] = []
    spec = value.get("spec") or {}
    metadata = spec.get("metadata") or {}
    validate_template_metadata(metadata, "spec.metadata", errors)
    claim.validate_claim((spec.get("spec") or {}).get("devices") or {}, "spec.spec.devices", errors)
    return errors


def validate_template_update(new: Object, old: Object) -> list[FieldError]:
    """Refuse every change."""
    errors = validate_template(new)
    fresh, stored = _printed(new), _printed(old)
    if fresh != stored:
        errors.append(fe.immutable("spec", fresh))
    return errors


def _printed(value: Object) -> Rendered:
    spec = value.get("spec") or {}
    metadata = metadata_tree(spec.get("metadata") or {})
    return Rendered(fe.compact_json({**metadata, "Spec": fe.struct_tree(spec.get("spec") or {}, claim.SPEC_FIELDS)}, sort_keys=False))


RULES: Final = KindRules(
    default=default_template, validate=validate_template, validate_update=validate_template_update, prepare_create=nothing,
    prepare_update=keep_all,
)
