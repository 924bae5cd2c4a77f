"""Pod security: what the labels of a namespace forbid, and what they warn of."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.apiserver.admission.pod_security.findings import Pod, details
from kcore.apiserver.admission.pod_security.policy import Level, policy_of
from kcore.apiserver.admission.pod_security.restricted import findings
from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import Api, Object, deployment, pod, reason_of

LABEL = "pod-security.kubernetes.io/"
HARDENED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
UNCONFINED = {"seccompProfile": {"type": "Unconfined"}}
SAFE = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def container(name: str = "c", **more: Any) -> Object:
    return {"name": name, "image": "x", **more}


def spec(*containers: Object, **more: Any) -> Object:
    return {"containers": list(containers) or [container(securityContext=HARDENED)], "securityContext": SAFE, **more}


async def label(api: Api, **labels: str) -> list[str]:
    request = api.request("patch", "namespaces", "default", {"metadata": {"labels": {LABEL + k: v for k, v in labels.items()}}})
    request.content_type = "application/merge-patch+json"
    outcome = api.send(request)
    if outcome.submission is not None:
        await outcome.submission.durable()
    return outcome.all_warnings()


def told(level: str, found: Object, minor: int = 1 << 30, **annotations: str) -> str:
    return details(findings(Level(level, minor), Pod(annotations, found)))


@pytest.mark.parametrize(
    ("found", "detail"),
    [
        (spec(hostNetwork=True, hostIPC=True), "host namespaces (hostNetwork=true, hostIPC=true)"),
        (spec(volumes=[{"name": "h", "hostPath": {}}]), 'hostPath volumes (volume "h")'),
        (spec(container(securityContext={"privileged": True})), 'privileged (container "c" must not set securityContext.privileged=true)'),
        (spec(container("a", ports=[{"hostPort": 80}]), container("b", ports=[{"hostPort": 8080}])),
         'hostPort (containers "a", "b" use hostPorts 80, 8080)'),
        (spec(container(securityContext={"capabilities": {"add": ["NET_ADMIN", "CHOWN"]}})),
         'non-default capabilities (container "c" must not include "NET_ADMIN" in securityContext.capabilities.add)'),
        (spec(container(securityContext={"procMount": "Unmasked"})),
         'procMount (container "c" must not set securityContext.procMount to "Unmasked")'),
        (spec(securityContext={"seLinuxOptions": {"type": "x", "user": "u"}}),
         'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "x"; user may not be set)'),
        (spec(container(securityContext=UNCONFINED), securityContext=UNCONFINED),
         'seccompProfile (pod and container "c" must not set securityContext.seccompProfile.type to "Unconfined")'),
        (spec(securityContext={"sysctls": [{"name": "a"}, {"name": "net.ipv4.tcp_rmem"}]}), "forbidden sysctl (a)"),
        (spec(securityContext={"windowsOptions": {"hostProcess": True}}),
         "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)"),
        (spec(container(livenessProbe={"httpGet": {"host": "h"}})),
         'probe or lifecycle host (container "c" uses probe or lifecycle host "h")'),
        (spec(securityContext={"appArmorProfile": {"type": "Unconfined"}}),
         'forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")'),
    ],
)  # fmt: skip
def test_the_baseline_forbids_ways_to_the_node(found: Object, detail: str) -> None:
    assert told("baseline", found) == detail
    assert told("privileged", found) == ""


@pytest.mark.parametrize(
    ("found", "detail"),
    [
        (spec(), ""),
        (spec(container(securityContext={"capabilities": {"drop": ["ALL"]}})),
         'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false)'),
        (spec(container(securityContext={**HARDENED, "capabilities": {"add": ["CHOWN"]}})),
         'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]; '
         'container "c" must not include "CHOWN" in securityContext.capabilities.add)'),
        (spec(volumes=[{"name": "n", "nfs": {}}, {"name": "h", "hostPath": {}}, {"name": "e", "emptyDir": {}}]),
         'restricted volume types (volumes "n", "h" use restricted volume types "hostPath", "nfs")'),
        (spec(container(securityContext={**HARDENED, "runAsNonRoot": False})),
         'runAsNonRoot != true (container "c" must not set securityContext.runAsNonRoot=false)'),
        (spec(securityContext={**SAFE, "runAsUser": 0}), "runAsUser=0 (pod must not set runAsUser=0)"),
        (spec(securityContext={**SAFE, "runAsUser": 0, "runAsNonRoot": False}, hostUsers=False), ""),
        (spec(container(), os={"name": "windows"}), ""),
    ],
)  # fmt: skip
def test_the_restricted_level_wants_hardened_pods(found: Object, detail: str) -> None:
    assert told("restricted", found) == detail


def test_an_older_version_forbids_what_it_forbade_then() -> None:
    newer = spec(securityContext={"sysctls": [{"name": "net.ipv4.tcp_rmem"}]})
    assert told("baseline", newer, 31) == "forbidden sysctl (net.ipv4.tcp_rmem)"
    assert told("baseline", newer, 32) == ""
    annotation = {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}
    detail = 'seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")'
    assert told("restricted", spec(), 18, **annotation) == detail
    assert told("restricted", spec(), 19, **annotation) == ""
    assert "runAsUser" not in told("restricted", spec(securityContext={**SAFE, "runAsUser": 0}), 22)


def test_labels_that_cannot_be_read_are_enforced_most_strictly() -> None:
    policy, errors = policy_of({f"{LABEL}enforce": "odd", f"{LABEL}warn": "odd", f"{LABEL}audit-version": "1.2"})
    assert [str(level) for level in policy] == ["restricted:latest", "privileged:latest", "privileged:latest"]
    assert [error.message() for error in errors] == [
        'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "odd": must be one of privileged, baseline, restricted',
        'metadata.labels[pod-security.kubernetes.io/audit-version]: Invalid value: "1.2": must be "latest" or "v1.x"',
        'metadata.labels[pod-security.kubernetes.io/warn]: Invalid value: "odd": must be one of privileged, baseline, restricted',
    ]


async def test_a_forbidden_pod_is_refused_and_a_doubtful_one_warned_of(api: Api) -> None:
    await label(api, enforce="baseline", warn="restricted", **{"warn-version": "v1.20"})
    with pytest.raises(StatusError) as failed:
        await api.create("pods", pod(hostNetwork=True))
    assert failed.value.message == 'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)'
    warnings = api.send(api.request("create", "pods", body=pod())).all_warnings()
    assert len(warnings) == 1
    assert warnings[0].startswith('would violate PodSecurity "restricted:v1.20": allowPrivilegeEscalation != false')


async def test_workloads_are_warned_of_and_let_in(api: Api) -> None:
    await label(api, enforce="restricted", warn="restricted")
    outcome = api.send(api.request("create", "deployments", body=deployment()))
    assert [warning.partition(":")[0] for warning in outcome.all_warnings()] == ['would violate PodSecurity "restricted']
    job = {"metadata": {"name": "j"}, "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container()]}}}}
    assert api.send(api.request("create", "jobs", body=job)).all_warnings()


async def test_updates_that_change_nothing_of_concern_pass(api: Api) -> None:
    await api.create("pods", pod(hostNetwork=True))
    await label(api, enforce="baseline")
    await api.patch("pods", "p", {"metadata": {"labels": {"a": "b"}}})
    with pytest.raises(StatusError) as failed:
        await api.patch("pods", "p", {"spec": {"containers": [{"name": "c", "image": "y:1"}]}})
    assert reason_of(failed.value) == (403, "Forbidden")


async def test_a_stricter_namespace_tells_of_pods_that_are_there(api: Api) -> None:
    for name in ("b", "a", "c"):
        await api.create("pods", pod(name, hostNetwork=True))
    await api.create("pods", pod("d", hostPID=True, volumes=[{"name": "h", "hostPath": {"path": "/"}}]))
    assert await label(api, enforce="baseline") == [
        'existing pods in namespace "default" violate the new PodSecurity enforce level "baseline:latest"',
        "a (and 2 other pods): host namespaces",
        "d: host namespaces, hostPath volumes",
    ]
    assert await label(api, enforce="privileged") == []


async def test_labels_that_mean_nothing_are_refused_when_they_come(api: Api) -> None:
    with pytest.raises(StatusError) as failed:
        await label(api, enforce="bad")
    assert reason_of(failed.value) == (422, "Invalid")
