"""Hollow nodes in a seeded storm: their process is killed, the server goes away, answers are lost, pods come and go. Then calm.

Always: no two live pods of a node have one address, and no pod goes without its final status. In the end: every pod that fits runs, every
deleted one is gone, finished ones have finished, and every node's Lease is fresh.
"""

import pytest

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.client.wire import DELETED
from kcore.machinery import status
from kcore.testing.fake_server import Mutation
from tests.unit.agent.cluster import PODS, Cluster, run

ROOM = 5
NODES = 3
FINAL = ("Succeeded", "Failed")


class Watcher:
    """Looks at every commit."""

    def __init__(self) -> None:
        self.addresses: dict[tuple[str, str], str] = {}
        self.wrongs: list[str] = []

    def committed(self, mutations: list[Mutation]) -> None:
        for mutation in mutations:
            if mutation.resource is PODS:
                self.look(mutation)

    def look(self, mutation: Mutation) -> None:
        pod: Pod = mutation.new
        if mutation.type == DELETED and mutation.old.metadata.HasField("deletionTimestamp") and mutation.old.status.phase not in FINAL:
            self.wrongs.append(f"{mutation.key} went without its final status")
        for place in [place for place, key in self.addresses.items() if key == mutation.key]:
            del self.addresses[place]
        if mutation.type != DELETED and pod.status.phase not in FINAL and pod.status.podIP:
            other = self.addresses.setdefault((pod.spec.nodeName, pod.status.podIP), mutation.key)
            if other != mutation.key:
                self.wrongs.append(f"{mutation.key} got the address of {other}")


async def storm(cluster: Cluster) -> None:
    chance = cluster.entropy
    for number in range(120):
        pods = [pod.metadata.name for pod in cluster.pods() if not pod.metadata.HasField("deletionTimestamp")]
        match chance.randrange(12):
            case 0 | 1 | 2 | 3:
                finishing = {"exit_after": "3"} if chance.random() < 0.4 else {}
                node, policy = f"node-{chance.randrange(NODES)}", "Never" if finishing else "Always"
                cluster.create(f"pod-{number}", node, lambda pod, policy=policy: setattr(pod.spec, "restartPolicy", policy), **finishing)
            case 4 | 5 | 6 if pods:
                cluster.delete(pods[chance.randrange(len(pods))], chance.randrange(30) + 1)
            case 7 if pods:
                pod = cluster.pod(pods[chance.randrange(len(pods))])
                pod.metadata.labels["l"] = str(number)
                cluster.server.update(PODS, pod)
            case 8:
                cluster.transport.fail("bulk", status.service_unavailable("lost"), after=chance.random() < 0.5)
            case 9:
                cluster.transport.break_streams(status.service_unavailable("reset"))
                if chance.random() < 0.3:
                    cluster.server.compact()
            case 10:
                cluster.transport.go_down()
                await cluster.clock.sleep(chance.random() * 3.0)
                cluster.transport.come_up()
            case 11:
                await cluster.kill()
                await cluster.start(NODES)
        await cluster.clock.sleep(chance.random() ** 4 * 2.0)


def check_calm(cluster: Cluster) -> None:
    pods = cluster.pods()
    assert not [pod.metadata.name for pod in pods if pod.metadata.HasField("deletionTimestamp")]
    for index in range(NODES):
        live = [pod for pod in pods if pod.spec.nodeName == f"node-{index}" and pod.status.phase not in FINAL]
        assert sum(pod.status.phase == "Running" for pod in live) == min(len(live), ROOM)
    for pod in pods:
        if pod.spec.restartPolicy == "Never" and pod.status.podIP:
            assert pod.status.phase == "Succeeded"
    now_s = cluster.clock.now()
    assert [lease.metadata.name for lease in cluster.leases() if now_s - lease.spec.renewTime.seconds > 16] == []
    assert len(cluster.leases()) == NODES


@pytest.mark.parametrize("seed", range(25))
def test_all_is_well_after_the_storm(seed: int) -> None:
    async def test(cluster: Cluster) -> None:
        watcher = Watcher()
        cluster.server.subscribe(watcher.committed)
        await cluster.start(NODES)
        await cluster.ready()
        await storm(cluster)
        await cluster.clock.sleep(90.0)
        check_calm(cluster)
        assert watcher.wrongs == []

    run(test, seed)
