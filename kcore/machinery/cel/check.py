"""Compiles an expression in a scope, and words what is wrong with it as Kubernetes does.

Source: Kubernetes apiserver `pkg/admission/plugin/cel/compile.go`; observed answers of 1.37.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, NamedTuple

from kcore.base import limits
from kcore.machinery.cel import library, types
from kcore.machinery.cel.scopes import VARIABLES, Scope

_IDENTIFIER: Final = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_RESERVED: Final = frozenset((
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
    "namespace", "return", "var", "void", "while",
))
_MADE: Final = re.compile(r"\bObject(?:\.[A-Za-z_]\w*)*(?=\s*\{)")
_FIELD: Final = re.compile(r"\b([A-Za-z_]\w*)\s*:")
_STRUCT: Final = re.compile(r" not found in struct '[^']*'")
_UNDECLARED: Final = re.compile(
    r"ERROR: <input>:(?P<line>\d+):(?P<column>\d+): undeclared reference to '(?P<path>[\w.]+)' (?P<rest>[^\n]*)\n"
    r" \| (?P<text>[^\n]*)\n[^\n]*",
)
_GO_NAMES: Final = {"NULL": "null_type", "DURATION": "google.protobuf.Duration", "TIMESTAMP": "google.protobuf.Timestamp"}
_BUILT_IN: Final = re.compile(r"\b(?:BOOL|BYTES|DOUBLE|DURATION|DYN|ERROR|INT|LIST|MAP|NULL|STRING|TIMESTAMP|TYPE|UINT)\b")
_EMPTY: Final = (
    "ERROR: <input>:1:0: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', "
    "NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
)


class Compiled(NamedTuple):
    """What came of an expression: the type it has, or the errors of the compiler."""

    type: str
    errors: str


def is_identifier(name: str) -> bool:
    """Say whether an expression can name a variable so."""
    return _IDENTIFIER.fullmatch(name) is not None and name not in _RESERVED


def fault(expression: str, scope: Scope, wanted: Iterable[str] = ()) -> str:
    """Say what is wrong with an expression; the empty string if nothing is.

    wanted  the types that it may have; any if none is named
    """
    compiled = compile_expression(expression, scope)
    if compiled.errors:
        return f"compilation failed: {compiled.errors}"
    types_wanted = tuple(wanted)
    if not types_wanted or compiled.type in types_wanted:
        return ""
    shown = types_wanted[0] if len(types_wanted) == 1 else f"one of [{' '.join(types_wanted)}]"
    return f"must evaluate to {shown} but got {compiled.type}"


def compile_expression(expression: str, scope: Scope) -> Compiled:
    """Compile an expression."""
    if not expression:
        return Compiled("", _EMPTY)
    compiler = _compiled if len(expression) > limits.EXPRESSION_REMEMBERED_BYTES_MAX else _remembered
    return compiler(expression, scope)


def _compiled(expression: str, scope: Scope) -> Compiled:
    made = tuple(sorted(set(_MADE.findall(expression)))) if scope.mutating else ()
    fields = tuple(sorted(set(_FIELD.findall(expression)))) if made else ()
    text = _MADE.sub(lambda name: name[0].replace(".", "_"), expression) if made else expression
    try:
        found = _environment(scope, made, fields).compile(text)
    except RuntimeError as cause:
        return Compiled("", _worded(str(cause), text, expression))
    return Compiled(_type_name(found.return_type().name()), "")


_remembered: Final = lru_cache(limits.EXPRESSIONS_REMEMBERED_MAX)(_compiled)


@lru_cache(limits.EXPRESSION_SCOPES_REMEMBERED_MAX)
def _environment(scope: Scope, made: tuple[str, ...], fields: tuple[str, ...]) -> Any:
    """The environment of a scope, with the messages of the object that an expression makes."""
    from cel_expr_python import cel

    messages: dict[str, types.Fields] = {**types.ADMISSION, **types.DEVICE}
    if scope.mutating:
        messages |= types.MUTATION
        messages |= {name.replace(".", "_"): dict.fromkeys(fields, "dyn") for name in made}
    variables = dict(scope.variables)
    if scope.composed is not None:
        messages[VARIABLES] = {name: kind for name, kind in scope.composed if is_identifier(name)}
        variables["variables"] = VARIABLES
    config = cel.NewEnvConfigFromYaml("extensions:\n" + "".join(f"- name: {name}\n" for name in library.EXTENSIONS))
    return cel.NewEnv(
        types.pool(messages.items()), config=config, functions=library.declarations(cel),
        variables={name: cel.Type(kind) for name, kind in variables.items()},
    )


def _worded(message: str, text: str, expression: str) -> str:
    """The compiler's message without what surrounds it, about the expression as it was written."""
    message = message.removeprefix("INVALID_ARGUMENT: ").removesuffix(" [INVALID_ARGUMENT]")
    return _UNDECLARED.sub(_about_root, _STRUCT.sub("", message)).replace(text, expression)


def _about_root(found: re.Match[str]) -> str:
    """The error about a path (`a.b.c`) as one about its first part, which is what is not declared."""
    *parts, _ = found["path"].split(".")
    if not parts:
        return found[0]
    start = re.search(r"\s*\.\s*".join(parts) + r"\s*$", found["text"][: int(found["column"]) - 1])
    column = start.start() if start else 0
    head = f"ERROR: <input>:{found['line']}:{column + 1}: undeclared reference to '{parts[0]}' {found['rest']}"
    return f"{head}\n | {found['text']}\n | {'.' * column}^"


def _type_name(name: str) -> str:
    """The name of a type as the Go implementation prints it."""
    return _BUILT_IN.sub(lambda found: _GO_NAMES.get(found[0], found[0].lower()), name).replace("<", "(").replace(">", ")")
