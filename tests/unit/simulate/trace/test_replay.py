"""Pods come and go on virtual time."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from kcore.scheduler.configuration.reading import ConfigurationError
from kcore.scheduler.ingest import node_row
from kcore.simulate.cluster import Cluster
from kcore.simulate.trace.devices import devices_of
from kcore.simulate.trace.fragmentation import Mix
from kcore.simulate.trace.policies import BUILT_IN, Policy, configuration, of_plugin
from kcore.simulate.trace.replay import Replay
from kcore.simulate.trace.runs import Plan, replayed, side_by_side, told
from kcore.simulate.trace.workload import DEVICE, Kind, TraceError, Workload
from tests.unit.simulate.objects import Object, cluster, node, pod

GPU = "example.com/gpu"
HALF, WHOLE, PLAIN = Kind(cpu=100, devices=1, share=DEVICE // 2), Kind(cpu=100, devices=1, share=DEVICE), Kind(cpu=1000)


def workload(*pods: tuple[float, float, Kind]) -> Workload:
    """Pods of (arrival, duration, kind), sorted by arrival."""
    kinds = list(dict.fromkeys(kind for *_, kind in pods))
    at_s, for_s = np.array([at for at, *_ in pods], float), np.array([long for _, long, _ in pods], float)
    return Workload(tuple(kinds), [f"p{n}" for n in range(len(pods))], np.array([kinds.index(kind) for *_, kind in pods]), at_s, for_s, {})


def with_gpus(name: str, gpus: int, cpu: str = "4", **labels: str) -> Object:
    made = node(name, cpu, **labels)
    made["status"]["capacity"][GPU] = str(gpus)
    return made


def run(pods: Workload, *objects: Object, policy: str = "default") -> Replay:
    found = cluster(*objects)
    devices = devices_of(GPU, map(node_row, found.nodes))
    mix = Mix(pods.counts())
    replay = Replay(found, devices, configuration(Policy(policy, policy), devices, {"mix": mix}), mix)
    replay.run(pods, 5)
    return replay


def test_a_share_finds_one_device_with_so_much_left_and_is_never_made_up_of_two() -> None:
    third = Kind(devices=1, share=700_000)
    found = run(workload((0, inf, third), (1, inf, third), (2, inf, Kind(devices=1, share=600_000))), with_gpus("n", 2))
    held = [{name: amount for name, amount in stay.held.items() if "#" in name} for stay in found.stays]
    assert held == [{f"{GPU}#0": 700_000}, {f"{GPU}#1": 700_000}]
    assert "Too few example.com/gpu with 0.6 left, of which 1 are asked for" in found.left["trace/p2"]


def test_the_device_with_least_left_is_taken() -> None:
    found = run(workload((0, inf, HALF), (1, inf, WHOLE), (2, inf, HALF)), with_gpus("n", 2))
    assert [next(name for name in stay.held if "#" in name) for stay in found.stays] == [f"{GPU}#0", f"{GPU}#1", f"{GPU}#0"]


def test_a_departure_lets_whoever_waits_longest_go_on_at_that_moment() -> None:
    found = run(workload((0, 50, WHOLE), (1, 10, WHOLE), (2, 10, HALF), (3, 10, HALF)), with_gpus("n", 1))
    assert found.waited == {"trace/p0": 0, "trace/p1": 49, "trace/p2": 58, "trace/p3": 57}
    assert [(stay.start_s, stay.end_s) for stay in found.stays] == [(0, 50), (50, 60), (60, 70), (60, 70)]
    assert found.left == {} and found.waiting_at_end == 3


def test_what_is_preempted_begins_anew() -> None:
    urgent = WHOLE._replace(priority=10)
    found = run(workload((0, 100, WHOLE), (30, 10, urgent)), with_gpus("n", 1))
    assert [(stay.pod, stay.start_s, stay.end_s) for stay in found.stays] == [
        ("trace/p0", 0, 30), ("trace/p1", 30, 40), ("trace/p0", 40, 140)
    ]  # fmt: skip
    assert found.preempted == 1 and found.waited == {"trace/p0": 0, "trace/p1": 0}


def test_pods_of_the_cluster_hold_whole_devices_and_stay() -> None:
    standing = pod("old", on="n")
    standing["spec"]["containers"][0]["resources"]["limits"] = {GPU: "1"}
    found = run(workload((0, inf, WHOLE), (5, inf, WHOLE)), with_gpus("n", 2), standing)
    assert set(found.left) == {"trace/p1"} and found.stays[0].held[f"{GPU}#1"] == DEVICE


def test_selectors_are_kept_to() -> None:
    wants = [HALF._replace(selector=text) for text in ("model in (T4,A10)", "model=A10", "!model", "model!=T4,model")]
    nodes = with_gpus("t4", 1, model="T4"), with_gpus("a10", 3, model="A10"), with_gpus("bare", 1)
    found = run(workload(*((place, inf, kind) for place, kind in enumerate(wants))), *nodes)
    assert [stay.node for stay in found.stays][1:] == ["a10", "bare", "a10"] and found.stays[0].node in ("t4", "a10")


def test_samples_tell_of_the_cluster_as_long_as_pods_come() -> None:
    found = run(workload((0, 50, WHOLE), (100, 10, PLAIN)), with_gpus("n", 2))
    assert [(each.at_s, each.used["gpu"], each.running) for each in found.samples] == [
        (0, 0.5, 1), (25, 0.5, 1), (50, 0, 0), (75, 0, 0), (100, 0, 1),
    ]  # fmt: skip
    assert [each.free for each in found.samples] == [1, 1, 2, 2, 2]


def test_a_replay_that_is_cut_ends_with_the_last_arrival() -> None:
    nodes, pods = cluster(with_gpus("n", 1)), workload((0, 50, WHOLE), (1, 10, WHOLE))
    whole, cut = (replayed(Plan(nodes, pods, GPU, samples=3, is_cut=is_cut), Policy("default", "default"), 0) for is_cut in (False, True))
    assert (whole["placed"], whole["left"], whole["waiting_at_end"]) == (2, 0, 1)
    assert (cut["placed"], cut["left"], cut["waiting_at_end"]) == (1, 1, 1) and cut["series"] == whole["series"]


def test_policies_side_by_side_say_what_each_says_alone() -> None:
    nodes = [with_gpus(f"n{number}", 2, "8") for number in range(3)]
    pods = workload(*((float(place), 40.0, (HALF, WHOLE, PLAIN)[place % 3]) for place in range(40)))
    plan, policies = Plan(cluster(*nodes), pods, GPU, load=1.5, samples=9), [Policy(name, name) for name in BUILT_IN]
    together = list(side_by_side(plan, policies, [1, 2], 2))
    assert [(run["policy"], run["seed"]) for run in together] == [(policy.title, seed) for policy in policies for seed in (1, 2)]
    assert together == [replayed(plan, policy, seed) for policy in policies for seed in (1, 2)]
    means = told(plan, together)["policies"]
    assert [each["policy"] for each in means] == [*BUILT_IN] and all(each["seeds"] == 2 for each in means)
    placed = [run["placed"] / run["pods"] for run in together[:2]]
    assert means[0]["mean"]["placed"] == pytest.approx(sum(placed) / 2)


def test_a_wrong_policy_is_told_before_anything_is_replayed() -> None:
    plan = Plan(cluster(with_gpus("n", 1)), workload((0, 1, HALF)), GPU)
    with pytest.raises(ConfigurationError, match="cannot be loaded"):
        next(side_by_side(plan, [Policy("default", "default"), of_plugin("nowhere:Thing")], [0], 1))
    with pytest.raises(ConfigurationError, match="kind"):
        next(side_by_side(plan, [Policy("odd", document=["nothing"])], [0], 1))


def test_a_node_with_more_devices_than_can_be_told_apart_is_refused() -> None:
    found: Cluster = cluster(with_gpus("n", 65))
    with pytest.raises(TraceError, match="up to 64"):
        devices_of(GPU, map(node_row, found.nodes))
