"""Node objects of hollow nodes: those of a shape differ from the plain ones in what the shape says."""

from kcore.agent import nodestate
from kcore.agent.settings import NodeSettings, NodeShape
from kcore.api.core.v1.node_pb2 import Node

GPU = NodeShape(2, {"example.com/gpu": "8", "cpu": "96"}, {"model": "A10"}, [{"key": "gpu", "effect": "NoSchedule"}])
SETTINGS = NodeSettings(4, shapes=(GPU, NodeShape(1, {"pods": "5"})))


def node(index: int) -> Node:
    return nodestate.new_node(SETTINGS, index, 0)


def amounts(found: Node) -> dict[str, str]:
    assert found.status.capacity == found.status.allocatable
    return {name: amount.string for name, amount in found.status.capacity.items()}


def test_nodes_of_a_shape_have_its_amounts_labels_and_taints_over_those_of_all_nodes() -> None:
    for found in (node(0), node(1)):
        assert amounts(found) == {**SETTINGS.capacity, "example.com/gpu": "8", "cpu": "96"}
        assert found.metadata.labels["model"] == "A10" and found.metadata.labels["kubernetes.io/os"] == "linux"
        assert [(taint.key, taint.effect) for taint in found.spec.taints] == [("gpu", "NoSchedule")]


def test_shapes_follow_one_another_and_what_is_beyond_them_is_plain() -> None:
    assert amounts(node(2)) == {**SETTINGS.capacity, "pods": "5"}
    assert amounts(node(3)) == dict(SETTINGS.capacity)
    assert all(not found.spec.taints and "model" not in found.metadata.labels for found in (node(2), node(3)))


def test_a_report_tells_the_amounts_of_the_shape_again() -> None:
    found = node(0)
    found.status.Clear()
    nodestate.report(found, SETTINGS, 0, 0)
    assert amounts(found)["example.com/gpu"] == "8"
