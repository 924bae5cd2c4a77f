"""Secret: text becomes data, well-known types must hold their keys, and an immutable one stays as it is.

Source: Kubernetes `pkg/apis/core/validation`, `pkg/apis/core/v1/conversion.go`, `pkg/registry/core/secret`.
"""
from __future__ import annotations

import base64
import json
from typing import Final

from kcore.machinery import field_error as fe
from kcore.machinery import meta
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.core.configmap import DATA_SIZE_MAX, decoded_size, validate_immutable_data, validate_key
from kcore.machinery.kinds.json_sentence import json_sentence
from kcore.machinery.kinds.rules import KindRules, Object, nothing
from kcore.machinery.kinds.values import validate_immutable

SERVICE_ACCOUNT_TOKEN: Final = "kubernetes.io/service-account-token"
SERVICE_ACCOUNT_NAME: Final = "kubernetes.io/service-account.name"
BASIC_AUTH: Final = "kubernetes.io/basic-auth"
_REDACTED: Final = "<secret contents redacted>"
_JSON_KEYS: Final = {"kubernetes.io/dockercfg": ".dockercfg", "kubernetes.io/dockerconfigjson": ".dockerconfigjson"}
_REQUIRED_KEYS: Final = {"kubernetes.io/ssh-auth": ("ssh-privatekey",), "kubernetes.io/tls": ("tls.crt", "tls.key")}


def default_secret(value: Object) -> None:
    """Move `stringData` into `data`."""
    texts = value.pop("stringData", None)
    if texts:
        data = dict(value.get("data") or {})
        data.update((key, base64.b64encode((text or "").encode()).decode()) for key, text in texts.items())
        value["data"] = data


def validate_secret(value: Object) -> list[FieldError]:
    """Check keys, size, and what the type asks for."""
    errors: list[FieldError] = []
    data = value.get("data") or {}
    for key in sorted(data):
        validate_key(key, "data", errors)
    if sum(decoded_size(encoded) for encoded in data.values()) > DATA_SIZE_MAX:
        errors.append(fe.too_long("data", DATA_SIZE_MAX))
    _validate_type(value, data, errors)
    return errors


def _validate_type(value: Object, data: dict[str, str], errors: list[FieldError]) -> None:
    kind = value.get("type") or ""
    if kind == SERVICE_ACCOUNT_TOKEN:
        if not meta.annotations(value).get(SERVICE_ACCOUNT_NAME):
            errors.append(fe.required(f"metadata.annotations[{SERVICE_ACCOUNT_NAME}]"))
    elif kind in _JSON_KEYS:
        _validate_json(data, _JSON_KEYS[kind], errors)
    elif kind == BASIC_AUTH:
        if "username" not in data and "password" not in data:
            errors.extend(fe.required(f"data[{key}]") for key in ("username", "password"))
    elif kind == "kubernetes.io/ssh-auth":
        errors.extend(fe.required(f"data[{key}]") for key in _REQUIRED_KEYS[kind] if not data.get(key))
    elif kind in _REQUIRED_KEYS:
        errors.extend(fe.required(f"data[{key}]") for key in _REQUIRED_KEYS[kind] if key not in data)


def _validate_json(data: dict[str, str], key: str, errors: list[FieldError]) -> None:
    if key not in data:
        errors.append(fe.required(f"data[{key}]"))
        return
    content = base64.b64decode(data[key] or "")
    try:
        if not isinstance(json.loads(content), dict | None):
            raise ValueError("no object")
    except ValueError:
        errors.append(fe.invalid(f"data[{key}]", _REDACTED, json_sentence(content)))


def keep_type(new: Object, old: Object) -> None:
    """Let an update leave the type out."""
    if not new.get("type") and old.get("type"):
        new["type"] = old["type"]


def warn_secret(new: Object, _old: Object | None) -> list[str]:
    """Warn of a certificate or key that holds nothing of the kind."""
    if new.get("type") != "kubernetes.io/tls":
        return []
    data = new.get("data") or {}
    for key, noun in (("tls.crt", "certificate"), ("tls.key", "key")):
        if b"-----BEGIN " not in base64.b64decode(data.get(key) or ""):
            return [f"tls: failed to find any PEM data in {noun} input"]
    return []


def validate_secret_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update."""
    errors: list[FieldError] = []
    validate_immutable(new.get("type"), old.get("type"), "type", errors)
    validate_immutable_data(new, old, ("data",), errors)
    return errors + validate_secret(new)


RULES: Final = KindRules(
    default=default_secret, validate=validate_secret, validate_update=validate_secret_update,
    prepare_create=nothing, prepare_update=keep_type, warnings=warn_secret,
)
