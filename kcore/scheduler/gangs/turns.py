"""Keeps the queue in step with the groups: a group with pods on their way is one entry there.

    no pod of it is on its way          no entry
    its PodGroup or pods are missing    gated
    all its pods have a node            in flight, until they are bound or one is refused
    else                                active, backing off or unschedulable, as a pod is

What is told of a group itself (a pod more, its PodGroup, a smaller minCount) wakes it here; what happens to the cluster wakes it in the
queue, by the asks of its pods.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from kcore.scheduler.gangs.book import Book, Gang
from kcore.scheduler.gangs.rows import Condition, GangRow, GroupRow, entry_key
from kcore.scheduler.queue import Queue, State
from kcore.scheduler.rows import PodRow


class GroupNote(NamedTuple):
    """What a PodGroup is told; group: as it was before."""

    group: GroupRow
    condition: Condition


class Turns:
    """The groups of one scheduler and their entries in its queue."""

    def __init__(self, queue: Queue, now: Callable[[], float]) -> None:
        self.book = Book()
        self._queue = queue
        self._now = now

    def seen(self, pod: PodRow) -> None:
        """Take in a pod of a group, with a node or without."""
        old = self.book.of(pod.key)
        if old is not None and old.key != f"{pod.namespace}/{pod.pod_group}":
            self.gone(pod.key)
            old = None
        is_news = old is None or (bool(pod.node_name) and pod.key in old.waiting)
        gang = self.book.put(pod)
        self._tell(gang)
        if is_news:
            self._queue.rouse(entry_key(gang.key), self._now())
            self._again(gang)

    def gone(self, pod_key: str) -> None:
        """Take in that a pod is gone, or not to be scheduled any more."""
        gang = self.book.remove(pod_key)
        if gang is not None:
            self._tell(gang)

    def group_changed(self, row: GroupRow) -> None:
        """Take in a PodGroup, new or changed."""
        known = self.book.gang(row.key)
        old = known.group if known is not None else None
        gang = self.book.set_group(row)
        self._tell(gang)
        if old is not None and row.min_count < old.min_count:
            self._queue.rouse(entry_key(row.key), self._now())

    def group_gone(self, key: str) -> None:
        """Take in that a PodGroup is gone."""
        gang = self.book.remove_group(key)
        if gang is not None:
            self._tell(gang)

    def gang(self, row: GangRow) -> Gang:
        """Return the group that was handed out."""
        found = self.book.gang(row.group)
        assert found is not None, f"{row.group} is in the queue and not in the book"
        return found

    def placed(self, gang: Gang, pods: Iterable[PodRow]) -> None:
        """Take in that pods of a group that was handed out were given nodes; what is left of it is tried again at once."""
        for pod in pods:
            gang.assumed[pod.key] = gang.waiting.pop(pod.key)
        self._tell(gang)
        self._again(gang)

    def failed(self, gang: Gang, rejected_by: Iterable[str]) -> None:
        """Take back a group that was handed out and found too few nodes; rejected_by as the queue has it."""
        row = gang.row()
        assert row is not None, f"{gang.key} has nobody who waits"
        self._queue.fail(row, rejected_by, self._now())

    def told(self, gang: Gang, condition: Condition) -> list[GroupNote]:
        """Return what a PodGroup is to be told; nothing where it says so already, or says for good that it was placed."""
        group = gang.group
        assert group is not None, f"{gang.key} was tried without its PodGroup"
        old = group.condition
        if old == condition or (old is not None and old.status == "True" and condition.status != "True"):
            return []
        gang.group = group._replace(condition=condition)
        return [GroupNote(group, condition)]

    def untold(self, note: GroupNote) -> None:
        """Take in that a PodGroup could not be told: its next attempt tells it."""
        gang = self.book.gang(note.group.key)
        if gang is not None and gang.group == note.group._replace(condition=note.condition):
            gang.group = note.group

    def refused(self, pod: PodRow) -> None:
        """Take in that a pod was not bound: it waits again, and its group makes a pause."""
        gang = self.book.of(pod.key)
        if gang is None or pod.key not in gang.assumed or gang.assumed[pod.key].uid != pod.uid:
            return
        gang.waiting[pod.key] = gang.assumed.pop(pod.key)
        self._tell(gang)
        if self._queue.state(entry_key(gang.key)) is State.IN_FLIGHT:
            self.failed(gang, ())

    def _tell(self, gang: Gang) -> None:
        """Let the queue have the entry that the group is now."""
        row, key = gang.row(), entry_key(gang.key)
        if row is None:
            if key in self._queue:
                self._queue.delete(key, self._now())
            return
        self._queue.update(row, self._now())

    def _again(self, gang: Gang) -> None:
        if gang.waiting:
            self._queue.retry(entry_key(gang.key), self._now())
