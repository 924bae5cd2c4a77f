"""Addresses and CIDRs: strict for what is new, lenient for what is stored."""
from collections.abc import Callable

import pytest

from kcore.machinery import cidr
from kcore.machinery.field_error import FieldError


def check(rule: Callable[..., None], text: str, stored: tuple[str, ...] = ()) -> list[str]:
    errors: list[FieldError] = []
    rule(text, "p", errors, stored)
    return [error.body.partition(": ")[2].partition(": ")[2] for error in errors]


@pytest.mark.parametrize("text", ["10.0.0.1", "::1", "2001:db8::1", "fe80::1"])
def test_strict_addresses_pass(text: str) -> None:
    assert check(cidr.validate_ip, text) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", cidr.IP_SENTENCE), ("1.2.3", cidr.IP_SENTENCE), ("1.2.3.256", cidr.IP_SENTENCE), ("fe80::1%eth0", cidr.IP_SENTENCE),
        ("1.2.3.4/24", cidr.IP_SENTENCE), ("010.0.0.1", "must not have leading 0s"),
        ("::ffff:1.2.3.4", "must not be an IPv4-mapped IPv6 address"),
    ],
)
def test_other_texts_are_no_addresses(text: str, sentence: str) -> None:
    assert check(cidr.validate_ip, text) == [sentence]
    assert check(cidr.validate_ip, text, (text,)) == []


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("10.0.0.0/8", []), ("::/0", []), ("10.0.0.1/32", []),
        ("10.0.0.1/8", ["must not have bits set beyond the prefix length"]), ("10.0.0.0", [cidr.CIDR_SENTENCE]),
        ("10.0.0.0/33", [cidr.CIDR_SENTENCE]),
        ("010.0.0.0/8", ["must not have leading 0s in IP or prefix length"]),
        ("10.0.0.0/08", ["must not have leading 0s in IP or prefix length"]),
    ],
)
def test_a_cidr_is_an_address_without_bits_beyond_its_length(text: str, sentences: list[str]) -> None:
    assert check(cidr.validate_cidr, text) == sentences


def test_the_family_is_that_of_address_or_cidr() -> None:
    assert [cidr.family(text) for text in ("1.2.3.4", "::1", "10.0.0.0/8", "fd00::/8", "x")] == ["IPv4", "IPv6", "IPv4", "IPv6", ""]


def test_unusual_forms_are_warned_of() -> None:
    assert cidr.warn_ip("2001:DB8::1", "p") == ['p: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")']
    assert cidr.warn_ip("010.0.0.1", "p") == [
        'p: non-standard IP address "010.0.0.1" will be considered invalid in a future Kubernetes release: use "10.0.0.1"'
    ]
    assert cidr.warn_ip("10.0.0.1", "p") == cidr.warn_cidr("10.0.0.0/8", "p") == cidr.warn_ip("x", "p") == []
    assert cidr.warn_cidr("10.0.0.1/8", "p")[0].endswith('use "10.0.0.0/8"')
