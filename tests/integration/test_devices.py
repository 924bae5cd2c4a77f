"""Pods that bring resource claims: the scheduler finds devices, writes what each claim gets, and the pods run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kcore.api.core.v1.pod_pb2 import Pod
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


def _unallocated(cluster: SyncCluster, name: str) -> Any:
    found = cluster.client.resourceclaims.get(name, namespace="default")
    return None if found.status.HasField("allocation") or found.metadata.finalizers else found


def _pods(cluster: SyncCluster) -> list[Any]:
    return list(cluster.client.pods.list(namespace="default").items)


def _says(pod: Any, text: str) -> bool:
    return any(text in condition.message for condition in pod.status.conditions)
