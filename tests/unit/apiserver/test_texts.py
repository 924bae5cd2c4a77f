"""YAML whose aliases make it endless or huge is refused; other aliases are what they stand for."""

from __future__ import annotations

import pytest

from kcore.apiserver import body_text
from kcore.apiserver.body_text import TextError
from kcore.base import limits


@pytest.mark.parametrize("text", ["a: &a [*a]", "&m {a: {b: *m}}", "? &k [*k]\n: 1"])
def test_a_text_that_contains_itself_is_refused(text: str) -> None:
    with pytest.raises(TextError, match="contains itself"):
        body_text.load_yaml(text.encode())


def test_a_text_that_is_huge_when_written_out_is_refused() -> None:
    lines = ["a0: &a0 [x,x]", *(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))]
    for text in ("\n".join(lines), f"long: &a {'x' * 9_000}\nall: [{'*a,' * 9_000}]"):
        with pytest.raises(TextError, match="excessive aliasing"):
            body_text.load_yaml(text.encode())


def test_aliases_are_what_they_stand_for() -> None:
    value, doubled = body_text.load_yaml(b"a: &a {x: 1}\nb: *a\nc: [*a, *a]\nd: {<<: *a, y: 2}")
    assert value == {"a": {"x": 1}, "b": {"x": 1}, "c": [{"x": 1}, {"x": 1}], "d": {"x": 1, "y": 2}}
    assert doubled == []


def test_a_text_without_aliases_may_be_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUEST_BODY_BYTES_MAX", 100)
    assert len(body_text.load_yaml(b"[" + b"x," * 40 + b"]")[0]) == 40
    with pytest.raises(TextError, match="excessive aliasing"):
        body_text.load_yaml(b"[&a y," + b"*a," * 40 + b"]")


def test_a_text_has_only_so_many_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "YAML_NODES_MAX", 5)
    assert body_text.load_yaml(b"a: [1, 2]")[0] == {"a": [1, 2]}
    with pytest.raises(TextError, match="more than 5 nodes"):
        body_text.load_yaml(b"a: [1, 2, 3]")


def test_what_looks_like_a_number_of_base_sixty_or_a_time_is_text() -> None:
    value, _ = body_text.load_yaml(b"a: 22:22\nb: 1:30.5\nc: 2001-01-01\nd: 0x1F\ne: 1_000\nf: 1.5\ng: -7")
    assert value == {"a": "22:22", "b": "1:30.5", "c": "2001-01-01", "d": 31, "e": 1000, "f": 1.5, "g": -7}


def test_a_number_of_very_many_digits_is_an_error_of_the_text() -> None:
    assert body_text.json_error(b'{"a": ' + b"1" * 5_000 + b"}") == "a number has too many digits"
