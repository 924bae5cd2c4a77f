"""Stated defaults: where they are put and where they are not."""

from __future__ import annotations

from typing import Any

from kcore.machinery import codec, defaults


def defaulted(message: str, obj: dict[str, Any]) -> dict[str, Any]:
    codec.normalise(message, obj)
    defaults.apply(message, obj)
    return obj


def test_a_default_is_put_where_a_field_is_absent_or_has_no_presence_and_is_empty() -> None:
    spec = defaulted(
        "kcore.api.core.v1.Pod", {"spec": {"containers": [{"name": "c", "ports": [{"containerPort": 1}]}], "restartPolicy": ""}}
    )["spec"]
    assert spec["restartPolicy"] == "Always"
    assert spec["terminationGracePeriodSeconds"] == 30
    assert spec["containers"][0]["ports"] == [{"containerPort": 1, "protocol": "TCP"}]


def test_a_value_that_is_there_stays_even_if_it_is_zero() -> None:
    spec = defaulted("kcore.api.apps.v1.Deployment", {"spec": {"replicas": 0}})["spec"]
    assert spec["replicas"] == 0
    assert spec["revisionHistoryLimit"] == 10


def test_a_zero_that_stands_for_absence_is_not_put() -> None:
    assert defaulted("kcore.api.core.v1.ReplicationController", {"spec": {}})["spec"] == {"replicas": 1}


def test_nothing_is_put_into_a_message_that_is_absent() -> None:
    spec = defaulted("kcore.api.core.v1.Pod", {"spec": {"containers": [{"name": "c"}]}})["spec"]
    assert "livenessProbe" not in spec["containers"][0]


def test_a_message_without_presence_is_made_to_hold_its_defaults() -> None:
    obj: dict[str, Any] = {}
    defaults.apply("kcore.api.core.v1.Namespace", obj)
    assert obj["status"] == {"phase": "Active"}


def test_defaults_of_inline_messages_stand_in_their_parent() -> None:
    volume = defaulted("kcore.api.core.v1.Volume", {"name": "v", "secret": {"secretName": "s"}})
    assert volume["secret"] == {"secretName": "s", "defaultMode": 420}


def test_an_object_gets_a_default_of_its_own() -> None:
    first, second = ({"spec": {}} for _ in range(2))
    for obj in (first, second):
        defaults.apply("kcore.api.core.v1.Pod", obj)
    assert first["spec"]["securityContext"] == {}
    assert first["spec"]["securityContext"] is not second["spec"]["securityContext"]
