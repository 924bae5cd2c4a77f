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
from kcore.machinery.patch import field_order, json_patch, merge_patch, restore, strategic
from kcore.machinery.patch.printed import printed
from kcore.machinery.request import Request

Object = dict[str, Any]
Change = Callable[[Object], Object]
JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC_PATCH, APPLY_PATCH = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
STATUS_PARTS: Final = frozenset(("apiVersion", "kind", "metadata", "status"))
NO_PATCH: Final = "json: cannot unmarshal {} into Go value of type map[string]interface {{}}"
WORDS: Final = {list: "array", str: "string", bool: "bool", int: "number", float: "number"}


@dataclass(slots=True)
class Patched:
    """A patch, and what is known of it once it was applied.

    gvk, message  the kind of what is patched: of the subresource, if there is one
    complaints    of the patch as a text; the patched object has its own
    warnings      what field validation complains of; the list stays the same one
    change        from the object as it stands to the object as it is to be
    names         the fields of the object that a patch in the form of an object changes; None of any other
    given         the patched object as it was before it was brought into its form, for errors that show values
    """

    request: Request
    gvk: GroupVersionKind
    message: str
    validation: str
    complaints: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    change: Change = dict
    names: frozenset[str] | None = None
    given: Callable[[], Any] = dict

    @property
    def strict(self) -> bool:
        """Whether anybody wants to know of complaints."""
        return self.validation != "Ignore"

    def apply(self, old: Object) -> Object:
        """What the patch makes of an object. Raises StatusError: 404 if there is none, 400, 422 or 500 if the patch does not fit it."""
        if not old:
            raise status.not_found(self.request.resource, self.request.group, self.request.name)
        try:
            return self.change(old)
        except (RecursionError, orjson.JSONEncodeError) as error:
            raise status.bad_request("exceeded max depth") from error

    def apply_to_status(self, old: Object) -> Object:
        """What the patch makes of metadata and status; of the whole object if it is about more, or something is wrong.

        What a write of the status leaves alone need not be patched.
        """
        if old and self.names is not None and self.names <= STATUS_PARTS:
            try:
                return self.apply({name: value for name, value in old.items() if name in STATUS_PARTS})
            except status.StatusError:
                pass
        return self.apply(old)

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


def read(request: Request, gvk: GroupVersionKind, message: str) -> Patched:
    """Read the patch in a request.

    Raises  StatusError: 400 for what is no patch, 413 for what is too large, 415 as `check_media_type`
    """
    make = CHANGES[check_media_type(request.content_type)]
    patched = Patched(request, gvk, message, request.options.get("fieldValidation") or "Warn")
    body = patch = request.body
    if isinstance(body, bytes):
        patch = bodies.parse_patch(body)
        if patched.strict:
            patched.complaints = codec.strict_duplicates(body, patch)
    patched.change = make(patched, patch)
    patched.names = frozenset(patch) if isinstance(patch, dict) else None
    return patched


def by_json_patch(patched: Patched, patch: Any) -> Change:
    """A list of operations."""
    operations, complaints = json_patch.read(patch, patched.strict)
    patched.complaints = [f"json patch {complaint}" for complaint in patched.complaints] + complaints
    return lambda old: from_text(patched, old, lambda ordered: json_patch.apply(ordered, operations), as_it_is)


def by_merge_patch(patched: Patched, patch: Any) -> Change:
    """An object whose nulls remove."""
    if patch is None or (not isinstance(patch, dict) and not patched.strict):
        raise status.bad_request("Invalid JSON Patch")
    if not isinstance(patch, dict):
        raise status.bad_request(f"error decoding patch: {NO_PATCH.format(WORDS[type(patch)])}")
    return lambda old: from_text(
        patched, old, lambda ordered: merge_patch.merge(ordered, patch), lambda merged: merge_patch.in_printed_order(merged, patch)
    )


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


def as_it_is(found: Any) -> Any:
    """What is printed in the order in which it stands."""
    return found


def from_text(patched: Patched, old: Object, apply: Change, ordered: Callable[[Any], Any]) -> Object:
    """Patch an object as a text; errors show the text.

    The text in the order of Kubernetes, for which what was applied is `ordered`, is made only if there is something to say of it.
    """
    patched.given = lambda: apply(old)
    try:
        unknown: list[str] = []
        new = read_text(patched, orjson.dumps(apply(old)), unknown)
        if not unknown:
            patched.complain([], lambda: shown(patched, old, apply, ordered))
            return new
    except ValueError:
        pass
    text = shown(patched, old, apply, ordered)
    unknown = []
    try:
        new = read_text(patched, text.encode(), unknown)
    except ValueError as error:
        raise refused(text, str(error).rpartition(f" cannot be handled as a {patched.gvk.kind}: ")[2]) from error
    patched.complain(unknown, lambda: text)
    return new


def read_text(patched: Patched, text: bytes, unknown: list[str]) -> Object:
    """The object in a patched text. Raises ValueError if it is none of its kind."""
    new: Object = orjson.loads(text)
    if not isinstance(new, dict):
        raise bodies.UnreadableError(body_text.no_object(new))
    managers.keep_reset(new)
    bodies.check_kind(new, patched.gvk)
    return codec.normalise(patched.message, new, unknown, text)


def shown(patched: Patched, old: Object, apply: Change, ordered: Callable[[Any], Any]) -> str:
    """A patched text as Go writes it."""
    table = codec.table(patched.message)
    whole = codec.decode(table, codec.encode(table, old), old["apiVersion"], old["kind"])
    return field_error.compact_json(ordered(apply(field_order.in_field_order(table, whole))), sort_keys=False)


def from_map(patched: Patched, old: Object, patch: Object) -> Object:
    """Patch an object field by field; errors show the patch."""
    merged = strategic.merge(old, patch, patched.message)
    patched.given = lambda: merged
    new: Object = orjson.loads(orjson.dumps(merged))
    managers.keep_reset(new)
    unknown: list[str] = []
    try:
        codec.normalise(patched.message, new, unknown)
    except codec.DecodeError as error:
        raise refused(printed(patch), restore.explain(codec.table(patched.message), merged, error)) from error
    patched.complain(sorted(unknown), lambda: printed(patch))
    return new


def refused(shown: str, why: str) -> status.StatusError:
    """The patched object is none of its kind."""
    return status.invalid("", "", "", [field_error.invalid("patch", shown, why)])
