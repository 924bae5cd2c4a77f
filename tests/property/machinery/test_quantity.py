"""Quantities against exact fractions."""
import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from kcore.machinery import quantity

SUFFIXES = {
    "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1), "k": Fraction(10**3), "M": Fraction(10**6),
    "G": Fraction(10**9), "T": Fraction(10**12), "Ki": Fraction(2**10), "Mi": Fraction(2**20), "Gi": Fraction(2**30), "Ti": Fraction(2**40),
    "e3": Fraction(10**3), "E-2": Fraction(1, 100),
}
NUMBERS = st.from_regex(r"\A[0-9]{1,6}(\.[0-9]{0,6})?\Z")
AMOUNTS = st.tuples(st.sampled_from(("", "-", "+")), NUMBERS, st.sampled_from(sorted(SUFFIXES)))


def fraction(sign: str, number: str, suffix: str) -> Fraction:
    value = Fraction(number.rstrip(".") or "0") * SUFFIXES[suffix]
    nano = Fraction(math.ceil(value * 10**9), 10**9)
    return -nano if sign == "-" else nano


@given(AMOUNTS)
def test_a_quantity_is_its_fraction_rounded_up_at_one_billionth(amount: tuple[str, str, str]) -> None:
    found = quantity.parse("".join(amount))
    exact = fraction(*amount)
    assert Fraction(found.nano, 10**9) == exact
    assert found.value() == (math.ceil(exact) if exact >= 0 else math.floor(exact))
    assert found.milli_value() == (math.ceil(exact * 1000) if exact >= 0 else math.floor(exact * 1000))


@given(AMOUNTS)
def test_the_canonical_form_is_the_same_amount_and_canonical(amount: tuple[str, str, str]) -> None:
    text = "".join(amount)
    written = quantity.canonical(text)
    assert quantity.parse(written) == quantity.parse(text)
    assert quantity.canonical(written) == written


@given(AMOUNTS, AMOUNTS)
def test_amounts_add_and_compare_like_fractions(left: tuple[str, str, str], right: tuple[str, str, str]) -> None:
    first, second = quantity.parse("".join(left)), quantity.parse("".join(right))
    assert (first + second).nano == (fraction(*left) + fraction(*right)) * 10**9
    assert (first - second) + second == first
    assert (first < second) == (fraction(*left) < fraction(*right))
