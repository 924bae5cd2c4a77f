"""Quantities are read, written and compared exactly."""
import pytest

from kcore.machinery import quantity
from kcore.machinery.quantity import Quantity, QuantityError


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0", "0"), ("1", "1"), ("1000", "1k"), ("100000", "100k"), ("0.5", "500m"), (".5", "500m"), ("5.", "5"), ("+5", "5"), ("-1", "-1"),
        ("1.5Gi", "1536Mi"), ("1024Ki", "1Mi"), ("0.5Ki", "512"), ("1000Ki", "1000Ki"), ("0.1Gi", "107374182400m"), ("1e3", "1e3"),
        ("1E3", "1E3"), ("12E7", "120E6"), ("5e2", "500"), ("1e-3", "1e-3"), ("1E", "1E"), ("0.0000000001", "1n"),
        ("12345678901234567890", "9223372036854775807"),
        ("1500m", "1500m"), ("2000m", "2"), ("1u", "1u"), ("0.001", "1m"),
    ],
)
def test_the_canonical_form_has_the_largest_suffix_that_leaves_an_integer(text: str, canonical: str) -> None:
    assert quantity.canonical(text) == canonical
    assert quantity.canonical(canonical) == canonical
    assert quantity.compare(text, canonical) == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", quantity.FORMAT_SENTENCE), ("x", quantity.FORMAT_SENTENCE), ("1x", quantity.FORMAT_SENTENCE),
        ("1.2.3", quantity.FORMAT_SENTENCE),
        ("1 ", quantity.FORMAT_SENTENCE), ("1i", quantity.SUFFIX_SENTENCE), ("1ki", quantity.SUFFIX_SENTENCE),
        ("1e", quantity.SUFFIX_SENTENCE),
        ("--1", quantity.SUFFIX_SENTENCE), (".", quantity.NUMBER_SENTENCE), ("e1", quantity.NUMBER_SENTENCE),
    ],
)
def test_what_is_no_quantity_is_refused_with_kubernetes_sentence(text: str, sentence: str) -> None:
    with pytest.raises(QuantityError, match=r".*") as caught:
        quantity.parse(text)
    assert str(caught.value) == sentence


def test_values_are_rounded_away_from_zero() -> None:
    assert (quantity.parse("1500m").value(), quantity.parse("-1500m").value()) == (2, -2)
    assert (quantity.parse("1u").milli_value(), quantity.parse("1500m").milli_value()) == (1, 1500)
    assert not quantity.parse("1500m").is_integer()


def test_amounts_compare_across_notations() -> None:
    assert quantity.parse("1Ki") == quantity.parse("1024")
    assert quantity.parse("1Ki") > quantity.parse("1k")
    assert hash(quantity.parse("1Ki")) == hash(quantity.parse("1024"))
    assert quantity.compare("1", "2") == -quantity.compare("2", "1") == -1


def test_a_sum_keeps_the_notation_of_the_first_term_that_is_not_zero() -> None:
    assert str(quantity.parse("1Gi") + quantity.parse("1Mi")) == "1025Mi"
    assert str(quantity.ZERO + quantity.parse("2Gi")) == "2Gi"
    assert str(quantity.parse("1") - quantity.parse("250m")) == "750m"
    assert str(-quantity.of_milli(1500)) == "-1500m"
    assert str(quantity.of_value(2048, quantity.BINARY)) == "2Ki"
    assert Quantity(0) == quantity.ZERO


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0), ("-7", -7), ("+7", 7), ("0" * 5000 + "1", 1), (str(2**63 - 1), 2**63 - 1), (str(-(2**63)), -(2**63)),
        (str(2**63), None), ("9" * 5000, None), ("", None), ("-", None), ("1_0", None), (" 1", None), ("\u0661", None),
    ],
)
def test_whole_numbers_are_read_as_go_reads_them(text: str, number: int | None) -> None:
    assert quantity.parse_int64(text) == number
