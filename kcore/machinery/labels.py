"""Labels and label selectors: the text form (`app in (a,b),!old`) and the LabelSelector message, both compiled into one `Selector`.

The text grammar is a list of requirements joined by commas; a requirement is `key`, `!key`, `key = value`, `key != value`, `key in (a,b)`,
`key notin (a,b)`, `key > 5` or `key < 5`. Sentences about a malformed text name the token that was found and those that could stand there.

Source: Kubernetes apimachinery `pkg/labels`, `pkg/apis/meta/v1/validation`.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.quantity import parse_int64

IN: Final = "in"
NOT_IN: Final = "notin"
EQUALS: Final = "="
DOUBLE_EQUALS: Final = "=="
NOT_EQUALS: Final = "!="
EXISTS: Final = "exists"
DOES_NOT_EXIST: Final = "!"
GREATER: Final = "gt"
LESS: Final = "lt"

_OPERATOR_TOKENS: Final = {IN: IN, NOT_IN: NOT_IN, "=": EQUALS, "==": DOUBLE_EQUALS, "!=": NOT_EQUALS, ">": GREATER, "<": LESS}
_OPERATORS_SHOWN: Final = "in, notin, =, ==, !=, gt, lt"
_SYMBOLS: Final = ("==", "!=", "=", "!", "(", ")", ",", ">", "<")
_SYMBOL_CHARS: Final = frozenset("=!(),><")
_BLANK: Final = frozenset(" \t\r\n")
_FROM_MESSAGE: Final = {"In": IN, "NotIn": NOT_IN, "Exists": EXISTS, "DoesNotExist": DOES_NOT_EXIST}

_EXPRESSION_FIELDS: Final = (
    StructField("key", "key", ""), StructField("operator", "operator", ""), StructField("values", "values", fe.OMITTED),
)
SELECTOR_FIELDS: Final = (
    StructField("matchLabels", "matchLabels", fe.OMITTED),
    StructField("matchExpressions", "matchExpressions", fe.OMITTED, _EXPRESSION_FIELDS),
)


class SelectorError(ValueError):
    """The text is no selector; the text of the error is Kubernetes' sentence."""


class Requirement(NamedTuple):
    """One condition on one label.

    values  sorted; one value for = and !=, none for exists and !
    """

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        if value is None:
            return self.operator in (NOT_IN, NOT_EQUALS, DOES_NOT_EXIST)
        if self.operator in (IN, EQUALS, DOUBLE_EQUALS):
            return value in self.values
        if self.operator in (NOT_IN, NOT_EQUALS):
            return value not in self.values
        if self.operator in (GREATER, LESS):
            return _compare(value, self.values[0], self.operator)
        return self.operator == EXISTS

    def __str__(self) -> str:
        if self.operator == EXISTS:
            return self.key
        if self.operator == DOES_NOT_EXIST:
            return f"!{self.key}"
        if self.operator in (IN, NOT_IN):
            return f"{self.key} {self.operator} ({','.join(self.values)})"
        sign = {GREATER: ">", LESS: "<"}.get(self.operator, self.operator)
        return f"{self.key}{sign}{self.values[0]}"


class Selector(NamedTuple):
    """All requirements must hold; without any, everything matches, unless the selector selects nothing.

    nothing  the absent selector: it matches no object
    """

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    def matches(self, labels: Mapping[str, str]) -> bool:
        if self.nothing:
            return False
        for requirement in self.requirements:  # noqa: SIM110 - asked at every change, where a generator costs as much again
            if not requirement.matches(labels):
                return False
        return True

    @property
    def everything(self) -> bool:
        return not self.requirements and not self.nothing

    def equalities(self) -> dict[str, str]:
        """Return the labels that every match must carry with exactly these values."""
        exact = (IN, EQUALS, DOUBLE_EQUALS)
        return {item.key: item.values[0] for item in self.requirements if item.operator in exact and len(item.values) == 1}

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in self.requirements)


EVERYTHING: Final = Selector()
NOTHING: Final = Selector(nothing=True)


def parse(text: str) -> Selector:
    """Read the text form.

    Raises  SelectorError
    """
    return _Parser(text).parse() if text else EVERYTHING


def from_labels(labels: Mapping[str, str]) -> Selector:
    """Build the selector of a map such as a Service's; each label must match."""
    return Selector(tuple(Requirement(key, EQUALS, (value,)) for key, value in sorted(labels.items())))


def from_message(selector: Mapping[str, Any] | None) -> Selector:
    """Build the selector of a valid LabelSelector message; None selects nothing, an empty one everything."""
    if selector is None:
        return NOTHING
    found = [Requirement(key, EQUALS, (value,)) for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for expression in selector.get("matchExpressions") or ():
        operator = _FROM_MESSAGE[expression["operator"]]
        found.append(Requirement(expression["key"], operator, tuple(sorted(set(expression.get("values") or ())))))
    return Selector(tuple(sorted(found, key=lambda item: item.key)))


def validate_labels(labels: Mapping[str, str] | None, path: str, errors: list[FieldError]) -> None:
    """Check the keys and values of labels."""
    for key, value in sorted((labels or {}).items()):
        validate_key(key, path, errors)
        errors.extend(fe.invalid(path, value or "", sentence) for sentence in names.label_value(value or ""))


def validate_key(key: str, path: str, errors: list[FieldError]) -> None:
    """Check the key of a label."""
    errors.extend(fe.invalid(path, key, sentence) for sentence in names.qualified_name(key))


def validate_message(selector: Mapping[str, Any] | None, path: str, errors: list[FieldError], check_values: bool = True) -> None:
    """Check a LabelSelector message; `check_values` off leaves out the form of values in expressions (older stored selectors)."""
    if selector is None:
        return
    validate_labels(selector.get("matchLabels"), f"{path}.matchLabels", errors)
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        _validate_expression(expression or {}, f"{path}.matchExpressions[{index}]", errors, check_values)


def rendered(selector: Mapping[str, Any] | None) -> fe.Rendered:
    """Render a LabelSelector message as a value in an error."""
    return fe.struct(selector, SELECTOR_FIELDS)


def _validate_expression(expression: Mapping[str, Any], path: str, errors: list[FieldError], check_values: bool) -> None:
    if not validate_operands(expression, path, errors):
        errors.append(fe.invalid(f"{path}.operator", expression.get("operator") or "", "not a valid selector operator"))
    _validate_terms(expression, path, errors, check_values)


def validate_requirement(expression: Mapping[str, Any], path: str, errors: list[FieldError]) -> None:
    """Check one requirement of a selector whose operator need not be known."""
    validate_operands(expression, path, errors)
    _validate_terms(expression, path, errors, check_values=True)


def validate_operands(expression: Mapping[str, Any], path: str, errors: list[FieldError]) -> bool:
    """Check that there are values if the operator takes some; Returns whether it is known."""
    operator, values = expression.get("operator") or "", expression.get("values") or ()
    if operator in ("In", "NotIn"):
        if not values:
            errors.append(fe.required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
        return True
    if operator in ("Exists", "DoesNotExist"):
        if values:
            errors.append(fe.forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
        return True
    return False


def _validate_terms(expression: Mapping[str, Any], path: str, errors: list[FieldError], check_values: bool) -> None:
    validate_key(expression.get("key") or "", f"{path}.key", errors)
    if check_values:
        for index, value in enumerate(expression.get("values") or ()):
            errors.extend(fe.invalid(f"{path}.values[{index}]", value, sentence) for sentence in names.label_value(value))


def _compare(value: str, bound: str, operator: str) -> bool:
    left, right = parse_int64(value), parse_int64(bound)
    if left is None or right is None:
        return False
    return left > right if operator == GREATER else left < right


def _tokens(text: str) -> list[tuple[str, str]]:
    """Cut a selector into (kind, literal); kinds are the symbols, in, notin, identifier and the end."""
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        char = text[position]
        if char in _BLANK:
            position += 1
        elif char in _SYMBOL_CHARS:
            symbol = next(symbol for symbol in _SYMBOLS if text.startswith(symbol, position))
            found.append((symbol, symbol))
            position += len(symbol)
        else:
            end = position
            while end < len(text) and text[end] not in _SYMBOL_CHARS and text[end] not in _BLANK:
                end += 1
            word = text[position:end]
            found.append((word if word in (IN, NOT_IN) else "identifier", word))
            position = end
    found.append(("end", ""))
    return found


class _Parser:
    """Recursive descent over the tokens; `word` readings take the keywords in and notin for identifiers."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.position = 0

    def peek(self) -> tuple[str, str]:
        kind, literal = self.tokens[self.position]
        return ("identifier" if kind in (IN, NOT_IN) else kind), literal

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.advance()
        return token

    def advance(self) -> None:
        if self.position < len(self.tokens) - 1:
            self.position += 1

    def parse(self) -> Selector:
        found: list[Requirement] = []
        while True:
            kind, literal = self.peek()
            if kind == "end":
                break
            if kind not in ("identifier", "!"):
                raise SelectorError(f"found '{literal}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self.requirement())
            except SelectorError as cause:
                raise SelectorError(f"unable to parse requirement: {cause}") from cause
            kind, literal = self.take()
            if kind == "end":
                break
            if kind != ",":
                raise SelectorError(f"found '{literal}', expected: ',' or 'end of string'")
            kind, literal = self.peek()
            if kind not in ("identifier", "!"):
                raise SelectorError(f"found '{literal}', expected: identifier after ','")
        return Selector(tuple(sorted(found, key=lambda item: item.key)))

    def requirement(self) -> Requirement:
        kind, literal = self.take()
        absent = kind == "!"
        if absent:
            kind, literal = self.take()
        if kind != "identifier":
            raise SelectorError(f"found '{literal}', expected: identifier")
        errors: list[FieldError] = []
        validate_key(literal, "<nil>", errors)
        _refuse(errors)
        if absent:
            return Requirement(literal, DOES_NOT_EXIST)
        if self.peek()[0] in ("end", ","):
            return Requirement(literal, EXISTS)
        operator = self.operator()
        values = self.value_list() if operator in (IN, NOT_IN) else self.exact_value()
        return _checked(literal, operator, tuple(sorted(values)))

    def operator(self) -> str:
        kind, literal = self.tokens[self.position]
        if kind not in _OPERATOR_TOKENS:
            raise SelectorError(f"found '{literal}', expected: {_OPERATORS_SHOWN}")
        self.advance()
        return _OPERATOR_TOKENS[kind]

    def exact_value(self) -> set[str]:
        if self.peek()[0] in ("end", ","):
            return {""}
        kind, literal = self.take()
        if kind != "identifier":
            raise SelectorError(f"found '{literal}', expected: identifier")
        return {literal}

    def value_list(self) -> set[str]:
        kind, literal = self.take()
        if kind != "(":
            raise SelectorError(f"found '{literal}' expected: '('")
        kind, literal = self.peek()
        if kind == ")":
            self.advance()
            return {""}
        if kind not in ("identifier", ","):
            raise SelectorError(f"found '{literal}', expected: ',', ')' or identifier")
        values = self.identifiers()
        kind, literal = self.take()
        if kind != ")":
            raise SelectorError(f"found '{literal}', expected: ')'")
        return values

    def identifiers(self) -> set[str]:
        """Read words joined by commas up to the closing bracket; two commas in a row mean the empty word."""
        values: set[str] = set()
        while True:
            kind, literal = self.take()
            if kind == "identifier":
                values.add(literal)
                kind, literal = self.peek()
                if kind == ")":
                    return values
                if kind != ",":
                    raise SelectorError(f"found '{literal}', expected: ',' or ')'")
            elif kind == ",":
                if not values:
                    values.add("")
                kind, _ = self.peek()
                if kind == ")":
                    values.add("")
                    return values
                if kind == ",":
                    self.advance()
                    values.add("")
            else:
                raise SelectorError(f"found '{literal}', expected: ',', or identifier")


def _checked(key: str, operator: str, values: Sequence[str]) -> Requirement:
    errors: list[FieldError] = []
    if operator in (GREATER, LESS):
        for index, value in enumerate(values):
            if parse_int64(value) is None:
                errors.append(fe.invalid(f"values[{index}]", value, "for 'Gt', 'Lt' operators, the value must be an integer"))
    for index, value in enumerate(values):
        errors.extend(fe.invalid(f"values[{index}][{key}]", value, sentence) for sentence in names.label_value(value))
    _refuse(errors)
    return Requirement(key, operator, tuple(values))


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        messages = [error.message() for error in errors]
        raise SelectorError(messages[0] if len(messages) == 1 else f"[{', '.join(messages)}]")
