"""Evaluates expressions that select devices.

The implementation of the language has no values of Kubernetes' own types, so that a quantity is a map with its exact amount here, and a
version one with its parts: maps are equal when what they hold is. Functions on them are Python; those of strings, sets and optional values
come with the language. An expression that fails for a device (a key that the device lacks) neither matches it nor not: that is an error,
in the words of the implementation that Kubernetes uses.

Differs from upstream: functions about URLs, addresses, formats and authorization are checked, but cannot be evaluated: such an expression
is an error.

Source: Kubernetes dynamic-resource-allocation `cel/compile.go`, apiserver `pkg/cel/library`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from kcore.base import limits
from kcore.machinery import quantity

Value = dict[str, Any]

AMOUNT: Final = "amount"
VERSION: Final = "version"
_EXTENSIONS: Final = ("bindings", "optional", "sets", "strings", "two-var-comprehensions")
_NO_KEY: Final = re.compile(r'Key not found in map : "?(.*?)"?')
_HINT: Final = "consider using CEL optional chaining (.? followed by orValue()) or guarding the check with has() for optional fields"
_OTHER_WORDS: Final = (("No matching overloads found", "no such overload"), ("divide by zero", "division by zero"))
_TYPES: Final = {"BOOL": "bool", "INT": "int", "UINT": "uint", "DOUBLE": "double", "STRING": "string", "BYTES": "bytes"}
_LITERAL: Final = re.compile(r"""(["'])((?:(?!\1).)*)\1""")
_SEMVER: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


class EvaluationError(Exception):
    """An expression cannot be said to hold for a device, or not to; at_runtime: because of the device."""

    def __init__(self, text: str, at_runtime: bool = True) -> None:
        super().__init__(text)
        self.at_runtime = at_runtime


def as_quantity(text: str) -> Value:
    """Return a quantity as a value; an amount is text since it may not fit an integer of the language."""
    return {AMOUNT: str(quantity.parse(text).nano)}


def as_semver(text: str) -> Value:
    """Return a semantic version as a value.

    Raises  ValueError
    """
    found = _SEMVER.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no semantic version")
    return {VERSION: [int(found[1]), int(found[2]), int(found[3])], "pre": found[4] or ""}


def device_matches(expression: str, device: Mapping[str, Any]) -> bool:
    """Say whether a device is selected.

    device  driver, attributes and capacity as the expression names them: domain -> name -> value
    Raises  EvaluationError
    """
    compiled, domains, problem = _compiled(expression)
    if compiled is None:
        raise EvaluationError(f"CEL compile error: compilation failed: {problem}", at_runtime=False)
    filled = {**device, **{field: _with_domains(device[field], domains) for field in ("attributes", "capacity")}}
    found = compiled.eval(data={"device": filled})
    value = found.value()
    if isinstance(value, bool):
        return value
    raise EvaluationError(f"CEL runtime error: {_worded(found.type().name(), value)}")


def _worded(type_: str, value: Any) -> str:
    """Say why a result is none."""
    if type_ != "ERROR":
        name = _TYPES.get(type_, type_.partition("<")[0].lower())
        return f"CEL result of type {name} could not be converted to bool: unsupported native conversion from {name} to 'bool'"
    text = str(value).partition(": ")[2]
    missing = _NO_KEY.fullmatch(text)
    if missing is not None:
        return f"no such key: {missing[1]}. {_HINT}"
    return next((theirs for ours, theirs in _OTHER_WORDS if text.startswith(ours)), text)


def _with_domains(values: Mapping[str, Any], domains: tuple[str, ...]) -> dict[str, Any]:
    """A domain of which a device has nothing is empty, not missing."""
    return {**{name: {} for name in domains}, **values}


@lru_cache(limits.EXPRESSIONS_REMEMBERED_MAX)
def _compiled(expression: str) -> tuple[Any, tuple[str, ...], str]:
    """Return the program, the texts in it, which may be domains, and what is wrong with it."""
    domains = tuple(sorted({text for _, text in _LITERAL.findall(expression)}))
    try:
        return _environment().compile(expression), domains, ""
    except RuntimeError as cause:
        return None, domains, str(cause)


def _key(value: Any) -> Any:
    """Return what values are ordered by."""
    found = _plain(value)
    if AMOUNT in found:
        return int(found[AMOUNT])
    major, minor, patch = (int(_plain(part)) for part in found[VERSION])
    pre = str(_plain(found["pre"]))
    parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split(".")] if pre else []
    return major, minor, patch, not pre, parts


def _plain(value: Any) -> Any:
    return value.plain_value() if hasattr(value, "plain_value") else value


def _is(read: Callable[[str], Any]) -> Callable[[str], bool]:
    def is_readable(text: str) -> bool:
        try:
            read(text)
        except ValueError:
            return False
        return True

    return is_readable


def _compare(left: Any, right: Any) -> int:
    before, after = _key(left), _key(right)
    return int(before > after) - int(before < after)


def _sum(sign: int) -> Callable[[Any, Any], Value]:
    def add(left: Any, right: Any) -> Value:
        other = right * quantity.NANO if isinstance(right, int) else _key(right)
        return {AMOUNT: str(_key(left) + sign * other)}

    return add


_MAP: Final = "map<dyn,dyn>"
_FUNCTIONS: Final[tuple[tuple[str, str, str, tuple[str, ...], Callable[..., Any]], ...]] = (
    ("quantity", "", _MAP, ("string",), as_quantity),
    ("isQuantity", "", "bool", ("string",), _is(as_quantity)),
    ("semver", "", _MAP, ("string",), as_semver),
    ("isSemver", "", "bool", ("string",), _is(as_semver)),
    ("compareTo", _MAP, "int", (_MAP,), _compare),
    ("isGreaterThan", _MAP, "bool", (_MAP,), lambda left, right: _key(left) > _key(right)),
    ("isLessThan", _MAP, "bool", (_MAP,), lambda left, right: _key(left) < _key(right)),
    ("sign", _MAP, "int", (), lambda value: (_key(value) > 0) - (_key(value) < 0)),
    ("isInteger", _MAP, "bool", (), lambda value: _key(value) % quantity.NANO == 0),
    ("asInteger", _MAP, "int", (), lambda value: _key(value) // quantity.NANO),
    ("asApproximateFloat", _MAP, "double", (), lambda value: _key(value) / quantity.NANO),
    ("add", _MAP, _MAP, (_MAP,), _sum(1)),
    ("add", _MAP, _MAP, ("int",), _sum(1)),
    ("sub", _MAP, _MAP, (_MAP,), _sum(-1)),
    ("sub", _MAP, _MAP, ("int",), _sum(-1)),
    ("major", _MAP, "int", (), lambda value: _key(value)[0]),
    ("minor", _MAP, "int", (), lambda value: _key(value)[1]),
    ("patch", _MAP, "int", (), lambda value: _key(value)[2]),
)
"""Name, receiver, result, arguments and what is done."""


@lru_cache(1)
def _environment() -> Any:
    from cel_expr_python import cel

    overloads: dict[str, list[Any]] = {}
    done: dict[str, Any] = {}
    for name, receiver, result, arguments, act in _FUNCTIONS:
        label = f"{receiver}.{name}({','.join(arguments)})"
        taken = [cel.Type(text) for text in ((receiver, *arguments) if receiver else arguments)]
        overloads.setdefault(name, []).append(cel.Overload(label, cel.Type(result), taken, bool(receiver)))
        done[label] = act
    config = cel.NewEnvConfigFromYaml("extensions:\n" + "".join(f"- name: {name}\n" for name in _EXTENSIONS))
    functions = [cel.FunctionDecl(name, found) for name, found in overloads.items()]
    return cel.NewEnv(config=config, variables={"device": cel.Type.DYN}, functions=functions, function_impls=done)
