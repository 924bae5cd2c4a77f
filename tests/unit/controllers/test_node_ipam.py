"""Subnets of nodes."""

from kcore.machinery import status
from kcore.network import SubnetAllocator, cluster_ranges
from tests.unit.controllers.cluster import NODES, Cluster, run

IPAM = "node-ipam"


def cidrs(cluster):
    return {name: tuple(node.spec.podCIDRs) for name, node in cluster.all(NODES).items()}


def subnets(cidr="10.244.0.0/22"):
    return SubnetAllocator(cluster_ranges([cidr]))


def test_each_node_gets_a_subnet_of_its_own():
    async def story(cluster: Cluster):
        cluster.node("n1")
        await cluster.start()
        cluster.node("n2")
        cluster.node("n3")
        await cluster.clock.sleep(1)
        found = cidrs(cluster)
        assert len(set(found.values())) == 3 and all(len(each) == 1 for each in found.values())
        assert cluster.all(NODES)["n1"].spec.podCIDR == found["n1"][0]
        assert cluster.events() == []

    run(story, IPAM, subnets=subnets())


def test_a_restart_gives_nothing_twice():
    async def story(cluster: Cluster):
        cluster.node("n1")
        cluster.node("n2")
        await cluster.start()
        await cluster.clock.sleep(1)
        before = cidrs(cluster)
        for name in ("a", "b"):  # looked at before the nodes that have theirs
            await cluster.stop()
            cluster.subnets = subnets()
            cluster.node(name)
            await cluster.start()
            await cluster.clock.sleep(1)
        after = cidrs(cluster)
        assert {name: after[name] for name in before} == before
        assert len(set(after.values())) == 4

    run(story, IPAM, subnets=subnets())


def test_a_lost_answer_gives_a_node_the_same_again():
    async def story(cluster: Cluster):
        await cluster.start()
        cluster.transport.fail("patch", status.service_unavailable("lost"), resource="nodes", after=True)
        cluster.node("n1")
        await cluster.clock.sleep(5)
        cluster.node("n2")
        cluster.node("n3")
        cluster.node("n4")
        await cluster.clock.sleep(5)
        assert len(set(cidrs(cluster).values())) == 4, "no subnet was wasted"

    run(story, IPAM, subnets=subnets())


def test_a_node_without_subnet_says_so_and_gets_the_next_that_is_free():
    async def story(cluster: Cluster):
        await cluster.start()
        for name in ("n1", "n2", "n3"):
            cluster.node(name)
            await cluster.clock.sleep(1)
        assert cidrs(cluster)["n3"] == ()
        assert cluster.events() == [("cidrAllocator", "n3", "Node n3 status is now: CIDRNotAvailable")]
        freed = cidrs(cluster)["n1"]
        cluster.delete(NODES, "n1")
        await cluster.clock.sleep(1)
        assert cidrs(cluster)["n3"] == freed

    run(story, IPAM, subnets=subnets("10.244.0.0/23"))


def test_a_subnet_that_somebody_else_gave_is_taken():
    async def story(cluster: Cluster):
        await cluster.start()
        cluster.node("n1")
        await cluster.clock.sleep(1)

        def move(node):
            del node.spec.podCIDRs[:]
            node.spec.podCIDRs.append("10.244.1.0/24")

        cluster.change(NODES, "n1", move)
        await cluster.clock.sleep(1)
        for name in ("n2", "n3", "n4"):
            cluster.node(name)
        await cluster.clock.sleep(1)
        assert len(set(cidrs(cluster).values())) == 4

    run(story, IPAM, subnets=subnets())
