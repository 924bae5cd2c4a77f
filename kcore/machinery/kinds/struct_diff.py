"""What changed between two messages, in the form in which Kubernetes shows it: a unified diff of the indented JSON of its Go structs."""
from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any, Final

from kcore.machinery.field_error import StructField, struct_tree

_CONTEXT_LINES: Final = 3


def struct_diff(old: Mapping[str, Any], new: Mapping[str, Any], fields: tuple[StructField, ...]) -> str:
    """Return the lines of the diff, each with its end; empty if nothing changed, which costs next to nothing."""
    if _given(old) == _given(new):
        return ""
    before, after = (json.dumps(struct_tree(value, fields), indent=1, ensure_ascii=False).splitlines() for value in (old, new))
    lines = list(difflib.unified_diff(before, after, n=_CONTEXT_LINES, lineterm=""))[2:]
    return "".join(f"{line}\n" for line in lines)


def _given(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: field for name, field in value.items() if field is not None}
