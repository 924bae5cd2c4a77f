"""Selectors: what is written is read back, and text, message and a naive reading agree."""
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kcore.machinery import fields, labels, request_options, route
from kcore.machinery.status import StatusError

WORDS = st.sampled_from(("a", "b", "app", "x.y/z", "in", "notin", "1"))
VALUES = st.sampled_from(("", "a", "b", "v1", "in"))
OBJECTS = st.dictionaries(WORDS, VALUES, max_size=4)
EXPRESSIONS = st.one_of(
    st.fixed_dictionaries({"key": WORDS, "operator": st.sampled_from(("In", "NotIn")), "values": st.lists(VALUES, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"key": WORDS, "operator": st.sampled_from(("Exists", "DoesNotExist"))}),
)
MESSAGES = st.fixed_dictionaries({"matchLabels": OBJECTS, "matchExpressions": st.lists(EXPRESSIONS, max_size=3)})


def naive(message: dict[str, Any], found: dict[str, str]) -> bool:
    wanted = message["matchLabels"]
    if any(found.get(key) != value for key, value in wanted.items()):
        return False
    for item in message["matchExpressions"]:
        present, value = item["key"] in found, found.get(item["key"])
        fits = {
            "In": present and value in item.get("values", ()), "NotIn": not present or value not in item.get("values", ()),
            "Exists": present, "DoesNotExist": not present,
        }
        if not fits[item["operator"]]:
            return False
    return True


@given(MESSAGES, OBJECTS)
def test_a_message_matches_as_it_reads(message: dict[str, Any], found: dict[str, str]) -> None:
    selector = labels.from_message(message)
    assert selector.matches(found) is naive(message, found)
    assert labels.parse(str(selector)).matches(found) is selector.matches(found)


@given(MESSAGES, OBJECTS)
def test_equalities_are_needed_by_every_match(message: dict[str, Any], found: dict[str, str]) -> None:
    selector = labels.from_message(message)
    if selector.matches(found):
        assert all(found[key] == value for key, value in selector.equalities().items())


@given(st.text(alphabet="ab=!,()<> \\.inot", max_size=20))
def test_any_text_is_a_selector_or_is_refused_by_a_sentence(text: str) -> None:
    for module, error in ((labels, labels.SelectorError), (fields, fields.FieldSelectorError)):
        sentence = "read"
        try:
            module.parse(text)  # type: ignore[attr-defined]
        except error as refused:
            sentence = str(refused)
        assert sentence


@given(st.dictionaries(st.sampled_from(("a", "b.c")), st.text(alphabet="ab\\,=", max_size=5), max_size=2))
def test_escaped_values_of_fields_are_read_back(wanted: dict[str, str]) -> None:
    text = ",".join(f"{field}={fields.escape(value)}" for field, value in wanted.items())
    assert fields.parse(text).equalities() == wanted


@given(
    st.sampled_from(("GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "X")), st.text(alphabet="/ap is.v1n%2F", max_size=40),
    st.text(alphabet="watch=1&limt%", max_size=20),
)
def test_any_path_is_routed_or_refused(method: str, path: str, query: str) -> None:
    code = 200
    try:
        assert route.route(method, path, route.parse_query(query), {}) is None
        request_options.from_query(route.parse_query(query))
    except StatusError as refused:
        code = refused.code
    assert code in (200, 400, 404, 405)
