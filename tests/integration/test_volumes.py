"""Pods that bring claims: the scheduler chooses, the binder answers, the pods run; and what happens when nobody answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kcore.api.core.v1.persistent_volume_claim_pb2 import PersistentVolumeClaim
from kcore.api.core.v1.persistent_volume_pb2 import PersistentVolume
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.storage.v1.storage_class_pb2 import StorageClass
from kcore.base import limits
from kcore.testing import SyncCluster

BINDER = "persistentvolume-binder"
HOST = "kubernetes.io/hostname"


@pytest.fixture
def bound() -> Iterator[SyncCluster]:
    with SyncCluster(nodes=3, virtual_time=True, optional=(BINDER,)) as cluster:
        yield cluster


@pytest.fixture
def unbound() -> Iterator[SyncCluster]:
    """A cluster in which nobody binds claims."""
    with SyncCluster(nodes=3, virtual_time=True) as cluster:
        yield cluster


def storage_class(cluster: SyncCluster, name: str, provisioner: str, mode: str = "WaitForFirstConsumer") -> None:
    cluster.client.storageclasses.create(StorageClass(metadata={"name": name}, provisioner=provisioner, volumeBindingMode=mode))


def claim(cluster: SyncCluster, name: str, class_name: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": {"string": "1Gi"}}}, "storageClassName": class_name}
    cluster.client.persistentvolumeclaims.create(PersistentVolumeClaim(metadata={"name": name, "namespace": "default"}, spec=spec))


def local_volume(cluster: SyncCluster, name: str, node: str, class_name: str) -> None:
    found = PersistentVolume(metadata={"name": name})
    found.spec.capacity["storage"].string, found.spec.storageClassName = "1Gi", class_name
    found.spec.accessModes.append("ReadWriteOnce")
    found.spec.persistentVolumeSource.local.path = "/disk"
    term = found.spec.nodeAffinity.required.nodeSelectorTerms.add()
    term.matchExpressions.add(key=HOST, operator="In", values=[node])
    cluster.client.persistentvolumes.create(found)


def pod(cluster: SyncCluster, name: str, *claims: str) -> None:
    volumes = [{"name": each, "volumeSource": {"persistentVolumeClaim": {"claimName": each}}} for each in claims]
    spec = {"containers": [{"name": "c", "image": "web"}], "volumes": volumes}
    cluster.client.pods.create(Pod(metadata={"name": name, "namespace": "default"}, spec=spec))


def seen(cluster: SyncCluster, name: str) -> Any:
    return cluster.client.pods.get(name, namespace="default")


def runs(cluster: SyncCluster, name: str) -> Any:
    return cluster.wait_for(lambda: found if (found := seen(cluster, name)).status.phase == "Running" else None)


def events(cluster: SyncCluster, name: str) -> list[str]:
    found = cluster.client.events.list(namespace="default").items
    return [event.message for event in found if event.involvedObject.name == name]


def test_a_claim_that_waits_is_provisioned_for_the_node_that_was_chosen(bound: SyncCluster) -> None:
    storage_class(bound, "hollow", "hollow.kcore.io")
    claim(bound, "data", "hollow")
    bound.stays(lambda: not bound.client.persistentvolumeclaims.get("data", namespace="default").spec.volumeName, 5)
    pod(bound, "p", "data")
    node = runs(bound, "p").spec.nodeName
    found = bound.client.persistentvolumeclaims.get("data", namespace="default")
    assert found.metadata.annotations["volume.kubernetes.io/selected-node"] == node
    assert found.status.phase == "Bound" and found.status.capacity["storage"].string == "1Gi"
    volume = bound.client.persistentvolumes.get(found.spec.volumeName)
    assert (volume.spec.claimRef.name, volume.spec.claimRef.uid) == ("data", found.metadata.uid)
    bound.wait_for(lambda: bound.client.persistentvolumes.get(found.spec.volumeName).status.phase == "Bound")


def test_local_volumes_take_each_their_pod_to_their_node(bound: SyncCluster) -> None:
    storage_class(bound, "local", "kubernetes.io/no-provisioner")
    names = [node.metadata.name for node in bound.client.nodes.list().items]
    for node in names:
        local_volume(bound, f"disk-{node}", node, "local")
        claim(bound, f"claim-{node}", "local")
        pod(bound, f"pod-{node}", f"claim-{node}")
    placed = {runs(bound, f"pod-{node}").spec.nodeName for node in names}
    assert placed == set(names)
    for node in names:
        found = bound.client.persistentvolumeclaims.get(f"claim-{node}", namespace="default")
        assert found.spec.volumeName == f"disk-{seen(bound, f'pod-{node}').spec.nodeName}"


def test_a_claim_that_does_not_wait_is_bound_at_once_and_its_pod_waits_for_that(bound: SyncCluster) -> None:
    storage_class(bound, "now", "hollow.kcore.io", "Immediate")
    pod(bound, "p", "data")
    bound.wait_for(lambda: any('persistentvolumeclaim "data" not found' in message for message in events(bound, "p")))
    claim(bound, "data", "now")
    runs(bound, "p")
    bound.client.pods.delete("p", namespace="default")
    bound.client.persistentvolumeclaims.delete("data", namespace="default")
    bound.wait_for(lambda: not bound.client.persistentvolumes.list().items)


def test_a_pod_whose_claim_nobody_binds_starts_anew_after_the_time_out_and_nothing_stays_assumed(unbound: SyncCluster) -> None:
    storage_class(unbound, "hollow", "hollow.kcore.io")
    claim(unbound, "data", "hollow")
    pod(unbound, "p", "data")
    unbound.wait_for(lambda: unbound.client.persistentvolumeclaims.get("data", namespace="default").metadata.annotations)
    pod(unbound, "other")
    runs(unbound, "other")
    assert not seen(unbound, "p").spec.nodeName
    unbound.clock.advance(seconds=limits.SCHEDULER_VOLUMES_BOUND_S_MAX + 5)
    said = 'running PreBind plugin "VolumeBinding": binding volumes: timed out waiting for the condition'
    unbound.wait_for(lambda: said in events(unbound, "p"))
