"""Follows claims, volumes, devices and what decides about them, and writes what is reserved for pods."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from kcore.client import items, kinds
from kcore.client.bulk import BulkResult
from kcore.client.client import Client
from kcore.client.informer import Informers
from kcore.client.items import Item
from kcore.client.wire import DELETED, WatchEvent
from kcore.machinery import codec
from kcore.machinery.status import StatusError
from kcore.scheduler.core import Core
from kcore.scheduler.dra import ingest as device_ingest
from kcore.scheduler.dra import rows as device_rows
from kcore.scheduler.queue import State
from kcore.scheduler.reserving.part import Write
from kcore.scheduler.rows import PodRow
from kcore.scheduler.volumes import ingest, rows

_CORE: Final = ("", "v1")
_STORAGE: Final = ("storage.k8s.io", "v1")
_DEVICES: Final = ("resource.k8s.io", "v1")

Row = rows.Row | device_rows.DeviceRow

FOLLOWED: Final[tuple[tuple[tuple[str, str], str, type[Row], Callable[[bytes], Row]], ...]] = (
    (_STORAGE, "storageclasses", rows.Class, ingest.class_row),
    (_STORAGE, "csidrivers", rows.Driver, ingest.driver_row),
    (_STORAGE, "csistoragecapacities", rows.Room, ingest.room_row),
    (_STORAGE, "csinodes", rows.Limits, ingest.limits_row),
    (_STORAGE, "volumeattachments", rows.Attachment, ingest.attachment_row),
    (_CORE, "persistentvolumes", rows.Volume, ingest.volume_row),
    (_CORE, "persistentvolumeclaims", rows.Claim, ingest.claim_row),
    (_DEVICES, "deviceclasses", device_rows.DeviceClass, device_ingest.class_row),
    (_DEVICES, "devicetaintrules", device_rows.TaintRule, device_ingest.rule_row),
    (_DEVICES, "resourceslices", device_rows.Slice, device_ingest.slice_row),
    (_DEVICES, "resourceclaims", device_rows.DeviceClaim, device_ingest.claim_row),
)
"""What is followed: where it is served, its class here and how it is read."""

Refuse = Callable[[PodRow, str], None]


class ReservationWriter:
    """The connection of one scheduler's core with what is reserved for pods. Thread: the event loop's."""

    def __init__(self, client: Client, core: Core, told: Callable[[], None]) -> None:
        self._client = client
        self._core = core
        self._told = told

    def follow(self, informers: Informers) -> None:
        """Tell the core of all that decides about volumes and devices."""
        for (group, version), resource, kind, read in FOLLOWED:
            informers.receive(kinds.resource(group, version, resource), partial(self._changed, kind, read))

    async def write(self, pods: Sequence[PodRow], refuse: Refuse) -> None:
        """Write what is reserved for pods; refuse is called for each pod of which something could not be written."""
        writes = [(pod, write) for pod in pods for write in self._core.reservations.writes(pod, self._client.clock.now())]
        problems: dict[str, str] = {}
        try:
            results = await self._client.bulk.write([item_of(write) for _, write in writes]) if writes else []
        except StatusError as error:
            problems = {pod.key: error.message for pod, _ in writes}
        else:
            problems = {pod.key: message for (pod, _), result in zip(writes, results, strict=True) if (message := _problem(result))}
        for pod in pods:
            if pod.key in problems:
                refuse(pod, problems[pod.key])
            else:
                self._core.reserved_written(pod)
        self._told()

    def _changed(self, kind: type[Row], read: Callable[[bytes], Row], changes: list[WatchEvent]) -> None:
        waiting = self._core.queue.count(State.UNSCHEDULABLE)
        for type_, raw, key, _ in changes:
            if type_ == DELETED:
                self._core.row_deleted(kind, key)
            else:
                self._core.row_changed(read(raw))
        if self._core.reservations.is_due or self._core.queue.count(State.UNSCHEDULABLE) != waiting:
            self._told()


def _problem(result: BulkResult) -> str:
    return result.error.message if result.error is not None else ""


def item_of(write: Write) -> Item:
    """Return a write as it is sent."""
    group, plural = write.resource
    resource = kinds.resource(group, "v1", plural)
    if write.creates:
        object_ = codec.encode(f"kcore.api.resource.v1.{write.creates}", write.patch)
        return items.raw("create", resource, object_, namespace=write.namespace, name=write.name)
    if write.deletes:
        return items.delete(resource, write.name, namespace=write.namespace, uid=write.deletes)
    return items.patch(resource, write.name, write.patch, namespace=write.namespace, subresource=write.subresource)
