"""What is told of attempts in the metrics, under upstream's names: once for a batch, in which each pod has an equal part.

Differs from upstream: a pod's nodes are filtered and scored, and its victims chosen, in one pass, often for many pods at once; all of it is
told at the extension point Filter. Bindings go out in bulk, so Bind is how long a pod waits for the answer to all of its request.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from kcore.base import metrics
from kcore.machinery.status import StatusError
from kcore.scheduler.core import Attempt, Batch


def decided(batch: Batch, took_s: float) -> None:
    """Tell of a batch that was decided."""
    placed = [each for each in (*batch.assumed, *batch.reserved) if each.decision.feasible]
    count = len(placed) + len(batch.waiting)
    metrics.SCHEDULER_BATCH_SECONDS.observe(took_s)
    metrics.SCHEDULER_BATCH_PODS.inc(amount=count)
    if not count:
        return
    each_s = took_s / count
    metrics.SCHEDULING_ALGORITHM_SECONDS.observe(each_s, count=count)
    for profile, pods in by_profile(placed):
        metrics.EXTENSION_POINT_SECONDS.observe(each_s, "Filter", "Success", profile, count=pods)
    for status, result in {"Unschedulable": "unschedulable", "Error": "error"}.items():
        for profile, pods in by_profile(each for each in batch.waiting if bool(each.decision.failed) == (status == "Error")):
            metrics.EXTENSION_POINT_SECONDS.observe(each_s, "Filter", status, profile, count=pods)
            metrics.ATTEMPT_SECONDS.observe(each_s, result, profile, count=pods)
            metrics.SCHEDULE_ATTEMPTS.inc(result, profile, amount=pods)


def bound(attempts: Sequence[Attempt], errors: Sequence[StatusError | None], attempt_s: float, bind_s: float) -> None:
    """Tell of a request of bindings that was answered, so long after its batch was begun, and after it was sent."""
    outcomes = {"Success": "scheduled", "Error": "error"}
    for status, result in outcomes.items():
        of = (attempt for attempt, error in zip(attempts, errors, strict=True) if (error is not None) == (status == "Error"))
        for profile, pods in by_profile(of):
            metrics.EXTENSION_POINT_SECONDS.observe(bind_s, "Bind", status, profile, count=pods)
            metrics.ATTEMPT_SECONDS.observe(attempt_s, result, profile, count=pods)
            metrics.SCHEDULE_ATTEMPTS.inc(result, profile, amount=pods)


def by_profile(attempts: Iterable[Attempt]) -> Iterable[tuple[str, int]]:
    """How many attempts there are of each profile."""
    return Counter(each.pod.scheduler_name for each in attempts).items()
