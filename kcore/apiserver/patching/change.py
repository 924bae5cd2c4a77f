"""From the body of a patch to the function that changes an object.

Source: CONTRACT A12; apiserver `pkg/endpoints/handlers/patch.go` for the order of the checks and the sentences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from kcore.apiserver import body as bodies
from kcore.apiserver import body_text
from kcore.machinery import codec, field_error, status
from kcore.machinery.apply import managers
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.patch import json_patch, merge_patch, restore, strategic
from kcore.machinery.patch.printed import printed
from kcore.machinery.request import Request

Object = dict[str, Any]
Change = Callable[[Object], Object]
JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC_PATCH, APPLY_PATCH = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
NO_PATCH: Final = "json: cannot unmarshal {} into Go value of type map[string]interface {{}}"
WORDS: Final = {list: "array", str: "string", bool: "bool", int: "number", float: "number"}


@dataclass(slots=True)
class Patched:
    """What is known of a patch while it is applied.

    gvk, message  the kind of what is patched: of the subresource, if there is one
    complaints    of the patch as a text; the patched object has its own
    warnings      filled while the patch is applied
    """

    request: Request
    gvk: GroupVersionKind
    message: str
    validation: str
    complaints: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def strict(self) -> bool:
        """Whether anybody wants to know of complaints."""
        return self.validation != "Ignore"

    def missing(self) -> status.StatusError:
        """There is nothing to patch."""
        return status.not_found(self.request.resource, self.request.group, self.request.name)

    def complain(self, complaints: list[str], shown: Callable[[], str]) -> None:
        """Warn of complaints, or refuse the patch because of them."""
        found = self.complaints + complaints
        if not found or not self.strict:
            return
        if self.validation == "Strict":
            raise refused(shown(), f"strict decoding error: {', '.join(found)}")
        self.warnings[:] = found


def check_media_type(content_type: str) -> str:
    """The media type of a patch, without parameters. Raises StatusError (415) for any other, and for another spelling."""
    media = content_type.partition(";")[0].strip()
    if media not in CHANGES and media != APPLY_PATCH:
        raise status.failure("UnsupportedMediaType", "415: Unsupported Media Type", {})
    return media


def change(request: Request, gvk: GroupVersionKind, message: str, warnings: list[str]) -> Change:
    """The function that a patch is: from the object as it stands to the object as it is to be.

    warnings  what field validation complains of is appended when the patch is applied
    Raises    StatusError: 400 for what is no patch, 413 for what is too large, 415 as `check_media_type`
    """
    make = CHANGES[check_media_type(request.content_type)]
    patched = Patched(request, gvk, message, request.options.get("fieldValidation") or "Warn", warnings=warnings)
    body = request.body
    if not isinstance(body, bytes):
        return make(patched, body)
    patch = bodies.parse_patch(body)
    if patched.strict:
        patched.complaints = codec.strict_duplicates(body, patch)
    return bounded(make(patched, patch))


def bounded(apply: Change) -> Change:
    """The change, which answers 400 where it would nest deeper than can be followed."""

    def change(old: Object) -> Object:
        try:
            return apply(old)
        except (RecursionError, orjson.JSONEncodeError) as error:
            raise status.bad_request("exceeded max depth") from error

    return change


def by_json_patch(patched: Patched, patch: Any) -> Change:
    """A list of operations."""
    operations, complaints = json_patch.read(patch, patched.strict)
    patched.complaints = [f"json patch {complaint}" for complaint in patched.complaints] + complaints
    return lambda old: from_text(patched, old, lambda ordered: json_patch.apply(ordered, operations))


def by_merge_patch(patched: Patched, patch: Any) -> Change:
    """An object whose nulls remove."""
    if patch is None or (not isinstance(patch, dict) and not patched.strict):
        raise status.bad_request("Invalid JSON Patch")
    if not isinstance(patch, dict):
        raise status.bad_request(f"error decoding patch: {NO_PATCH.format(WORDS[type(patch)])}")
    return lambda old: from_text(patched, old, lambda ordered: merge_patch.in_printed_order(merge_patch.merge(ordered, patch), patch))


def by_strategic_merge_patch(patched: Patched, patch: Any) -> Change:
    """An object that is merged as the options of the kind's fields say."""
    if not isinstance(patch, dict | None):
        raise status.bad_request(NO_PATCH.format(WORDS[type(patch)]))
    return lambda old: from_map(patched, old, patch or {})


CHANGES: Final = {
    JSON_PATCH: by_json_patch,
    MERGE_PATCH: by_merge_patch,
    STRATEGIC_PATCH: by_strategic_merge_patch,
}


def from_text(patched: Patched, old: Object, apply: Change) -> Object:
    """Patch an object as a text; errors show the text."""
    if not old:
        raise patched.missing()
    text = orjson.dumps(apply(in_field_order(patched.message, old)))
    new: Object = orjson.loads(text)
    if not isinstance(new, dict):
        raise refused(go_text(text), body_text.no_object(new))
    managers.keep_reset(new)
    unknown: list[str] = []
    try:
        bodies.check_kind(new, patched.gvk)
        codec.normalise(patched.message, new, unknown, text)
    except (bodies.UnreadableError, codec.DecodeError) as error:
        raise refused(go_text(text), str(error).rpartition(f" cannot be handled as a {patched.gvk.kind}: ")[2]) from error
    patched.complain(unknown, lambda: go_text(text))
    return new


def from_map(patched: Patched, old: Object, patch: Object) -> Object:
    """Patch an object field by field; errors show the patch."""
    if not old:
        raise patched.missing()
    merged = strategic.merge(old, patch, patched.message)
    new: Object = orjson.loads(orjson.dumps(merged))
    managers.keep_reset(new)
    unknown: list[str] = []
    try:
        codec.normalise(patched.message, new, unknown)
    except codec.DecodeError as error:
        raise refused(printed(patch), restore.explain(codec.table(patched.message), merged, error)) from error
    patched.complain(sorted(unknown), lambda: printed(patch))
    return new


def in_field_order(message: str, obj: Object) -> Object:
    """The object with its fields as Kubernetes writes them."""
    return codec.decode(message, codec.encode(message, obj), obj["apiVersion"], obj["kind"])


def go_text(text: bytes) -> str:
    """A JSON text as Go writes it."""
    return field_error.compact_json(orjson.loads(text), sort_keys=False)


def refused(shown: str, why: str) -> status.StatusError:
    """The patched object is none of its kind."""
    return status.invalid("", "", "", [field_error.invalid("patch", shown, why)])
