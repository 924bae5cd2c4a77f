"""Label selectors: text, message, matching, and sentences about what is malformed."""
import pytest

from kcore.machinery import labels
from kcore.machinery.field_error import FieldError
from kcore.machinery.labels import SelectorError

OBJECT = {"app": "web", "tier": "front", "n": "5"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True), ("app", True), ("!app", False), ("!gone", True), ("app=web", True), ("app==web", True), ("app!=web", False),
        ("gone!=x", True),
        ("app in (web,db)", True), ("app in (db)", False), ("app notin (db)", True), ("gone notin (db)", True), ("gone in (db)", False),
        ("n>4", True), ("n>5", False), ("n<6", True), ("app>1", False), ("gone>1", False), ("app=web,tier=front", True),
        ("app=web,!tier", False),
        ("app in ()", False), ("gone=", False), ("in in (in)", False), (" app = web , n ", True),
    ],
)
def test_a_selector_matches_what_it_says(text: str, matches: bool) -> None:
    assert labels.parse(text).matches(OBJECT) is matches


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
        ("a in 1", "unable to parse requirement: found '1' expected: '('"),
        ("a,", "found '', expected: identifier after ','"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a>x", "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer"),
        ("/x", 'unable to parse requirement: <nil>: Invalid value: "/x": prefix part must be non-empty'),
        ("a=(", "unable to parse requirement: found '(', expected: identifier"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
    ],
)
def test_a_malformed_selector_is_told_what_was_expected(text: str, sentence: str) -> None:
    with pytest.raises(SelectorError, match=r".+") as caught:
        labels.parse(text)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("text", ["a", "!a", "a=b", "a!=b", "a in (b,c)", "a notin (b,c)", "a>5,b<6", "x/y=z,zz"])
def test_a_selector_is_written_as_it_is_read(text: str) -> None:
    assert str(labels.parse(text)) == text


def test_a_message_and_a_text_mean_the_same() -> None:
    message = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [
            {"key": "n", "operator": "In", "values": ["5", "4"]}, {"key": "a", "operator": "NotIn", "values": ["b"]},
            {"key": "tier", "operator": "Exists"}, {"key": "gone", "operator": "DoesNotExist"},
        ],
    }
    selector = labels.from_message(message)
    assert str(selector) == "a notin (b),app=web,!gone,n in (4,5),tier"
    assert selector.matches(OBJECT)
    assert selector.equalities() == {"app": "web"}


def test_no_selector_matches_nothing_and_an_empty_one_everything() -> None:
    assert not labels.from_message(None).matches(OBJECT)
    assert not labels.from_message(None).everything
    assert labels.from_message({}).matches({})
    assert labels.from_message({}).everything
    assert labels.from_labels({"app": "web"}).matches(OBJECT)


def test_a_message_is_checked_field_by_field() -> None:
    errors: list[FieldError] = []
    message = {
        "matchLabels": {"a b": "c d"},
        "matchExpressions": [
            {"key": "a", "operator": "In"}, {"key": "a", "operator": "Exists", "values": ["x"]}, {"key": "", "operator": "Is"},
            {"key": "a", "operator": "NotIn", "values": ["bad value"]},
        ],
    }
    labels.validate_message(message, "spec.selector", errors)
    assert [(error.reason, error.field) for error in errors] == [
        ("FieldValueInvalid", "spec.selector.matchLabels"),
        ("FieldValueInvalid", "spec.selector.matchLabels"),
        ("FieldValueRequired", "spec.selector.matchExpressions[0].values"),
        ("FieldValueForbidden", "spec.selector.matchExpressions[1].values"),
        ("FieldValueInvalid", "spec.selector.matchExpressions[2].operator"),
        ("FieldValueInvalid", "spec.selector.matchExpressions[2].key"),
        ("FieldValueInvalid", "spec.selector.matchExpressions[2].key"),
        ("FieldValueInvalid", "spec.selector.matchExpressions[3].values[0]"),
    ]
    assert labels.rendered({"matchExpressions": [{"operator": "In"}]}) == '{"matchExpressions":[{"key":"","operator":"In"}]}'
