"""The rules that options state of fields, checked on an object of any kind: required, enum, format, range, unique keys, immutable.

For kinds that have no rules of their own; those that have some order and word their errors themselves. Errors come in the order of the
fields. Compiled for a message when it is first checked; pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from kcore.machinery import cidr, field_error, names
from kcore.machinery.codec import tables
from kcore.machinery.codec._table import Table
from kcore.machinery.codec.tables import FieldSpec
from kcore.machinery.field_error import FieldError

Object = dict[str, Any]
Check = Callable[[Any, str, list[FieldError]], None]

_NUMBERS: Final = (tables.INT32, tables.INT64)


def validate(message: str | Table, obj: Object, path: str = "") -> list[FieldError]:
    """Return what is wrong with an object.

    obj   normalised, with its defaults
    path  of the object in errors; empty for a whole one
    """
    errors: list[FieldError] = []
    _plan(message if isinstance(message, str) else message.name).check(obj, path, errors)
    return errors


def validate_update(message: str | Table, obj: Object, old: Object, path: str = "") -> list[FieldError]:
    """Return what is wrong with an object that takes the place of `old`."""
    compiled = _plan(message if isinstance(message, str) else message.name)
    errors: list[FieldError] = []
    compiled.check(obj, path, errors)
    compiled.compare(obj, old, path, errors)
    return errors


@dataclass(slots=True)
class _Rule:
    """The rules of one field."""

    name: str
    label: int
    required: bool = False
    immutable: bool = False
    checks: list[Check] = field(default_factory=list)
    list_checks: list[Check] = field(default_factory=list)
    inner: _Plan | None = None

    def check(self, obj: Object, path: str, errors: list[FieldError]) -> None:
        value = obj.get(self.name)
        place = f"{path}.{self.name}" if path else self.name
        if value is None or value == "" or value == []:
            if self.required:
                errors.append(field_error.required(place))
            return
        for check in self.list_checks:
            check(value, place, errors)
        for item, where in self._elements(value, place):
            for check in self.checks:
                check(item, where, errors)
            if self.inner is not None:
                self.inner.check(item, where, errors)

    def compare(self, obj: Object, old: Object, path: str, errors: list[FieldError]) -> None:
        value, stored = obj.get(self.name), old.get(self.name)
        place = f"{path}.{self.name}" if path else self.name
        if self.immutable and value != stored:
            errors.append(field_error.immutable(place, value))
        elif self.inner is not None and self.label == tables.SINGULAR and value and stored:
            self.inner.compare(value, stored, place, errors)

    def _elements(self, value: Any, place: str) -> list[tuple[Any, str]]:
        if self.label == tables.LIST:
            return [(item, f"{place}[{index}]") for index, item in enumerate(value)]
        if self.label == tables.MAP:
            return [(item, f"{place}[{key}]") for key, item in sorted(value.items())]
        return [(value, place)]


class _Plan:
    """The rules of one message; filled after it is made, since messages may hold themselves."""

    __slots__ = ("rules",)

    def __init__(self) -> None:
        self.rules: list[_Rule] = []

    def check(self, obj: Object, path: str, errors: list[FieldError]) -> None:
        for rule in self.rules:
            rule.check(obj, path, errors)

    def compare(self, obj: Object, old: Object, path: str, errors: list[FieldError]) -> None:
        for rule in self.rules:
            rule.compare(obj, old, path, errors)


@cache
def _plan(message: str) -> _Plan:
    compiler = _Compiler()
    compiled = compiler.plan(message)
    compiler.prune()
    return compiled


class _Compiler:
    """Compiles the rules of one message and of those it holds, and takes out what leads to no rule."""

    def __init__(self) -> None:
        self._plans: dict[str, _Plan] = {}

    def plan(self, message: str) -> _Plan:
        if message not in self._plans:
            made = self._plans[message] = _Plan()
            made.rules = self._rules(message)
        return self._plans[message]

    def prune(self) -> None:
        """Keep only rules that check something or lead to one that does."""
        useful: set[int] = set()
        grown = -1
        while grown != len(useful):
            grown = len(useful)
            useful |= {id(plan) for plan in self._plans.values() if any(_states(rule) or id(rule.inner) in useful for rule in plan.rules)}
        for plan in self._plans.values():
            for rule in plan.rules:
                if rule.inner is not None and id(rule.inner) not in useful:
                    rule.inner = None
            plan.rules = [rule for rule in plan.rules if _states(rule) or rule.inner is not None]

    def _rules(self, message: str) -> list[_Rule]:
        declared = tables.messages()[message].message
        fields = {field.number: field for field in declared.field}
        rules: list[_Rule] = []
        for spec in map(FieldSpec._make, tables.table(message).describe()):
            if spec.inline and spec.table is not None:
                rules += self._rules(spec.table.name)
            else:
                inner = self.plan(spec.table.name) if spec.table is not None and spec.kind == tables.OBJECT else None
                rules.append(_rule(spec, tables.rule(fields[spec.number]), inner))
        return rules


def _states(rule: _Rule) -> bool:
    return bool(rule.required or rule.immutable or rule.checks or rule.list_checks)


def _rule(spec: FieldSpec, stated: Any, inner: _Plan | None) -> _Rule:
    made = _Rule(spec.name, spec.label, immutable=stated.immutable, inner=inner)
    # A number or a message without presence is always there: zero is a value.
    made.required = stated.required and (spec.label != tables.SINGULAR or not spec.always or spec.kind == tables.STRING)
    if stated.enum_values:
        made.checks.append(_enum(sorted(filter(None, stated.enum_values))))
    if stated.format:
        made.checks.append(FORMATS[stated.format])
    if spec.kind in _NUMBERS and (stated.HasField("minimum") or stated.HasField("maximum")):
        low = stated.minimum if stated.HasField("minimum") else None
        high = stated.maximum if stated.HasField("maximum") else None
        made.checks.append(range_check(low, high))
    if stated.list_type == "map" and stated.map_keys:
        made.list_checks.append(_unique_keys(tuple(stated.map_keys)))
    elif stated.list_type == "set":
        made.list_checks.append(unique_items)
    return made


def _enum(values: list[str]) -> Check:
    known = frozenset(values)

    def check(value: Any, path: str, errors: list[FieldError]) -> None:
        if value not in known:
            errors.append(field_error.not_supported(path, value, values))

    return check


def range_check(low: int | None, high: int | None) -> Check:
    """Return a check that a number lies between two bounds, one of which may be missing."""
    if low is not None and high is not None:
        sentence = names.between(low, high)
    else:
        sentence = f"must be greater than or equal to {low}" if low is not None else f"must be less than or equal to {high}"

    def check(value: Any, path: str, errors: list[FieldError]) -> None:
        if (low is not None and value < low) or (high is not None and value > high):
            errors.append(field_error.invalid(path, value, sentence))

    return check


def unique_items(items: Any, path: str, errors: list[FieldError]) -> None:
    """Check that no element of a list occurs twice."""
    seen: list[Any] = []
    for index, item in enumerate(items):
        if item in seen:
            errors.append(field_error.duplicate(f"{path}[{index}]", item))
        else:
            seen.append(item)


def _unique_keys(keys: tuple[str, ...]) -> Check:
    def check(items: Any, path: str, errors: list[FieldError]) -> None:
        seen: set[tuple[Any, ...]] = set()
        for index, item in enumerate(items):
            values = tuple(item.get(key) for key in keys)
            if values not in seen:
                seen.add(values)
            elif len(keys) == 1:
                errors.append(field_error.duplicate(f"{path}[{index}].{keys[0]}", values[0]))
            else:
                errors.append(field_error.duplicate(f"{path}[{index}]", {key: item[key] for key in keys if key in item}))

    return check


def _sentences(find: Callable[[Any], tuple[str, ...]]) -> Check:
    def check(value: Any, path: str, errors: list[FieldError]) -> None:
        errors.extend(field_error.invalid(path, value, sentence) for sentence in find(value))

    return check


# The formats that an option may name.
FORMATS: Final[dict[str, Check]] = {
    "cidr": cidr.validate_cidr,
    "config-key": _sentences(names.config_key),
    "dns-label": _sentences(names.dns1123_label),
    "dns-1035-label": _sentences(names.dns1035_label),
    "dns-subdomain": _sentences(names.dns1123_subdomain),
    "env-var-name": _sentences(names.env_var_name),
    "http-header-name": _sentences(names.http_header_name),
    "ip": cidr.validate_ip,
    "label-value": _sentences(names.label_value),
    "path-segment": _sentences(names.path_segment),
    "port": _sentences(names.port_number),
    "port-name": _sentences(names.port_name),
    "qualified-name": _sentences(names.qualified_name),
}
