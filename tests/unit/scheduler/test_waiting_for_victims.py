"""Pods that wait for their victims are tried again when these are gone, and not for what happens elsewhere."""

from typing import Any

import pytest

from kcore.base import limits
from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.scheduler.core import Core
from kcore.scheduler.cycle import Decision, schedule
from kcore.scheduler.rows import Ask
from tests.unit.scheduler.pods import node, pod


def ask(cpu: int) -> Ask:
    return Ask(amounts=(("cpu", cpu),), nonzero_cpu=cpu)


def waiting_core(nodes: int = 3) -> Core:
    """A core whose nodes are full of two pods each, and a pod for each of the nodes, no two of which ask the same, that preempts these."""
    core = Core(VirtualClock(), SeededEntropy(1))
    for number in range(nodes):
        core.node_changed(node(f"n{number}"))
        for name in ("a", "b"):
            core.pod_changed(pod(f"{name}{number}", ask(2000), node=f"n{number}"))
    for number in range(nodes):
        core.pod_changed(pod(f"high{number}", ask(3900 - number), priority=9))
    batch = core.decide(100)
    assert sorted(eviction.node for eviction in batch.evictions) == [f"n{number}" for number in range(nodes)]
    return core


def test_nobody_is_tried_while_victims_are_left() -> None:
    core = waiting_core()
    core.pod_deleted("default/a0")
    assert not any(core.decide(100))


def test_who_waits_for_a_node_gets_it_when_the_last_victim_is_gone_and_nobody_else_is_tried() -> None:
    core = waiting_core()
    core.pod_deleted("default/a0")
    core.pod_deleted("default/b0")
    batch = core.decide(100)
    assert [attempt.decision.node for attempt in batch.assumed] == ["n0"]
    assert not batch.waiting


def test_room_that_is_free_elsewhere_is_taken_before_the_victims_are_gone() -> None:
    core = waiting_core()
    core.node_changed(node("new"))
    batch = core.decide(100)
    assert [attempt.decision.node for attempt in batch.assumed] == ["new"]


@pytest.mark.parametrize(("cpu", "more"), [(1 << 20, 1), (0, 0)], ids=["different pods that fit", "equal pods that fit nowhere"])
def test_deciding_ends_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch, cpu: int, more: int) -> None:
    clock, passed_s = VirtualClock(), [0.0]
    monkeypatch.setattr(clock, "monotonic", lambda: passed_s[0])
    core = Core(clock, SeededEntropy(1))
    core.node_changed(node("n", cpu=cpu))
    for number in range(10):
        core.pod_changed(pod(f"p{number}", ask(100 + number * more)))

    def slowly(*arguments: Any) -> Decision:
        passed_s[0] += limits.SCHEDULER_BATCH_S * 0.6
        return schedule(*arguments)

    monkeypatch.setattr("kcore.scheduler.core.schedule", slowly)
    batches = [core.decide(100) for _ in range(6)]
    assert [len(batch.assumed) + len(batch.waiting) for batch in batches] == [2, 2, 2, 2, 2, 0]
