"""ConfigMap: keys are file names, all values together are bounded, and an immutable one stays as it is.

Source: Kubernetes `pkg/apis/core/validation`, `pkg/registry/core/configmap`.
"""
from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing

# The bound that Kubernetes sets to the values of a ConfigMap or Secret together.
DATA_SIZE_MAX: Final = 1024 * 1024
IMMUTABLE: Final = "field is immutable when `immutable` is set"


def validate_config_map(value: Object) -> list[FieldError]:
    """Check keys and size."""
    errors: list[FieldError] = []
    data, binary = value.get("data") or {}, value.get("binaryData") or {}
    size = 0
    for key, text in sorted(data.items()):
        validate_key(key, "data", errors)
        if key in binary:
            errors.append(fe.invalid(f"data[{key}]", key, "duplicate of key present in binaryData"))
        size += len((text or "").encode())
    for key, encoded in sorted(binary.items()):
        validate_key(key, "binaryData", errors)
        size += decoded_size(encoded)
    if size > DATA_SIZE_MAX:
        errors.append(fe.too_long("[]", DATA_SIZE_MAX))
    return errors


def validate_key(key: str, path: str, errors: list[FieldError]) -> None:
    """Check a key, which becomes the name of a file."""
    errors.extend(fe.invalid(f"{path}[{key}]", key, sentence) for sentence in names.config_key(key))


def decoded_size(encoded: str | None) -> int:
    """Return how many bytes a base64 text stands for, 0 if it is none."""
    try:
        return len(base64.b64decode(encoded or ""))
    except binascii.Error:
        return 0


def validate_immutable_data(new: Object, old: Object, fields: tuple[str, ...], errors: list[FieldError]) -> None:
    """Refuse to unlock an immutable object or to change its data."""
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        errors.append(fe.forbidden("immutable", IMMUTABLE))
    for field in fields:
        if _content(new.get(field)) != _content(old.get(field)):
            errors.append(fe.forbidden(field, IMMUTABLE))


def _content(data: Any) -> Any:
    return data or None


def validate_config_map_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update."""
    errors: list[FieldError] = []
    validate_immutable_data(new, old, ("data", "binaryData"), errors)
    return errors + validate_config_map(new)


RULES: Final = KindRules(
    validate=validate_config_map, validate_update=validate_config_map_update, prepare_create=nothing, prepare_update=keep_all,
)
