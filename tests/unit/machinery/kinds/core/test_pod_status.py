"""Status of a pod: its beginning, what updates keep, what they may not say."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.core.pod_status import initial_status, keep_on_status_update, status_warnings, validate_status
from tests.unit.machinery.kinds.core.pods import Object, container, messages, spec


def wrong_status(status: Object, before: Object | None = None, **fields: Any) -> list[str]:
    errors: list[FieldError] = []
    made = spec(**fields)
    validate_status({"spec": made, "status": status}, {"spec": made, "status": before or {}}, errors)
    return [message.removeprefix("status.") for message in messages(errors)]


def ended(code: int = 0, name: str = "c") -> Object:
    return {"name": name, "state": {"terminated": {"exitCode": code}}}


def test_a_new_pod_is_pending() -> None:
    assert initial_status({"spec": spec()}) == {"phase": "Pending", "qosClass": "BestEffort"}


def test_a_gated_pod_says_why_it_waits() -> None:
    pod = {"metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"}, "spec": spec(schedulingGates=[{"name": "g"}])}
    assert initial_status(pod)["conditions"] == [{
        "type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "lastProbeTime": None,
        "lastTransitionTime": "2026-01-01T00:00:00Z", "message": "Scheduling is blocked due to non-empty scheduling gates",
    }]


def test_a_status_update_keeps_the_spec_and_what_it_left_out() -> None:
    old: Object = {
        "metadata": {"ownerReferences": [{"name": "o"}]}, "spec": {"a": 1},
        "status": {"qosClass": "Burstable", "observedGeneration": 2, "conditions": [
            {"type": "Ready", "observedGeneration": 2}, {"type": "Other"},
        ]},
    }
    new: Object = {"metadata": {"labels": {"a": "b"}}, "spec": {"a": 2}, "status": {"conditions": [
        {"type": "Ready"}, {"type": "Ready"}, {"type": "Other"}, {"type": "New", "observedGeneration": 1},
    ]}}
    keep_on_status_update(new, old)
    assert new == {
        "metadata": {"labels": {"a": "b"}, "ownerReferences": [{"name": "o"}]}, "spec": {"a": 1},
        "status": {"qosClass": "Burstable", "observedGeneration": 2, "conditions": [
            {"type": "Ready", "observedGeneration": 2}, {"type": "Ready"}, {"type": "Other"}, {"type": "New", "observedGeneration": 1},
        ]},
    }


def test_a_status_update_adds_no_owners() -> None:
    new: Object = {"metadata": {"ownerReferences": [{"name": "o"}]}}
    keep_on_status_update(new, {"spec": {}})
    assert new == {"metadata": {}, "spec": {}, "status": {}}


@pytest.mark.parametrize(("status", "message"), [
    ({"conditions": [{"type": "Ready"}, {"type": "a b"}]}, 'conditions[1].Type: Invalid value: "a b": name part must consist of'),
    ({"nominatedNodeName": "A"}, 'nominatedNodeName: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of'),
    ({"qosClass": "Guaranteed"}, 'qosClass: Invalid value: "Guaranteed": field is immutable'),
    ({"podIP": "x", "podIPs": [{"ip": "x"}]}, 'podIPs[0]: Invalid value: "x": must be a valid IP address'),
    ({"podIP": "1.1.1.1"}, "podIPs: Invalid value: null: podIP and podIPs must either both be set or both be unset"),
    ({"podIP": "1.1.1.1", "podIPs": [{"ip": "1.1.1.2"}]}, 'podIPs[0].ip: Invalid value: "1.1.1.2": must be equal to `podIP`'),
    ({"observedGeneration": -1}, "observedGeneration: Invalid value: -1: must be a non-negative integer"),
    ({"podIP": "1.1.1.1", "podIPs": [{"ip": "1.1.1.1"}, {"ip": "1.1.1.2"}]},
     'podIPs: Invalid value: [{"IP":"1.1.1.1"},{"IP":"1.1.1.2"}]: may specify no more than one IP for each IP family'),
    ({"hostIP": "1.1.1.1", "hostIPs": [{"ip": "1.1.1.2"}]}, 'hostIPs[0].ip: Invalid value: "1.1.1.2": must be equal to `hostIP`'),
    ({"containerStatuses": [{"user": {"linux": {"uid": -1}}}]},
     "containerStatuses[0].user.linux.uid: Invalid value: -1: must be between 0 and 2147483647, inclusive"),
    ({"resourceClaimStatuses": [{"name": "x"}]},
     'resourceClaimStatuses[0].name: Invalid value: "x": must match the name of an entry in `spec.resourceClaims`'),
])
def test_a_wrong_status_is_refused(status: Object, message: str) -> None:
    found = wrong_status(status)
    assert len(found) == 1
    assert found[0].startswith(message)


def test_a_good_status_is_accepted() -> None:
    status = {
        "conditions": [{"type": "Ready"}, {"type": "example.com/Gate"}], "nominatedNodeName": "n", "hostIP": "1.1.1.1",
        "hostIPs": [{"ip": "1.1.1.1"}, {"ip": "fd00::1"}], "podIP": "1.1.1.1", "podIPs": [{"ip": "1.1.1.1"}, {"ip": "fd00::1"}],
        "containerStatuses": [{"name": "c", "user": {"linux": {"uid": 0, "gid": 1, "supplementalGroups": [2]}}}],
        "resourceClaimStatuses": [{"name": "r", "resourceClaimName": "claim"}],
    }
    assert wrong_status(status, resourceClaims=[{"name": "r"}]) == []


def test_repeated_addresses_are_refused() -> None:
    sentence = "may specify no more than one IP for each IP family"
    twice = [{"ip": "1.1.1.1"}, {"ip": "1.1.1.1"}]
    shown = '[{"IP":"1.1.1.1"},{"IP":"1.1.1.1"}]'
    assert wrong_status({"podIP": "1.1.1.1", "podIPs": twice}) == [f"podIPs: Invalid value: {shown}: {sentence}"]
    assert wrong_status({"hostIP": "1.1.1.1", "hostIPs": twice}) == [f"hostIPs: Invalid value: {shown}: {sentence}"]


def test_claim_statuses_are_unique_and_well_named() -> None:
    statuses = [{"name": "r", "resourceClaimName": "A"}, {"name": "r"}]
    found = wrong_status({"resourceClaimStatuses": statuses}, resourceClaims=[{"name": "r"}])
    assert found[0].startswith('resourceClaimStatuses[0].resourceClaimName: Invalid value: "A": a lowercase RFC 1123 subdomain')
    assert found[1:] == ['resourceClaimStatuses[1].name: Duplicate value: "r"']


def test_a_windows_pod_has_no_linux_user() -> None:
    status = {"containerStatuses": [{"user": {"linux": {}}}]}
    assert wrong_status(status, os={"name": "windows"}) == ["containerStatuses[0].user.linux: Forbidden: cannot be set for a windows pod"]


def test_the_node_is_no_part_of_the_status() -> None:
    errors: list[FieldError] = []
    validate_status({"spec": {"nodeName": "a"}}, {"spec": {}}, errors)
    assert messages(errors) == ["status.nodeName: Forbidden: may not be changed directly"]


@pytest.mark.parametrize(("policy", "code", "refused"), [
    ("Always", 0, False), ("OnFailure", 1, False), ("OnFailure", 0, True), ("Never", 0, True), ("Never", 1, True),
])
def test_an_ended_container_stays_ended(policy: str, code: int, *, refused: bool) -> None:
    found = wrong_status(
        {"containerStatuses": [{"name": "c", "state": {"running": {}}}]}, {"containerStatuses": [ended(code)]}, restartPolicy=policy,
    )
    assert found == ["containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"] * refused


def test_containers_with_their_own_policy_may_run_again() -> None:
    running = {"name": "c", "state": {"running": {}}}
    sidecar = container(restartPolicy="Always")
    before, after = {"initContainerStatuses": [ended()]}, {"initContainerStatuses": [running]}
    assert wrong_status(after, before, restartPolicy="Never", initContainers=[sidecar]) == []
    assert len(wrong_status(after, before, restartPolicy="Never", initContainers=[container()])) == 1
    own = container(restartPolicy="OnFailure")
    assert wrong_status({"containerStatuses": [running]}, {"containerStatuses": [ended()]}, restartPolicy="Never", containers=[own]) == []
    # An ephemeral container never runs again; a status that is gone says nothing.
    assert len(wrong_status({"ephemeralContainerStatuses": [running]}, {"ephemeralContainerStatuses": [ended()]})) == 1
    assert wrong_status({}, {"ephemeralContainerStatuses": [ended()]}) == []


def test_the_health_of_devices_belongs_to_requests() -> None:
    claims = [{"name": "a"}, {"name": "b", "request": "r"}]
    containers = [container(resources={"requests": {"x.y/gpu": "1"}, "claims": claims})]

    def check(*allocations: Object) -> list[str]:
        status = {"containerStatuses": [{"name": "c", "allocatedResourcesStatus": list(allocations)}]}
        prefix = "containerStatuses[0].allocatedResourcesStatus"
        return [message.removeprefix(prefix) for message in wrong_status(status, containers=containers)]

    healthy = {"resourceID": "1", "health": "Healthy"}
    assert check({"name": "x.y/gpu", "resources": [healthy]}, {"name": "claim:a"}, {"name": "claim:b/r"}) == []
    assert check({"name": "x.y/other"}) == [
        '[0].name: Invalid value: "x.y/other": must match one of the container\'s resource requests',
    ]
    assert check({"name": "claim:b"})[0].startswith(
        '[0].name: Invalid value: "claim:b": must match one of the container\'s resource claims in a format',
    )
    assert check({"name": "x.y/gpu", "resources": [healthy, {"resourceID": "1", "health": "Bad"}]}) == [
        '[0].resources[1].health: Unsupported value: "Bad": supported values: "Healthy", "Unhealthy", "Unknown"',
        '[0].resources[1].resourceID: Duplicate value: "1"',
    ]
    assert wrong_status({"ephemeralContainerStatuses": [{"allocatedResourcesStatus": [{"name": "x"}]}]}) == [
        "ephemeralContainerStatuses[0].allocatedResourcesStatus: Forbidden: must not be specified in container status",
    ]


def test_ambiguous_addresses_get_warnings() -> None:
    pod = {"status": {"podIPs": [{"ip": "1.1.1.1"}, {"ip": "2001:DB8::1"}], "hostIPs": [{"ip": "001.1.1.1"}]}}
    found = status_warnings(pod)
    assert [warning.split(":")[0] for warning in found] == ["status.podIPs[1].ip", "status.hostIPs[0].ip"]
