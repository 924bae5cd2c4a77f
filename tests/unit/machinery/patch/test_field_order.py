"""The order in which a patched text names fields."""

from __future__ import annotations

from kcore.machinery import codec
from kcore.machinery.patch import field_order


def test_fields_stand_as_in_kubernetes_types() -> None:
    container = {"imagePullPolicy": "Always", "env": [], "envFrom": [], "name": ""}
    pod = {
        "spec": {"schedulerName": "s", "hostname": "h", "containers": [container]}, "other": 1,
        "metadata": {"labels": {"b": "1", "a": "2"}, "uid": "u", "name": "n"}, "apiVersion": "v1", "kind": "Pod",
    }  # fmt: skip
    found = field_order.in_field_order(codec.table("kcore.api.core.v1.Pod"), pod)
    assert found == pod
    assert [*found] == ["kind", "apiVersion", "metadata", "spec", "other"]
    assert [*found["metadata"]] == ["name", "uid", "labels"]
    assert [*found["metadata"]["labels"]] == ["a", "b"]
    assert [*found["spec"]] == ["containers", "hostname", "schedulerName"]
    assert [*found["spec"]["containers"][0]] == ["name", "envFrom", "env", "imagePullPolicy"]


def test_every_field_of_a_type_has_its_place() -> None:
    for message, places in field_order._PLACES.items():
        assert field_order._fields(codec.table(message)).keys() == places.keys(), message
