"""The printed form of specs, as it stands in errors."""

from __future__ import annotations

import json

import pytest

from kcore.machinery.kinds.core import pod_printed
from kcore.machinery.kinds.core.pod_printed import LAYOUTS, diff, items, printed, printed_list, same
from tests.unit.machinery.kinds.core.pods import Object, container, spec


@pytest.mark.parametrize("struct", sorted(LAYOUTS))
def test_every_layout_can_be_read(struct: str) -> None:
    assert all(item.nested in LAYOUTS for item in items(struct) if item.nested)
    assert len({item.go_name for item in items(struct)}) == len(items(struct))
    assert json.loads(printed(struct, {})) == pod_printed.tree(struct, {})


def test_names_of_fields_are_lowered_for_json() -> None:
    names = {item.go_name: item.json_name for item in items("PodSpec")} | {item.go_name: item.json_name for item in items("Container")}
    assert names["DNSPolicy"] == "dnsPolicy"
    assert names["HostPID"] == "hostPID"
    assert names["SetHostnameAsFQDN"] == "setHostnameAsFQDN"
    assert names["TTY"] == "tty"
    assert names["DeprecatedServiceAccount"] == "serviceAccount"
    assert {item.go_name: item.json_name for item in items("PodSecurityContext")}["FSGroup"] == "fsGroup"


def test_a_message_is_printed_in_order_and_with_zeros() -> None:
    assert printed("Toleration", {"key": "a", "tolerationSeconds": 5}) == (
        '{"Key":"a","Operator":"","Value":"","Effect":"","TolerationSeconds":5}'
    )
    assert printed("Toleration", None) == "null"
    assert printed_list("PodIP", [{"ip": "1.2.3.4"}, {}]) == '[{"IP":"1.2.3.4"},{"IP":""}]'
    assert printed_list("PodIP", []) == "null"


def test_characters_are_escaped_as_go_does() -> None:
    assert printed("PodIP", {"ip": "<é&>\u2028"}) == '{"IP":"\\u003cé\\u0026\\u003e\\u2028"}'


def test_metadata_is_printed_by_its_json_names() -> None:
    found = printed("PodTemplateSpec", {"metadata": {"labels": {"b": "1", "a": "2"}, "name": "n", "uid": "u"}})
    assert found.startswith('{"name":"n","uid":"u","labels":{"a":"2","b":"1"},"Spec":{"Volumes":null,')


def test_a_difference_shows_the_lines_around_it() -> None:
    lines = diff("PodSpec", spec(), spec(hostname="h")).split("\n")
    assert lines[0].startswith("@@ -")
    assert next(line for line in lines if line[:1] in "+-") == '- "Hostname": "",'
    assert '+ "Hostname": "h",' in lines
    assert len(lines) == 1 + 3 + 2 + 3 + 1


def test_specs_that_mean_the_same_are_the_same() -> None:
    limits: Object = {"limits": {"cpu": "1", "memory": "1024Mi"}}
    other: Object = {"limits": {"cpu": "1000m", "memory": "1Gi"}}
    assert same("PodSpec", spec(containers=[container(resources=limits)]), spec(containers=[container(resources=other)]))
    assert same("PodSpec", spec(volumes=[], nodeSelector={}), spec())
    assert not same("PodSpec", spec(hostname="h"), spec())
