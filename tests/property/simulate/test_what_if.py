"""Whatever is changed in whatever cluster: no pod is lost, no node is filled beyond what it has, the same seed tells the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.base.entropy import SeededEntropy
from kcore.scheduler.cycle import explain, schedule
from kcore.scheduler.evaluation import Evaluations
from kcore.scheduler.ingest import pod_row
from kcore.scheduler.snapshot import snapshot
from kcore.simulate.backtest import backtested
from kcore.simulate.changes import Add, Change, Drain, Grow
from kcore.simulate.cluster import Cluster
from kcore.simulate.report import simulated
from kcore.simulate.what_if import WhatIf
from tests.unit.simulate.objects import cluster, node, pod, pods_like

NODES = 4
CPU = st.integers(1, 4)
ANTI = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", "labelSelector": {}}]}}


@st.composite
def pods(draw: st.DrawFn, name: str, placed: bool) -> dict[str, Any]:
    on = f"n{draw(st.integers(0, NODES))}" if placed else ""  # the last one is not there
    made = pod(name, str(draw(CPU)), on, draw(st.sampled_from(["", "ReplicaSet", "DaemonSet"])), draw(st.integers(0, 3)))
    if draw(st.integers(0, 4)) == 0:
        made["spec"]["affinity"] = ANTI
    return made


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    nodes = [node(f"n{number}", str(draw(st.integers(2, 9))), zone=f"z{draw(st.integers(0, 2))}") for number in range(NODES)]
    found = [draw(pods(f"p{number}", draw(st.booleans()))) for number in range(draw(st.integers(0, 12)))]
    return cluster(*nodes, *found)


@st.composite
def changes(draw: st.DrawFn) -> list[Change]:
    drains = [Drain("", f"n{number}") for number in draw(st.lists(st.integers(0, NODES - 1), unique=True, max_size=NODES))]
    grows = [Grow("", f"n{draw(st.integers(0, NODES - 1))}", draw(st.integers(1, 2))) for _ in range(draw(st.integers(0, 2)))]
    adds = [Add("", pods_like(draw(pods(f"t{number}", False))), draw(st.integers(1, 5))) for number in range(draw(st.integers(0, 2)))]
    return draw(st.permutations([*drains, *grows, *adds]))


@given(clusters(), changes())
def test_no_pod_is_lost_and_no_node_is_filled_by_decisions(found: Cluster, wanted: list[Change]) -> None:
    what_if = WhatIf(found)
    full = {name for name, over in overfull(what_if).items() if over}
    what_if.settle()
    for change in wanted:
        what_if.change(change)
    waiting = what_if.unplaced()
    for key in {key for keys in what_if.brought for key in keys} - daemons(found).keys():
        assert (key in waiting) != (key in what_if.placed)
    crowded = {name for name in what_if.grown if name.partition("-")[0] in daemons(found).values()}  # which came with all their daemons
    assert {name for name, over in overfull(what_if).items() if over} <= full | crowded
    what_if._core.cache.verify()


def overfull(what_if: WhatIf) -> dict[str, bool]:
    columns = what_if.columns
    return {row.name: bool(columns.requested[0, slot] > columns.allocatable[0, slot]) for slot, row in enumerate(columns.rows) if row}


def daemons(found: Cluster) -> dict[str, str]:
    """The pods that belong to a node, and which."""
    made = [Pod.FromString(raw) for raw in found.pods]
    owned = [each for each in made if any(owner.kind == "DaemonSet" for owner in each.metadata.ownerReferences)]
    return {f"default/{each.metadata.name}": each.spec.nodeName for each in owned}


@given(clusters(), changes(), st.integers(0, 5))
def test_the_same_seed_tells_the_same(found: Cluster, wanted: list[Change], seed: int) -> None:
    assert simulated(found, wanted, seed) == simulated(found, wanted, seed)


@given(clusters())
def test_a_backtest_says_of_each_pod_what_an_explanation_without_it_says(found: Cluster) -> None:
    report = backtested(found)
    infeasible = {each["pod"] for each in report["infeasible"]}
    worse = {each["pod"]: (each["total"], each["best_total"]) for each in report["not_best"]}
    for raw in found.pods:
        row = pod_row(raw)
        if row.node_name:
            columns = snapshot(found.nodes, [other for other in found.pods if other is not raw], found.others).columns
            told = explain(row, columns)
            assert (row.node_name not in told.feasible) == (row.key in infeasible)
            if row.node_name in told.feasible:
                assert (row.node_name not in told.best) == (row.key in worse)
            if row.key in worse:
                assert worse[row.key] == (told.totals[row.node_name], max(told.totals.values()))
    assert report["feasible"] == report["bound"] - len(infeasible) and report["best"] == report["feasible"] - len(worse)


@given(clusters(), pods("t", False), st.integers(1, 6))
def test_pods_that_come_go_where_the_scheduler_sends_them_one_by_one(found: Cluster, like: dict[str, Any], count: int) -> None:
    bound = found._replace(pods=[raw for raw in found.pods if pod_row(raw).node_name])
    template = pods_like(like)
    what_if, entropy = WhatIf(bound, seed=3), SeededEntropy(3)
    what_if.change(Add("", template, count))
    columns, _ = snapshot(bound.nodes, bound.pods)
    evaluations, expected = Evaluations(), {}
    for each in template.pods(0, count):
        node_name = schedule(each, columns, evaluations, entropy.randrange).node
        if node_name is None:
            break
        expected[each.key] = node_name
        columns.place(node_name, each.account)
    assert expected.items() <= what_if.placed.items()
