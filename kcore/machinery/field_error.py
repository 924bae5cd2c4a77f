"""Field errors: one reason, one path and one sentence for each thing that is wrong with an object.

A validator appends `FieldError`s to a list that its caller owns; `status.invalid` turns the list into the 422 answer. Paths are plain
strings (`spec.containers[0].name`), built by the caller only where there is something to descend into. Values are rendered the way
clients see them from Kubernetes: strings quoted by Go's rules, scalars bare, everything else as compact JSON.

Source: Kubernetes apimachinery `pkg/util/validation/field`, observed answers of 1.37.
"""
from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

NOT_FOUND: Final = "FieldValueNotFound"
REQUIRED: Final = "FieldValueRequired"
DUPLICATE: Final = "FieldValueDuplicate"
INVALID: Final = "FieldValueInvalid"
NOT_SUPPORTED: Final = "FieldValueNotSupported"
FORBIDDEN: Final = "FieldValueForbidden"
TOO_LONG: Final = "FieldValueTooLong"
TOO_MANY: Final = "FieldValueTooMany"
TYPE_INVALID: Final = "FieldValueTypeInvalid"
INTERNAL: Final = "InternalError"

IMMUTABLE: Final = "field is immutable"

_QUOTE_ESCAPES: Final = {
    '"': '\\"', "\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
}
_JSON_ESCAPES: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


@dataclass(slots=True)
class FieldError:
    """One thing that is wrong: a cause of an Invalid status.

    reason  the cause's reason, such as `FieldValueRequired`
    field   the path, such as `spec.containers[0].name`
    body    what follows the path in the message, such as `Required value: must not be empty`
    """

    reason: str
    field: str
    body: str

    def message(self) -> str:
        return f"{self.field}: {self.body}"


class Rendered(str):
    """A value that is already in the form clients see; `render` passes it through."""

    __slots__ = ()


OMITTED: Final = Rendered("")


class StructField(NamedTuple):
    """How one field of a Go struct is printed: its Go name, the JSON name it has in an object, its zero value, and the struct behind it.

    zero    what is printed for an absent field; `OMITTED` leaves an absent or empty field out
    nested  the fields of the struct (or of the structs of the list) that the field holds, else None
    """

    go_name: str
    json_name: str
    zero: Any = None
    nested: tuple[StructField, ...] | None = None


def struct(value: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None, fields: tuple[StructField, ...]) -> Rendered:
    """Render what Kubernetes prints from its Go structs: a message or a list of them, with absent fields as zero values."""
    return Rendered("null" if value is None else _compact(struct_tree(value, fields)))


def render(value: Any) -> str:
    """Render a value: strings in Go's quotes, scalars bare, maps (sorted by key) and lists as compact JSON, None as null."""
    if isinstance(value, Rendered):
        return value
    if isinstance(value, str):
        return quote(value)
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return str(value)
    return _compact(value, sort_keys=True)


def quote(text: str) -> str:
    """Quote a string as Go's %q does: printable characters stay, the rest is escaped."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(_quote_char(char) for char in text) + '"'


def required(path: str, detail: str = "") -> FieldError:
    """A value that must be there is not."""
    return FieldError(REQUIRED, path, _body("Required value", detail))


def invalid(path: str, value: Any, detail: str) -> FieldError:
    """A value is malformed or out of range."""
    if value is OMITTED:
        return FieldError(INVALID, path, _body("Invalid value", detail))
    return FieldError(INVALID, path, _body(f"Invalid value: {render(value)}", detail))


def immutable(path: str, value: Any) -> FieldError:
    """A value differs from the stored one and may not."""
    return invalid(path, value, IMMUTABLE)


def not_supported(path: str, value: Any, supported: Iterable[str]) -> FieldError:
    """A value is not one of the known ones, which are printed in the order given."""
    names = ", ".join(quote(name) for name in supported)
    return FieldError(NOT_SUPPORTED, path, _body(f"Unsupported value: {render(value)}", f"supported values: {names}" if names else ""))


def duplicate(path: str, value: Any, detail: str = "") -> FieldError:
    """A value that must be unique occurs twice."""
    return FieldError(DUPLICATE, path, _body(f"Duplicate value: {render(value)}", detail))


def forbidden(path: str, detail: str = "") -> FieldError:
    """A value may not be given here at all."""
    return FieldError(FORBIDDEN, path, _body("Forbidden", detail))


def too_long(path: str, size_max: int, unit: str = "bytes") -> FieldError:
    """A value is longer than `size_max` of `unit` (bytes, or characters where Kubernetes counts those)."""
    return FieldError(TOO_LONG, path, f"Too long: may not be more than {size_max} {unit}")


def too_many(path: str, actual: int, count_max: int) -> FieldError:
    """A list or map has more than `count_max` items."""
    noun = "item" if count_max == 1 else "items"
    return FieldError(TOO_MANY, path, f"Too many: {actual}: must have at most {count_max} {noun}")


def not_found(path: str, value: Any, detail: str = "") -> FieldError:
    """A value names something that is not there."""
    return FieldError(NOT_FOUND, path, _body(f"Not found: {render(value)}", detail))


def type_invalid(path: str, value: Any, detail: str) -> FieldError:
    """A value has the wrong type (custom resources)."""
    return FieldError(TYPE_INVALID, path, _body(f"Invalid value: {render(value)}", detail))


def internal(path: str, detail: str) -> FieldError:
    """The server could not check the value."""
    return FieldError(INTERNAL, path, _body("Internal error", detail))


def compact_json(value: Any, sort_keys: bool = True) -> str:
    """Encode as Go's encoding/json does: no blanks, maps by key, and <, >, & escaped."""
    return _compact(value, sort_keys)


def _body(kind: str, detail: str) -> str:
    return f"{kind}: {detail}" if detail else kind


def _quote_char(char: str) -> str:
    if char in _QUOTE_ESCAPES:
        return _QUOTE_ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _compact(value: Any, sort_keys: bool = False) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=sort_keys).translate(_JSON_ESCAPES)


def struct_tree(value: Any, fields: tuple[StructField, ...]) -> Any:
    """Lay out a message, or a list of messages, as the Go struct that Kubernetes prints."""
    if isinstance(value, Sequence):
        return [struct_tree(item, fields) for item in value]
    tree = {}
    for field in fields:
        item = value.get(field.json_name)
        if item is None or (field.zero is OMITTED and item in ("", [], {})):
            if field.zero is not OMITTED:
                tree[field.go_name] = field.zero
        elif field.nested is not None:
            tree[field.go_name] = struct_tree(item, field.nested)
        elif isinstance(item, dict):
            tree[field.go_name] = dict(sorted(item.items()))
        else:
            tree[field.go_name] = item
    return tree
