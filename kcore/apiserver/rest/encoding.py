"""Objects as bytes in the media types that are served. Pure."""

from __future__ import annotations

import gzip
from typing import Any

import orjson

from kcore.apiserver.rest.media import JSON, PROTOBUF, YAML, Form
from kcore.base import limits
from kcore.machinery import codec

Object = dict[str, Any]
STATUS_MESSAGE = "kcore.api.meta.v1.Status"
NO_ITEMS, EMPTY_ITEMS = b'"items":null}\n', b'"items":[]}\n'


def dump_json(obj: Any, pretty: bool = False) -> bytes:
    """JSON with a newline at its end."""
    return orjson.dumps(obj, option=orjson.OPT_APPEND_NEWLINE | (orjson.OPT_INDENT_2 if pretty else 0))


def dump(obj: Any, form: Form) -> bytes:
    """A dict in a text form. Parts of it may be JSON text already (`orjson.Fragment`)."""
    if form.media == YAML or form.pretty:
        obj = orjson.loads(orjson.dumps(obj))
    if form.media == YAML:
        from kcore.apiserver.rest import yaml_text

        return yaml_text.dump(obj)
    return dump_json(obj, form.pretty)


def message(raw: bytes, name: str, api_version: str, kind: str, form: Form) -> bytes:
    """A message's bytes in a form without transformation.

    name  the message's full name
    """
    if form.media == PROTOBUF:
        return codec.envelope(api_version, kind, raw)
    text = object_text(name, raw, api_version, kind)
    return text if form.media == JSON and not form.pretty else dump(orjson.Fragment(text), form)


def object_text(name: str, raw: bytes, api_version: str, kind: str) -> bytes:
    """A message as JSON, with a newline at its end; a list without objects has an empty list of them."""
    text = codec.json_text(name, raw, api_version, kind, after=b"\n")
    return text.removesuffix(NO_ITEMS) + EMPTY_ITEMS if kind.endswith("List") and text.endswith(NO_ITEMS) else text


def status_object(found: Object, form: Form) -> tuple[bytes, str]:
    """A Status; -> (body, content type)."""
    if form.media == PROTOBUF:
        return codec.envelope("v1", "Status", codec.encode(STATUS_MESSAGE, found)), PROTOBUF
    return dump(found, form), form.media if form.media == YAML else JSON


def compressed(body: bytes) -> bytes:
    """A body as gzip."""
    return gzip.compress(body, limits.GZIP_LEVEL, mtime=0)
