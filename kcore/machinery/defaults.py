"""The defaults that options state (`default_json`), applied to an object of any kind.

A default is put where a field is absent in a message that is present; a message without presence is always there. Defaults that depend on
other fields are rules of their kinds.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from kcore.machinery._defaults import Plan, Step
from kcore.machinery.codec import tables
from kcore.machinery.codec._table import Table
from kcore.machinery.codec.tables import FieldSpec

# Of `ext/kcore/machinery/_defaults.pyx`.
_VALUE, _MESSAGE, _LIST, _MAP = range(4)
_SHAPES: Final = {tables.SINGULAR: _MESSAGE, tables.LIST: _LIST, tables.MAP: _MAP}


def apply(message: str | Table, obj: dict[str, Any]) -> None:
    """Fill the stated defaults into an object, in place.

    obj   normalised (`codec.normalise` or `codec.decode`)
    Cost  some 20 ns for each field that may be defaulted
    """
    plan(message if isinstance(message, str) else message.name).apply(obj)


@cache
def plan(message: str) -> Plan:
    """Return the compiled defaults of a message."""
    return _Compiler(message).plan(message)


class _Compiler:
    """Compiles the plan of one message and of those it holds; a message that nothing is defaulted in or below is left out."""

    def __init__(self, root: str) -> None:
        inner: dict[str, list[str]] = {}
        waiting = [root]
        while waiting:
            message = waiting.pop()
            if message not in inner:
                inner[message] = [spec.table.name for spec in _specs(message) if spec.table is not None and spec.kind == tables.OBJECT]
                waiting += inner[message]
        self._holds = {message for message in inner if _stated(message)}
        grown = -1
        while grown != len(self._holds):
            grown = len(self._holds)
            self._holds |= {message for message, names in inner.items() if not self._holds.isdisjoint(names)}
        self._plans: dict[str, Plan] = {}

    def plan(self, message: str) -> Plan:
        if message not in self._plans:
            made = self._plans[message] = Plan()
            made.fill(tuple(self._steps(message)))
        return self._plans[message]

    def _steps(self, message: str) -> list[Step]:
        stated, steps = _stated(message), []
        for spec in _specs(message):
            inner = spec.table.name if spec.table is not None and spec.kind == tables.OBJECT and spec.table.name in self._holds else ""
            if spec.inline:
                steps += self._steps(inner) if inner else []
            elif inner or spec.number in stated:
                steps.append(self._step(spec, stated.get(spec.number), inner))
        return steps

    def _step(self, spec: FieldSpec, default: Any, inner: str) -> Step:
        singular = spec.label == tables.SINGULAR
        made = spec.always and singular and bool(inner)
        zero_too = spec.always and singular and spec.kind <= tables.BYTES
        return Step(spec.name, default, zero_too, _SHAPES[spec.label] if inner else _VALUE, made, self.plan(inner) if inner else None)


def _specs(message: str) -> list[FieldSpec]:
    return [FieldSpec._make(spec) for spec in tables.table(message).describe()]


def _stated(message: str) -> dict[int, Any]:
    """Return the defaults that options state, by field number; a zero that stands for absence is none."""
    found = {}
    for field in tables.messages()[message].message.field:
        rule = tables.rule(field)
        if rule.HasField("default_json"):
            default = json.loads(rule.default_json)
            if default or not rule.always:
                found[field.number] = default
    return found
