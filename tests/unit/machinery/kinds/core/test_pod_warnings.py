"""Warnings about pods and templates."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.machinery.kinds.core.affinity import PREFERRED, REQUIRED
from kcore.machinery.kinds.core.pod_warnings import pod_warnings
from tests.unit.machinery.kinds.core.pods import Object, container, spec

CRITICAL = "scheduler.alpha.kubernetes.io/critical-pod"
SECCOMP = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_C = "container.seccomp.security.alpha.kubernetes.io/c"
APPARMOR_C = "container.apparmor.security.beta.kubernetes.io/c"
NO_POD = "a null labelSelector results in matching no pod"
DEPRECATED = 'deprecated since v1.14; use "kubernetes.io/arch" instead'
ARCH = "beta.kubernetes.io/arch"


def warned(**fields: Any) -> list[str]:
    return [warning.removeprefix("spec.") for warning in pod_warnings(spec(**fields), {})]


def annotated(annotations: dict[str, str], prefix: str = "", **fields: Any) -> list[str]:
    return pod_warnings(spec(**fields), {"annotations": annotations}, prefix)


def test_a_plain_pod_gets_no_warning() -> None:
    assert warned() == []


@pytest.mark.parametrize(("fields", "expected"), [
    ({"nodeSelector": {ARCH: "x", "a": "b"}}, [f"nodeSelector[{ARCH}]: {DEPRECATED}"]),
    ({"topologySpreadConstraints": [{"topologyKey": ARCH}]},
     [f"topologySpreadConstraints[0].topologyKey: {ARCH} is {DEPRECATED}", f"topologySpreadConstraints[0].labelSelector: {NO_POD}"]),
    ({"volumes": [{"name": "v", "gitRepo": {}}, {"name": "w", "rbd": None}]},
     ["volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+"]),
    ({"hostAliases": [{"ip": "1.1.1.1"}, {"ip": "1.1.1.1"}]}, ['hostAliases[1].ip: duplicate ip "1.1.1.1"']),
    ({"imagePullSecrets": [{"name": "a"}, {"name": "a"}, {}]},
     ['imagePullSecrets[1].name: duplicate name "a"', 'imagePullSecrets[2].name: invalid empty name ""']),
    ({"overhead": {"memory": "1500m"}}, ['overhead[memory]: fractional byte value "1500m" is invalid, must be an integer']),
    ({"terminationGracePeriodSeconds": -1},
     ["terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"]),
    ({"affinity": {"podAffinity": {REQUIRED: [{}], PREFERRED: [{}]}}},
     [f"affinity.podAffinity.{REQUIRED}[0].labelSelector: {NO_POD}",
      f"affinity.podAffinity.{PREFERRED}[0].podAffinityTerm.labelSelector: {NO_POD}"]),
    ({"dnsConfig": {"nameservers": ["2001:DB8::1"]}},
     ['dnsConfig.nameservers[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")']),
])
def test_doubtful_fields_get_warnings(fields: Object, expected: list[str]) -> None:
    assert warned(**fields) == expected


def test_node_affinity_with_old_labels_and_bad_values_gets_warnings() -> None:
    term = {"matchExpressions": [{"key": ARCH, "operator": "In", "values": ["-x"]}]}
    affinity = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [term]}, PREFERRED: [{"preference": term}]}}
    found = [warning.removeprefix("affinity.nodeAffinity.") for warning in warned(affinity=affinity)]
    assert found[:2] == [
        f"{REQUIRED}.nodeSelectorTerms[0].matchExpressions[0].key: {ARCH} is {DEPRECATED}",
        f"{PREFERRED}[0].preference.matchExpressions[0].key: {ARCH} is {DEPRECATED}",
    ]
    assert found[2].startswith(f"{PREFERRED}[0].preference.matchExpressions[0].values[0]: -x is invalid, a valid label must be")


def test_old_annotations_get_warnings() -> None:
    use_field = 'non-functional in v1.27+; use the "seccompProfile" field instead'
    assert annotated({CRITICAL: "", SECCOMP: "x", SECCOMP_C: "x", APPARMOR_C: "x"}) == [
        f'metadata.annotations[{CRITICAL}]: non-functional in v1.16+; use the "priorityClassName" field instead',
        f"metadata.annotations[{SECCOMP}]: {use_field}", f"metadata.annotations[{SECCOMP_C}]: {use_field}",
        f'metadata.annotations[{APPARMOR_C}]: deprecated since v1.30; use the "appArmorProfile" field instead',
    ]


def test_fields_beside_old_annotations_silence_the_warnings() -> None:
    profile = {"type": "Unconfined"}
    both = {"seccompProfile": profile, "appArmorProfile": profile}
    annotations = {SECCOMP: "x", SECCOMP_C: "x", APPARMOR_C: "x"}
    assert annotated(annotations, "template.", securityContext=both, containers=[container(securityContext=both)]) == []
    # The field of a pod's container may be a copy of the annotation.
    assert len(annotated({APPARMOR_C: "x"}, "", containers=[container(securityContext=both)])) == 1


def test_warnings_of_a_template_have_its_path() -> None:
    assert annotated({CRITICAL: ""}, "spec.template.", nodeSelector={ARCH: "x"}) == [
        f"spec.template.spec.nodeSelector[{ARCH}]: {DEPRECATED}",
        f'spec.template.metadata.annotations[{CRITICAL}]: non-functional in v1.16+; use the "priorityClassName" field instead',
    ]


def test_fractions_of_bytes_get_warnings_by_resource() -> None:
    resources = {"limits": {"memory": "100m", "ephemeral-storage": "1", "cpu": "1m"}, "requests": {"memory": "0.1"}}
    assert warned(containers=[container(resources=resources)]) == [
        'containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer',
        'containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer',
    ]
    claim = {"spec": {"resources": {"requests": {"storage": "500m"}}}}
    assert warned(volumes=[{"name": "v", "ephemeral": {"volumeClaimTemplate": claim}}]) == [
        'volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: fractional byte value "500m" is invalid,'
        " must be an integer",
    ]


@pytest.mark.parametrize(("second", "hides"), [
    ({"value": "x"}, True), ({"value": "$(A)"}, True), ({"value": "$(A):x"}, False), ({"valueFrom": {}}, True),
])
def test_a_variable_that_hides_another_gets_a_warning(second: Object, *, hides: bool) -> None:
    found = warned(containers=[container(env=[{"name": "A", "value": "1"}, {"name": "A", **second}])])
    assert found == ['containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'] * hides


@pytest.mark.parametrize(("first", "second", "expected"), [
    ({}, {}, ["duplicate port definition with spec.containers[0].ports[0]"]),
    ({"hostPort": 1}, {}, ["overlapping port definition with spec.containers[0].ports[0]"]),
    ({"hostPort": 1}, {"hostPort": 2}, []),
    ({"hostPort": 1}, {"hostPort": 1, "hostIP": "1.1.1.1"}, ["dangerously ambiguous port definition with spec.containers[0].ports[0]"]),
    ({"hostPort": 1, "hostIP": "1.1.1.2"}, {"hostPort": 1, "hostIP": "1.1.1.1"}, []),
    ({}, {"protocol": "UDP"}, []),
])
def test_ports_that_collide_get_warnings(first: Object, second: Object, expected: list[str]) -> None:
    ports = [{"containerPort": 80, "protocol": "TCP", **port} for port in (first, second)]
    assert warned(containers=[container(ports=ports)]) == [f"containers[0].ports[1]: {text}" for text in expected]


def test_names_of_ports_and_addresses_get_warnings() -> None:
    one, two = ({"containerPort": port, "name": "http", "protocol": "TCP"} for port in (80, 81))
    assert warned(containers=[container(ports=[one]), container(name="d", ports=[two])]) == [
        'containers[1].ports[0]: duplicate port name "http" with spec.containers[0].ports[0], services and probes that select ports by'
        " name will use spec.containers[0].ports[0]",
    ]
    assert warned(containers=[container(ports=[{"containerPort": 80, "protocol": "TCP", "hostIP": "1.1.1.1"}])]) == [
        "containers[0].ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:1.1.1.1}",
    ]


def test_files_of_a_volume_that_overlap_get_warnings() -> None:
    items = [{"key": "a", "path": "x"}, {"key": "b", "path": "x/y"}, {"key": "c", "path": "xy"}]
    assert warned(volumes=[{"name": "v", "configMap": {"name": "m", "items": items}}, {"name": "w", "downwardAPI": {"items": items}}]) == [
        'volume "v" (ConfigMap "m"): overlapping paths: "x/y" with "x"', 'volume "w" (DownwardAPI): overlapping paths: "x/y" with "x"',
    ]


def test_files_of_a_projection_that_overlap_get_warnings() -> None:
    sources = [
        {"secret": {"name": "s", "items": [{"key": "k", "path": "x"}]}}, {"serviceAccountToken": {"path": "x"}}, {"secret": None},
        {"clusterTrustBundle": {"signerName": "n", "path": "x/z"}}, {"podCertificate": {"keyPath": "x"}},
        {"downwardAPI": {"items": [{"path": "d"}]}},
    ]
    prefix = 'volume "v" (Projected)'
    assert warned(volumes=[{"name": "v", "projected": {"sources": sources}}]) == [
        f'{prefix}: overlapping paths: "x" (ServiceAccountToken) with "x" (Secret "s")', f"{prefix} has no sources provided",
        f'{prefix}: overlapping paths: "x/z" (ClusterTrustBundle "n") with "x" (Secret "s")',
        f'{prefix}: overlapping paths: "x/z" (ClusterTrustBundle "n") with "x" (ServiceAccountToken)',
        f'{prefix}: overlapping paths: "x" (PodCertificate key) with "x" (Secret "s")',
        f'{prefix}: overlapping paths: "x" (PodCertificate key) with "x" (ServiceAccountToken)',
        f'{prefix}: overlapping paths: "x" (PodCertificate key) with "x/z" (ClusterTrustBundle "n")',
    ]
