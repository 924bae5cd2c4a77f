"""Rules for names: DNS labels and subdomains, qualified names, label values, environment variables, ports and the like.

A rule takes a string and returns what is wrong with it as sentences, in the order and wording of Kubernetes; the empty tuple means fine.
`fits_*` answers the frequent ones with a bool.

Source: Kubernetes apimachinery `pkg/util/validation`, `pkg/api/validate/content`; RFC 1035, 1123, 6335. Observed answers of 1.37.
"""
from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from kcore.base import limits

Sentences = tuple[str, ...]
NameRule = Callable[[str], Sentences]
# The rule of a kind for its objects' names: the name, and whether it is the prefix of a name to be generated.
NameValidator = Callable[[str, bool], Sentences]

FINE: Final[Sentences] = ()
DNS_LABEL_SIZE_MAX: Final = 63
DNS_SUBDOMAIN_SIZE_MAX: Final = 253
QUALIFIED_NAME_SIZE_MAX: Final = 63
LABEL_VALUE_SIZE_MAX: Final = 63
PORT_NAME_SIZE_MAX: Final = 15
CONFIG_KEY_SIZE_MAX: Final = 253
DOMAIN_PATH_SIZE_MAX: Final = 63

_LABEL_FMT: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN_FMT: Final = _LABEL_FMT + r"(\." + _LABEL_FMT + ")*"
_UNDERSCORE_LABEL_FMT: Final = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_UNDERSCORE_FMT: Final = _UNDERSCORE_LABEL_FMT + r"(\." + _UNDERSCORE_LABEL_FMT + ")*"
_DNS1035_FMT: Final = "[a-z]([-a-z0-9]*[a-z0-9])?"
_WILDCARD_FMT: Final = r"\*\." + _SUBDOMAIN_FMT
_QUALIFIED_FMT: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE_FMT: Final = "(" + _QUALIFIED_FMT + ")?"
_CONFIG_KEY_FMT: Final = r"[-._a-zA-Z0-9]+"
_HTTP_HEADER_FMT: Final = "[-A-Za-z0-9]+"
_PERCENT_FMT: Final = "[0-9]+%"
_C_IDENTIFIER_FMT: Final = "[A-Za-z_][A-Za-z0-9_]*"
_REASON_FMT: Final = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
_PATH_FMT: Final = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"

_LABEL: Final = re.compile(_LABEL_FMT)
_SUBDOMAIN: Final = re.compile(_SUBDOMAIN_FMT)
_UNDERSCORE: Final = re.compile(_UNDERSCORE_FMT)
_SUBDOMAIN_ANY_CASE: Final = re.compile(_SUBDOMAIN_FMT, re.IGNORECASE | re.ASCII)
_DNS1035: Final = re.compile(_DNS1035_FMT)
_WILDCARD: Final = re.compile(_WILDCARD_FMT)
_QUALIFIED: Final = re.compile(_QUALIFIED_FMT)
_VALUE: Final = re.compile(_VALUE_FMT)
_CONFIG_KEY: Final = re.compile(_CONFIG_KEY_FMT)
_HTTP_HEADER: Final = re.compile(_HTTP_HEADER_FMT)
_PERCENT: Final = re.compile(_PERCENT_FMT)
_C_IDENTIFIER: Final = re.compile(_C_IDENTIFIER_FMT)
_REASON: Final = re.compile(_REASON_FMT)
_ENV_RELAXED: Final = re.compile(r"[ -<>-~]+")
_PATH: Final = re.compile(_PATH_FMT)
_PORT_CHARS: Final = re.compile(r"[-a-z0-9]+")
_PORT_LETTER: Final = re.compile(r"[a-z]")


def _regex_sentence(sentence: str, fmt: str, *examples: str) -> str:
    shown = "".join(f"'{example}', " if index == 0 else f" or '{example}', " for index, example in enumerate(examples))
    return f"{sentence} (e.g. {shown}regex used for validation is '{fmt}')"


LABEL_SENTENCE: Final = _regex_sentence(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character",
    _LABEL_FMT, "my-name", "123-abc",
)
SUBDOMAIN_SENTENCE: Final = _regex_sentence(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character",
    _SUBDOMAIN_FMT, "example.com",
)
SUBDOMAIN_ANY_CASE_SENTENCE: Final = _regex_sentence(
    "an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
    _SUBDOMAIN_FMT, "Example.com",
)
UNDERSCORE_SENTENCE: Final = _regex_sentence(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', "
    "and must start and end with an alphanumeric character",
    _UNDERSCORE_FMT, "example.com",
)
DNS1035_SENTENCE: Final = _regex_sentence(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character",
    _DNS1035_FMT, "my-name", "abc-123",
)
WILDCARD_SENTENCE: Final = _regex_sentence(
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case "
    "alphanumeric characters, '-' or '.' and end with an alphanumeric character",
    _WILDCARD_FMT, "*.example.com",
)
_QUALIFIED_RULE: Final = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
NAME_PART_SENTENCE: Final = _regex_sentence(f"name part {_QUALIFIED_RULE}", _QUALIFIED_FMT, "MyName", "my.name", "123-abc")
LABEL_KEY_SENTENCE: Final = (
    _regex_sentence(f"a valid label key {_QUALIFIED_RULE}", _QUALIFIED_FMT, "MyName", "my.name", "123-abc")
    + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
)
LABEL_VALUE_SENTENCE: Final = _regex_sentence(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character",
    _VALUE_FMT, "MyValue", "my_value", "12345",
)
CONFIG_KEY_SENTENCE: Final = _regex_sentence(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'", _CONFIG_KEY_FMT, "key.name", "KEY_NAME", "key-name",
)
HTTP_HEADER_SENTENCE: Final = _regex_sentence(
    "a valid HTTP header must consist of alphanumeric characters or '-'", _HTTP_HEADER_FMT, "X-Header-Name",
)
PERCENT_SENTENCE: Final = _regex_sentence(
    "a valid percent string must be a numeric string followed by an ending '%'", _PERCENT_FMT, "1%", "93%",
)
C_IDENTIFIER_SENTENCE: Final = _regex_sentence(
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
    _C_IDENTIFIER_FMT, "my_name", "MY_NAME", "MyName",
)
CONDITION_REASON_SENTENCE: Final = _regex_sentence(
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', "
    "and must end with an alphanumeric character or '_'",
    _REASON_FMT, "my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB",
)
ENV_SENTENCE: Final = "a valid environment variable name must consist only of printable ASCII characters other than '='"


def longer_than(size_max: int, unit: str = "characters") -> str:
    """Say that a name is longer than `size_max`."""
    return f"must be no more than {size_max} {unit}"


def between(low: int, high: int) -> str:
    """Say between which numbers a value must lie."""
    return f"must be between {low} and {high}, inclusive"


def _dns(value: str, pattern: re.Pattern[str], size_max: int, sentence: str) -> Sentences:
    if len(value) <= size_max and pattern.fullmatch(value):
        return FINE
    wrong = []
    if len(value.encode()) > size_max:
        wrong.append(longer_than(size_max))
    if not pattern.fullmatch(value):
        wrong.append(sentence)
    return tuple(wrong)


def dns1123_label(value: str) -> Sentences:
    """Check a lower-case RFC 1123 label, such as a namespace's name; a subdomain is told that dots are what is wrong."""
    wrong = _dns(value, _LABEL, DNS_LABEL_SIZE_MAX, LABEL_SENTENCE)
    if wrong and wrong[-1] is LABEL_SENTENCE and _SUBDOMAIN.fullmatch(value):
        return (*wrong[:-1], "must not contain dots")
    return wrong


def dns1123_subdomain(value: str) -> Sentences:
    """Check a lower-case RFC 1123 subdomain, the name of most objects."""
    return _dns(value, _SUBDOMAIN, DNS_SUBDOMAIN_SIZE_MAX, SUBDOMAIN_SENTENCE)


def dns1123_subdomain_with_underscore(value: str) -> Sentences:
    """Check a subdomain whose labels may hold underscores (DNS search paths)."""
    return _dns(value, _UNDERSCORE, DNS_SUBDOMAIN_SIZE_MAX, UNDERSCORE_SENTENCE)


def dns1123_subdomain_any_case(value: str) -> Sentences:
    """Check a subdomain that may have upper-case letters (names of CSI drivers)."""
    wrong = []
    if len(value.encode()) > DNS_SUBDOMAIN_SIZE_MAX:
        wrong.append(longer_than(DNS_SUBDOMAIN_SIZE_MAX, "bytes"))
    if not _SUBDOMAIN_ANY_CASE.fullmatch(value):
        wrong.append(SUBDOMAIN_ANY_CASE_SENTENCE)
    return tuple(wrong)


def short_name(value: str) -> Sentences:
    """Check an RFC 1123 label where it is declared, not written out, that a field must be one: the size is said in bytes."""
    said = longer_than(DNS_LABEL_SIZE_MAX)
    return tuple(longer_than(DNS_LABEL_SIZE_MAX, "bytes") if sentence == said else sentence for sentence in dns1123_label(value))


def dns1035_label(value: str) -> Sentences:
    """Check an RFC 1035 label, the name of a Service."""
    return _dns(value, _DNS1035, DNS_LABEL_SIZE_MAX, DNS1035_SENTENCE)


def wildcard_dns1123_subdomain(value: str) -> Sentences:
    """Check a host such as `*.example.com`."""
    return _dns(value, _WILDCARD, DNS_SUBDOMAIN_SIZE_MAX, WILDCARD_SENTENCE)


def fully_qualified_domain_name(value: str) -> Sentences:
    """Check a domain of at least two labels; one trailing dot is allowed."""
    if not value:
        return ("must be specified",)
    name = value.removesuffix(".")
    wrong = dns1123_subdomain(name)
    if wrong:
        return wrong
    if name.count(".") < 1:
        return ("should be a domain with at least two segments separated by dots",)
    for label in name.split("."):
        wrong = dns1123_label(label)
        if wrong:
            return wrong
    return FINE


def path_segment(value: str) -> Sentences:
    """Check a name that only has to fit into a path (RBAC kinds)."""
    if value == ".":
        return ("may not be '.'",)
    if value == "..":
        return ("may not be '..'",)
    wrong = [f"may not contain '{char}'" for char in ("/", "%") if char in value]
    return tuple(wrong)


def _without_trailing_dash(value: str) -> str:
    return value[:-2] + "a" if len(value) > 1 and value.endswith("-") else value


def subdomain_name(value: str, prefix: bool) -> Sentences:
    """Check the name of most objects."""
    return dns1123_subdomain(_without_trailing_dash(value) if prefix else value)


def long_name(value: str, prefix: bool) -> Sentences:
    """Check the name of a kind whose rule is declared upstream, which counts bytes where others count characters."""
    wrong = subdomain_name(value, prefix)
    return tuple(longer_than(DNS_SUBDOMAIN_SIZE_MAX, "bytes") if sentence.endswith("characters") else sentence for sentence in wrong)


def label_name(value: str, prefix: bool) -> Sentences:
    """Check a name that is one DNS label, such as a namespace's."""
    return dns1123_label(_without_trailing_dash(value) if prefix else value)


def path_name(value: str, prefix: bool) -> Sentences:
    """Check a name that only has to fit into a path."""
    return FINE if prefix and value in (".", "..") else path_segment(value)


@lru_cache(limits.NAMES_REMEMBERED_MAX)
def qualified_name(value: str) -> Sentences:
    """Check `[prefix/]name`, the form of label keys, annotation keys (in lower case), finalizers and condition types."""
    if len(value) <= QUALIFIED_NAME_SIZE_MAX and _QUALIFIED.fullmatch(value):
        return FINE
    prefix, slash, name = value.rpartition("/")
    if "/" in prefix:
        return (LABEL_KEY_SENTENCE,)
    wrong: list[str] = []
    if slash:
        wrong += ("prefix part must be non-empty",) if not prefix else (f"prefix part {sentence}" for sentence in dns1123_subdomain(prefix))
    if not name:
        wrong.append("name part must be non-empty")
    elif len(name.encode()) > QUALIFIED_NAME_SIZE_MAX:
        wrong.append("name part " + longer_than(QUALIFIED_NAME_SIZE_MAX, "bytes"))
    if not _QUALIFIED.fullmatch(name):
        wrong.append(NAME_PART_SENTENCE)
    return tuple(wrong)


@lru_cache(limits.NAMES_REMEMBERED_MAX)
def label_value(value: str) -> Sentences:
    """Check the value of a label."""
    if len(value) <= LABEL_VALUE_SIZE_MAX and _VALUE.fullmatch(value):
        return FINE
    wrong = []
    if len(value.encode()) > LABEL_VALUE_SIZE_MAX:
        wrong.append(longer_than(LABEL_VALUE_SIZE_MAX, "bytes"))
    if not _VALUE.fullmatch(value):
        wrong.append(LABEL_VALUE_SENTENCE)
    return tuple(wrong)


def config_key(value: str) -> Sentences:
    """Check a key of a ConfigMap or Secret, which becomes a file name."""
    wrong = []
    if len(value.encode()) > CONFIG_KEY_SIZE_MAX:
        wrong.append(longer_than(CONFIG_KEY_SIZE_MAX))
    if not _CONFIG_KEY.fullmatch(value):
        wrong.append(CONFIG_KEY_SENTENCE)
    elif value == ".":
        wrong.append("must not be '.'")
    elif value == "..":
        wrong.append("must not be '..'")
    elif value.startswith(".."):
        wrong.append("must not start with '..'")
    return tuple(wrong)


def env_var_name(value: str) -> Sentences:
    """Check the name of an environment variable: printable ASCII without the equals sign."""
    return FINE if _ENV_RELAXED.fullmatch(value) else (ENV_SENTENCE,)


def http_header_name(value: str) -> Sentences:
    """Check the name of an HTTP header."""
    return FINE if _HTTP_HEADER.fullmatch(value) else (HTTP_HEADER_SENTENCE,)


def percent(value: str) -> Sentences:
    """Check a percentage such as `25%`."""
    return FINE if _PERCENT.fullmatch(value) else (PERCENT_SENTENCE,)


def c_identifier(value: str) -> Sentences:
    """Check an identifier as C has them."""
    return FINE if _C_IDENTIFIER.fullmatch(value) else (C_IDENTIFIER_SENTENCE,)


def condition_reason(value: str) -> Sentences:
    """Check the reason of a condition."""
    return FINE if _REASON.fullmatch(value) else (CONDITION_REASON_SENTENCE,)


def port_number(value: int) -> Sentences:
    """Check a port."""
    return FINE if 1 <= value <= 65535 else (between(1, 65535),)


def port_name(value: str) -> Sentences:
    """Check an IANA service name, the name of a container port."""
    wrong = []
    if len(value.encode()) > PORT_NAME_SIZE_MAX:
        wrong.append(longer_than(PORT_NAME_SIZE_MAX))
    if not _PORT_CHARS.fullmatch(value):
        wrong.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not _PORT_LETTER.search(value):
        wrong.append("must contain at least one letter (a-z)")
    if "--" in value:
        wrong.append("must not contain consecutive hyphens")
    if value and (value[0] == "-" or value[-1] == "-"):
        wrong.append("must not begin or end with a hyphen")
    return tuple(wrong)


def domain_prefixed_path(value: str) -> Sentences:
    """Check `example.com/path`, as field managers and job controllers call themselves."""
    domain, slash, path = value.partition("/")
    if not slash or not domain or not path:
        return ('must be a domain-prefixed path (such as "acme.io/foo")',)
    return dns1123_subdomain(domain) + (FINE if _PATH.fullmatch(path) else (f"Invalid path (regex used for validation is '{_PATH_FMT}')",))


def fits_dns1123_label(value: str) -> bool:
    """Say whether `dns1123_label` finds nothing wrong."""
    return len(value) <= DNS_LABEL_SIZE_MAX and _LABEL.fullmatch(value) is not None


def fits_dns1123_subdomain(value: str) -> bool:
    """Say whether `dns1123_subdomain` finds nothing wrong."""
    return len(value) <= DNS_SUBDOMAIN_SIZE_MAX and _SUBDOMAIN.fullmatch(value) is not None
