"""Groups of pods in a whole control plane, where the feature is on."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.api.core.v1.namespace_pb2 import Namespace
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.scheduling.v1beta1.pod_group_pb2 import PodGroup
from kcore.api.scheduling.v1beta1.workload_pb2 import Workload
from kcore.base.features import GENERIC_WORKLOAD
from kcore.machinery.status import StatusError
from kcore.testing import SyncCluster


def member(name: str, group: str, cpu: str) -> Any:
    container = {"name": "c", "image": "web", "resources": {"requests": {"cpu": {"string": cpu}}}}
    spec = {"schedulingGroup": {"podGroupName": group}, "containers": [container]}
    return Pod(metadata={"name": name, "namespace": "default"}, spec=spec)


def a_group(name: str, min_count: int) -> Any:
    return PodGroup(metadata={"name": name, "namespace": "default"}, spec={"schedulingPolicy": {"gang": {"minCount": min_count}}})


def test_pods_of_a_group_run_together_or_wait_and_their_group_outlives_them() -> None:
    with SyncCluster(nodes=2, virtual_time=True, features=(GENERIC_WORKLOAD,)) as cluster:
        pods, groups = cluster.client.pods, cluster.client.of(PodGroup)
        groups.create(a_group("large", 3))
        groups.create(a_group("small", 2))
        for name in ("a", "b", "c"):
            pods.create(member(f"large-{name}", "large", "20"))
        for name in ("a", "b"):
            pods.create(member(f"small-{name}", "small", "10"))
        cluster.wait_for(lambda: states(cluster) == {"large": "Unschedulable", "small": "Scheduled"})
        cluster.wait_for(lambda: running(cluster) == {"small-a", "small-b"})
        assert not any(pod.spec.nodeName for pod in pods.list().items if pod.metadata.name.startswith("large"))
        pods.delete("large-c", namespace="default")
        groups.delete("small", namespace="default")
        cluster.clock.advance(seconds=30)
        assert groups.get("small", namespace="default").metadata.HasField("deletionTimestamp")
        for name in ("a", "b"):
            pods.delete(f"small-{name}", namespace="default")
        cluster.wait_for(lambda: [group.metadata.name for group in groups.list().items] == ["large"])


def running(cluster: SyncCluster) -> set[str]:
    return {pod.metadata.name for pod in cluster.client.pods.list().items if pod.status.phase == "Running"}


def states(cluster: SyncCluster) -> dict[str, str]:
    found = cluster.client.of(PodGroup).list().items
    return {group.metadata.name: condition.reason for group in found for condition in group.status.conditions}


def test_without_the_feature_there_are_no_groups_and_pods_belong_to_none() -> None:
    with SyncCluster(nodes=1, virtual_time=True) as cluster:
        for obj in (a_group("g", 2), Workload(metadata={"name": "w", "namespace": "default"})):
            with pytest.raises(StatusError) as refused:
                cluster.client.of(type(obj)).create(obj)
            assert refused.value.code == 405
        assert not cluster.client.pods.create(member("a", "g", "1")).spec.HasField("schedulingGroup")
        cluster.wait_for(lambda: cluster.client.pods.get("a", namespace="default").status.phase == "Running")


def test_a_namespace_takes_its_groups_along() -> None:
    with SyncCluster(nodes=1, virtual_time=True, features=(GENERIC_WORKLOAD,)) as cluster:
        cluster.client.namespaces.create(Namespace(metadata={"name": "team"}))
        group = a_group("g", 1)
        group.metadata.namespace = "team"
        cluster.client.of(PodGroup).create(group)
        cluster.client.namespaces.delete("team")
        cluster.wait_for(lambda: "team" not in {found.metadata.name for found in cluster.client.namespaces.list().items})
        assert not cluster.client.of(PodGroup).list().items
