"""Laying a configuration over a live object: what wins, what stays, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.machinery.apply.merging import merge
from kcore.machinery.apply.tracking import shape_of

POD = shape_of("kcore.api.core.v1.Pod")


def containers(names: str) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": name} for name in names]}}


@pytest.mark.parametrize(
    ("live", "wanted", "merged"),
    [("abc", "", "abc"), ("abc", "b", "abc"), ("abc", "d", "abcd"), ("abc", "ca", "bca"), ("abc", "xc", "abxc"), ("", "ba", "ba"),
     ("ab", "ba", "ba"), ("abcd", "dxa", "bcdxa"), ("ab", "xyb", "axyb")],
)  # fmt: skip
def test_elements_stand_in_the_order_of_the_configuration_and_the_others_where_they_stood(live: str, wanted: str, merged: str) -> None:
    found = merge(containers(live), containers(wanted), POD)
    assert "".join(container["name"] for container in found["spec"]["containers"]) == merged


def test_what_changes_nothing_is_the_live_object_itself() -> None:
    live = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "x", "args": ["1"]}]}}
    assert merge(live, {"spec": {"containers": [{"name": "c", "args": ["1"]}]}}, POD) is live


def test_what_is_atomic_is_replaced_and_null_takes_the_place_of_a_scalar_only() -> None:
    live = {"spec": {"nodeSelector": {"a": "b"}, "nodeName": "n", "containers": [{"name": "c", "args": ["1", "2"]}]}}
    wanted = {"spec": {"nodeSelector": {"c": "d"}, "nodeName": None, "containers": [{"name": "c", "args": ["3"], "env": None}]}}
    found = merge(live, wanted, POD)["spec"]
    assert found == {"nodeSelector": {"c": "d"}, "nodeName": None, "containers": [{"name": "c", "args": ["3"], "env": None}]}
    assert merge(live, {"spec": {"containers": None}}, POD) is live


def test_elements_that_stand_twice_are_taken_as_they_are_stated() -> None:
    env = [{"name": "E", "value": "1"}, {"name": "E", "value": "2"}]
    live = {"spec": {"containers": [{"name": "c", "env": env}]}}
    assert merge(live, {"spec": {"containers": [{"name": "c", "env": [{"name": "F"}]}]}}, POD)["spec"]["containers"][0]["env"] == [
        *env, {"name": "F"},
    ]  # fmt: skip
    found = merge(live, {"spec": {"containers": [{"name": "c", "env": [{"name": "E"}]}]}}, POD)
    assert found["spec"]["containers"][0]["env"] == [{"name": "E"}]
