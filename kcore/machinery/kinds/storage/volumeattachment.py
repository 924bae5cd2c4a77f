"""VolumeAttachment: which volume goes to which node; that never changes, what became of it does.

Source: Kubernetes `pkg/apis/storage/validation`, `pkg/registry/storage/volumeattachment`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rules import KindRules, Object, keep_spec_and_metadata

ATTACHER_SIZE_MAX: Final = 63
ERROR_SIZE_MAX: Final = 1024
METADATA_SIZE_MAX: Final = 256 * 1024

_EXACTLY_ONE: Final = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"


def validate_attachment(value: Object) -> list[FieldError]:
    """Check spec and status."""
    errors: list[FieldError] = []
    spec = value.get("spec") or {}
    _validate_source(spec.get("source") or {}, "spec.source", errors)
    node, attacher = spec.get("nodeName") or "", spec.get("attacher") or ""
    errors.extend(fe.invalid("spec.nodeName", node, sentence) for sentence in names.dns1123_subdomain(node))
    _validate_status(value.get("status") or {}, errors)
    if not attacher:
        errors.append(fe.required("spec.attacher"))
        return errors
    errors.extend(fe.invalid("spec.attacher", attacher, sentence) for sentence in names.dns1123_subdomain_any_case(attacher))
    if len(attacher.encode()) > ATTACHER_SIZE_MAX:
        errors.append(fe.too_long("spec.attacher", ATTACHER_SIZE_MAX, "characters"))
    return errors


def _validate_source(source: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    name, inline = source.get("persistentVolumeName"), source.get("inlineVolumeSpec")
    if name is None and inline is None:
        errors.append(fe.required(path, _EXACTLY_ONE))
    elif name is not None and inline is not None:
        errors.append(fe.forbidden(path, _EXACTLY_ONE))
    elif name == "":
        errors.append(fe.required(f"{path}.persistentVolumeName", "must specify non empty persistentVolumeName"))
    if name is not None:
        errors.extend(fe.invalid(f"{path}.persistentVolumeName", name, sentence) for sentence in names.dns1123_subdomain(name))


def _validate_status(status: dict[str, Any], errors: list[FieldError]) -> None:
    size = sum(len(name.encode()) + len(text.encode()) for name, text in (status.get("attachmentMetadata") or {}).items())
    if size > METADATA_SIZE_MAX:
        errors.append(fe.too_long("status.attachmentMetadata", METADATA_SIZE_MAX))
    for field in ("attachError", "detachError"):
        message = (status.get(field) or {}).get("message") or ""
        if len(message.encode()) > ERROR_SIZE_MAX:
            errors.append(fe.too_long(f"status.{field}.message", ERROR_SIZE_MAX))


def validate_attachment_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; what is asked for stays."""
    errors = validate_attachment(new)
    fresh, stored = new.get("spec") or {}, old.get("spec") or {}
    if fresh != stored:
        attacher = [error for error in errors if error.field == "spec.attacher"]
        errors = [*attacher, *(error for error in errors if error.field != "spec.attacher"), fe.immutable("spec", None)]
    return errors


RULES: Final = KindRules(
    validate=validate_attachment, validate_update=validate_attachment_update, validate_status_update=validate_attachment_update,
    prepare_status_update=keep_spec_and_metadata, allow_unconditional_update=False,
)
