"""ConfigMap, Secret, ServiceAccount, Namespace, Binding: what each refuses and prepares."""
import base64
from typing import Any

import pytest

from kcore.machinery.kinds.core import binding, configmap, namespace, secret, serviceaccount

Object = dict[str, Any]


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def messages(errors: list[Any]) -> list[str]:
    return [error.message() for error in errors]


def test_a_config_map_has_file_names_as_keys_and_one_megabyte_at_most() -> None:
    assert configmap.validate_config_map({"data": {"a": "1"}, "binaryData": {"b": encoded("x")}}) == []
    assert messages(configmap.validate_config_map({"data": {"a": "1"}, "binaryData": {"a": encoded("x")}})) == [
        'data[a]: Invalid value: "a": duplicate of key present in binaryData'
    ]
    assert messages(configmap.validate_config_map({"data": {"..": ""}})) == ['data[..]: Invalid value: "..": must not be \'..\'']
    assert messages(configmap.validate_config_map({"data": {"a": "x" * (1024 * 1024 + 1)}})) == [
        "[]: Too long: may not be more than 1048576 bytes"
    ]


def test_an_immutable_config_map_stays_as_it_is() -> None:
    old = {"immutable": True, "data": {"a": "1"}}
    update = configmap.RULES.validate_update
    assert update({"immutable": True, "data": {"a": "1"}, "binaryData": {}}, old) == []
    assert messages(update({"data": {"a": "2"}, "binaryData": {"b": ""}}, old)) == [
        f"{field}: Forbidden: field is immutable when `immutable` is set" for field in ("immutable", "data", "binaryData")
    ]


def test_the_text_of_a_secret_becomes_data() -> None:
    value: Object = {"data": {"a": encoded("1"), "b": encoded("2")}, "stringData": {"b": "3"}}
    secret.RULES.default(value)
    assert value == {"data": {"a": encoded("1"), "b": encoded("3")}}


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("Opaque", {}, []),
        ("kubernetes.io/basic-auth", {}, ["data[username]: Required value", "data[password]: Required value"]),
        ("kubernetes.io/basic-auth", {"username": ""}, []),
        ("kubernetes.io/ssh-auth", {"ssh-privatekey": ""}, ["data[ssh-privatekey]: Required value"]),
        ("kubernetes.io/tls", {"tls.crt": ""}, ["data[tls.key]: Required value"]),
        ("kubernetes.io/dockerconfigjson", {}, ["data[.dockerconfigjson]: Required value"]),
        ("kubernetes.io/dockercfg", {".dockercfg": encoded("{}")}, []),
        (
            "kubernetes.io/dockercfg", {".dockercfg": encoded("no")},
            ['data[.dockercfg]: Invalid value: "<secret contents redacted>": invalid character \'o\' in literal null (expecting \'u\')'],
        ),
        ("kubernetes.io/service-account-token", {}, ["metadata.annotations[kubernetes.io/service-account.name]: Required value"]),
    ],
)
def test_a_well_known_type_of_secret_needs_its_keys(kind: str, data: dict[str, str], expected: list[str]) -> None:
    assert messages(secret.RULES.validate({"type": kind, "data": data})) == expected


def test_the_type_of_a_secret_stays() -> None:
    new: Object = {}
    secret.RULES.prepare_update(new, {"type": "x"})
    assert new == {"type": "x"}
    assert messages(secret.RULES.validate_update({"type": "y"}, {"type": "x"})) == ['type: Invalid value: "y": field is immutable']


def test_a_service_account_keeps_names_of_secrets_only() -> None:
    value: Object = {"secrets": [{"name": "a", "namespace": "b"}, {"kind": "Secret"}]}
    serviceaccount.RULES.prepare_create(value)
    assert value == {"secrets": [{"name": "a"}, {}]}


def test_a_namespace_starts_active_with_label_and_finalizer() -> None:
    value: Object = {"metadata": {"name": "n", "labels": {"a": "b"}}, "status": {"phase": "Terminating"}}
    namespace.RULES.default(value)
    namespace.RULES.prepare_create(value)
    assert value == {
        "metadata": {"name": "n", "labels": {"a": "b", "kubernetes.io/metadata.name": "n"}},
        "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
    }


def test_the_finalizers_of_a_namespace_are_standard_or_qualified() -> None:
    assert namespace.RULES.validate({"spec": {"finalizers": ["kubernetes", "a.b/c"]}}) == []
    assert messages(namespace.RULES.validate({"spec": {"finalizers": ["x"]}})) == [
        'spec.finalizers: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified'
    ]
    assert [error.field for error in namespace.validate_finalize({"spec": {"finalizers": ["x"]}}, {})] == ["spec.finalizers[0]"]


def test_the_phase_of_a_namespace_follows_its_deletion() -> None:
    check = namespace.RULES.validate_status_update
    dying = {"metadata": {"deletionTimestamp": "t"}}
    assert check({"status": {"phase": "Active"}}, {}) == check({**dying, "status": {"phase": "Terminating"}}, {}) == []
    assert len(check({"status": {"phase": "Terminating"}}, {})) == len(check({**dying, "status": {"phase": "Active"}}, {})) == 1


def test_updates_of_a_namespace_take_neither_finalizers_nor_status() -> None:
    old: Object = {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    new: Object = {"metadata": {"labels": {}}, "spec": {"finalizers": []}, "status": {"phase": "Terminating"}}
    namespace.RULES.prepare_update(new, old)
    assert new == {"metadata": {"labels": {}}, **old}
    final: Object = {"spec": {"finalizers": []}}
    namespace.prepare_finalize(final, old)
    assert final == {"spec": {"finalizers": []}, "status": {"phase": "Active"}}


def test_a_binding_names_a_node() -> None:
    assert binding.RULES.validate({"target": {"kind": "Node", "name": "n1"}}) == []
    assert messages(binding.RULES.validate({"target": {"kind": "Pod"}})) == [
        'target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"', "target.name: Required value",
    ]
