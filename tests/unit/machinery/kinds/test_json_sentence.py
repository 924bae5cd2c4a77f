"""Go's sentences about broken JSON."""
import pytest

from kcore.machinery.kinds.json_sentence import json_sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"not json", "invalid character 'o' in literal null (expecting 'u')"),
        (b"", "unexpected end of JSON input"), (b"{", "unexpected end of JSON input"), (b"tru", "unexpected end of JSON input"),
        (b"x", "invalid character 'x' looking for beginning of value"), (b"{} x", "invalid character 'x' after top-level value"),
        (b"{x", "invalid character 'x' looking for beginning of object key string"), (b'{"a" x', "invalid character 'x' after object key"),
        (b'{"a":1 x', "invalid character 'x' after object key:value pair"), (b"[1 x", "invalid character 'x' after array element"),
        (b"[]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
    ],
)
def test_broken_json_is_told_what_is_wrong(text: bytes, sentence: str) -> None:
    assert json_sentence(text) == sentence
