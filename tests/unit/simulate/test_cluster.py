"""What a simulation reads of a cluster, and what it passes over by name."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest

from kcore.api.core.v1.node_pb2 import Node
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.client.kinds import Resource
from kcore.machinery import codec, status
from kcore.machinery.files.snapshot import SnapshotError, Writer
from kcore.simulate.cluster import Cluster, of_objects, of_snapshot, read
from tests.unit.simulate.objects import node, pod


class Untouchable(dict[str, Any]):
    """Data that nobody may look at."""

    def get(self, *_: Any) -> Any:
        raise AssertionError("a Secret was read")

    __getitem__ = items = keys = values = get


def test_what_nothing_depends_on_is_counted_and_never_looked_into() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": Untouchable(), "data": Untouchable()}
    foreign = {"apiVersion": "serving.example.com/v1", "kind": "Service", "metadata": {"name": "x"}}
    found = of_objects([node("a"), secret, secret, foreign])
    assert found.skipped == {"Secret": 2, "Service.serving.example.com": 1}
    assert len(found.nodes) == 1 and found.others == []


def test_an_object_that_stands_in_two_files_is_one() -> None:
    found = of_objects([pod("a", on="old"), node("n"), pod("a", on="new")])
    assert [Pod.FromString(raw).spec.nodeName for raw in found.pods] == ["new"]


def test_what_an_api_server_would_fill_in_is_filled_in() -> None:
    unfinished = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    found = of_objects([node("n"), unfinished])
    read_pod, read_node = Pod.FromString(found.pods[0]), Node.FromString(found.nodes[0])
    assert (read_pod.metadata.namespace, read_pod.spec.schedulerName) == ("default", "default-scheduler")
    assert read_node.status.allocatable["cpu"].string == "4"


def test_an_object_that_cannot_be_read_is_named_with_the_reason() -> None:
    broken = pod("odd")
    broken["spec"]["priority"] = "high"
    found = of_objects([node("a"), broken])
    assert found.pods == [] and "priority" in str(found.skipped["Pod odd"])


def live(refusals: dict[str, status.StatusError]) -> tuple[Cluster, list[str]]:
    asked = []

    async def listed(resource: Resource) -> list[bytes]:
        asked.append(resource.resource)
        if resource.resource in refusals:
            raise refusals[resource.resource]
        return [b""]

    return asyncio.run(read(listed)), asked


def test_a_live_cluster_is_read_without_its_secrets_and_without_what_is_forbidden() -> None:
    found, asked = live({"services": status.forbidden("services", "", "", "may not")})
    assert "secrets" not in asked and {"nodes", "pods", "namespaces", "poddisruptionbudgets"} <= set(asked)
    assert "may not" in str(found.skipped["Service"])
    assert "Namespace" in dict(found.others)


@pytest.mark.parametrize("resource", ["nodes", "pods"])
def test_without_nodes_or_pods_there_is_nothing_to_tell(resource: str) -> None:
    with pytest.raises(status.StatusError, match="may not"):
        live({resource: status.forbidden(resource, "", "", "may not")})


def test_a_server_that_fails_ends_the_reading() -> None:
    with pytest.raises(status.StatusError, match="away"):
        live({"services": status.service_unavailable("away")})


def saved(*objects: tuple[str, str, bytes]) -> io.BytesIO:
    """A snapshot of objects: key, kind, and the object in wire form."""
    writer = Writer(7)
    pieces = [writer.header(), *(writer.entry(key=key.encode(), value=codec.envelope("v1", kind, raw)) for key, kind, raw in objects)]
    return io.BytesIO(b"".join((*pieces, writer.end())))


def test_a_snapshot_is_a_cluster_and_its_secrets_stay_closed() -> None:
    nodes, pods = (of_objects([each]) for each in (node("n"), pod("a", on="n")))
    found = of_snapshot(
        saved(
            ("/registry/minions/n", "Node", nodes.nodes[0]),
            ("/registry/pods/default/a", "Pod", pods.pods[0]),
            ("/registry/secrets/default/s", "Secret", b"\xff no secret at all"),
            ("/registry/services/specs/default/web", "Service", b""),
            ("/registry/leases/kube-node-lease/n", "Lease", b"\xff"),
            ("/registry/example.com/things/default/x", "Thing", b"\xff"),
        )
    )
    assert (found.nodes, found.pods) == (nodes.nodes, pods.pods) and found.others == [("Service", b"")]
    assert found.skipped == {"Secret": 1, "Lease.coordination.k8s.io": 1, "/registry/example.com/": 1}


def test_a_snapshot_that_is_cut_off_is_no_cluster() -> None:
    whole = saved(("/registry/minions/n", "Node", b"")).getvalue()
    with pytest.raises(SnapshotError, match="cut off"):
        of_snapshot(io.BytesIO(whole[:-5]))
