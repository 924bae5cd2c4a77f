"""Whatever comes and goes: nothing holds more than there is, who goes gives back what it held, the same seed tells the same."""

from __future__ import annotations

from math import inf, isfinite

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kcore.scheduler.extension.nodes import Nodes
from kcore.scheduler.ingest import node_row
from kcore.simulate.cluster import Cluster
from kcore.simulate.trace.devices import best_fit, devices_of
from kcore.simulate.trace.fragmentation import Measured, Mix
from kcore.simulate.trace.policies import BUILT_IN, Policy, configuration
from kcore.simulate.trace.replay import Replay
from kcore.simulate.trace.workload import DEVICE, Kind, Workload
from tests.reference import trace as reference
from tests.unit.simulate.objects import cluster, node, pod

GPU = "example.com/gpu"
SHARES = st.sampled_from([1, 2, 3, 5, 10]).map(lambda part: DEVICE // part)
SELECTORS = st.sampled_from(["", "", "model=T4", "model in (A10,T4)", "!model"])


@st.composite
def kinds(draw: st.DrawFn) -> Kind:
    devices = draw(st.integers(0, 3))
    share = draw(SHARES) if devices else 0
    return Kind(draw(st.integers(0, 2500)), draw(st.integers(0, 3 << 30)), devices, share, draw(SELECTORS), draw(st.integers(0, 1)))


@st.composite
def workloads(draw: st.DrawFn) -> Workload:
    found = draw(st.lists(kinds(), min_size=1, max_size=4, unique=True))
    one = st.tuples(st.integers(0, 20), st.sampled_from([0, 1, 3, 10, inf]), st.integers(0, len(found) - 1))
    pods = sorted(draw(st.lists(one, min_size=1, max_size=24)))
    at_s, for_s, kind_of = zip(*pods, strict=True)
    names = [f"p{number}" for number in range(len(pods))]
    return Workload(tuple(found), names, np.array(kind_of), np.array(at_s, float) - at_s[0], np.array(for_s, float), {})


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    objects = []
    for number in range(draw(st.integers(1, 4))):
        model = draw(st.sampled_from(["", "T4", "A10"]))
        made = node(f"n{number}", str(draw(st.integers(1, 6))), **({"model": model} if model else {}))
        made["status"]["capacity"][GPU] = str(draw(st.integers(0, 4)))
        objects.append(made)
    if draw(st.booleans()):
        standing = pod("old", on="n0", priority=9)  # nobody may preempt it
        standing["spec"]["containers"][0]["resources"]["limits"] = {GPU: "1"}
        objects.append(standing)
    return cluster(*objects)


def replay(found: Cluster, pods: Workload, policy: str, seed: int) -> Replay:
    devices, mix = devices_of(GPU, map(node_row, found.nodes)), Mix(pods.counts())
    made = Replay(found, devices, configuration(Policy(policy, policy), devices, {"mix": mix}), mix, seed)
    made.run(pods, 7)
    return made


@given(clusters(), workloads(), st.sampled_from(BUILT_IN), st.integers(0, 3))
def test_at_no_time_is_anything_over_capacity_and_who_goes_gives_back_what_it_held(
    found: Cluster, pods: Workload, policy: str, seed: int
) -> None:
    made = replay(found, pods, policy, seed)
    empty = replay(found, Workload(pods.kinds, [], np.zeros(0, np.int64), np.zeros(0), np.zeros(0), {}), "default", 0)
    before = {name: {resource: empty.columns.requested[row, slot] for resource, row in empty.columns.resources.items()}
              for name, slot in empty.columns.slots.items()}  # fmt: skip
    for row in filter(None, made.columns.rows):
        offered, standing = dict(row.allocatable), before[row.name]
        stays = [stay for stay in made.stays if stay.node == row.name]
        for resource in {name for stay in stays for name in stay.held}:
            changes = [(stay.start_s, 1, stay.held.get(resource, 0)) for stay in stays]
            changes += [(stay.end_s, 0, -stay.held.get(resource, 0)) for stay in stays if isfinite(stay.end_s)]
            level = int(standing[resource])
            for _, _, amount in sorted(changes):
                level += amount
                assert level <= max(offered.get(resource, 0), int(standing[resource])), (row.name, resource)
            if made.preempted == 0 and not made.left:  # then all have been played to their ends that were waited for
                held = sum(stay.held.get(resource, 0) for stay in stays if stay.pod in made._running)
                assert made.columns.requested[made.columns.resources[resource], made.columns.slots[row.name]] == standing[resource] + held
    made._core.cache.verify()


@given(clusters(), workloads(), st.sampled_from(BUILT_IN), st.integers(0, 3))
def test_every_pod_waits_or_was_placed_and_holds_its_share_of_as_many_devices_as_it_asked_for(
    found: Cluster, pods: Workload, policy: str, seed: int
) -> None:
    made = replay(found, pods, policy, seed)
    asked = {f"trace/{name}": pods.kinds[kind] for name, kind in zip(pods.names, pods.kind_of, strict=True)}
    assert {*made.waited, *made.left} - {"default/old"} == asked.keys()
    for stay in made.stays:
        if stay.pod in asked:
            kind = asked[stay.pod]
            assert [amount for name, amount in stay.held.items() if "#" in name] == [kind.share] * kind.devices


@given(clusters(), workloads(), st.sampled_from(BUILT_IN), st.integers(0, 3))
def test_the_same_seed_tells_the_same(found: Cluster, pods: Workload, policy: str, seed: int) -> None:
    first, again = replay(found, pods, policy, seed), replay(found, pods, policy, seed)
    assert first.waited == again.waited and first.samples == again.samples
    assert [(each.pod, each.node, each.held) for each in first.stays] == [(each.pod, each.node, each.held) for each in again.stays]


@given(st.lists(st.lists(st.integers(0, 10), min_size=3, max_size=3), min_size=1, max_size=5), st.integers(0, 4), st.integers(1, 10))
def test_the_devices_with_least_left_are_taken(nodes: list[list[int]], count: int, share: int) -> None:
    chosen = best_fit(np.array(nodes, np.int64).T, count, share)
    assert [set(np.flatnonzero(each)) for each in chosen.T] == [reference.best_fit(free, count, share) for free in nodes]


@given(clusters(), workloads())
def test_fragmentation_is_what_its_definition_says_and_is_kept_up_to_date(found: Cluster, pods: Workload) -> None:
    counts = pods.counts()
    made = replay(found, pods, "default", 0)
    columns, devices = made.columns, made._devices
    nodes = Nodes(columns, 0, columns.count)
    free, (cpu, memory) = devices.free(nodes), nodes.free(("cpu", "memory"))
    expected = [
        reference.wasted(free[:, slot].tolist(), int(cpu[slot]), int(memory[slot]), dict(row.labels), counts) if row else 0.0
        for slot, row in enumerate(columns.rows)
    ]
    whole = Measured(devices, Mix(counts), columns).now()
    assert whole[0] == free.sum() / DEVICE
    assert np.isclose(whole[1], sum(expected) / DEVICE)
    assert np.allclose(made._measured.now(), whole)
