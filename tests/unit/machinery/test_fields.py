"""Field selectors: reading, matching, escaping, and fields that a kind does not offer."""
import pytest

from kcore.machinery import fields
from kcore.machinery.fields import FieldSelectorError, FieldTerm


def test_terms_are_joined_by_commas() -> None:
    selector = fields.parse("metadata.name=a,status.phase!=Running,x==1,")
    assert selector.terms == (FieldTerm("metadata.name", "a"), FieldTerm("status.phase", "Running", False), FieldTerm("x", "1"))
    assert selector.matches({"metadata.name": "a", "status.phase": "Failed", "x": "1"})
    assert not selector.matches({"metadata.name": "a", "status.phase": "Running", "x": "1"})
    assert selector.equalities() == {"metadata.name": "a", "x": "1"}
    assert str(selector) == "metadata.name=a,status.phase!=Running,x=1"


def test_an_absent_field_is_the_empty_string() -> None:
    assert fields.parse("spec.nodeName=").matches({})
    assert not fields.parse("spec.nodeName!=").matches({})
    assert fields.parse("").everything


def test_special_characters_are_escaped() -> None:
    value = "a,b=c\\d"
    assert fields.parse(f"x={fields.escape(value)}").terms == (FieldTerm("x", value),)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
        ("a=\\x", "invalid field selector: invalid escape sequence: \\x"),
        ("a=b\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_a_malformed_selector_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(FieldSelectorError, match=r".+") as caught:
        fields.parse(text)
    assert str(caught.value) == sentence


def test_each_sort_of_kind_has_its_own_sentence_for_an_unknown_field() -> None:
    plain = fields.unsupported("x", "", "v1", "ConfigMap", ())
    assert plain == '"x" is not a known field selector: only "metadata.name", "metadata.namespace"'
    assert fields.unsupported("x", "", "v1", "Pod", ("spec.nodeName",)) == "field label not supported: x"
    assert fields.unsupported("x", "batch", "v1", "Job", ("status.successful",)) == 'field label "x" not supported for Job'
    slices = fields.unsupported("x", "resource.k8s.io", "v1", "ResourceSlice", ("spec.driver",))
    assert slices == "field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: x"
