"""The spec of a pod outside its containers and volumes."""

from typing import Any

import pytest

from tests.unit.machinery.kinds.core.pods import wrong_spec

IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"terminationGracePeriodSeconds": None}, ["terminationGracePeriodSeconds: Required value"]),
        ({"restartPolicy": None}, ["restartPolicy: Required value"]),
        ({"restartPolicy": "x"}, ['restartPolicy: Unsupported value: "x": supported values: "Always", "OnFailure", "Never"']),
        ({"dnsPolicy": None}, ["dnsPolicy: Required value"]),
        ({"dnsPolicy": "x"}, [
            'dnsPolicy: Unsupported value: "x": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
        ]),
        ({"activeDeadlineSeconds": 0}, ["activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"]),
        ({"hostUsers": False, "hostNetwork": True, "hostPID": True, "hostIPC": True}, [
            "hostNetwork: Forbidden: when `hostUsers` is false", "HostPID: Forbidden: when `hostUsers` is false",
            "HostIPC: Forbidden: when `hostUsers` is false",
        ]),
        ({"preemptionPolicy": ""}, ["preemptionPolicy: Required value"]),
        ({"preemptionPolicy": "x"}, ['preemptionPolicy: Unsupported value: "x": supported values: "PreemptLowerPriority", "Never"']),
        ({"schedulingGates": [{"name": "a"}, {"name": "a"}]}, ['schedulingGates[1]: Duplicate value: "a"']),
        ({"readinessGates": [{"conditionType": "example.com/x"}]}, []),
        ({"hostnameOverride": "h.example.com"}, []),
    ],
)
def test_plain_fields_have_their_rules(fields: dict[str, Any], expected: list[str]) -> None:
    assert wrong_spec(**fields) == [f"spec.{message}" for message in expected]


@pytest.mark.parametrize(
    "field", ["serviceAccountName", "nodeName", "hostname", "subdomain", "priorityClassName", "runtimeClassName", "hostnameOverride"],
)
def test_names_in_the_spec_are_dns_names(field: str) -> None:
    wrong = wrong_spec(**{field: "Bad Value!"})
    assert len(wrong) == 1
    assert wrong[0].startswith(f'spec.{field}: Invalid value: "Bad Value!": a lowercase RFC 1123 ')


def test_node_selectors_are_labels() -> None:
    wrong = wrong_spec(nodeSelector={"a b": "c d"})
    assert [message.partition(":")[0] for message in wrong] == ["spec.nodeSelector"] * 2


def test_gates_and_conditions_have_qualified_names() -> None:
    assert len(wrong_spec(schedulingGates=[{}])) == 2
    assert len(wrong_spec(readinessGates=[{"conditionType": ""}])) == 2


def test_a_pod_without_dns_policy_brings_its_own_nameservers() -> None:
    assert wrong_spec(dnsPolicy="None") == ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"]
    assert wrong_spec(dnsPolicy="None", dnsConfig={}) == [
        "spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None",
    ]
    config = {"nameservers": ["1.1.1.1"], "searches": [".", "a_b.c."], "options": [{"name": "n"}]}
    assert wrong_spec(dnsPolicy="None", dnsConfig=config) == []


def test_dns_settings_fit_a_resolver() -> None:
    wrong = wrong_spec(dnsConfig={"nameservers": ["1.1.1.1", "x", "01.1.1.1", "::1"], "options": [{}]})
    assert [message.removeprefix("spec.dnsConfig.") for message in wrong] == [
        'nameservers: Invalid value: ["1.1.1.1","x","01.1.1.1","::1"]: must not have more than 3 nameservers',
        f'nameservers[1]: Invalid value: "x": {IP}', 'nameservers[2]: Invalid value: "01.1.1.1": must not have leading 0s',
        "options[0]: Required value: must not be empty",
    ]
    wrong = wrong_spec(dnsConfig={"searches": ["a"] * 33})
    assert len(wrong) == 1
    assert wrong[0].endswith("must not have more than 32 search paths")
    wrong = wrong_spec(dnsConfig={"searches": [".".join(["a" * 60] * 4)] * 9})
    assert wrong[0].endswith("must not have more than 2048 characters (including spaces) in the search list")


def test_host_aliases_are_addresses_with_host_names() -> None:
    wrong = wrong_spec(hostAliases=[{"ip": "127.0.0.1", "hostnames": ["a.b"]}, {"hostnames": ["_"]}])
    assert wrong[0] == f'spec.hostAliases[1].ip: Invalid value: "": {IP}'
    assert wrong[1].startswith('spec.hostAliases[1].hostnames[0]: Invalid value: "_": a lowercase RFC 1123 subdomain')


def test_resource_claims_have_names_and_one_origin() -> None:
    def check(*claims: dict[str, str]) -> list[str]:
        return [message.removeprefix("spec.resourceClaims") for message in wrong_spec(resourceClaims=list(claims))]

    assert check({"name": "a", "resourceClaimName": "x"}, {"name": "a", "resourceClaimName": "x"}) == ['[1].name: Duplicate value: "a"']
    assert check({"resourceClaimTemplateName": "x"}) == ["[0].name: Required value"]
    shown = '{"Name":"a","ResourceClaimName":null,"ResourceClaimTemplateName":null}'
    assert check({"name": "a"}) == [
        f"[0]: Invalid value: {shown}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
    ]
    shown = '{"Name":"a","ResourceClaimName":"x","ResourceClaimTemplateName":"y"}'
    assert check({"name": "a", "resourceClaimName": "x", "resourceClaimTemplateName": "y"}) == [
        f"[0]: Invalid value: {shown}: at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified",
    ]


def test_an_overridden_hostname_is_short_and_stands_alone() -> None:
    long = "a" * 63 + ".bc"
    assert wrong_spec(hostnameOverride=long) == [
        "spec.hostnameOverride: Too long: may not be more than 64 bytes",
    ]
    assert wrong_spec(hostnameOverride="a", setHostnameAsFQDN=True) == [
        "spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true",
    ]
