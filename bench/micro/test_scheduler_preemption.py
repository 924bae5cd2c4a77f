"""Dry runs of preemption over many nodes at once, beside the same node by node."""

from __future__ import annotations

from random import Random

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture

from bench.micro.rounds import SMOKE, ratio
from kcore.scheduler.cache import Cache
from kcore.scheduler.columns import Columns
from kcore.scheduler.evaluation import Evaluations
from kcore.scheduler.preemption.budgets import Budgets
from kcore.scheduler.preemption.dry_run import dry_run
from kcore.scheduler.preemption.lineups import Lineups
from kcore.scheduler.rows import Account, Ask, NodeRow, PodRow

NODES = 100 if SMOKE else 500
GAIN = 10
"""So many times as fast at least; nodes are many, so that the arrays made for each call weigh little."""


def pod(name: str, node: str, ask: Ask, account: Account) -> PodRow:
    """A pod of the default scheduler."""
    return PodRow("default", name, name, "default-scheduler", node, account.priority, False, False, (), ask, account)


def test_dry_runs_at_once_beside_one_by_one(benchmark: BenchmarkFixture) -> None:
    random, columns = Random(1), Columns()
    cache, budgets = Cache(columns), Budgets()
    for number in range(NODES):
        cache.set_node(NodeRow(f"n{number}", {}, False, (), (("cpu", 4000), ("memory", 32 << 30)), 110))
        for place in range(8):
            amounts = (("cpu", random.randrange(300, 480)), ("memory", random.randrange(1 << 30)))
            account = Account(amounts, 0, 0, (), random.randrange(3))
            cache.confirm(pod(f"p{number}-{place}", f"n{number}", Ask(), account))
    ask = Ask(amounts=(("cpu", 2000), ("memory", 1 << 30)), priority=9)
    evaluation = Evaluations().of(pod("p", "", ask, Account(ask.amounts, 0, 0, (), 9)), columns)
    lineups, slots = Lineups(cache, budgets), np.arange(NODES, dtype=np.int64)
    kinds, costs, codes = np.zeros(columns.capacity, np.int8), np.zeros((5, columns.capacity)), np.zeros(columns.capacity, np.int64)

    def at_once() -> None:
        lineups.of(slots, columns)
        lineups.clear(slots, ask.amounts, ask.priority, columns, kinds, costs, codes)

    def one_by_one() -> None:
        for slot in range(NODES):
            dry_run(slot, evaluation, cache, columns, budgets)

    benchmark.extra_info["ratio"] = gain = ratio(at_once, one_by_one)
    benchmark(at_once)
    assert gain > GAIN
