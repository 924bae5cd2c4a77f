"""Scheduler kernels beside a plain C loop over the same arrays, and whole decisions.

What is recorded is a ratio within one run (`extra_info["ratio"]`: C's time / the kernel's, both called from Python), the best of many
rounds on both sides (`bench.micro.rounds`); the decisions' row has microseconds a pod besides, for the reader.
"""

from __future__ import annotations

import ctypes
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from bench.micro.rounds import SMOKE, ratio
from kcore.scheduler import _kernels
from kcore.scheduler._loads import Wanted
from kcore.scheduler._ranking import Ranking
from kcore.scheduler.columns import Columns
from kcore.scheduler.cycle import schedule
from kcore.scheduler.evaluation import Evaluations
from kcore.scheduler.rows import Account, Ask, NodeRow, PodRow, Toleration

NODES, PODS = (500, 200) if SMOKE else (5_000, 5_000)
FLOOR = 0.5
"""A kernel has at least this part of plain C's speed; a smoke run, where the call itself weighs more, half of it."""

TOLERATIONS = tuple(Toleration(f"node.kubernetes.io/{what}", "Exists", "", "NoExecute") for what in ("not-ready", "unreachable"))


@pytest.fixture(scope="module")
def plain_c(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    library = tmp_path_factory.mktemp("kernels") / "kernels.so"
    compiler = (sysconfig.get_config_var("CC") or "cc").split()
    subprocess.run([*compiler, "-O3", "-shared", "-fPIC", "-o", str(library), str(Path(__file__).with_name("kernels.c"))], check=True)
    return ctypes.CDLL(str(library))


def half_full(nodes: int = NODES) -> Columns:
    """Return a cluster of unequal, unequally loaded nodes."""
    random, columns = Random(1), Columns()
    for number in range(nodes):
        cores = random.choice((8, 16, 32, 64))
        allocatable = (("cpu", cores * 1000), ("ephemeral-storage", 1 << 40), ("memory", cores << 32))
        name = f"n{number}"
        columns.set_node(NodeRow(name, {"kubernetes.io/hostname": name, "zone": f"z{number % 3}"}, False, (), allocatable, 110))
        cpu, memory = random.randrange(cores * 700), random.randrange(cores << 31)
        columns.place(name, Account((("cpu", cpu), ("memory", memory)), cpu, memory))
    return columns


def pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def integers(*values: int) -> Iterator[ctypes.c_int64]:
    return (ctypes.c_int64(value) for value in values)


def compare(benchmark: BenchmarkFixture, kernel: Callable[[], object], plain: Callable[[], object]) -> None:
    benchmark(kernel)
    found = ratio(kernel, plain)
    benchmark.extra_info["ratio"] = round(found, 2)
    assert SMOKE or found >= FLOOR, f"the kernel has {found:.2f} of C's speed"


def test_fit_beside_a_plain_c_loop(benchmark: BenchmarkFixture, plain_c: ctypes.CDLL) -> None:
    c = half_full()
    rows, amounts = np.array([0, 1], np.int64), np.array([20_000, 8 << 30], np.int64)
    codes, wanted = np.zeros(c.capacity, np.int64), np.zeros(c.capacity, np.int64)
    arrays = [pointer(each) for each in (c.allocatable, c.requested, c.pod_limit, c.pod_count, rows, amounts)]
    sizes = list(integers(2, c.capacity, c.count))

    def kernel() -> None:
        _kernels.fit(c.allocatable, c.requested, c.pod_limit, c.pod_count, rows, amounts, 0, c.count, codes)

    def plain() -> None:
        plain_c.fit(*arrays, *sizes, pointer(wanted))

    compare(benchmark, kernel, plain)
    assert codes.tolist() == wanted.tolist()
    assert 0 < np.count_nonzero(codes) < c.count


@pytest.mark.parametrize("name", ["least_allocated", "balanced_allocation"])
def test_a_score_beside_a_plain_c_loop(benchmark: BenchmarkFixture, plain_c: ctypes.CDLL, name: str) -> None:
    c = half_full()
    feasible = c.present.copy()
    feasible[::7] = 0
    scores, wanted = np.zeros(c.capacity, np.int64), np.zeros(c.capacity, np.int64)
    load = c.nonzero if name == "least_allocated" else c.requested
    score, plain_score = getattr(_kernels, name), getattr(plain_c, name)
    arguments = [pointer(c.allocatable), pointer(load), *integers(500, 1 << 30), pointer(feasible), *integers(c.capacity, c.count)]

    def kernel() -> None:
        score(c.allocatable, load, 500, 1 << 30, feasible, 0, c.count, scores)

    def plain() -> None:
        plain_score(*arguments, pointer(wanted))

    compare(benchmark, kernel, plain)
    assert scores.tolist() == wanted.tolist()


def test_amounts_in_one_pass_beside_a_plain_c_loop(benchmark: BenchmarkFixture, plain_c: ctypes.CDLL) -> None:
    c, cpu, memory = half_full(), 500, 1 << 30
    mask = c.present[: c.count].copy()
    mask[::7] = 0
    feasible, totals = np.zeros(c.capacity, np.uint8), np.zeros(c.capacity, np.int64)
    plain_feasible, plain_totals = feasible.copy(), totals.copy()
    wanted = Wanted((("cpu", cpu), ("memory", memory)), c.resources, (cpu, memory), (cpu, memory), 1, 1)
    ranking = Ranking(feasible, totals)
    columns = [pointer(each) for each in (c.allocatable, c.requested, c.nonzero, c.pod_limit, c.pod_count, mask)]
    arguments = [*columns, *integers(cpu, memory, c.capacity, c.count), pointer(plain_feasible), pointer(plain_totals)]
    compare(benchmark, lambda: c.loads.judge(wanted, mask, 0, None, ranking), lambda: plain_c.amounts(*arguments))
    assert feasible.tolist() == plain_feasible.tolist()
    assert (totals * feasible).tolist() == plain_totals.tolist()
    assert 0 < ranking.feasible_count < c.count


def test_ranking_and_choosing_beside_a_plain_c_loop(benchmark: BenchmarkFixture, plain_c: ctypes.CDLL) -> None:
    random = Random(2)
    size = -(-NODES // 64) * 64
    totals, feasible = np.zeros(size, np.int64), np.zeros(size, np.uint8)
    totals[:NODES] = [random.randrange(300, 500) for _ in range(NODES)]
    feasible[:NODES] = [random.random() < 0.9 for _ in range(NODES)]
    plain_c.best.restype = ctypes.c_int64
    ties = ctypes.c_int64()
    arguments = [pointer(totals), pointer(feasible), *integers(NODES), ctypes.byref(ties)]
    ranking = Ranking(feasible, totals)

    def kernel() -> None:
        ranking.rank(NODES)
        ranking.choose(first)

    compare(benchmark, kernel, lambda: plain_c.best(*arguments))
    assert ranking.choose(first) == (plain_c.best(*arguments), ties.value)


def first(_: int) -> int:
    return 0


def pods(count: int, varied: bool) -> list[PodRow]:
    made = []
    for number in range(count):
        cpu, memory = (100 + number % 977, (100 + number) << 20) if varied else (100, 200 << 20)
        amounts = (("cpu", cpu), ("memory", memory))
        ask = Ask(tolerations=TOLERATIONS, amounts=amounts, nonzero_cpu=cpu, nonzero_memory=memory, images=("web:latest",))
        account = Account(amounts, cpu, memory)
        made.append(PodRow("default", f"p{number}", "u", "default-scheduler", "", 0, False, False, (), ask, account))
    return made


@pytest.mark.parametrize(("what", "varied", "budget_us"), [("equal pods", False, 50.0), ("pods that all differ", True, 150.0)])
def test_decisions_for_a_queue_of_pods(benchmark: BenchmarkFixture, what: str, varied: bool, budget_us: float) -> None:
    columns, randrange = half_full(), Random(3).randrange

    def decide_all() -> float:
        evaluations, waiting = Evaluations(), pods(PODS, varied)
        start = perf_counter()
        for pod in waiting:
            decision = schedule(pod, columns, evaluations, randrange)
            if decision.node is not None:
                columns.place(decision.node, pod.account)
        return (perf_counter() - start) / PODS * 1e6

    us = min(decide_all() for _ in range(3))
    benchmark.pedantic(decide_all, rounds=1)
    benchmark.extra_info["us_per_pod"] = round(us, 1)
    assert SMOKE or us < budget_us, f"{what}: {us:.0f} us a pod on {NODES} nodes"
