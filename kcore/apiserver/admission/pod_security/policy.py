"""Which level of which version is enforced, audited and warned of, as labels of a namespace say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from kcore.machinery import field_error

LABEL = "pod-security.kubernetes.io/"
LEVELS = ("privileged", "baseline", "restricted")
PRIVILEGED, BASELINE, RESTRICTED = LEVELS
LATEST = 1 << 30
VERSION = re.compile(r"v1\.([0-9]|[1-9][0-9]*)")
MODES = ("enforce", "audit", "warn")


class Level(NamedTuple):
    """A level in a version: the minor number, or LATEST."""

    name: str = PRIVILEGED
    minor: int = LATEST

    def __str__(self) -> str:
        return f"{self.name}:{'latest' if self.minor == LATEST else f'v1.{self.minor}'}"


class Policy(NamedTuple):
    """What holds in a namespace."""

    enforce: Level = Level()
    audit: Level = Level()
    warn: Level = Level()


NOTHING = Policy()


def policy_of(labels: Mapping[str, str]) -> tuple[Policy, list[field_error.FieldError]]:
    """Read the labels of a namespace. What cannot be read counts as the strictest where it is enforced, else as the laxest level."""
    errors: list[field_error.FieldError] = []
    levels: list[Level] = []
    for mode in MODES:
        name = labels.get(LABEL + mode, PRIVILEGED)
        if name not in LEVELS:
            errors.append(field_error.invalid(path(mode), name, f"must be one of {', '.join(LEVELS)}"))
            name = RESTRICTED if mode == "enforce" else PRIVILEGED
        version = labels.get(f"{LABEL}{mode}-version", "latest")
        match = VERSION.fullmatch(version)
        if match is None and version != "latest":
            errors.append(field_error.invalid(path(f"{mode}-version"), version, 'must be "latest" or "v1.x"'))
        levels.append(Level(name, int(match[1]) if match else LATEST))
    return Policy(*levels), errors


def path(label: str) -> str:
    """Where a label stands in a namespace."""
    return f"metadata.labels[{LABEL}{label}]"
