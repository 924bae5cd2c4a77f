"""Follows PodGroups, and tells them what became of their pods."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from kcore.base import log
from kcore.client import items, kinds
from kcore.client.bulk import BulkClient
from kcore.client.client import Client
from kcore.client.informer import Informers
from kcore.client.objects import STRATEGIC_MERGE_PATCH
from kcore.client.wire import DELETED, WatchEvent
from kcore.machinery import timestamp
from kcore.machinery.status import StatusError
from kcore.scheduler.gangs.rows import SCHEDULED, group_row
from kcore.scheduler.gangs.turns import GroupNote, Turns

_LOG: Final = log.get("scheduler")


class GroupWriter:
    """The connection of one scheduler with PodGroups. Thread: the event loop's."""

    def __init__(self, client: Client, turns: Turns, statuses: BulkClient, told: Callable[[], None]) -> None:
        self._client, self._turns, self._statuses, self._told = client, turns, statuses, told
        self._groups = kinds.resource("scheduling.k8s.io", "v1beta1", "podgroups")

    def follow(self, informers: Informers) -> None:
        """Take in all groups."""
        informers.receive(self._groups, self._changed)

    async def write(self, notes: Sequence[GroupNote]) -> None:
        """Write conditions; one that fails is written by the group's next attempt."""
        now = self._client.clock.now()
        writes = [
            items.patch(
                self._groups, note.group.name, condition_patch(note, now), namespace=note.group.namespace,
                content_type=STRATEGIC_MERGE_PATCH, subresource="status",
            )
            for note in notes
        ]  # fmt: skip
        try:
            for note, result in zip(notes, await self._statuses.write(writes), strict=True):
                if result.error is not None and result.error.reason != "NotFound":
                    self._turns.untold(note)
                    _LOG.warning("status of a pod group failed", message=result.error.message)
        except StatusError as error:
            for note in notes:
                self._turns.untold(note)
            _LOG.warning("status of pod groups failed", groups=len(writes), reason=error.reason, message=error.message)

    def _changed(self, changes: list[WatchEvent]) -> None:
        for type_, raw, key, _ in changes:
            if type_ == DELETED:
                self._turns.group_gone(key)
            else:
                self._turns.group_changed(group_row(raw))
        self._told()


def condition_patch(note: GroupNote, now: float) -> dict[str, Any]:
    """Return the strategic merge patch of a group's status; a condition that keeps its status keeps its time."""
    group, (status, reason, message) = note.group, note.condition
    condition: dict[str, Any] = {"type": SCHEDULED, "status": status, "reason": reason, "message": message}
    if group.generation:
        condition["observedGeneration"] = group.generation
    if group.condition is None or group.condition.status != status:
        condition["lastTransitionTime"] = timestamp.format_time(now)
    return {"metadata": {"uid": group.uid}, "status": {"conditions": [condition]}}
