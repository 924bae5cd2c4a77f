"""Reading YAML and JSON texts, and what Go's readers say of a text that is neither. Pure.

Source: encoding/json's scanner, go-yaml's `fail`, apiserver `pkg/endpoints/handlers/rest.go` (summarizeData).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kcore.base import limits

if TYPE_CHECKING:
    import yaml

SUMMARY_SIZE = 30
VERSION_KIND = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
# What Python's reader misses -> how Go's says which character is wrong there.
PLACES = {
    "Expecting value": "looking for beginning of value",
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Expecting ':' delimiter": "after object key",
    "Expecting ',' delimiter": "after object key:value pair",
    "Extra data": "after top-level value",
    "Illegal trailing comma before end of object": "looking for beginning of object key string",
    "Illegal trailing comma before end of array": "looking for beginning of value",
}


LITERALS = ("true", "false", "null")


class TextError(ValueError):
    """A text cannot be read; says why in the words of Go's readers."""


def summary(data: bytes) -> str:
    """The start of a body for an error: as text if it looks like JSON, else in hexadecimal."""
    if not data:
        return "<empty>"
    head = data[:SUMMARY_SIZE]
    shown = head.decode(errors="replace") if data[:1] == b"{" else head.hex()
    return shown + (" ..." if len(data) > SUMMARY_SIZE else "")


def no_object(value: Any) -> str:
    """What is said of a JSON text that is no object."""
    names = {list: "array", str: "string", bool: "bool", int: "number", float: "number"}
    detail = f"json: cannot unmarshal {names[type(value)]} into Go value of type {VERSION_KIND}"
    return f"couldn't get version/kind; json parse error: {detail}"


def json_error(data: bytes, encoding: str = "utf-8") -> str:
    """What is wrong with a text that is no JSON."""
    text = data.decode(encoding, errors="replace")
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        rest = text[error.pos :].lstrip()
        if not rest or error.msg.startswith("Unterminated string"):
            return "unexpected end of JSON input"
        for word in LITERALS:
            if rest[0] == word[0]:
                at = next((i for i, (have, want) in enumerate(zip(rest, word, strict=False)) if have != want), len(rest))
                if at < len(rest):
                    return f"invalid character {rest[at]!r} in literal {word} (expecting {word[at]!r})"
                return "unexpected end of JSON input"
        return f"invalid character {rest[0]!r} {PLACES.get(error.msg, 'in string literal')}"
    except RecursionError:
        return "exceeded max depth"
    except ValueError:  # Python reads no whole number of thousands of digits
        return "a number has too many digits"
    return "invalid UTF-8 in string literal"


def load_yaml(data: bytes) -> tuple[Any, list[str]]:
    """Read the first document of a YAML text; -> its value, complaints about doubled keys. Raises TextError."""
    import yaml  # dear, and few bodies are YAML

    from kcore.apiserver.entry import yaml_reader

    loader: Any = yaml_reader.Loader(data)
    try:
        if yaml_reader.is_too_long(data):
            raise TextError(f"yaml: document has more than {limits.YAML_NODES_MAX} nodes")
        if not loader.check_node():
            return None, []
        node = loader.get_node()
        check_aliases(node)
        return loader.construct_document(node), doubled_keys(node)
    except yaml.MarkedYAMLError as error:
        raise TextError(yaml_error(error)) from error
    except TextError:
        raise
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise TextError(f"yaml: {error}") from error
    finally:
        loader.dispose()


def yaml_error(error: yaml.MarkedYAMLError) -> str:
    """What is wrong with a text that is no YAML, with go-yaml's idea of the line."""
    from yaml.scanner import ScannerError

    scanned = isinstance(error, ScannerError)
    for mark in (error.context_mark, error.problem_mark):
        if mark is not None and mark.line:
            return f"yaml: line {mark.line + scanned}: {error.problem}"
    return f"yaml: {error.problem}"


def check_aliases(root: Any) -> None:
    """Refuse a text that contains itself, or is larger than a body may be when its aliases are written out. Raises TextError.

    Walks with a stack of its own; a node that was entered and not left contains the one that is looked at.
    """
    sizes: dict[int, int] = {}
    own_size = 0
    waiting = [(root, False)]
    while waiting:
        node, is_left = waiting.pop()
        if is_left:
            own = limits.YAML_NODE_BYTES + (len(node.value) if node.id == "scalar" else 0)
            own_size += own
            sizes[id(node)] = own + sum(sizes[id(part)] for part in parts_of(node))
        elif sizes.get(id(node)) == 0:
            raise TextError("yaml: anchor value contains itself")
        elif id(node) not in sizes:
            sizes[id(node)] = 0
            waiting.append((node, True))
            waiting.extend((part, False) for part in parts_of(node))
    if sizes[id(root)] > max(limits.REQUEST_BODY_BYTES_MAX, own_size):
        raise TextError("yaml: document contains excessive aliasing")


def parts_of(node: Any) -> list[Any]:
    """The nodes of which a node of a YAML text is made: items, or keys and values."""
    parts: list[Any] = node.value if node.id != "scalar" else []
    return [part for pair in parts for part in pair] if node.id == "mapping" else parts


def doubled_keys(root: Any) -> list[str]:
    """Keys that stand twice in one mapping, with the line of the later one."""
    import yaml

    found: list[str] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if key.value in seen:
                        found.append(f'line {key.start_mark.line + 1}: key "{key.value}" already set in map')
                    seen.add(key.value)
                waiting.append(value)
    return found
