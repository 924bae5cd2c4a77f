"""Sets of fields: their texts, their order, and what of a set that was sent is kept."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.machinery.apply import fieldset


def test_a_path_is_shown_as_errors_show_it() -> None:
    path = ("f:spec", 'k:{"port":80,"protocol":"TCP"}', "f:name")
    assert fieldset.text(path) == '.spec[port=80,protocol="TCP"].name'
    assert fieldset.text(("f:finalizers", 'v:"example.com/a"')) == '.finalizers[="example.com/a"]'
    assert fieldset.text(("f:args", "i:2")) == ".args[2]"


def test_members_come_before_what_is_below_them_and_numbers_before_texts() -> None:
    found = fieldset.of_paths(("f:b",), ("f:a", "f:x"), ("f:a",), ("v:10",), ("v:9",), ('v:"a"',), ('k:{"name":"c"}',))
    assert list(fieldset.paths(found)) == [
        ("f:a",), ("f:b",), ('k:{"name":"c"}',), ("v:9",), ("v:10",), ('v:"a"',), ("f:a", "f:x"),
    ]  # fmt: skip


def test_a_set_that_was_sent_is_brought_into_its_one_form() -> None:
    sent = {"f:a": {".": {}}, 'k:{"b": 1, "a": 2}': None, "x:unknown": {}, "f:c": {"f:d": {}}}
    assert fieldset.normal(sent) == {"f:a": {}, 'k:{"a":2,"b":1}': {}, "f:c": {"f:d": {}}}


@pytest.mark.parametrize("sent", [[], {"a": {}}, {"fa": {}}, {"k:[]": {}}, {"k:{": {}}, {"i:x": {}}, {"f:a": 1}])
def test_what_is_no_set_of_fields_is_refused(sent: Any) -> None:
    with pytest.raises(fieldset.FieldSetError):
        fieldset.normal(sent)


def test_a_parent_stays_when_something_below_it_goes() -> None:
    one = fieldset.of_paths(("f:a",), ("f:a", "f:b"))
    assert fieldset.difference(one, fieldset.of_paths(("f:a", "f:b"))) == {"f:a": {}}
    assert fieldset.difference(one, fieldset.of_paths(("f:a",))) == {"f:a": {"f:b": {}}}
    assert fieldset.without_trees(one, fieldset.of_paths(("f:a",))) == {}
