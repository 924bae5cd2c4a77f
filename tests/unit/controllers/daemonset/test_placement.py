"""Which nodes a DaemonSet is for, where pods are missing or too many, and what a rolling update replaces."""

from typing import Any

import pytest

from kcore.controllers.daemonset import counts, placement, rolling_update
from kcore.controllers.daemonset.eligibility import Eligibility, Fit, demand_of, fit
from kcore.controllers.daemonset.placement import Observed, Pause
from kcore.controllers.daemonset.pods import Revision, by_node, new_pod, target_node
from tests.property.controllers.batch_world import daemonset, node

NOW = 1_000.0
NEW, OLD = Revision("new", ""), Revision("old", "")
YES, TAINTED = Fit(True, True), Fit(False, True)


def tainted(key: str, effect: str, name: str = "n1", **labels: str) -> Any:
    found = node(name, **labels)
    found.spec.taints.add(key=key, effect=effect)
    return found


@pytest.mark.parametrize(("key", "effect", "expected"), [
    ("node.kubernetes.io/unschedulable", "NoSchedule", YES),
    ("node.kubernetes.io/not-ready", "NoExecute", YES),
    ("node.kubernetes.io/not-ready", "NoSchedule", TAINTED),
    ("node.kubernetes.io/network-unavailable", "NoSchedule", TAINTED),
    ("dedicated", "NoSchedule", TAINTED),
    ("dedicated", "NoExecute", Fit(False, False)),
    ("dedicated", "PreferNoSchedule", YES),
])  # fmt: skip
def test_taints_keep_pods_away_or_drive_them_out(key: str, effect: str, expected: Fit) -> None:
    assert fit(demand_of(daemonset("web").spec.template.spec), tainted(key, effect)) == expected


def test_a_pod_on_the_nodes_network_needs_no_other_network() -> None:
    spec = daemonset("web").spec.template.spec
    spec.hostNetwork = True
    assert fit(demand_of(spec), tainted("node.kubernetes.io/network-unavailable", "NoSchedule")) == YES


def test_name_selector_and_affinity_choose_nodes() -> None:
    spec = daemonset("web").spec.template.spec
    spec.nodeSelector["disk"] = "ssd"
    term = spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.add()
    term.matchExpressions.add(key="zone", operator="In", values=["a", "b"])
    nodes = node("n1", disk="ssd", zone="a"), node("n1", disk="hdd", zone="a"), node("n1", disk="ssd")
    assert [fit(demand_of(spec), found).runs for found in nodes] == [True, False, False]
    spec.nodeName = "n2"
    assert not fit(demand_of(spec), node("n1", disk="ssd", zone="a")).runs


def test_only_a_node_that_makes_a_difference_is_news() -> None:
    known, spec = Eligibility(), daemonset("web").spec.template.spec
    spec.nodeSelector["disk"] = "ssd"
    assert known.of("web", demand_of(spec), lambda: [node("n1", disk="ssd"), node("n2")]) == {"n1": YES}
    assert known.changed("n2", node("n2", team="red")) == []
    assert known.changed("n2", node("n2", disk="ssd")) == ["web"]
    assert known.changed("n1", None) == ["web"]
    assert known.of("web", demand_of(spec), lambda: pytest.fail("nodes were listed again")) == {"n2": YES}


def pod(name: str, on: str = "n1", of: Revision = NEW, ready: bool = True, phase: str = "Running", born: int = 0, **options: Any) -> Any:
    owner = daemonset("web")
    owner.metadata.uid = "u"
    found = new_pod(owner, of, on, name)
    found.metadata.creationTimestamp.seconds = born
    found.metadata.namespace = "default"
    found.spec.nodeName = on if options.get("bound", True) else ""
    found.status.phase = phase
    found.status.conditions.add(type="Ready", status="True" if ready else "False").lastTransitionTime.seconds = 500
    if options.get("deleting"):
        found.metadata.deletionTimestamp.seconds = 900
    return found


def observed(*pods: Any, nodes: dict[str, Fit] | None = None, surge: int = 0, unavailable: int = 1, **options: Any) -> Observed:
    owner = daemonset("web", surge, unavailable)
    fits = {"n1": YES} if nodes is None else nodes
    return Observed(owner, NEW, fits, options.get("strangers", frozenset()), by_node(pods), options.get("pauses", {}), NOW)


def names(pods: list[Any]) -> list[str]:
    return sorted(found.metadata.name for found in pods)


def test_a_pod_is_bound_to_its_node_by_affinity_and_tolerates_what_is_normal() -> None:
    found = pod("a", "n7", bound=False)
    assert target_node(found) == "n7"
    assert found.metadata.labels["controller-revision-hash"] == "new"
    assert len(found.spec.tolerations) == 6


def test_each_node_gets_one_and_none_besides() -> None:
    planned = placement.plan(observed(pod("a", "n1"), nodes={"n1": YES, "n2": YES, "n3": TAINTED}))
    assert (planned.creates, planned.deletes) == (["n2"], [])


def test_a_pod_on_its_way_out_is_waited_for_unless_it_has_ended() -> None:
    assert placement.plan(observed(pod("a", deleting=True))).creates == []
    assert placement.plan(observed(pod("a", deleting=True, phase="Failed"))).creates == ["n1"]


def test_the_oldest_of_several_stays_and_one_that_waits_for_its_node_goes() -> None:
    assert names(placement.plan(observed(pod("a", born=3), pod("b", born=2), pod("c", born=1, bound=False))).deletes) == ["a", "c"]


def test_pods_leave_nodes_that_they_are_not_for_and_nodes_that_are_gone() -> None:
    pods = pod("a", "n1"), pod("b", "n2"), pod("c", "n3"), pod("d", "n4", bound=False)
    here = observed(*pods, nodes={"n1": TAINTED}, strangers=frozenset({"n2"}))
    assert names(placement.plan(here).deletes) == ["b", "d"]


def test_failed_pods_are_replaced_and_left_longer_each_time() -> None:
    planned = placement.plan(observed(pod("a", phase="Failed")))
    assert (names(planned.deletes), planned.failed) == (["a"], ["n1"])
    assert [event.message for event in planned.events] == ["Found failed daemon pod default/a on node n1, will try to kill it"]
    pause = placement.next_pause(placement.next_pause(None, NOW - 2.5), NOW - 0.5)
    assert pause == Pause(NOW - 0.5, 2.0)
    held = placement.plan(observed(pod("a", phase="Failed"), pauses={"n1": pause}))
    assert (held.deletes, held.wait_s) == ([], 1.5)
    assert placement.next_pause(Pause(0.0, 900.0), NOW).pause_s == 900.0
    assert placement.next_pause(Pause(0.0, 900.0), 10_000.0).pause_s == 1.0


def test_a_pod_that_succeeded_is_replaced() -> None:
    planned = placement.plan(observed(pod("a", phase="Succeeded")))
    assert names(planned.deletes) == ["a"] and [event.reason for event in planned.events] == ["SucceededDaemonPod"]


def test_while_surging_a_node_has_one_pod_of_each_template() -> None:
    pods = [pod("a", of=OLD, born=1), pod("b", of=OLD, born=2), pod("c", born=3, ready=False), pod("d", born=4)]
    assert names(placement.plan(observed(*pods, surge=1, unavailable=0)).deletes) == ["b", "d"]
    assert names(placement.plan(observed(pod("a", of=OLD), pod("c"), surge=1, unavailable=0)).deletes) == ["a"]
    assert names(placement.plan(observed(pod("a", of=OLD, ready=False), pod("c", ready=False), surge=1, unavailable=0)).deletes) == ["a"]


FOUR = {f"n{number}": YES for number in range(1, 5)}


@pytest.mark.parametrize(("unready", "unavailable", "replaced"), [
    ([], 1, 1),
    ([], 3, 3),
    (["n2"], 1, 1),
    (["n2", "n3"], 1, 2),
    (["n2"], 3, 3),
])  # fmt: skip
def test_unavailable_old_pods_go_first_and_others_within_the_limit(unready: list[str], unavailable: int, replaced: int) -> None:
    pods = [pod(f"p{name}", name, OLD, ready=name not in unready) for name in FOUR]
    deleted = names(rolling_update.plan(observed(*pods, nodes=FOUR, unavailable=unavailable)).deletes)
    assert len(deleted) == replaced and {f"p{name}" for name in unready} <= set(deleted)


def test_new_pods_that_are_not_available_hold_the_update_up() -> None:
    pods = [pod("a", "n1", ready=False), *(pod(f"p{name}", name, OLD) for name in ("n2", "n3", "n4"))]
    assert rolling_update.plan(observed(*pods, nodes=FOUR)).deletes == []
    assert rolling_update.plan(observed(*pods[1:], nodes=FOUR)).deletes == []


def test_a_surge_makes_new_pods_first_and_then_takes_old_ones() -> None:
    pods = [pod(f"p{name}", name, OLD) for name in FOUR]
    planned = rolling_update.plan(observed(*pods, nodes=FOUR, surge=2, unavailable=0))
    assert (len(planned.creates), planned.deletes) == (2, [])
    waiting = rolling_update.plan(observed(*pods, pod("x", "n1", ready=False), pod("y", "n2"), nodes=FOUR, surge=2, unavailable=0))
    assert (len(waiting.creates), names(waiting.deletes)) == (1, ["pn2"])


def test_an_old_pod_that_its_node_shall_have_no_more_goes_when_enough_are_available() -> None:
    nodes = {"n1": TAINTED, "n2": YES}
    assert names(rolling_update.plan(observed(pod("a", "n1", OLD), pod("b", "n2"), nodes=nodes, surge=1, unavailable=0)).deletes) == ["a"]
    early = observed(pod("a", "n1", OLD), pod("b", "n2", ready=False), nodes=nodes, surge=1, unavailable=0)
    assert rolling_update.plan(early).deletes == []


def test_percentages_are_of_the_nodes_that_shall_have_a_pod_rounded_up() -> None:
    here = observed(nodes=FOUR)
    rolling = here.daemonset.spec.updateStrategy.rollingUpdate
    rolling.maxUnavailable.type, rolling.maxUnavailable.strVal = 1, "30%"
    assert rolling_update.fenceposts(here) == (0, 2)
    rolling.maxUnavailable.strVal = "0%"
    assert rolling_update.fenceposts(here) == (0, 1)


def test_the_status_counts_nodes_by_their_oldest_pod() -> None:
    pods = [pod("a", "n1", OLD, born=1), pod("b", "n1", born=2), pod("c", "n2", ready=False), pod("d", "n9")]
    update = counts.plan_status(observed(*pods, nodes=FOUR, strangers=frozenset({"n9"})), was_acted_on=True, collision_count=0)
    assert update is not None
    status = update.object.status
    assert (status.desiredNumberScheduled, status.currentNumberScheduled, status.numberMisscheduled) == (4, 2, 1)
    assert (status.numberReady, status.numberAvailable, status.numberUnavailable, status.updatedNumberScheduled) == (1, 1, 3, 1)
