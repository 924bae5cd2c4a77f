"""Service: defaults by type, linked and kept values, families, rules."""
from typing import Any

import pytest

from kcore.machinery.kinds.core import service
from kcore.machinery.kinds.core.service_families import assign_families
from kcore.machinery.kinds.core.service_validation import validate_service, validate_service_update, validate_status_update

Spec = dict[str, Any]


def made(**spec: Any) -> dict[str, Any]:
    value: dict[str, Any] = {"metadata": {"name": "s"}, "spec": spec}
    service.RULES.default(value)
    service.RULES.prepare_create(value)
    return value


def messages(errors: list[Any]) -> list[str]:
    return [error.message() for error in errors]


def http(**more: Any) -> dict[str, Any]:
    return {"port": 80, "protocol": "TCP", **more}


def test_a_plain_service_gets_its_defaults() -> None:
    assert made(ports=[http()])["spec"] == {
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}], "type": "ClusterIP", "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster",
    }


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            {"type": "LoadBalancer"},
            {"externalTrafficPolicy": "Cluster", "allocateLoadBalancerNodePorts": True, "internalTrafficPolicy": "Cluster"},
        ),
        ({"type": "NodePort"}, {"externalTrafficPolicy": "Cluster"}),
        ({"externalIPs": ["1.2.3.4"]}, {"externalTrafficPolicy": "Cluster"}),
        ({"type": "ExternalName"}, {"sessionAffinity": "None"}),
        ({"sessionAffinity": "ClientIP"}, {"sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}}}),
        ({"clusterIP": "None"}, {"clusterIPs": ["None"]}),
    ],
)
def test_other_defaults_follow_type_and_affinity(spec: Spec, expected: Spec) -> None:
    found = made(**spec)["spec"]
    assert {field: found.get(field) for field in expected} == expected


def test_the_affinity_config_goes_with_the_affinity() -> None:
    assert "sessionAffinityConfig" not in made(sessionAffinityConfig={"clientIP": {"timeoutSeconds": 5}})["spec"]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, ["spec.ports: Required value"]),
        ({"clusterIP": "None"}, []),
        ({"ports": [http(), http()]}, [
            "spec.ports[0].name: Required value", "spec.ports[1].name: Required value",
            'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
        ]),
        ({"ports": [http(nodePort=30000)]}, ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"]),
        ({"type": "NodePort", "clusterIP": "None", "ports": [http()]}, [
            "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services",
        ]),
        ({"type": "ExternalName"}, ["spec.externalName: Required value"]),
        ({"type": "ExternalName", "externalName": "a.b.", "clusterIP": "1.2.3.4"}, [
            "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
        ]),
        ({"ports": [http()], "clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.2"]}, [
            'spec.clusterIPs: Invalid value: ["10.0.0.2"]: first value must match `clusterIP`',
        ]),
        ({"ports": [http()], "loadBalancerClass": "a.b/c"}, [
            "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
        ]),
        ({"ports": [http()], "loadBalancerSourceRanges": ["x"]}, [
            "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
            'spec.LoadBalancerSourceRanges[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
        ]),
        ({"ports": [http()], "externalTrafficPolicy": "Local"}, [
            'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
        ]),
        ({"ports": [http()], "externalIPs": ["127.0.0.1"]}, [
            'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
        ]),
        ({"ports": [http(targetPort="x" * 20)]}, [
            f'spec.ports[0].targetPort: Invalid value: "{"x" * 20}": must be no more than 15 characters',
        ]),
        ({"type": "LoadBalancer", "ports": [http(port=10250)]}, [
            "spec.ports[0]: Invalid value: 10250: may not expose port 10250 externally since it is used by kubelet",
        ]),
        ({"ports": [http()], "sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 0}}}, [
            "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400",
        ]),
    ],
)
def test_what_breaks_a_rule_is_named(spec: Spec, expected: list[str]) -> None:
    assert messages(validate_service(made(**spec))) == expected


@pytest.mark.parametrize(
    ("spec", "families", "policy"),
    [
        ({}, ["IPv4"], "SingleStack"),
        ({"ipFamilyPolicy": "PreferDualStack"}, ["IPv4"], "PreferDualStack"),
        ({"clusterIP": "None"}, ["IPv4", "IPv6"], "RequireDualStack"),
        ({"clusterIP": "None", "selector": {"a": "b"}}, ["IPv4"], "SingleStack"),
    ],
)
def test_families_come_from_what_the_cluster_has(spec: Spec, families: list[str], policy: str) -> None:
    value = made(**spec)
    assert assign_families(value, None, ("IPv4",)) == []
    assert (value["spec"]["ipFamilies"], value["spec"]["ipFamilyPolicy"]) == (families, policy)


def test_a_dual_stack_cluster_gives_both_families() -> None:
    value = made(ipFamilyPolicy="PreferDualStack", ipFamilies=["IPv6"])
    assert assign_families(value, None, ("IPv4", "IPv6")) == []
    assert value["spec"]["ipFamilies"] == ["IPv6", "IPv4"]
    assert assign_families(made(type="ExternalName"), None, ("IPv4",)) == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"ipFamilyPolicy": "RequireDualStack"}, [
            'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
        ]),
        ({"ipFamilies": ["IPv6"]}, ['spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster']),
        ({"clusterIP": "fd00::1"}, ['spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster']),
        ({"ipFamilies": ["IPv4", "IPv4"]}, ['spec.ipFamilies[1]: Duplicate value: "IPv4"']),
    ],
)
def test_a_family_that_the_cluster_has_not_is_refused(spec: Spec, expected: list[str]) -> None:
    assert messages(assign_families(made(**spec), None, ("IPv4",))) == expected


def stored(**more: Any) -> dict[str, Any]:
    value = made(ports=[http(name="a", nodePort=30001), http(name="b", port=81, nodePort=30002)], type="NodePort", clusterIP="10.0.0.1")
    value["spec"].update(more)
    return value


def test_an_update_keeps_what_was_allocated() -> None:
    new: dict[str, Any] = {"spec": {"type": "NodePort", "ports": [http(name="b", port=82), http(name="c", nodePort=30001)]}}
    service.RULES.prepare_update(new, stored())
    assert (new["spec"]["clusterIP"], new["spec"]["clusterIPs"]) == ("10.0.0.1", ["10.0.0.1"])
    assert [port.get("nodePort") for port in new["spec"]["ports"]] == [30002, 30001]


def test_an_update_to_another_type_drops_what_that_type_has_no_use_for() -> None:
    old = stored(ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack")
    ports = [dict(port) for port in old["spec"]["ports"]]
    new: dict[str, Any] = {"spec": {**old["spec"], "type": "ExternalName", "externalName": "a.b", "ports": ports}}
    service.RULES.prepare_update(new, old)
    assert not {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "externalTrafficPolicy"} & set(new["spec"])
    assert all("nodePort" not in port for port in new["spec"]["ports"])


def test_a_cluster_ip_never_changes() -> None:
    old = stored()
    new: dict[str, Any] = {"spec": {**old["spec"], "clusterIP": "10.0.0.9"}}
    service.RULES.prepare_update(new, old)
    assert messages(validate_service_update(new, old)) == ['spec.clusterIPs[0]: Invalid value: ["10.0.0.9"]: may not change once set']
    external = {"spec": {"type": "ExternalName", "externalName": "a.b"}}
    assert validate_service_update(old, external) == []


def test_the_health_check_port_never_changes() -> None:
    old = made(type="LoadBalancer", ports=[http()], externalTrafficPolicy="Local", healthCheckNodePort=30005)
    new = {"spec": {**old["spec"], "healthCheckNodePort": 30006}}
    assert messages(validate_service_update(new, old)) == ["spec.healthCheckNodePort: Forbidden: field is immutable"]


def test_only_a_load_balancer_has_addresses_in_its_status() -> None:
    status = {"loadBalancer": {"ingress": [{"ip": "1.2.3.4", "ipMode": "VIP"}, {"hostname": "1.2.3.4"}, {"ipMode": "Proxy"}]}}
    assert messages(validate_status_update({"spec": {"type": "ClusterIP"}, "status": status}, {})) == [
        "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"
    ]
    assert [error.field for error in validate_status_update({"spec": {"type": "LoadBalancer"}, "status": status}, {})] == [
        "status.loadBalancer.ingress[1].hostname", "status.loadBalancer.ingress[2].ipMode",
    ]


def test_deprecated_values_are_warned_of_when_they_are_new() -> None:
    value = made(ports=[http()], externalIPs=["1.2.3.4"], trafficDistribution="PreferClose")
    assert service.RULES.warnings(value, None) == [
        "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
        'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
    ]
    assert service.RULES.warnings(value, value) == []
