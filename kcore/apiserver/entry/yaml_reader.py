"""YAML as Kubernetes reads it. A module of its own, imported when the first body is YAML.

What looks like a number of base 60 (`1:30`) or a time is text, as it is to the reader in Go; that in Python takes seconds for a long one.

Source: go-yaml v2 `resolve.go`, `decode.go`.
"""

from __future__ import annotations

from typing import Any

import yaml

from kcore.base import limits

Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PREFIX = "tag:yaml.org,2002:"


class Loader(Base):  # type: ignore[misc]
    """Reads one document."""


def construct_number(loader: Any, node: Any) -> Any:
    """A number, or the text of what is none."""
    text = loader.construct_scalar(node)
    if ":" in text:
        return text
    return loader.construct_yaml_float(node) if node.tag == f"{PREFIX}float" else loader.construct_yaml_int(node)


for kind in ("int", "float"):
    Loader.add_constructor(f"{PREFIX}{kind}", construct_number)
Loader.add_constructor(f"{PREFIX}timestamp", lambda loader, node: loader.construct_scalar(node))


def is_too_long(data: bytes) -> bool:
    """Whether a text has more nodes than are read; looks no further than to the first that is too many."""
    found = 0
    for event in yaml.parse(data, Loader=Base):
        found += isinstance(event, yaml.NodeEvent)
        if found > limits.YAML_NODES_MAX:
            return True
    return False
