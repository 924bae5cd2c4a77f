"""One scheduling attempt of a group: place it, or find out who has to go for it; and what its pods and its PodGroup are told."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from kcore.scheduler.cache import Cache
from kcore.scheduler.columns import Columns
from kcore.scheduler.cycle import Decision
from kcore.scheduler.gangs.attempt import UNSCHEDULABLE, Attempt, Taken
from kcore.scheduler.gangs.book import Gang
from kcore.scheduler.gangs.preemption import GroupPreemption, GroupPreemptor
from kcore.scheduler.gangs.rows import Condition
from kcore.scheduler.rows import PodRow

PLUGIN: Final = "GangScheduling"
SCHEDULED: Final = Condition("True", "Scheduled", "")
_FALSE: Final = "False"


class Result(NamedTuple):
    """What became of a group.

    taken        pods that are assumed and may be bound
    failed       pods that wait, each with why
    condition    of the PodGroup
    rejected_by  as the queue has it
    """

    taken: list[Taken]
    failed: list[tuple[PodRow, Decision]]
    condition: Condition
    rejected_by: tuple[str, ...] = ()
    preemption: GroupPreemption | None = None


def decide(
    gang: Gang,
    cache: Cache,
    columns: Columns,
    decide_one: Callable[[PodRow], Decision],
    preemptor: GroupPreemptor | None,
    nominations: Mapping[str, str],
) -> Result:
    """Decide for the waiting pods of a group; what is taken is assumed in the cache, and nothing else is changed.

    nominations   the nodes that are being cleared for its pods
    """
    pods = gang.in_order()
    problem = mismatch(gang, pods)
    if problem:
        refusal = Decision(None, message=problem, failed=True)
        return Result([], [(pod, refusal) for pod in pods], Condition(_FALSE, "SchedulerError", problem))

    def attempt() -> Attempt:
        found = Attempt(cache, columns, decide_one)
        found.run(pods, gang.needed, gang.placed_count)
        return found

    made = attempt()
    if made.is_placed:
        return Result(made.taken, [(pod, made.failed[pod.key]) for pod in pods if pod.key in made.failed], SCHEDULED)
    preemption = preemptor.preempt(gang, nominations, attempt) if preemptor is not None else None
    text = made.message if preemption is None else f"{made.message}, pod group preemption: {preemption.message}"
    waits = preemption is not None and preemption.helps
    taken = Decision(None, message=text if waits else f"{UNSCHEDULABLE}, {text}")
    words = dict.fromkeys((pod.key for pod in pods), Decision(None, message=made.message))
    words |= dict.fromkeys((each.pod.key for each in made.taken), taken) | made.failed
    rejected_by = made.rejected_by() or (PLUGIN,)
    return Result([], [(pod, words[pod.key]) for pod in pods], Condition(_FALSE, "Unschedulable", text), rejected_by, preemption)


def mismatch(gang: Gang, pods: Sequence[PodRow]) -> str:
    """Return in what pods of a group differ that must not; "" where in nothing."""
    assert gang.group is not None
    first, priority = pods[0], gang.group.priority
    for pod in (*pods, *gang.assumed.values(), *gang.bound.values()):
        if pod.scheduler_name != first.scheduler_name:
            names = f'got: "{pod.scheduler_name}" and "{first.scheduler_name}"'
            return f"all pods in a single pod group should have the same .spec.schedulerName set, {names}"
        if pod.priority != priority:
            rule = "all pods in a single pod group should have the same priority as the pod group's priority"
            return f"{rule}, got {pod.priority} and {priority}"
        if pod.ask.never_preempt != first.ask.never_preempt:
            policies = " and ".join("Never" if each.ask.never_preempt else "PreemptLowerPriority" for each in (pod, first))
            return f"all pods in a single pod group should have the same preemption policy, got {policies}"
    return ""

