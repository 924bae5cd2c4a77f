"""JSON patches: what each operation does, and what does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.base import limits
from kcore.machinery import status
from kcore.machinery.patch import json_patch

DOCUMENT = {"b": {"x": 1, "a/b": 2, "m~n": 3}, "a": ["p", "q", "r"]}


def applied(*operations: dict[str, Any], target: Any = None) -> Any:
    return json_patch.apply(DOCUMENT if target is None else target, json_patch.read(list(operations), strict=True)[0])


@pytest.mark.parametrize(
    ("operation", "after"),
    [
        ({"op": "add", "path": "/c", "value": {"n": None}}, {**DOCUMENT, "c": {"n": None}}),
        ({"op": "add", "path": "/a/1", "value": "new"}, {**DOCUMENT, "a": ["p", "new", "q", "r"]}),
        ({"op": "add", "path": "/a/-", "value": "new"}, {**DOCUMENT, "a": ["p", "q", "r", "new"]}),
        ({"op": "add", "path": "/a/-1", "value": "new"}, {**DOCUMENT, "a": ["p", "q", "r", "new"]}),
        ({"op": "add", "path": "c", "value": 1}, DOCUMENT),
        ({"op": "add", "path": "text/c", "value": 1}, {**DOCUMENT, "c": 1}),
        ({"op": "add", "path": "/c"}, {**DOCUMENT, "c": None}),
        ({"op": "remove", "path": "/b/a~1b"}, {**DOCUMENT, "b": {"x": 1, "m~n": 3}}),
        ({"op": "remove", "path": "/b/m~0n"}, {**DOCUMENT, "b": {"x": 1, "a/b": 2}}),
        ({"op": "remove", "path": "/a/-2"}, {**DOCUMENT, "a": ["p", "r"]}),
        ({"op": "replace", "path": "/a/0", "value": 5}, {**DOCUMENT, "a": [5, "q", "r"]}),
        ({"op": "replace", "path": "/new", "value": 5}, {**DOCUMENT, "new": 5}),
        ({"op": "replace", "path": "", "value": {"all": 1}}, {"all": 1}),
        ({"op": "move", "from": "/a/0", "path": "/first"}, {**DOCUMENT, "a": ["q", "r"], "first": "p"}),
        ({"op": "copy", "from": "/b", "path": "/d"}, {**DOCUMENT, "d": DOCUMENT["b"]}),
        ({"op": "copy", "from": "/none", "path": "/d"}, {**DOCUMENT, "d": None}),
        ({"op": "test", "path": "/b/x", "value": 1}, DOCUMENT),
        ({"op": "test", "path": "/none", "value": None}, DOCUMENT),
        ({"op": "test", "path": "", "value": DOCUMENT}, DOCUMENT),
    ],
)
def test_an_operation_does_what_it_says(operation: dict[str, Any], after: Any) -> None:
    if operation["path"] == "c":
        with pytest.raises(status.StatusError):
            applied(operation)
    else:
        assert applied(operation) == after


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "/none/c", "value": 1},
        {"op": "add", "path": "/a/4", "value": 1},
        {"op": "add", "path": "/a/-5", "value": 1},
        {"op": "add", "path": "/a/1_0", "value": 1},
        {"op": "add", "path": "/b/x/y", "value": 1},
        {"op": "add", "value": 1},
        {"op": "remove", "path": "/none"},
        {"op": "remove", "path": "/a/3"},
        {"op": "replace", "path": "/a/3", "value": 1},
        {"op": "replace", "path": "", "value": 1},
        {"op": "move", "from": "/none", "path": "/d"},
        {"op": "copy", "path": "/d"},
        {"op": "test", "path": "/b/x", "value": 2},
        {"op": "test", "path": "/b/x", "value": True},
        {"op": "test", "path": "/b/x", "value": 1.0},
        {"op": "Add", "path": "/c", "value": 1},
        {"path": "/c"},
    ],
)
def test_what_does_not_fit_is_unprocessable_and_says_no_more(operation: dict[str, Any]) -> None:
    with pytest.raises(status.StatusError) as caught:
        applied(operation)
    assert (caught.value.code, caught.value.message) == (422, "the server rejected our request due to an error in our request")


def test_neither_the_target_nor_the_operations_change() -> None:
    target: Any = {"a": {"b": [1]}}
    operations = [{"op": "add", "path": "/c", "value": {"d": 1}}, {"op": "add", "path": "/c/e", "value": 2}]
    assert applied(*operations, {"op": "remove", "path": "/a/b/0"}, target=target) == {"a": {"b": []}, "c": {"d": 1, "e": 2}}
    assert target == {"a": {"b": [1]}}
    assert operations[0]["value"] == {"d": 1}


def test_objects_that_a_path_goes_through_name_their_fields_in_order() -> None:
    patched = applied({"op": "test", "path": "/z/b", "value": 1}, target={"z": {"b": 1, "a": 2}, "m": {"d": 1, "c": 2}})
    assert [*patched, *patched["z"], *patched["m"]] == ["m", "z", "a", "b", "d", "c"]


def test_unknown_fields_of_operations_are_complained_of_where_somebody_wants_to_know() -> None:
    patch = [{"op": "add", "path": "/c", "value": 1, "comment": "x"}]
    assert json_patch.read(patch, strict=True)[1] == ['json patch unknown field "[0].comment"']
    assert json_patch.read(patch, strict=False)[1] == []


@pytest.mark.parametrize(
    ("patch", "sentence"),
    [
        ({}, "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
        ([1], "error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp"),
        ([{"path": 1}], "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.path of type string"),
    ],
)
def test_what_is_no_list_of_operations_is_a_bad_request(patch: Any, sentence: str) -> None:
    with pytest.raises(status.StatusError) as caught:
        json_patch.read(patch, strict=True)
    assert (caught.value.code, caught.value.message) == (400, sentence)


def test_too_many_operations_are_too_large() -> None:
    most = [{"op": "test", "path": "/none", "value": None}] * limits.JSON_PATCH_OPERATIONS_MAX
    assert json_patch.apply(DOCUMENT, json_patch.read(most, strict=True)[0]) == DOCUMENT
    with pytest.raises(status.StatusError) as caught:
        json_patch.read([*most, most[0]], strict=True)
    assert caught.value.code == 413
    assert caught.value.message.endswith("The allowed maximum operations in a JSON patch is 10000, got 10001")


def test_copies_cannot_double_an_object_forever() -> None:
    doubling = [{"op": "copy", "from": "", "path": "/x"}, *({"op": "copy", "from": "/b", "path": f"/b/{i}"} for i in range(60))]
    with pytest.raises(status.StatusError):
        applied(*doubling[1:], target={"b": {"text": "x" * 1000}})
