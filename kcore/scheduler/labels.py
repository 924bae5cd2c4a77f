"""One node label over all nodes: a code per node instead of a text, so that an expression is one table look-up.

    slot     0      1      2      3
    label    "ssd"  -      "hdd"  "ssd"          values  ["", "ssd", "hdd"]
    codes    1      0      2      1              code 0: the node lacks the label

An expression on the label becomes a table over codes, `In (ssd)` is [0, 1, 0], and the mask over nodes is `table[codes]`.
"""
from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from kcore.scheduler.rows import Expression, NodeRow, Term

ABSENT: Final = 0
NAME_FIELD: Final = "metadata.name"

UInt8 = NDArray[np.uint8]


class LabelColumn:
    """The codes of one label."""

    def __init__(self, capacity: int) -> None:
        self.codes: NDArray[np.int32] = np.zeros(capacity, np.int32)
        self.values: list[str] = [""]
        self._code_of: dict[str, int] = {}

    def grow(self, capacity: int) -> None:
        """Make room for more nodes."""
        codes = np.zeros(capacity, np.int32)
        codes[: len(self.codes)] = self.codes
        self.codes = codes

    def set(self, slot: int, value: str | None) -> None:
        """Store the label of one node; None where it has none."""
        if value is None:
            self.codes[slot] = ABSENT
            return
        code = self._code_of.get(value)
        if code is None:
            code = self._code_of[value] = len(self.values)
            self.values.append(value)
        self.codes[slot] = code

    def table(self, expression: Expression) -> UInt8:
        """Return which codes satisfy an expression; an operator that is unknown matches nothing."""
        match expression.operator:
            case "In":
                return self._in(expression.values)
            case "NotIn":
                return _inverse(self._in(expression.values))
            case "Exists":
                return _inverse(self._in_codes([ABSENT]))
            case "DoesNotExist":
                return self._in_codes([ABSENT])
            case "Gt" | "Lt" if len(expression.values) == 1:
                return self._compared(expression.operator == "Gt", expression.values[0])
            case _:
                return self._in_codes([])

    def _in(self, values: tuple[str, ...]) -> UInt8:
        return self._in_codes([self._code_of[value] for value in values if value in self._code_of])

    def _compared(self, greater: bool, text: str) -> UInt8:
        bound = integer(text)
        numbers = [integer(value) for value in self.values[1:]] if bound is not None else []
        passing = [number is not None and bound is not None and (number > bound if greater else number < bound) for number in numbers]
        return self._in_codes([code for code, passes in enumerate(passing, start=1) if passes])

    def _in_codes(self, codes: list[int]) -> UInt8:
        table = np.zeros(len(self.values), np.uint8)
        table[codes] = 1
        return table


def _inverse(table: UInt8) -> UInt8:
    return np.subtract(1, table, dtype=np.uint8)


def integer(text: str) -> int | None:
    """Read a label value as a signed 64-bit integer."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 32:
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None


def term_matches(term: Term, node: NodeRow) -> bool:
    """Say whether one node satisfies a term."""
    if not term.expressions and not term.fields:
        return False
    return all(_holds(expression, node.labels.get(expression.key)) for expression in term.expressions) and all(
        field.key == NAME_FIELD and _holds(field, node.name) for field in term.fields
    )


def _holds(expression: Expression, value: str | None) -> bool:
    column = LabelColumn(1)
    column.set(0, value)
    return bool(column.table(expression)[column.codes[0]])
