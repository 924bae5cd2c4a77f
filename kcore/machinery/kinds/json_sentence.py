"""What Go's JSON decoder says of a text that is no JSON object.

Source: Go `encoding/json` (scanner.go); only its state machine's sentences, not its code.
"""
from __future__ import annotations

import json
from typing import Final

_LITERALS: Final = {"t": "true", "f": "false", "n": "null"}
_END: Final = "unexpected end of JSON input"


def json_sentence(content: bytes) -> str:
    """Say what is wrong with a text that should hold a JSON object."""
    text = content.decode(errors="replace")
    try:
        value = json.loads(text)
    except ValueError as cause:
        return _syntax_sentence(text, cause)
    return f"json: cannot unmarshal {_go_name(value)} into Go value of type map[string]interface {{}}"


def _syntax_sentence(text: str, cause: ValueError) -> str:
    position = cause.pos if isinstance(cause, json.JSONDecodeError) else 0
    if position >= len(text.rstrip()):
        return _END
    literal = _LITERALS.get(text[position])
    if literal is not None:
        for index, wanted in enumerate(literal):
            if position + index >= len(text):
                return _END
            if text[position + index] != wanted:
                return f"invalid character {_shown(text[position + index])} in literal {literal} (expecting '{wanted}')"
    place = "after top-level value" if "Extra data" in str(cause) else "looking for beginning of value"
    if "property name" in str(cause):
        place = "looking for beginning of object key string"
    elif "':' delimiter" in str(cause):
        place = "after object key"
    elif "',' delimiter" in str(cause):
        place = "after object key:value pair" if text[:position].count("{") > text[:position].count("}") else "after array element"
    return f"invalid character {_shown(text[position])} {place}"


def _shown(char: str) -> str:
    return {"'": r"'\\''", '"': "'\"'"}.get(char, f"'{char}'")


def _go_name(value: object) -> str:
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "bool"
    return "array" if isinstance(value, list) else "number"
