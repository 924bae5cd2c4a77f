"""What StatefulSets and Jobs promise: one pod for each ordinal, made in order; completions counted once."""

from __future__ import annotations

from typing import Any

from tests.simulation.checkers.owners import Asked, is_ready, owner_of
from tests.simulation.history import Change, Checker, History


class StatefulSets(Checker):
    """The pod of an ordinal is made when those before it have been ready, only for ordinals that are asked for, and only once at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = Asked(lambda found: (found.spec.ordinals.start, found.spec.replicas))
        self.in_order: dict[str, bool] = {}
        self.were_ready: set[tuple[str, int]] = set()
        self.running: dict[tuple[str, int], str] = {}

    def saw(self, change: Change, history: History) -> None:
        if change.kind == "StatefulSet" and change.new is not None:
            found = change.new.message
            self.asked.saw(found)
            self.in_order[found.metadata.uid] = found.spec.podManagementPolicy != "Parallel"
        elif change.kind == "Pod":
            found = (change.new or change.old).message  # type: ignore[union-attr]
            reference = owner_of(found)
            if reference is not None and reference.kind == "StatefulSet":
                self._pod(change, found, reference)

    def _pod(self, change: Change, pod: Any, reference: Any) -> None:
        uid, ordinal = reference.uid, int(pod.metadata.name.rpartition("-")[2])
        place = (uid, ordinal)
        if change.new is None:
            if self.running.get(place) == pod.metadata.uid:
                del self.running[place]
            return
        other = self.running.setdefault(place, pod.metadata.uid)
        if other != pod.metadata.uid:
            self.wrong(change, f"ordinal {ordinal} of {reference.name} has two pods, {other} and {pod.metadata.uid}")
        if is_ready(pod):
            self.were_ready.add(place)
        if change.old is None:
            self._made(change, reference, ordinal)

    def _made(self, change: Change, reference: Any, ordinal: int) -> None:
        asked = self.asked.since(reference.uid)
        if asked and not any(start <= ordinal < start + count for start, count in asked):
            self.wrong(change, f"{reference.name} made a pod for ordinal {ordinal}, asked for were {asked}")
        first = min((start for start, _ in self.asked.all(reference.uid)), default=0)
        if self.in_order.get(reference.uid):
            early = [each for each in range(first, ordinal) if (reference.uid, each) not in self.were_ready]
            if early:
                self.wrong(change, f"{reference.name} made ordinal {ordinal} before {early} had been ready")


class Jobs(Checker):
    """What a Job counts has happened, each pod counts once, and no more pods run at a time than are allowed."""

    def __init__(self) -> None:
        super().__init__()
        self.finished: dict[tuple[str, str], set[str]] = {}
        self.counted: dict[tuple[str, str], int] = {}

    def saw(self, change: Change, history: History) -> None:
        if change.kind == "Pod" and change.new is not None:
            pod, reference = change.new.message, owner_of(change.new.message)
            if reference is not None and reference.kind == "Job":
                self._pod(change, pod, reference, history)
        elif change.kind == "Job" and change.new is not None:
            self._job(change, change.new.message)

    def _pod(self, change: Change, pod: Any, reference: Any, history: History) -> None:
        if pod.status.phase in ("Succeeded", "Failed"):
            self.finished.setdefault((reference.uid, pod.status.phase), set()).add(pod.metadata.uid)
        if change.old is None:
            owner = next((found for found in history.all("Job") if found.metadata.uid == reference.uid), None)
            mine = [found for found in history.all("Pod") if getattr(owner_of(found), "uid", "") == reference.uid]
            count = sum(found.status.phase not in ("Succeeded", "Failed") and not going(found) for found in mine)
            if owner is not None and count > owner.spec.parallelism:
                self.wrong(change, f"{change.key} is active pod {count} of {reference.name}, which allows {owner.spec.parallelism}")

    def _job(self, change: Change, job: Any) -> None:
        uid, status = job.metadata.uid, job.status
        uncounted = status.uncountedTerminatedPods
        for phase, count, waiting in (("Succeeded", status.succeeded, uncounted.succeeded), ("Failed", status.failed, uncounted.failed)):
            happened = len(self.finished.get((uid, phase), ()))
            before = self.counted.get((uid, phase), 0)
            if phase == "Succeeded" and count + len(waiting) > happened:
                self.wrong(change, f"{change.key} counts {count} and {len(waiting)} pods as {phase}, {happened} were")
            if count < before:
                self.wrong(change, f"{change.key} counts {count} pods as {phase}, and has counted {before}")
            self.counted[uid, phase] = max(count, before)
        complete = any(each.type == "Complete" and each.status == "True" for each in status.conditions)
        if complete and job.spec.HasField("completions") and status.succeeded != job.spec.completions:
            self.wrong(change, f"{change.key} is complete with {status.succeeded} of {job.spec.completions}")


def going(found: Any) -> bool:
    return bool(found.metadata.HasField("deletionTimestamp"))
