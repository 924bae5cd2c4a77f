"""From a request's body to the dict that the pipeline works on, and what is wrong with it. Pure.

Source: CONTRACT A1, A2, A13; apiserver `pkg/endpoints/handlers/rest.go` for the sentences.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from kcore.apiserver import body_text
from kcore.base import limits
from kcore.machinery import codec, scheme, status
from kcore.machinery.apply import managers
from kcore.machinery.gvk import GroupVersionKind

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
MEDIA_TYPES = (JSON, YAML, PROTOBUF)
YAML_COMPLAINT = "yaml: unmarshal errors:"
DELETE_OPTIONS_MESSAGE = "kcore.api.meta.v1.DeleteOptions"
OLDER = {GroupVersionKind("policy", "v1", "Eviction"): "policy/v1beta1"}
"""Versions in which a body may come although nothing is served in them."""

NO_ENVELOPE = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"

Object = dict[str, Any]


class UnreadableError(ValueError):
    """An object is of another kind, or of a shape that its kind has not. `complete`: the sentence says which kind was wanted."""

    def __init__(self, sentence: str, complete: bool = False) -> None:
        super().__init__(sentence)
        self.complete = complete


@dataclass(slots=True)
class Body:
    """A decoded body and the sentences that strict field validation complains with."""

    obj: Object
    complaints: list[str] = field(default_factory=list)


class Parsed(NamedTuple):
    """What a text says, the complaints about doubled fields, and the text if it is JSON."""

    value: Any
    doubled: list[str]
    text: bytes | None


def decode(data: bytes | Object, content_type: str, gvk: GroupVersionKind, message: str) -> Body:
    """Read an object of a known kind.

    data  the bytes, or a dict from a caller in this process (which it no longer uses)
    Raises  StatusError: 400 for what cannot be read or is another kind, 413 for what is too large, 415 for an unknown media type
    """
    if isinstance(data, bytes):
        if len(data) > limits.REQUEST_BODY_BYTES_MAX:
            raise status.body_too_large(limits.REQUEST_BODY_BYTES_MAX)
        media = content_type.partition(";")[0].strip() or JSON
        if media == PROTOBUF:
            return Body(decode_protobuf(data, gvk, message))
        if media not in (JSON, YAML):
            raise status.unsupported_media_type(MEDIA_TYPES)
        parsed = parse_text(data, media, gvk)
    else:
        parsed = Parsed(data, [], None)
    try:
        return checked(parsed.value, parsed.doubled, gvk, message, parsed.text)
    except UnreadableError as error:
        raise status.bad_request(str(error) if error.complete else cannot_be_handled(gvk, parsed.value, str(error))) from error


def decode_protobuf(data: bytes, gvk: GroupVersionKind, message: str) -> Object:
    """Read a message with or without its envelope."""
    enveloped = data[:4] == codec.MAGIC
    try:
        if enveloped:
            api_version, kind, data = codec.open_envelope(data)
            check_kind({"apiVersion": api_version, "kind": kind}, gvk)
        return codec.decode(message, data, gvk.api_version, gvk.kind)
    except codec.DecodeError as error:
        raise status.bad_request(str(error) if enveloped else unrecognized(gvk, NO_ENVELOPE, data)) from error
    except UnreadableError as error:
        raise status.bad_request(cannot_be_handled(gvk, {"apiVersion": api_version, "kind": kind}, str(error))) from error


def parse_text(data: bytes, media: str, gvk: GroupVersionKind) -> Parsed:
    """Read JSON or YAML. Raises StatusError (400) for what is neither."""
    try:
        if media == YAML:
            value, doubled = body_text.load_yaml(data)
            sentence = YAML_COMPLAINT + "".join(f"\n  {line}" for line in doubled)
            return Parsed({} if value is None else value, [sentence] if doubled else [], None)
        value = orjson.loads(data)
        if not isinstance(value, dict | None):
            raise body_text.TextError(body_text.no_object(value))
        return Parsed({} if value is None else value, codec.strict_duplicates(data, value), data)
    except (orjson.JSONDecodeError, RecursionError) as error:
        why = f"couldn't get version/kind; json parse error: {body_text.json_error(data)}"
        raise status.bad_request(unrecognized(gvk, why, data)) from error
    except body_text.TextError as error:
        raise status.bad_request(unrecognized(gvk, str(error), data)) from error


def parse_patch(data: bytes) -> Any:
    """Read a patch in JSON. Raises StatusError: 413 for what is too large, 400 for what is no JSON."""
    if len(data) > limits.REQUEST_BODY_BYTES_MAX:
        raise status.body_too_large(limits.REQUEST_BODY_BYTES_MAX)
    try:
        return orjson.loads(data)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise status.bad_request("invalid JSON patch") from error


def reread(data: Any, content_type: str) -> Any:
    """What a text said that was decoded before, with what decoding dropped; None if it was no text."""
    if not isinstance(data, bytes) or content_type.startswith(PROTOBUF):
        return None
    return body_text.load_yaml(data)[0] if content_type.partition(";")[0].strip() == YAML else orjson.loads(data)


def delete_options(data: bytes | Object, content_type: str) -> Object | None:
    """The DeleteOptions in a body; None for an empty one. Raises StatusError (400)."""
    gvk = GroupVersionKind("", "v1", "DeleteOptions")
    try:
        if isinstance(data, dict):
            value: Any = data
        elif data[:4] == codec.MAGIC:
            value = decode_protobuf(data, of_any_group(data, gvk), DELETE_OPTIONS_MESSAGE)
        elif content_type.partition(";")[0].strip() == YAML:
            value = body_text.load_yaml(data)[0]
        else:
            value = orjson.loads(data)
        given = {name: found for name, found in (value or {}).items() if name not in ("apiVersion", "kind")}
        return None if value is None else codec.normalise(DELETE_OPTIONS_MESSAGE, given)
    except (orjson.JSONDecodeError, RecursionError) as error:
        why = body_text.json_error(data) if isinstance(data, bytes) else str(error)
        raise status.bad_request(f"couldn't get version/kind; json parse error: {why}") from error
    except codec.DecodeError as error:
        raise status.bad_request(str(error).rpartition("cannot be handled as a DeleteOptions: ")[2]) from error
    except (body_text.TextError, AttributeError) as error:
        raise status.bad_request(str(error)) from error


def of_any_group(data: bytes, gvk: GroupVersionKind) -> GroupVersionKind:
    """A kind that each group has, in the version that an envelope names. Raises DecodeError."""
    group, _, version = codec.open_envelope(data)[0].rpartition("/")
    return gvk._replace(group=group, version=version or gvk.version)


def unrecognized(gvk: GroupVersionKind, why: str, data: bytes) -> str:
    """The sentence for a body of which not even the kind can be read."""
    return f"the object provided is unrecognized (must be of type {gvk.kind}): {why} ({body_text.summary(data)})"


def cannot_be_handled(gvk: GroupVersionKind, found: Any, why: str) -> str:
    """The sentence for a body that is no such object, from what it says it is."""
    said = found if isinstance(found, dict) else {}
    version = str(said.get("apiVersion") or gvk.version).rpartition("/")[2]
    return f'{said.get("kind") or gvk.kind} in version "{version}" cannot be handled as a {gvk.kind}: {why}'


def checked(obj: Any, doubled: list[str], gvk: GroupVersionKind, message: str, text: bytes | None = None) -> Body:
    """Check types and drop what the kind does not know. Raises UnreadableError."""
    if not isinstance(obj, dict):
        raise UnreadableError("the body is no object")
    check_kind(obj, gvk)
    managers.keep_reset(obj)
    unknown: list[str] = []
    try:
        found = codec.normalise(message, obj, unknown, text)
    except codec.DecodeError as error:
        raise UnreadableError(str(error), complete=True) from error
    complaints = [*doubled, *unknown]
    return Body(found, codec.strict_in_order(text, complaints) if text is not None and doubled and unknown else complaints)


APART = frozenset(("apiextensions.k8s.io", "apiregistration.k8s.io"))
"""Groups of which Kubernetes has servers of their own, that know no other groups' kinds."""


def check_kind(obj: Object, gvk: GroupVersionKind) -> None:
    """Refuse an object that says it is something else than the path. Raises UnreadableError."""
    api_version, kind = str(obj.get("apiVersion") or gvk.api_version), str(obj.get("kind") or gvk.kind)
    if kind == gvk.kind and api_version in (gvk.api_version, OLDER.get(gvk)):
        return
    group = api_version.rpartition("/")[0]
    if scheme.load().message_of(api_version, kind) is None or (group != gvk.group and not APART.isdisjoint((group, gvk.group))):
        where = 'in scheme "pkg/runtime/scheme.go:111"'
        raise UnreadableError(f'no kind "{kind}" is registered for version "{api_version}" {where}')
    internal = gvk.group.partition(".")[0] or "core"
    raise UnreadableError(f"converting ({api_version.rpartition('/')[2]}.{kind}) to ({internal}.{gvk.kind}): unknown conversion")
