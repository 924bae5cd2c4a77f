"""Amounts of resources: `100m`, `1.5Gi`, `2e3`, exactly as Kubernetes reads, compares, adds and writes them.

A Quantity is an integer number of billionths and the notation it was written in. Parsing rounds away from zero at one billionth and stops
at the largest signed 64-bit integer. The canonical text has the largest suffix that leaves an integer: `1500m`, `1536Mi`, `1k`.

Source: Kubernetes apimachinery `pkg/api/resource`.
"""
from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache, total_ordering
from typing import Final

from kcore.base.limits import QUANTITY_MEMO_COUNT

DECIMAL: Final = "DecimalSI"
BINARY: Final = "BinarySI"
EXPONENT: Final = "DecimalExponent"
UPPER_EXPONENT: Final = "DecimalExponent, E"    # as the one above, written with the capital letter that it was read with

FORMAT_SENTENCE: Final = r"quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
SUFFIX_SENTENCE: Final = "unable to parse quantity's suffix"
NUMBER_SENTENCE: Final = "unable to parse numeric part of quantity"

NANO: Final = 1_000_000_000
INT64_DIGITS_MAX: Final = 19

_VALUE_MAX: Final = (2**63 - 1) * NANO
_SHAPE: Final = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*)([-+]?[0-9]*)")
_DECIMAL_POWERS: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_POWERS: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIXES: Final = {power: suffix for suffix, power in _DECIMAL_POWERS.items()}
_BINARY_SUFFIXES: Final = ("", *_BINARY_POWERS)


class QuantityError(ValueError):
    """The text is no quantity."""


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """An exact amount.

    nano    the amount in billionths
    format  the notation, which decides how it is written
    """

    nano: int
    format: str = DECIMAL

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.nano == other.nano

    def __lt__(self, other: Quantity) -> bool:
        return self.nano < other.nano

    def __hash__(self) -> int:
        return hash(self.nano)

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.nano + other.nano, self.format if self.nano else other.format)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.nano - other.nano, self.format if self.nano else other.format)

    def __neg__(self) -> Quantity:
        return Quantity(-self.nano, self.format)

    def __str__(self) -> str:
        return _write(self.nano, self.format)

    def value(self) -> int:
        """Return the amount in ones, rounded away from zero."""
        return _scaled(self.nano, NANO)

    def milli_value(self) -> int:
        """Return the amount in thousandths, rounded away from zero."""
        return _scaled(self.nano, NANO // 1000)

    def is_integer(self) -> bool:
        return self.nano % NANO == 0


ZERO: Final = Quantity(0)


@lru_cache(maxsize=QUANTITY_MEMO_COUNT)
def parse(text: str) -> Quantity:
    """Read a quantity.

    Raises  QuantityError with Kubernetes' sentence
    """
    if not text:
        raise QuantityError(FORMAT_SENTENCE)
    if text.isascii() and text.isdigit() and len(text) < 19:
        return Quantity(int(text) * NANO)
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise QuantityError(FORMAT_SENTENCE)
    sign, whole, fraction, letters, digits = match.groups()
    fraction = fraction or ""
    base, power, notation = _read_suffix(letters, digits)
    if not whole and not fraction:
        raise QuantityError(NUMBER_SENTENCE)
    nano = min(_times_power(int(whole + fraction), base, power, len(fraction)), _VALUE_MAX)
    return Quantity(-nano if sign == "-" else nano, notation)


@lru_cache(maxsize=QUANTITY_MEMO_COUNT)
def canonical(text: str) -> str:
    """Rewrite a quantity in its canonical form.

    Raises  QuantityError
    """
    return str(parse(text))


def of_value(value: int, notation: str = DECIMAL) -> Quantity:
    """Make a quantity of an integer."""
    return Quantity(value * NANO, notation)


def of_milli(milli: int, notation: str = DECIMAL) -> Quantity:
    """Make a quantity of thousandths."""
    return Quantity(milli * (NANO // 1000), notation)


def compare(left: str, right: str) -> int:
    """Compare two texts as amounts; Returns -1, 0 or 1."""
    difference = parse(left).nano - parse(right).nano
    return (difference > 0) - (difference < 0)


def _read_suffix(letters: str, digits: str) -> tuple[int, int, str]:
    if not digits:
        if letters in _DECIMAL_POWERS:
            return 10, _DECIMAL_POWERS[letters], DECIMAL
        if letters in _BINARY_POWERS:
            return 2, _BINARY_POWERS[letters], BINARY
    elif letters in ("e", "E") and digits not in ("+", "-"):
        return 10, int(digits), EXPONENT if letters == "e" else UPPER_EXPONENT
    raise QuantityError(SUFFIX_SENTENCE)


def _times_power(number: int, base: int, power: int, fraction_digits: int) -> int:
    """Return number x base^power / 10^fraction_digits in billionths, rounded up, and not far above the largest value."""
    if number == 0:
        return 0
    if power > 64:
        return _VALUE_MAX
    if power < -64:
        return 1
    numerator, denominator = number * NANO, 10**fraction_digits
    if power >= 0:
        numerator *= base**power
    else:
        denominator *= base**-power
    rounded_up: int = -(-numerator // denominator)
    return rounded_up


def _scaled(nano: int, unit: int) -> int:
    return -(-nano // unit) if nano >= 0 else nano // unit


def _write(nano: int, notation: str) -> str:
    if nano == 0:
        return "0"
    if notation == BINARY and nano % NANO == 0 and abs(nano) >= 1024 * NANO:
        return _write_binary(nano // NANO)
    return _write_decimal(nano, notation)


def _write_binary(value: int) -> str:
    step = 0
    while value % 1024 == 0 and step < len(_BINARY_SUFFIXES) - 1:
        value //= 1024
        step += 1
    return f"{value}{_BINARY_SUFFIXES[step]}"


def _write_decimal(nano: int, notation: str) -> str:
    number, power = nano, -9
    while number % 1000 == 0 and power < 18:
        number //= 1000
        power += 3
    if notation in (EXPONENT, UPPER_EXPONENT):
        return f"{number}{'e' if notation == EXPONENT else 'E'}{power}" if power else str(number)
    return f"{number}{_DECIMAL_SUFFIXES[power]}"


def parse_int64(text: str) -> int | None:
    """Read a whole number of 64 bits as Go's strconv does; None if the text is none, however long it is."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()):
        return None
    counting = digits.lstrip("0") or "0"
    if len(counting) > INT64_DIGITS_MAX:
        return None
    number = -int(counting) if text[0] == "-" else int(counting)
    return number if -(2**63) <= number < 2**63 else None
