"""YAML as Kubernetes writes it. A module of its own, imported when the first client asks for YAML."""

from __future__ import annotations

from typing import Any

import yaml

TEXT = "tag:yaml.org,2002:str"
AMBIGUOUS = frozenset(("y", "Y", "n", "N"))
"""Words that readers of YAML 1.1 take for booleans, PyYAML not among them."""


class Dumper(yaml.SafeDumper):
    """Writes text plain where that reads back as text, in double quotes where not, and as a block where it has lines."""


def represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """How a text is written."""
    if "\n" in text and not any(line.endswith(" ") for line in text.split("\n")):
        return dumper.represent_scalar(TEXT, text, style="|")
    read_as: str = dumper.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return dumper.represent_scalar(TEXT, text, style=None if read_as == TEXT and text not in AMBIGUOUS else '"')


Dumper.add_representer(str, represent_text)


def dump(obj: Any) -> bytes:
    """A document with its keys in order."""
    text: str = yaml.dump(obj, Dumper=Dumper, sort_keys=True, allow_unicode=True, default_flow_style=False, width=1 << 16)
    return text.encode()
