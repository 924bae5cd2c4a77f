"""Each plugin's own rules; the property tests compare them with the twin on random clusters."""

import pytest

from kcore.scheduler.columns import Columns
from kcore.scheduler.evaluation import Evaluations
from kcore.scheduler.events import NamespaceChanged, NodeChanged, NodeGone, PeerChanged, PodGone
from kcore.scheduler.labels import LabelColumn, integer
from kcore.scheduler.plugins.image_locality import ImageLocality, normalised
from kcore.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from kcore.scheduler.plugins.node_affinity import NodeAffinity, named_nodes
from kcore.scheduler.plugins.node_name import NodeName
from kcore.scheduler.plugins.node_ports import NodePorts, collide
from kcore.scheduler.plugins.node_resources_fit import NodeResourcesFit
from kcore.scheduler.plugins.node_unschedulable import NodeUnschedulable
from kcore.scheduler.plugins.pod_topology_spread import PodTopologySpread
from kcore.scheduler.plugins.taint_toleration import TaintToleration
from kcore.scheduler.profile import DEFAULT
from kcore.scheduler.rows import (
    Account,
    Ask,
    Expression,
    Image,
    Peer,
    PodAffinity,
    PodSelector,
    PodTerm,
    Spread,
    Taint,
    Term,
    Toleration,
    tolerated,
)
from tests.unit.scheduler.pods import SMALL, node, pod

TAINT = Taint("team", "red", "NoSchedule")


@pytest.mark.parametrize(
    ("toleration", "tolerates"),
    [
        (Toleration("team", "Equal", "red", "NoSchedule"), True),
        (Toleration("team", "", "red", ""), True),
        (Toleration("team", "Equal", "blue", ""), False),
        (Toleration("team", "Exists", "", ""), True),
        (Toleration("", "Exists", "", ""), True),
        (Toleration("", "Exists", "", "NoExecute"), False),
        (Toleration("other", "Exists", "", ""), False),
        (Toleration("team", "Gt", "1", ""), False),
    ],
)
def test_a_toleration_matches_by_effect_key_and_value(toleration, tolerates):
    assert tolerated(TAINT, (toleration,)) is tolerates


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("-3", -3), ("+4", 4), ("", None), ("1.5", None), ("9" * 30, None), ("٣", None)])
def test_label_values_are_compared_as_64_bit_integers(text, number):
    assert integer(text) == number


def test_a_missing_label_is_not_in_anything_and_smaller_than_nothing():
    column = LabelColumn(3)
    column.set(0, "5")
    column.set(1, "x")
    tables = {
        ("In", ("5", "z")): [1, 0, 0], ("NotIn", ("5",)): [0, 1, 1], ("Exists", ()): [1, 1, 0], ("DoesNotExist", ()): [0, 0, 1],
        ("Gt", ("4",)): [1, 0, 0], ("Lt", ("4",)): [0, 0, 0], ("Lt", ("6",)): [1, 0, 0], ("Gt", ("1", "2")): [0, 0, 0],
        ("Gt", ("x",)): [0, 0, 0], ("Near", ("5",)): [0, 0, 0],
    }  # fmt: skip
    for (operator, values), mask in tables.items():
        assert column.table(Expression("k", operator, values))[column.codes].tolist() == mask, operator


@pytest.mark.parametrize(("left", "right", "colliding"), [
    (("0.0.0.0", "TCP", 80), ("10.0.0.1", "TCP", 80), True), (("10.0.0.1", "TCP", 80), ("10.0.0.1", "TCP", 80), True),
    (("10.0.0.1", "TCP", 80), ("10.0.0.2", "TCP", 80), False), (("0.0.0.0", "TCP", 80), ("0.0.0.0", "UDP", 80), False),
    (("0.0.0.0", "TCP", 80), ("0.0.0.0", "TCP", 81), False),
])  # fmt: skip
def test_the_wildcard_address_collides_with_all(left, right, colliding):
    assert collide(left, right) is collide(right, left) is colliding


@pytest.mark.parametrize(
    ("image", "name"),
    [("web", "web:latest"), ("web:1", "web:1"), ("host:5000/web", "host:5000/web:latest"), ("web@sha256:ab", "web@sha256:ab")],
)
def test_an_image_without_tag_means_latest(image, name):
    assert normalised(image) == name


def test_images_score_by_size_and_spread():
    columns = Columns()
    columns.set_node(node("n0")._replace(images=(Image(("web:1",), 1000 << 20),)))
    columns.set_node(node("n1"))
    plugin, ask = ImageLocality(), Ask(images=("web:1",))
    assert plugin.raw(ask, columns).tolist() == [100 * ((500 << 20) - (23 << 20)) // ((1000 << 20) - (23 << 20)), 0]
    columns.set_node(node("n0"))
    assert plugin.raw(ask, columns) is None


def term(*names: str, operator: str = "In") -> Term:
    return Term((), (Expression("metadata.name", operator, names),))


def test_names_bound_the_nodes_only_where_every_term_gives_some():
    assert named_nodes(Ask(required=(term("a"), term("b")))) == {"a", "b"}
    assert named_nodes(Ask(required=(term("a"), Term((Expression("k", "Exists", ()),), ())))) is None
    assert named_nodes(Ask(required=(term("a", operator="NotIn"),))) is None
    assert named_nodes(Ask(required=(Term((), (*term("a").fields, *term("b").fields)),))) == frozenset()
    assert named_nodes(Ask()) is None


def test_each_filter_is_woken_by_what_can_help_it():
    cordoned = node("n")._replace(unschedulable=True)
    tainted = node("n", taints=(TAINT,))
    port = ("0.0.0.0", "TCP", 80)
    zone = Ask(node_selector=(("zone", "a"),))
    big = Ask(amounts=(("cpu", 3000),))
    cases = [
        (NodeName(), Ask(node_name="n"), NodeChanged(None, node("n")), True),
        (NodeName(), Ask(node_name="n"), NodeChanged(None, node("m")), False),
        (NodeName(), Ask(node_name="n"), NodeChanged(node("n"), node("n", cpu=1)), False),
        (NodeUnschedulable(), Ask(), NodeChanged(cordoned, node("n")), True),
        (NodeUnschedulable(), Ask(), NodeChanged(None, cordoned), False),
        (NodeUnschedulable(), Ask(), NodeChanged(node("n"), node("n", cpu=1)), False),
        (TaintToleration(), Ask(), NodeChanged(tainted, node("n")), True),
        (TaintToleration(), Ask(), NodeChanged(None, tainted), False),
        (TaintToleration(), Ask(), NodeChanged(node("n"), node("n", cpu=1)), False),
        (NodeAffinity(), zone, NodeChanged(node("n"), node("n", zone="a")), True),
        (NodeAffinity(), zone, NodeChanged(node("n", zone="a"), node("n", zone="a", cpu=1)), False),
        (NodeAffinity(), zone, NodeChanged(None, node("n")), False),
        (NodePorts(), Ask(ports=(port,)), PodGone("n", Account(ports=(("10.0.0.1", "TCP", 80),))), True),
        (NodePorts(), Ask(ports=(port,)), PodGone("n", Account()), False),
        (NodePorts(), Ask(ports=(port,)), NodeChanged(None, node("n")), True),
        (NodeResourcesFit(), big, PodGone("n", Account()), True),
        (NodeResourcesFit(), big, NodeChanged(None, node("n")), True),
        (NodeResourcesFit(), big, NodeChanged(None, node("n", cpu=2000)), False),
        (NodeResourcesFit(), big, NodeChanged(node("n"), node("n", zone="a")), False),
        (NodeResourcesFit(), big, NodeChanged(node("n", cpu=2000), node("n")), True),
        (NodeResourcesFit(), big, NodeChanged(node("n", pod_limit=1), node("n")), True),
    ]
    for plugin, ask, event, wakes in cases:
        assert plugin.wakes(event, ask) is wakes, (plugin.name, event)
    assert {plugin.name for plugin, *_ in cases} == set(DEFAULT.wakers) - ELSEWHERE


ELSEWHERE = {
    "PodTopologySpread", "InterPodAffinity", "VolumeRestrictions", "NodeVolumeLimits", "VolumeBinding", "VolumeZone", "DynamicResources",
}  # fmt: skip
"""Whose hints are tested below, or with those of volumes and devices."""

WEB = PodSelector((Expression("app", "In", ("web",)),), ("default",))


def web(**more):
    return Peer("default", (("app", "web"),), **more)


def test_topology_spread_is_woken_by_what_changes_counts():
    plugin, other = PodTopologySpread(), Peer("default", (("app", "db"),))
    zone = Ask(spread=(Spread("zone", 1, True, WEB, honors_taints=True), Spread("rack", 1, False, WEB)))
    cases = [
        (NodeChanged(None, node("n", zone="a")), True),
        (NodeChanged(None, node("n", rack="a")), False),
        (NodeChanged(node("n", zone="a"), node("n", zone="b")), True),
        (NodeChanged(node("n", zone="a"), node("n", zone="a", cpu=1)), False),
        (NodeChanged(node("n", zone="a"), node("n", zone="a", taints=(TAINT,))), True),
        (NodeGone(node("n", zone="a")), True),
        (NodeGone(node("n")), False),
        (PodGone("n", Account(peer=web())), True),
        (PodGone("n", Account(peer=web(terminating=True))), False),
        (PodGone("n", Account(peer=other)), False),
        (PodGone("n", Account(peer=web()._replace(namespace="b"))), False),
        (PeerChanged(None, web()), True),
        (PeerChanged(None, other), False),
        (PeerChanged(other, web()), True),
        (PeerChanged(web(), web(terminating=True)), True),
        (PeerChanged(web(), web()._replace(labels=(("app", "web"), ("more", "x")))), False),
        (NamespaceChanged("default", {}, {"a": "b"}), False),
    ]
    for event, wakes in cases:
        assert plugin.wakes(event, zone) is wakes, event
        assert not plugin.wakes(event, Ask()), "default constraints reject no node"
    assert PodTopologySpread((Spread("zone", 1, True, PodSelector(None)),), system=False).wakes(cases[0][0], Ask())


def test_pod_affinity_is_woken_by_pods_that_come_or_go():
    plugin, other = InterPodAffinity(), Peer("default", (("app", "db"),))
    near = Ask(affinity=PodAffinity(required=(PodTerm(WEB, "zone"),)))
    far = Ask(affinity=PodAffinity(avoided=(PodTerm(WEB, "zone"),)))
    avoiding = web(affinity=PodAffinity(avoided=(PodTerm(WEB, "zone"),)))
    cases = [
        (near, NodeChanged(None, node("n", zone="a")), True),
        (near, NodeChanged(None, node("n")), False),
        (far, NodeChanged(None, node("n")), True),
        (far, NodeChanged(node("n"), node("n", cpu=1)), False),
        (near, NodeChanged(node("n", zone="a"), node("n")), True),
        (near, PeerChanged(None, web()), True),
        (near, PeerChanged(None, other), False),
        (far, PeerChanged(None, web()), False),
        (far, PeerChanged(web(), other), True),
        (near, PodGone("n", Account(peer=other)), False),
        (far, PodGone("n", Account(peer=web())), True),
        (far, PodGone("n", Account(peer=other)), False),
        (Ask(), PodGone("n", Account(peer=avoiding)), True),
        (far, NodeGone(node("n")), True),
        (near, NamespaceChanged("default", {}, {"a": "b"}), True),
    ]
    for ask, event, wakes in cases:
        assert plugin.wakes(event, ask) is wakes, (ask, event)


def test_a_resource_that_no_node_has_fits_nowhere():
    columns = Columns()
    columns.set_node(node("n"))
    evaluation = Evaluations().of(pod("a", SMALL._replace(amounts=(("example.com/none", 1),))), columns)
    assert evaluation.feasible_count == 0
