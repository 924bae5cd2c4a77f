"""Field selectors: `metadata.name=a,status.phase!=Running`, and what a kind answers to a field it does not offer.

Source: Kubernetes apimachinery `pkg/fields`, `pkg/runtime/conversion.go`; observed answers of 1.37.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

COMMON_FIELDS: Final = ("metadata.name", "metadata.namespace")

_ESCAPED: Final = frozenset("\\,=")


class FieldSelectorError(ValueError):
    """The text is no field selector; the text of the error is Kubernetes' sentence."""


class FieldTerm(NamedTuple):
    """One condition on one field."""

    field: str
    value: str
    equal: bool = True

    def __str__(self) -> str:
        return f"{self.field}{'=' if self.equal else '!='}{escape(self.value)}"


class FieldSelector(NamedTuple):
    """All terms must hold."""

    terms: tuple[FieldTerm, ...] = ()

    def matches(self, values: Mapping[str, str]) -> bool:
        for field, value, equal in self.terms:  # noqa: SIM110 - asked at every change, where a generator costs as much again
            if (values.get(field, "") == value) is not equal:
                return False
        return True

    @property
    def everything(self) -> bool:
        return not self.terms

    def equalities(self) -> dict[str, str]:
        """Return the fields that every match must have with exactly these values."""
        return {term.field: term.value for term in self.terms if term.equal}

    def __str__(self) -> str:
        return ",".join(str(term) for term in self.terms)


EVERYTHING: Final = FieldSelector()


def parse(text: str) -> FieldSelector:
    """Read the text form; a backslash escapes a backslash, a comma or an equals sign in a value.

    Raises  FieldSelectorError
    """
    return FieldSelector(tuple(_parse_term(part, text) for part in _split_terms(text) if part))


def escape(value: str) -> str:
    """Escape a value for the text form."""
    return "".join(f"\\{char}" if char in _ESCAPED else char for char in value)


def unsupported(field: str, group: str, version: str, kind: str, selectable: Iterable[str]) -> str:
    """Say that a kind offers no such field; the sentence depends on how upstream registers the kind's fields."""
    if kind == "Job":
        return f'field label "{field}" not supported for Job'
    if group == "resource.k8s.io" and tuple(selectable):
        return f"field label not supported for {group}/{version}, Kind={kind}: {field}"
    if tuple(selectable):
        return f"field label not supported: {field}"
    return f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def _split_terms(text: str) -> list[str]:
    parts, start, escaped = [], 0, False
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == ",":
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    return parts


def _parse_term(term: str, text: str) -> FieldTerm:
    for index in range(len(term)):
        for sign in ("!=", "==", "="):
            if term.startswith(sign, index):
                return FieldTerm(term[:index], _unescape(term[index + len(sign) :]), sign != "!=")
    raise FieldSelectorError(f"invalid selector: '{text}'; can't understand '{term}'")


def _unescape(text: str) -> str:
    value, escaped = [], False
    for char in text:
        if escaped:
            if char not in _ESCAPED:
                raise FieldSelectorError(f"invalid field selector: invalid escape sequence: \\{char}")
            value.append(char)
            escaped = False
        elif char == "\\":
            escaped = True
        elif char in _ESCAPED:
            raise FieldSelectorError(f"invalid field selector: unescaped character in value: {ord(char)}")
        else:
            value.append(char)
    if escaped:
        raise FieldSelectorError("invalid field selector: invalid escape sequence: \\")
    return "".join(value)
