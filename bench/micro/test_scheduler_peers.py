"""Kernels of topology spread and pod affinity beside a plain C loop over the same arrays, and decisions of pods that care for other pods.

As in `test_scheduler_kernels`: a ratio within one run; the rows of decisions have microseconds of processor time a pod besides.
"""

from __future__ import annotations

import ctypes
from random import Random
from time import process_time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from bench.micro.rounds import SMOKE
from bench.micro.test_scheduler_kernels import NODES, PODS, TOLERATIONS, compare, plain_c, pointer
from kcore.scheduler import _peers
from kcore.scheduler.columns import Columns
from kcore.scheduler.cycle import schedule
from kcore.scheduler.evaluation import Evaluations
from kcore.scheduler.plugins.pod_topology_spread import HOSTNAME, ZONE
from kcore.scheduler.rows import (
    Account,
    Ask,
    Expression,
    NodeRow,
    Peer,
    PodAffinity,
    PodPreference,
    PodRow,
    PodSelector,
    PodTerm,
    Spread,
)

__all__ = ["plain_c"]

WEB = PodSelector((Expression("app", "In", ("web",)),), ("default",))
ASKS = {
    "required affinity": Ask(affinity=PodAffinity(required=(PodTerm(WEB, ZONE),))),
    "required anti-affinity": Ask(affinity=PodAffinity(avoided=(PodTerm(WEB, HOSTNAME),))),
    "preferred affinity": Ask(affinity=PodAffinity(preferred=(PodPreference(1, PodTerm(WEB, HOSTNAME)),))),
    "hard spread": Ask(spread=(Spread(ZONE, 1, True, WEB),)),
    "soft spread": Ask(spread=(Spread(ZONE, 1, False, WEB),)),
    "default spread": Ask(),
}
BUDGET_US = 100.0
"""Five to two times what the rows take on the machine of bench/README.md, since others may use it."""


def some(dtype: type, low: int, high: int, size: int = NODES) -> NDArray[Any]:
    return np.random.default_rng(1).integers(low, high, size).astype(dtype)


HOSTS = np.arange(1, NODES + 1, dtype=np.int32)
MASK = (some(np.int64, 0, 10) > 0).astype(np.uint8)
SUMS = some(np.int64, 0, 4, NODES + 1)
ZEROS = np.zeros(NODES + 1, np.int64)
ROUNDED = some(np.float64, 0, 900) / 7
SLOTS = np.arange(NODES, dtype=np.int64)
COUNTS = some(np.int32, 0, 4)
CASES: dict[str, tuple[Any, ...]] = {
    "skew": (SUMS, np.ones(NODES + 1, np.uint8), 1, 1, 1, 1, ZEROS),
    "judge": (SUMS, HOSTS, 0, 2, ZEROS),
    "mark": (HOSTS, (SUMS > 1).astype(np.int64), NODES, ZEROS),
    "distinct": (some(np.int32, 1, 4), MASK, NODES, np.zeros(4, np.uint8)),
    "add_spread": (HOSTS, SUMS, 8.5, 2.0, 0, NODES, np.zeros(NODES)),
    "normalise_spread": (ROUNDED, MASK, NODES, ZEROS),
    "add_sums": (HOSTS, SUMS, NODES, ZEROS),
    "normalise_affinity": (SUMS, MASK, NODES, ZEROS),
    "weigh": (SUMS, SUMS, 2, NODES, ZEROS),
}


def c_arguments(values: tuple[Any, ...], kernel: str) -> list[Any]:
    """Return the arguments of the C loop: pointers and numbers; loops over values are told their number."""
    sized = {"skew": (2, -1), "judge": (2, 1), "distinct": (4, -1)}
    found: list[Any] = []
    for value in values:
        if isinstance(value, np.ndarray):
            found.append(pointer(value))
        else:
            found.append(ctypes.c_double(value) if isinstance(value, float) else ctypes.c_int64(value))
    if kernel in sized:
        place, of = sized[kernel]
        found.insert(place, ctypes.c_int64(len(values[of])))
    return found


@pytest.mark.parametrize("name", list(CASES))
def test_a_kernel_beside_a_plain_c_loop(benchmark: BenchmarkFixture, plain_c: ctypes.CDLL, name: str) -> None:
    ours = tuple(each.copy() if isinstance(each, np.ndarray) else each for each in CASES[name])
    theirs = tuple(each.copy() if isinstance(each, np.ndarray) else each for each in CASES[name])
    kernel, plain = getattr(_peers, name), getattr(plain_c, name)
    arguments = c_arguments(theirs, name)
    kernel(*ours)
    plain(*arguments)
    assert ours[-1].tolist() == theirs[-1].tolist()
    assert ours[-1].any()
    compare(benchmark, lambda: kernel(*ours), lambda: plain(*arguments))


def test_taking_in_beside_a_plain_c_loop(benchmark: BenchmarkFixture, plain_c: ctypes.CDLL) -> None:
    outcomes = [(np.zeros(NODES, np.int32), np.zeros(NODES + 1, np.int64)) for _ in range(2)]
    (seen, sums), (other_seen, other_sums) = outcomes
    nothing = np.zeros(NODES, np.int32)
    arrays = [pointer(SLOTS), ctypes.c_int64(NODES), pointer(COUNTS), pointer(other_seen), pointer(HOSTS), pointer(MASK)]
    back = [*arrays[:2], pointer(nothing), *arrays[3:]]

    def kernel() -> None:
        _peers.take_in(SLOTS, COUNTS, seen, HOSTS, MASK, 1, sums)
        _peers.take_in(SLOTS, nothing, seen, HOSTS, MASK, 1, sums)

    def plain() -> None:
        plain_c.take_in(*arrays, ctypes.c_int64(1), pointer(other_sums))
        plain_c.take_in(*back, ctypes.c_int64(1), pointer(other_sums))

    compare(benchmark, kernel, plain)
    _peers.take_in(SLOTS, COUNTS, seen, HOSTS, MASK, 1, sums)
    plain_c.take_in(*arrays, ctypes.c_int64(1), pointer(other_sums))
    assert sums.tolist() == other_sums.tolist()
    assert sums.any()


def empty() -> Columns:
    columns = Columns()
    for number in range(NODES):
        name = f"n{number}"
        labels = {HOSTNAME: name, ZONE: f"z{number % 3}"}
        columns.set_node(NodeRow(name, labels, False, (), (("cpu", 32_000), ("memory", 64 << 30)), 110))
    return columns


@pytest.mark.parametrize("what", list(ASKS))
def test_decisions_for_pods_that_care_for_other_pods(benchmark: BenchmarkFixture, what: str) -> None:
    amounts = (("cpu", 100), ("memory", 200 << 20))
    ask = ASKS[what]._replace(tolerations=TOLERATIONS, amounts=amounts, nonzero_cpu=100, nonzero_memory=200 << 20, images=("web:latest",))
    account = Account(amounts, 100, 200 << 20, (), 0, Peer("default", (("app", "web"),), False, ask.affinity))
    randrange = Random(3).randrange

    def decide_all() -> float:
        columns, evaluations = empty(), Evaluations()
        if what == "default spread":
            columns.owners.set_service("default", "s", {"app": "web"})
        waiting = [
            PodRow("default", f"p{number}", "u", "default-scheduler", "", 0, False, False, (), ask, account) for number in range(PODS)
        ]
        start = process_time()
        for pod in waiting:
            decision = schedule(pod, columns, evaluations, randrange)
            assert decision.node is not None
            columns.place(decision.node, account)
        return (process_time() - start) / PODS * 1e6

    us = min(decide_all() for _ in range(3))
    benchmark.pedantic(decide_all, rounds=1)
    benchmark.extra_info["us_per_pod"] = round(us, 1)
    assert SMOKE or us < BUDGET_US, f"{what}: {us:.0f} us a pod on {NODES} nodes"
