"""How long kubelets may keep what they read, by the size of the cluster."""

import pytest

from kcore.controllers import node_ttl
from kcore.controllers.node_ttl import ANNOTATION, STEPS, step_of
from tests.unit.controllers.cluster import NODES, Cluster, run


@pytest.mark.parametrize(
    ("counts", "ttl"),
    [((100,), 0), ((101,), 15), ((101, 95), 15), ((101, 89), 0), ((501,), 30), ((5000,), 300), ((5000, 1800), 300), ((5000, 1), 0)],
)
def test_the_steps_overlap(counts, ttl):
    step = 0
    for count in counts:
        step = step_of(count, step)
    assert STEPS[step].ttl_s == ttl


def ttls(cluster):
    return {node.metadata.annotations.get(ANNOTATION) for node in cluster.all(NODES).values()}


def test_every_node_says_what_the_size_of_the_cluster_asks_for():
    async def story(cluster: Cluster):
        cluster.node("n0")
        await cluster.start()
        await cluster.clock.sleep(1)
        assert ttls(cluster) == {"0"}
        for number in range(1, 101):
            cluster.node(f"n{number}")
        await cluster.clock.sleep(5)
        assert ttls(cluster) == {"15"}
        for number in range(20):
            cluster.delete(NODES, f"n{number}")
        await cluster.clock.sleep(5)
        assert ttls(cluster) == {"0"}

    run(story, node_ttl.NAME)


def test_what_somebody_else_writes_is_put_right():
    async def story(cluster: Cluster):
        cluster.node("n0")
        await cluster.start()
        await cluster.clock.sleep(1)
        cluster.change(NODES, "n0", lambda node: node.metadata.annotations.update({ANNOTATION: "7"}))
        await cluster.clock.sleep(1)
        assert ttls(cluster) == {"0"}

    run(story, node_ttl.NAME)
