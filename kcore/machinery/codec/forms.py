"""Decode, encode and normalise: the compiled passes with what a caller sees of them, above all errors in Kubernetes' words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from kcore.base.limits import STRICT_ERRORS_MAX
from kcore.machinery.codec import strict
from kcore.machinery.codec._decode import decode as _decode
from kcore.machinery.codec._encode import encode as _encode
from kcore.machinery.codec._envelope import envelope, open_envelope
from kcore.machinery.codec._envelope import splice as _splice
from kcore.machinery.codec._json_text import json_text as _json_text
from kcore.machinery.codec._lazy import lazy_object
from kcore.machinery.codec._normalise import normalise as _normalise
from kcore.machinery.codec._table import DecodeError, Table
from kcore.machinery.codec.tables import table

MAGIC: Final = b"k8s\x00"

Object = dict[str, Any]
# (apiVersion, kind) -> full message name, None if there is no such message; `Scheme.message_of` is one.
MessageOf = Callable[[str, str], str | None]


def decode(message: str | Table, raw: bytes, api_version: str = "", kind: str = "") -> Object:
    """Return the dict of a message, with `kind` and `apiVersion` first if they are given. Unknown fields are dropped.

    Raises  DecodeError
    """
    return _decode(table(message) if isinstance(message, str) else message, raw, api_version, kind)


def json_text(message: str | Table, raw: bytes, api_version: str = "", kind: str = "", after: bytes = b"") -> bytes:
    """Return what `decode` gives as JSON text, with another text after it; no dict is made.

    Raises  DecodeError
    """
    return _json_text(table(message) if isinstance(message, str) else message, raw, api_version, kind, after)


def lazy(message: str | Table, raw: bytes) -> Any:
    """Return what can be read as the dict that `decode` gives, and decodes only what it is asked for. Nobody may change it.

    Raises  DecodeError when something malformed is asked for
    """
    return lazy_object(table(message) if isinstance(message, str) else message, raw)


def encode(message: str | Table, obj: Object, unknown: list[str] | None = None) -> bytes:
    """Return the bytes of a message, as Kubernetes' encoder writes them; `apiVersion` and `kind` are left out.

    unknown  sentences such as `unknown field "spec.foo"` are appended
    Raises   DecodeError with Kubernetes' sentence for a value of the wrong type
    """
    of = table(message) if isinstance(message, str) else message
    try:
        raw = _encode(of, obj)
    except DecodeError as error:
        raise strict.explain(of, obj, error) from error
    if unknown is not None:
        unknown.extend(strict.unknown_fields(of, obj))
    return raw


def normalise(message: str | Table, obj: Object, unknown: list[str] | None = None, text: bytes | None = None) -> Object:
    """Bring a dict from outside into the form that `decode(encode(obj))` would give, in place, and return it.

    Nulls, unknown fields and what JSON leaves out when it is empty vanish; quantities and times get their canonical form.
    unknown  sentences such as `unknown field "spec.foo"` are appended
    text     the JSON text that `obj` was read from, if there is one: errors then show a number as it was written
    Raises   DecodeError with Kubernetes' sentence for a value of the wrong type
    """
    of = table(message) if isinstance(message, str) else message
    paths: list[str] | None = None if unknown is None else []
    try:
        _normalise(of, obj, paths)
    except DecodeError as error:
        raise strict.explain(of, obj, error, text) from error
    if unknown is not None and paths:
        unknown.extend(f'unknown field "{path}"' for path in paths[:STRICT_ERRORS_MAX])
    return obj


def encode_object(obj: Object, message_of: MessageOf) -> bytes:
    """Return the envelope of an object that says what it is.

    Raises  DecodeError
    """
    api_version, kind = str(obj.get("apiVersion") or ""), str(obj.get("kind") or "")
    return envelope(api_version, kind, encode(_message(api_version, kind, message_of), obj))


def decode_object(data: bytes, message_of: MessageOf) -> Object:
    """Return the object in an envelope.

    Raises  DecodeError
    """
    api_version, kind, raw = open_envelope(data)
    return decode(_message(api_version, kind, message_of), raw, api_version, kind)


def splice(raw: bytes, edits: Sequence[tuple[tuple[int, ...], bytes | None]]) -> bytes:
    """Replace fields of a message without decoding it.

    edits   (path of field numbers, the field as it stands on the wire, tag included; None removes it). Messages on the way are made
            if they are absent; all occurrences of the field give way to the new one.
    Raises  DecodeError if `raw` is malformed on the way
    """
    return _splice(raw, edits)


def _message(api_version: str, kind: str, message_of: MessageOf) -> str:
    found = message_of(api_version, kind)
    if found is None:
        raise DecodeError(f'no kind "{kind}" is registered for version "{api_version}"')
    return found
