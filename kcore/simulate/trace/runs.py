"""Replays side by side: each policy with each seed, as many at once as there are processes.

The same seed lets the same pods come at the same moments whatever the policy, so that policies differ by what they decide alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, NamedTuple

from kcore.base.limits import TRACE_PROCESSES_MAX
from kcore.scheduler.ingest import node_row, pod_row
from kcore.simulate.cluster import Cluster
from kcore.simulate.trace.devices import Devices, devices_of
from kcore.simulate.trace.fragmentation import Mix, typical
from kcore.simulate.trace.policies import Policy, configuration
from kcore.simulate.trace.replay import Replay, capacity_of
from kcore.simulate.trace.report import compared, result
from kcore.simulate.trace.workload import Workload, arranged, loads

Report = dict[str, Any]


class Plan(NamedTuple):
    """What is replayed, whatever the policy.

    speed, load  how arrivals are arranged; samples: moments at which the cluster is looked at; is_cut: it ends with the last arrival
    """

    cluster: Cluster
    workload: Workload
    gpu_resource: str
    speed: float = 1.0
    load: float | None = None
    samples: int = 200
    is_cut: bool = False

    @property
    def devices(self) -> Devices:
        """Return the devices of the cluster. Raises TraceError."""
        return devices_of(self.gpu_resource, map(node_row, self.cluster.nodes))


def replayed(plan: Plan, policy: Policy, seed: int) -> Report:
    """Replay a plan under one policy.

    Raises  TraceError, TemplateError, ConfigurationError, DecodeError
    """
    devices = plan.devices
    capacity = capacity_of(map(node_row, plan.cluster.nodes), devices)
    workload = arranged(plan.workload, capacity, seed, plan.speed, plan.load)
    counts = workload.counts()
    priorities = {kind.priority for kind in workload.kinds} | {row.priority for row in map(pod_row, plan.cluster.pods) if row.node_name}
    decides = configuration(policy, devices, {"mix": typical(counts)}, len(priorities) > 1)
    replay = Replay(plan.cluster, devices, decides, Mix(counts), seed)
    replay.run(workload, plan.samples, plan.is_cut)
    return {"policy": policy.title, "seed": seed, **result(replay, workload, loads(workload, capacity))}


def told(plan: Plan, runs: Sequence[Report]) -> Report:
    """Return what is told of replays side by side."""
    cluster = {"nodes": len(plan.cluster.nodes), "pods": len(plan.cluster.pods), "skipped": plan.cluster.skipped, "undecided": {}}
    return {"cluster": cluster, "skipped": plan.workload.skipped, "speed": plan.speed, "policies": compared(runs), "runs": list(runs)}


def side_by_side(plan: Plan, policies: Sequence[Policy], seeds: Sequence[int], processes: int) -> Iterator[Report]:
    """Yield what each policy does with each seed, in order.

    Raises  TraceError, TemplateError, ConfigurationError, DecodeError
    """
    for policy in policies:  # what is wrong with one is told before anything is replayed
        configuration(policy, plan.devices, {"mix": typical(plan.workload.counts())})
    wanted = [(plan, policy, seed) for policy in policies for seed in seeds]
    processes = min(processes, len(wanted), TRACE_PROCESSES_MAX)
    if processes < 2:
        yield from (replayed(*each) for each in wanted)
        return
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:  # a forked process would share what grpc and numpy started
        yield from pool.map(replayed, *zip(*wanted, strict=True))
