"""Reading configurations: the fields that they speak of, and the sentences for what does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.machinery.apply.schema import LIST, List, Struct, type_of
from kcore.machinery.apply.tracking import shape_of
from kcore.machinery.apply.typed import TypedError, fields_of, go_number

DEPLOYMENT = shape_of("kcore.api.apps.v1.Deployment")
CONFIGMAP = shape_of("kcore.api.core.v1.ConfigMap")


def pod_spec(**spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": spec}}}


def below(found: dict[str, Any], *elements: str) -> dict[str, Any]:
    for element in elements:
        found = found[element]
    return found


def spec_fields(**spec: Any) -> dict[str, Any]:
    return below(fields_of(pod_spec(**spec), DEPLOYMENT), "f:spec", "f:template", "f:spec")


def test_an_element_of_a_list_is_known_by_its_keys_and_owned_with_what_it_states() -> None:
    found = spec_fields(containers=[{"name": "c", "ports": [{"containerPort": 80}]}])
    port = {".": {}, "f:containerPort": {}}
    ports = {'k:{"containerPort":80,"protocol":"TCP"}': port}
    assert found == {"f:containers": {'k:{"name":"c"}': {".": {}, "f:name": {}, "f:ports": ports}}}


def test_what_is_atomic_is_one_field() -> None:
    assert spec_fields(nodeSelector={"a": "b"}, tolerations=[{"key": "a"}]) == {"f:nodeSelector": {}, "f:tolerations": {}}


def test_null_and_empty_objects_are_fields_and_empty_lists_are_none() -> None:
    assert spec_fields(volumes=None, securityContext={}, containers=[]) == {"f:volumes": {}, "f:securityContext": {}}


def test_entries_of_maps_and_elements_of_sets_are_fields() -> None:
    found = fields_of({"metadata": {"labels": {"a": "b"}, "finalizers": ["x/y"]}}, CONFIGMAP)
    assert found == {"f:metadata": {"f:labels": {"f:a": {}}, "f:finalizers": {'v:"x/y"': {}}}}


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"foo": 1}, ".foo: field not declared in schema"),
        ({"data": {"a": 1}}, ".data.a: expected string, got &value.valueUnstructured{Value:1}"),
        ({"data": {"a": {"b": [1, None]}}}, '.data.a: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"b":'
         "[]interface {}{1, interface {}(nil)}}}"),
        ({"data": ["x"]}, ".data: expected map, got &{[x]}"),
        ({"immutable": "yes"}, ".immutable: expected boolean, got &{yes}"),
        ({"metadata": {"finalizers": {}}}, ".metadata.finalizers: expected list, got &{map[]}"),
        ({"metadata": {"finalizers": ["a", "a"]}}, '.metadata.finalizers: duplicate entries for key [="a"]'),
        ({"metadata": {"finalizers": [{}]}},
         ".metadata.finalizers: element 0: associative list without keys has an element that's a map type"),
        ({"metadata": {"ownerReferences": [{"uid": "u", "x": 1}]}}, '.metadata.ownerReferences[uid="u"].x: field not declared in schema'),
        ({"data": {"a": 1}, "immutable": 2}, "errors:\n  .data.a: expected string, got &value.valueUnstructured{Value:1}\n"
         "  .immutable: expected boolean, got &{2}"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_in_the_words_of_kubernetes(spec: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TypedError) as caught:
        fields_of(spec, CONFIGMAP)
    assert str(caught.value) == sentence


def test_what_is_atomic_is_checked_to_its_last_item() -> None:
    with pytest.raises(TypedError) as caught:
        fields_of(pod_spec(tolerations=[{"key": "a"}, {"kee": "a"}]), DEPLOYMENT)
    assert str(caught.value) == ".spec.template.spec.tolerations[1].kee: field not declared in schema"
    with pytest.raises(TypedError) as numeric:
        fields_of({"spec": {"replicas": "2"}}, DEPLOYMENT)
    assert str(numeric.value) == ".spec.replicas: expected numeric (int or float), got string"


@pytest.mark.parametrize(
    ("value", "text"), [(1, "1"), (2.5, "2.5"), (10**6, "1e+06"), (1234567, "1.234567e+06"), (0.00001, "1e-05"), (True, "true"), (0, "0")]
)
def test_numbers_are_shown_as_go_prints_floats(value: float, text: str) -> None:
    assert go_number(value) == text


def test_a_key_that_json_leaves_out_when_empty_has_no_default_unless_kubernetes_gives_it_one() -> None:
    account, pod = type_of("kcore.api.core.v1.ServiceAccount"), type_of("kcore.api.core.v1.PodSpec")
    assert isinstance(account, Struct)
    assert isinstance(pod, Struct)
    secrets, pull_secrets, ephemeral = account.fields["secrets"], pod.fields["imagePullSecrets"], pod.fields["ephemeralContainers"]
    assert [found.defaults for found in (secrets, pull_secrets, ephemeral) if isinstance(found, List)] == [{}, {"name": ""}, {"name": ""}]
    assert secrets.tag == LIST
