"""Compiled defaulting against reading the options at every message; doubled names against counting them one by one."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.machinery import codec, defaults
from tests.property.machinery.messages import TEXT, objects
from tests.reference.machinery import defaults_twin

DEFAULTED = [
    "kcore.api.core.v1.Pod", "kcore.api.core.v1.PodSpec", "kcore.api.core.v1.Service", "kcore.api.core.v1.PersistentVolumeSpec",
    "kcore.api.apps.v1.Deployment", "kcore.api.discovery.v1.EndpointSlice", "kcore.api.core.v1.Namespace",
]  # fmt: skip
NAMED = st.sampled_from(DEFAULTED).flatmap(lambda name: st.tuples(st.just(name), objects(name, 6)))


@settings(max_examples=300)
@given(NAMED)
def test_defaulting_equals_the_twin_and_changes_nothing_twice(named: tuple[str, dict[str, Any]]) -> None:
    name, obj = named
    codec.normalise(name, obj)
    expected = defaults_twin.apply(name, copy.deepcopy(obj))
    defaults.apply(name, obj)
    assert obj == expected
    again = copy.deepcopy(obj)
    defaults.apply(name, again)
    assert again == obj


NAMES = st.sampled_from(["a", "b", 'q"', "x:y", "\\"])
MEMBERS = st.recursive(TEXT, lambda inner: st.lists(st.tuples(NAMES, inner), max_size=4).map(tuple), max_leaves=12)


def written(value: Any) -> str:
    """Write JSON in which objects are tuples of members, doubled ones included."""
    if isinstance(value, tuple):
        return "{" + ",".join(f"{json.dumps(name)}: {written(item)}" for name, item in value) + "}"
    return json.dumps(value)


def doubled(value: Any, path: str) -> list[str]:
    found = []
    if isinstance(value, tuple):
        names = [name for name, _ in value]
        for place, (name, item) in enumerate(value):
            inner = f"{path}.{name}" if path else name
            if name in names[:place]:
                found.append(inner)
            found += doubled(item, inner)
    return found


@settings(max_examples=500)
@given(MEMBERS)
def test_doubled_names_are_found_where_they_are(value: Any) -> None:
    expected = [f'duplicate field "{path}"' for path in dict.fromkeys(doubled(value, ""))]
    assert codec.strict_duplicates(written(value).encode()) == expected
