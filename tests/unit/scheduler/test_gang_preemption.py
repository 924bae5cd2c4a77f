"""A group that preempts takes what it needs, however much there is to ask about."""

from __future__ import annotations

import pytest

from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.base.features import GENERIC_WORKLOAD
from kcore.scheduler.configuration.reading import Configuration
from kcore.scheduler.core import Core
from kcore.scheduler.gangs.rows import GroupRow
from kcore.scheduler.rows import Ask, Expression, PodAffinity, PodSelector, PodTerm
from tests.unit.scheduler.pods import node, pod

FAR = PodAffinity(avoided=(PodTerm(PodSelector((Expression("app", "In", ("loud",)),), ("default",)), "host"),))


def preempted(affinity: PodAffinity | None, loud: str = "") -> list[str]:
    """Let a group of eight preempt on eight nodes with four pods each; -> who has to go."""
    core = Core(VirtualClock(), SeededEntropy(1), Configuration(features=frozenset((GENERIC_WORKLOAD,))))
    small = Ask(amounts=(("cpu", 900),), nonzero_cpu=900, nonzero_memory=1)
    for number in range(8):
        core.node_changed(node(f"n{number}", cpu=4000, host=str(number)))
        for each in range(4):
            labels = (("app", "loud"),) if f"n{number}-{each}" == loud else ()
            core.pod_changed(pod(f"n{number}-{each}", small, node=f"n{number}", started=each + 1, labels=labels))
    core.gangs.group_changed(GroupRow("default", "g", "g", priority=5, min_count=8))
    large = Ask(amounts=(("cpu", 1200),), nonzero_cpu=1200, nonzero_memory=1, affinity=affinity)
    for number in range(8):
        core.pod_changed(pod(f"g{number}", large, priority=5, pod_group="g"))
    [eviction] = core.decide(1).evictions
    core.cache.verify()
    return sorted(victim.key.removeprefix("default/") for victim in eviction.victims)


@pytest.mark.parametrize("checks", [0, 50, 20_000])
@pytest.mark.parametrize("affinity", [None, FAR])
def test_only_as_many_go_as_have_to(monkeypatch: pytest.MonkeyPatch, checks: int, affinity: PodAffinity | None) -> None:
    monkeypatch.setattr("kcore.scheduler.gangs.preemption.SCHEDULER_GANG_CHECKS_MAX", checks)
    assert preempted(affinity) == [f"n{number}-3" for number in range(8)]


def test_who_is_avoided_goes_rather_than_who_is_less_important() -> None:
    assert preempted(FAR, loud="n3-0") == ["n0-3", "n1-3", "n2-3", "n3-0", "n4-3", "n5-3", "n6-3", "n7-3"]
