"""Pods that bring resource claims: the scheduler finds devices, writes what each claim gets, and the pods run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.meta.v1.meta_pb2 import Quantity
from kcore.api.resource.v1.device_class_pb2 import DeviceClass
from kcore.api.resource.v1.resource_claim_pb2 import ResourceClaim
from kcore.api.resource.v1.resource_claim_template_pb2 import ResourceClaimTemplate
from kcore.api.resource.v1.resource_slice_pb2 import ResourceSlice
from kcore.testing import SyncCluster

GPU = "gpu.example.com"


@pytest.fixture
def cluster() -> Iterator[SyncCluster]:
    with SyncCluster(nodes=2, virtual_time=True) as cluster:
        selector = {"cel": {"expression": f'device.driver == "{GPU}"'}}
        cluster.client.deviceclasses.create(DeviceClass(metadata={"name": "gpu"}, spec={"selectors": [selector]}))
        for node in cluster.client.nodes.list().items:
            name = node.metadata.name
            devices = [{"name": "d0", "attributes": {"model": {"string": "a100" if name.endswith("1") else "t4"}}}]
            pool = {"name": name, "generation": 1, "resourceSliceCount": 1}
            spec = {"driver": GPU, "pool": pool, "nodeName": name, "devices": devices}
            cluster.client.resourceslices.create(ResourceSlice(metadata={"name": f"{name}-gpus"}, spec=spec))
        yield cluster


def claim(cluster: SyncCluster, name: str, model: str = "") -> None:
    wanted = [{"cel": {"expression": f'device.attributes["{GPU}"].model == "{model}"'}}] if model else []
    exactly = {"deviceClassName": "gpu", "selectors": wanted, "allocationMode": "ExactCount", "count": 1}
    spec = {"devices": {"requests": [{"name": "r", "exactly": exactly}]}}
    cluster.client.resourceclaims.create(ResourceClaim(metadata={"name": name, "namespace": "default"}, spec=spec))


def pod(cluster: SyncCluster, name: str, claim_name: str) -> None:
    spec = {"containers": [{"name": "c", "image": "web"}], "resourceClaims": [{"name": "g", "resourceClaimName": claim_name}]}
    cluster.client.pods.create(Pod(metadata={"name": name, "namespace": "default"}, spec=spec))


def runs(cluster: SyncCluster, name: str) -> Any:
    def look() -> Any:
        found = cluster.client.pods.get(name, namespace="default")
        return found if found.status.phase == "Running" else None

    return cluster.wait_for(look)


def test_a_claim_gets_the_device_that_it_selects_and_is_reserved_for_the_pod(cluster: SyncCluster) -> None:
    claim(cluster, "want", "a100")
    pod(cluster, "p", "want")
    placed = runs(cluster, "p")
    found = cluster.client.resourceclaims.get("want", namespace="default")
    [result] = found.status.allocation.devices.results
    assert (result.request, result.driver, result.pool, result.device) == ("r", GPU, placed.spec.nodeName, "d0")
    [consumer] = found.status.reservedFor
    assert (consumer.resource, consumer.name, consumer.uid) == ("pods", "p", placed.metadata.uid)
    assert "resource.kubernetes.io/delete-protection" in found.metadata.finalizers
    [term] = found.status.allocation.nodeSelector.nodeSelectorTerms
    assert list(term.matchFields[0].values) == [placed.spec.nodeName]


def test_each_device_goes_to_one_claim_and_the_next_pod_waits_until_one_is_free(cluster: SyncCluster) -> None:
    for number in range(3):
        claim(cluster, f"want-{number}")
        pod(cluster, f"p{number}", f"want-{number}")
    waiting = cluster.wait_for(lambda: [each for each in _pods(cluster) if _says(each, "cannot allocate all claims")])
    cluster.wait_for(lambda: sum(each.status.phase == "Running" for each in _pods(cluster)) == 2)
    free = next(each for each in _pods(cluster) if each.status.phase == "Running")
    cluster.client.pods.delete(free.metadata.name, namespace="default")
    runs(cluster, waiting[0].metadata.name)
    name = free.spec.resourceClaims[0].resourceClaimName
    found = cluster.wait_for(lambda: _unallocated(cluster, name))
    assert not found.status.reservedFor and not found.metadata.finalizers


def test_pods_of_one_claim_share_its_node(cluster: SyncCluster) -> None:
    claim(cluster, "shared")
    for name in ("p", "q"):
        pod(cluster, name, "shared")
    assert runs(cluster, "p").spec.nodeName == runs(cluster, "q").spec.nodeName
    found = cluster.client.resourceclaims.get("shared", namespace="default")
    assert {consumer.name for consumer in found.status.reservedFor} == {"p", "q"}


def test_a_claim_is_made_from_the_template_of_a_pod_and_goes_with_it(cluster: SyncCluster) -> None:
    exactly = {"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 1}
    spec = {"metadata": {"labels": {"app": "x"}}, "spec": {"devices": {"requests": [{"name": "r", "exactly": exactly}]}}}
    wanted = [{"name": "g", "resourceClaimTemplateName": "gpus"}]
    owner = {"containers": [{"name": "c", "image": "web"}], "resourceClaims": wanted}
    cluster.client.pods.create(Pod(metadata={"name": "p", "namespace": "default"}, spec=owner))
    cluster.wait_for(lambda: any(_says(each, "ResourceClaim not created yet") for each in _pods(cluster)))
    cluster.client.resourceclaimtemplates.create(ResourceClaimTemplate(metadata={"name": "gpus", "namespace": "default"}, spec=spec))
    [status] = runs(cluster, "p").status.resourceClaimStatuses
    made = cluster.client.resourceclaims.get(status.resourceClaimName, namespace="default")
    assert made.metadata.labels["app"] == "x" and made.status.HasField("allocation")
    cluster.client.pods.delete("p", namespace="default")
    cluster.wait_for(lambda: not cluster.client.resourceclaims.list(namespace="default").items)


def test_an_extended_resource_that_a_class_stands_for_comes_from_devices(cluster: SyncCluster) -> None:
    found = cluster.client.deviceclasses.get("gpu")
    found.spec.extendedResourceName = "example.com/gpu"
    cluster.client.deviceclasses.update(found)
    one = {"example.com/gpu": Quantity(string="1")}
    limits = {"requests": one, "limits": one}
    for name in ("p", "q", "r"):
        spec = {"containers": [{"name": "c", "image": "web", "resources": limits}]}
        cluster.client.pods.create(Pod(metadata={"name": name, "namespace": "default"}, spec=spec))
    waiting = cluster.wait_for(lambda: [each for each in _pods(cluster) if _says(each, "cannot allocate all claims")])
    cluster.wait_for(lambda: sum(each.status.phase == "Running" for each in _pods(cluster)) == 2)
    running = next(each for each in _pods(cluster) if each.status.phase == "Running")
    status = running.status.extendedResourceClaimStatus
    [mapping] = status.requestMappings
    assert (mapping.containerName, mapping.resourceName) == ("c", "example.com/gpu")
    claim = cluster.client.resourceclaims.get(status.resourceClaimName, namespace="default")
    [result] = claim.status.allocation.devices.results
    assert (result.request, result.pool) == (mapping.requestName, running.spec.nodeName)
    assert [owner.uid for owner in claim.metadata.ownerReferences] == [running.metadata.uid]
    cluster.client.pods.delete(running.metadata.name, namespace="default")
    runs(cluster, waiting[0].metadata.name)


def test_a_pod_waits_until_its_device_is_prepared_and_gets_another_one_if_that_fails(cluster: SyncCluster) -> None:
    prepared = {"bindingConditions": ["Attached"], "bindingFailureConditions": ["Broken"], "bindsToNode": True}
    devices = [{"name": f"d{number}", "attributes": {"model": {"string": "fabric"}}, **prepared} for number in range(2)]
    pool = {"name": "fabric", "generation": 1, "resourceSliceCount": 1}
    spec = {"driver": GPU, "pool": pool, "allNodes": True, "devices": devices}
    cluster.client.resourceslices.create(ResourceSlice(metadata={"name": "fabric"}, spec=spec))
    claim(cluster, "want", "fabric")
    pod(cluster, "p", "want")
    first = cluster.wait_for(lambda: _result(cluster, "want"))
    assert list(first.bindingConditions) == ["Attached"] and not cluster.client.pods.get("p", namespace="default").spec.nodeName
    _report(cluster, "want", "Broken")
    cluster.wait_for(lambda: (second := _result(cluster, "want")) and not _reported(cluster, "want") and second)
    _report(cluster, "want", "Attached")
    placed = runs(cluster, "p")
    found = cluster.client.resourceclaims.get("want", namespace="default")
    [term] = found.status.allocation.nodeSelector.nodeSelectorTerms
    assert list(term.matchFields[0].values) == [placed.spec.nodeName]


def test_parts_of_a_shared_device_go_to_claims_until_nothing_is_left(cluster: SyncCluster) -> None:
    devices = [{"name": "d", "allowMultipleAllocations": True, "capacity": {"memory": {"value": Quantity(string="10Gi")}}}]
    pool = {"name": "shared", "generation": 1, "resourceSliceCount": 1}
    spec = {"driver": "net.example.com", "pool": pool, "allNodes": True, "devices": devices}
    cluster.client.resourceslices.create(ResourceSlice(metadata={"name": "shared"}, spec=spec))
    cluster.client.deviceclasses.create(
        DeviceClass(metadata={"name": "net"}, spec={"selectors": [{"cel": {"expression": 'device.driver == "net.example.com"'}}]})
    )
    for number in range(3):
        asked = {"requests": {"memory": Quantity(string="4Gi")}}
        exactly = {"deviceClassName": "net", "allocationMode": "ExactCount", "count": 1, "capacity": asked}
        wanted = {"devices": {"requests": [{"name": "r", "exactly": exactly}]}}
        cluster.client.resourceclaims.create(ResourceClaim(metadata={"name": f"want-{number}", "namespace": "default"}, spec=wanted))
        pod(cluster, f"p{number}", f"want-{number}")
    cluster.wait_for(lambda: [each for each in _pods(cluster) if _says(each, "cannot allocate all claims")])
    cluster.wait_for(lambda: sum(each.status.phase == "Running" for each in _pods(cluster)) == 2)
    given = [result for number in range(3) if (result := _result(cluster, f"want-{number}"))]
    assert [result.consumedCapacity["memory"].string for result in given] == ["4Gi", "4Gi"]
    assert len({result.shareID for result in given}) == 2


def _result(cluster: SyncCluster, name: str) -> Any:
    results = cluster.client.resourceclaims.get(name, namespace="default").status.allocation.devices.results
    return results[0] if results else None


def _reported(cluster: SyncCluster, name: str) -> bool:
    return bool(cluster.client.resourceclaims.get(name, namespace="default").status.devices)


def _report(cluster: SyncCluster, name: str, condition: str) -> None:
    """Say what a driver says of the device of a claim."""
    found = cluster.client.resourceclaims.get(name, namespace="default")
    [result] = found.status.allocation.devices.results
    at = {"driver": result.driver, "pool": result.pool, "device": result.device}
    said = {"type": condition, "status": "True", "reason": "Said", "message": "so", "lastTransitionTime": {"seconds": 1}}
    del found.status.devices[:]
    found.status.devices.add(**at, conditions=[said])
    cluster.client.resourceclaims.update_status(found)


def _unallocated(cluster: SyncCluster, name: str) -> Any:
    found = cluster.client.resourceclaims.get(name, namespace="default")
    return None if found.status.HasField("allocation") or found.metadata.finalizers else found


def _pods(cluster: SyncCluster) -> list[Any]:
    return list(cluster.client.pods.list(namespace="default").items)


def _says(pod: Any, text: str) -> bool:
    return any(text in condition.message for condition in pod.status.conditions)
