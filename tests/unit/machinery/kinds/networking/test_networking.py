"""Ingress, IngressClass and NetworkPolicy."""
from typing import Any

import pytest

from kcore.machinery.kinds.networking import ingress, ingressclass, networkpolicy

Spec = dict[str, Any]
SERVICE: Spec = {"service": {"name": "s", "port": {"number": 80}}}


def messages(errors: list[Any]) -> list[str]:
    return [error.message() for error in errors]


def paths(**path: Any) -> Spec:
    return {"rules": [{"host": "a.b", "http": {"paths": [{"pathType": "Prefix", "path": "/", "backend": SERVICE, **path}]}}]}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"defaultBackend": SERVICE}, []), (paths(), []), (paths(pathType="ImplementationSpecific", path=""), []),
        ({}, ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"]),
        ({"defaultBackend": {}}, ['spec.defaultBackend: Invalid value: "": resource or service backend is required']),
        ({"defaultBackend": {"service": {"name": "s"}}}, ["spec.defaultBackend: Required value: port name or number is required"]),
        ({"defaultBackend": {**SERVICE, "resource": {}}}, [
            'spec.defaultBackend: Invalid value: "": cannot set both resource and service backends',
        ]),
        (paths(path="x"), ['spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path']),
        (paths(path="/a//b/.."), [
            'spec.rules[0].http.paths[0].path: Invalid value: "/a//b/..": must not contain \'//\'',
            'spec.rules[0].http.paths[0].path: Invalid value: "/a//b/..": cannot end with \'/..\'',
        ]),
        (paths(pathType=None, backend={}), ["spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified"]),
        ({"rules": [{"host": "1.2.3.4", "http": {"paths": []}}]}, [
            'spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
            "spec.rules[0].http.paths: Required value",
        ]),
    ],
)
def test_what_breaks_an_ingress_is_named(spec: Spec, expected: list[str]) -> None:
    assert messages(ingress.RULES.validate({"spec": spec})) == expected


def test_the_class_of_an_ingress_is_named_in_one_place() -> None:
    spec = {"defaultBackend": SERVICE, "ingressClassName": "x"}
    value = {"metadata": {"annotations": {ingress.CLASS_ANNOTATION: "x"}}, "spec": spec}
    assert [error.field for error in ingress.RULES.validate(value)] == ["metadata.annotations[kubernetes.io/ingress.class]"]
    assert ingress.RULES.validate_update(value, value) == []
    assert len(ingress.RULES.warnings(value, None)) == 1
    status = {"status": {"loadBalancer": {"ingress": [{"ip": "x"}, {"hostname": "1.2.3.4"}]}}}
    assert [error.field for error in ingress.RULES.validate_status_update(status, {})] == [
        "status.loadBalancer.ingress[0].ip", "status.loadBalancer.ingress[1].hostname",
    ]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"kind": "K", "name": "n", "scope": "Cluster"}, []),
        ({"kind": "K", "name": "n", "scope": "Cluster", "namespace": "d"}, [
            "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'",
        ]),
        ({"kind": "K", "name": "n", "scope": "Namespace"}, [
            "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
        ]),
        ({"scope": "X"}, [
            "spec.parameters.kind: Required value", "spec.parameters.name: Required value",
            'spec.parameters.scope: Unsupported value: "X": supported values: "Cluster", "Namespace"',
        ]),
    ],
)
def test_parameters_of_a_class_say_where_they_are(parameters: Spec, expected: list[str]) -> None:
    assert messages(ingressclass.RULES.validate({"spec": {"controller": "a.b/c", "parameters": parameters}})) == expected


def test_the_controller_of_a_class_stays() -> None:
    errors = ingressclass.RULES.validate_update({"spec": {"controller": "a.b/d"}}, {"spec": {"controller": "a.b/c"}})
    assert messages(errors) == ['spec.controller: Invalid value: "a.b/d": field is immutable']


def test_a_policy_is_about_what_it_has_rules_for() -> None:
    value: Spec = {"spec": {"podSelector": {}}}
    networkpolicy.RULES.default(value)
    assert value["spec"]["policyTypes"] == ["Ingress"]
    value = {"spec": {"egress": [{}]}}
    networkpolicy.RULES.default(value)
    assert value["spec"]["policyTypes"] == ["Ingress", "Egress"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"from": [{"podSelector": {}}], "ports": [{"protocol": "TCP", "port": 80, "endPort": 90}]}, []),
        ({"from": [{}]}, ["spec.ingress[0].from[0]: Required value: must specify a peer"]),
        ({"from": [{"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}}]}, [
            "spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer",
        ]),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/8", "10.1.0.0/16"]}}]}, [
            'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/8": must be a strict subset of `cidr`',
        ]),
        ({"ports": [{"port": "http", "endPort": 5}]}, [
            "spec.ingress[0].ports[0].endPort: Invalid value: 5: may not be specified when `port` is non-numeric",
        ]),
        ({"ports": [{"port": 90, "endPort": 80}]}, [
            "spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`",
        ]),
        ({"ports": [{"protocol": "X"}]}, [
            'spec.ingress[0].ports[0].protocol: Unsupported value: "X": supported values: "TCP", "UDP", "SCTP"',
        ]),
    ],
)
def test_what_breaks_a_policy_is_named(rule: Spec, expected: list[str]) -> None:
    assert messages(networkpolicy.RULES.validate({"spec": {"ingress": [rule]}})) == expected
