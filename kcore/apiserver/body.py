"""From a request's body to the dict that the pipeline works on, and what is wrong with it. Pure.

Source: CONTRACT A1, A2, A13.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson
import yaml

from kcore.base import limits
from kcore.machinery import codec, scheme, status
from kcore.machinery.gvk import GroupVersionKind

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
MEDIA_TYPES = (JSON, YAML, PROTOBUF)

Object = dict[str, Any]


@dataclass(slots=True)
class Body:
    """A decoded body and the paths that strict field validation complains of."""

    obj: Object
    complaints: list[str] = field(default_factory=list)


def decode(data: bytes | Object, content_type: str, gvk: GroupVersionKind, message: str) -> Body:
    """Read an object of a known kind.

    data  the bytes, or a dict from a caller in this process (which it no longer uses)
    Raises  StatusError: 400 for what cannot be read or is another kind, 413 for what is too large, 415 for an unknown media type
    """
    if isinstance(data, dict):
        return checked(data, [], gvk, message)
    if len(data) > limits.REQUEST_BODY_BYTES_MAX:
        raise status.body_too_large(limits.REQUEST_BODY_BYTES_MAX)
    media = content_type.partition(";")[0].strip() or JSON
    if media == PROTOBUF:
        return Body(decode_protobuf(data, gvk, message))
    if media not in (JSON, YAML):
        raise status.unsupported_media_type(MEDIA_TYPES)
    obj, doubled = parse_text(data, media, gvk)
    return checked(obj, doubled, gvk, message)


def decode_protobuf(data: bytes, gvk: GroupVersionKind, message: str) -> Object:
    """Read a message with or without its envelope."""
    try:
        if data[:4] == codec.MAGIC:
            api_version, kind, data = codec.open_envelope(data)
            check_kind({"apiVersion": api_version, "kind": kind}, gvk)
        return codec.decode(message, data, gvk.api_version, gvk.kind)
    except codec.DecodeError as error:
        raise status.bad_request(str(error)) from error


def parse_text(data: bytes, media: str, gvk: GroupVersionKind) -> tuple[Any, list[str]]:
    """Read JSON or YAML; -> the value, and the complaints about doubled fields."""
    try:
        if media == JSON:
            return orjson.loads(data), codec.strict_duplicates(data)
        return yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), []
    except (orjson.JSONDecodeError, yaml.YAMLError, RecursionError) as error:
        raise status.bad_request(f"{gvk.kind} in version {gvk.version!r} cannot be handled as a {gvk.kind}: {error}") from error


def checked(obj: Any, doubled: list[str], gvk: GroupVersionKind, message: str) -> Body:
    """Check types and drop what the kind does not know."""
    if not isinstance(obj, dict):
        raise status.bad_request(f"{gvk.kind} in version {gvk.version!r} cannot be handled as a {gvk.kind}: the body is no object")
    check_kind(obj, gvk)
    unknown: list[str] = []
    try:
        return Body(codec.normalise(message, obj, unknown), [*unknown, *doubled])
    except codec.DecodeError as error:
        raise status.bad_request(str(error)) from error


def check_kind(obj: Object, gvk: GroupVersionKind) -> None:
    """Refuse an object that says it is something else than the path."""
    api_version, kind = obj.get("apiVersion") or gvk.api_version, obj.get("kind") or gvk.kind
    if kind == gvk.kind and api_version == gvk.api_version:
        return
    version = str(api_version).rpartition("/")[2]
    found = scheme.load().message_of(str(api_version), str(kind))
    go_type = f"{gvk.version}.{kind}) to (core.{gvk.kind}"
    why = (
        f"converting ({go_type}): unknown conversion"
        if found
        else f'no kind "{kind}" is registered for version "{api_version}" in scheme "pkg/runtime/scheme.go:111"'
    )
    raise status.bad_request(f'{kind} in version "{version}" cannot be handled as a {gvk.kind}: {why}')
