"""Features that may be switched on: `--feature-gates GenericWorkload=true`, as for the programs of Kubernetes.

What is on is a set of names that is handed to whom it concerns; nothing is global, so that clusters in one process may differ.
"""
from __future__ import annotations

from typing import Final

GENERIC_WORKLOAD: Final = "GenericWorkload"
"""PodGroups and Workloads are served, and pods of a group are scheduled together."""

KNOWN: Final = (GENERIC_WORKLOAD,)
"""All features; each is off unless it is switched on."""

Features = frozenset[str]
NO_FEATURES: Final[Features] = frozenset()

_TRUTH: Final = {"true": True, "false": False, "1": True, "0": False, "t": True, "f": False}


class FeatureGateError(ValueError):
    """A text does not say which features are on."""


def parse(text: str) -> Features:
    """Read `A=true,B=false`; what is said last of a feature holds.

    Raises  FeatureGateError
    """
    on: dict[str, bool] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, equals, value = (each.strip() for each in part.partition("="))
        if not equals:
            raise FeatureGateError(f"missing bool value for {name}")
        if name not in KNOWN:
            raise FeatureGateError(f"unrecognized feature gate: {name}; there is {', '.join(KNOWN)}")
        if value.lower() not in _TRUTH:
            raise FeatureGateError(f"invalid value of {name}={value}, must be true or false")
        on[name] = _TRUTH[value.lower()]
    return frozenset(name for name, is_on in on.items() if is_on)
