"""Rules for names, with the sentences that clients see."""
import pytest

from kcore.machinery import names
from kcore.machinery.names import NameRule


@pytest.mark.parametrize(
    ("rule", "good"),
    [
        (names.dns1123_label, ("a", "a-b", "0a", "a" * 63)),
        (names.dns1123_subdomain, ("a", "a.b-c", "1.2", "a" * 253)),
        (names.dns1035_label, ("a", "a1", "a" * 63)),
        (names.qualified_name, ("a", "A_b.c", "example.com/A", "a" * 63)),
        (names.label_value, ("", "a", "A_b.c", "a" * 63)),
        (names.config_key, ("a", ".a", "A_b-c", "a..b")),
        (names.env_var_name, ("A", "a.b", "1 2")),
        (names.http_header_name, ("X-A",)),
        (names.port_name, ("http", "a-1", "a" * 15)),
        (names.percent, ("0%", "150%")),
        (names.path_segment, ("A:b", "...")),
        (names.fully_qualified_domain_name, ("a.b", "a.b.")),
        (names.wildcard_dns1123_subdomain, ("*.a", "*.a.b")),
        (names.domain_prefixed_path, ("a.b/c/d",)),
        (names.dns1123_subdomain_any_case, ("A.b",)),
        (names.dns1123_subdomain_with_underscore, ("_a._b",)),
    ],
)
def test_good_names_pass(rule: NameRule, good: tuple[str, ...]) -> None:
    assert [rule(name) for name in good] == [()] * len(good)


@pytest.mark.parametrize(
    ("rule", "name", "sentences"),
    [
        (names.dns1123_label, "a.b", ("must not contain dots",)),
        (names.dns1123_label, "A", (names.LABEL_SENTENCE,)),
        (names.dns1123_label, "", (names.LABEL_SENTENCE,)),
        (names.dns1123_label, "A" * 64, ("must be no more than 63 characters", names.LABEL_SENTENCE)),
        (names.dns1123_subdomain, "a..b", (names.SUBDOMAIN_SENTENCE,)),
        (names.dns1123_subdomain, "a" * 254, ("must be no more than 253 characters",)),
        (names.dns1123_subdomain, "a\n", (names.SUBDOMAIN_SENTENCE,)),
        (names.dns1035_label, "1a", (names.DNS1035_SENTENCE,)),
        (names.qualified_name, "", ("name part must be non-empty", names.NAME_PART_SENTENCE)),
        (names.qualified_name, "/a", ("prefix part must be non-empty",)),
        (names.qualified_name, "a/b/c", (names.LABEL_KEY_SENTENCE,)),
        (names.qualified_name, "A/b", ("prefix part " + names.SUBDOMAIN_SENTENCE,)),
        (names.qualified_name, "k" * 64, ("name part must be no more than 63 bytes",)),
        (names.label_value, "a b", (names.LABEL_VALUE_SENTENCE,)),
        (names.label_value, "v" * 64, ("must be no more than 63 bytes",)),
        (names.config_key, "..", ("must not be '..'",)),
        (names.config_key, "..a", ("must not start with '..'",)),
        (names.config_key, "é", (names.CONFIG_KEY_SENTENCE,)),
        (names.env_var_name, "a=b", (names.ENV_SENTENCE,)),
        (names.port_name, "1", ("must contain at least one letter (a-z)",)),
        (names.port_name, "a--b", ("must not contain consecutive hyphens",)),
        (names.port_name, "-a", ("must not begin or end with a hyphen",)),
        (names.path_segment, "..", ("may not be '..'",)),
        (names.path_segment, "a/b%", ("may not contain '/'", "may not contain '%'")),
        (names.domain_prefixed_path, "x", ('must be a domain-prefixed path (such as "acme.io/foo")',)),
    ],
)
def test_bad_names_are_told_why(rule: NameRule, name: str, sentences: tuple[str, ...]) -> None:
    assert rule(name) == sentences


def test_the_sentence_shows_examples_and_expression() -> None:
    assert names.SUBDOMAIN_SENTENCE.endswith(
        "(e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
    )
    assert "(e.g. 'my-name',  or '123-abc', regex" in names.LABEL_SENTENCE


def test_a_prefix_may_end_with_a_dash() -> None:
    assert names.subdomain_name("web-", True) == ()
    assert names.subdomain_name("web-", False) == (names.SUBDOMAIN_SENTENCE,)
    assert names.label_name("a.b-", True) == ("must not contain dots",)
    assert names.path_name("..", True) == ()


def test_ports_lie_between_1_and_65535() -> None:
    assert names.port_number(1) == names.port_number(65535) == ()
    assert names.port_number(0) == ("must be between 1 and 65535, inclusive",)
