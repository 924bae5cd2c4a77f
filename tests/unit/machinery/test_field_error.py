"""Field errors print values as Kubernetes does."""
import pytest

from kcore.machinery import field_error as fe
from kcore.machinery.field_error import OMITTED, StructField


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a b", '"a b"'), ('say "x"\\', '"say \\"x\\"\\\\"'), ("é\a\n", '"é\\a\\n"'), ("\x01\u200b", '"\\x01\\u200b"'), ("<&>", '"<&>"'),
        (5, "5"), (-1, "-1"), (True, "true"), (False, "false"), (None, "null"), ([], "[]"), (["a", "é"], '["a","é"]'),
        ({"b": 1, "a": "<&>"}, '{"a":"\\u003c\\u0026\\u003e","b":1}'),
    ],
)
def test_a_value_is_rendered_like_go_renders_it(value: object, shown: str) -> None:
    assert fe.invalid("p", value, "bad").body == f"Invalid value: {shown}: bad"


def test_each_constructor_carries_its_reason_and_sentence() -> None:
    made = [
        fe.required("p"), fe.required("p", "must not be empty"), fe.not_supported("p", "x", ("A", "B")), fe.duplicate("p", "x"),
        fe.forbidden("p", "no"), fe.forbidden("p"), fe.too_long("p", 63), fe.too_many("p", 5, 3), fe.too_many("p", 2, 1),
        fe.not_found("p", "x"), fe.type_invalid("p", "x", "must be a number"), fe.internal("p", "broken"), fe.immutable("p", 1),
    ]
    assert [(error.reason, error.body) for error in made] == [
        ("FieldValueRequired", "Required value"),
        ("FieldValueRequired", "Required value: must not be empty"),
        ("FieldValueNotSupported", 'Unsupported value: "x": supported values: "A", "B"'),
        ("FieldValueDuplicate", 'Duplicate value: "x"'),
        ("FieldValueForbidden", "Forbidden: no"),
        ("FieldValueForbidden", "Forbidden"),
        ("FieldValueTooLong", "Too long: may not be more than 63 bytes"),
        ("FieldValueTooMany", "Too many: 5: must have at most 3 items"),
        ("FieldValueTooMany", "Too many: 2: must have at most 1 item"),
        ("FieldValueNotFound", 'Not found: "x"'),
        ("FieldValueTypeInvalid", 'Invalid value: "x": must be a number'),
        ("InternalError", "Internal error: broken"),
        ("FieldValueInvalid", "Invalid value: 1: field is immutable"),
    ]
    assert fe.required("a.b").message() == "a.b: Required value"
    assert fe.invalid("p", OMITTED, "only the sentence").body == "Invalid value: only the sentence"


def test_a_struct_prints_go_names_in_order_with_zero_values() -> None:
    inner = (StructField("Max", "max", 0),)
    fields = (StructField("Type", "type", ""), StructField("Update", "update", None, inner), StructField("tags", "tags", OMITTED))
    assert fe.struct({"update": {}}, fields) == '{"Type":"","Update":{"Max":0}}'
    assert fe.struct({"tags": {"b": "1", "a": "2"}, "type": "x"}, fields) == '{"Type":"x","Update":null,"tags":{"a":"2","b":"1"}}'
    assert fe.struct([{"tags": {}}], fields) == '[{"Type":"","Update":null}]'
    assert fe.struct(None, fields) == "null"
