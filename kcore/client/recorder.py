"""Writes Events (core/v1) about what a part did: in bulk, behind everything else, never more than it may.

    recorder = EventRecorder(client, "default-scheduler")
    recorder.event(pod, "Normal", "Scheduled", "Successfully assigned default/a to n1")
    other = recorder.named("binder")                   Events of another component of the same process, sent by the same `run`

`event` only notes; `run` sends. An Event that changes while it waits is sent once, as it is then. Above EVENTS_PENDING_MAX that wait, and
after EVENTS_ATTEMPTS_MAX failed requests, Events are dropped and counted. A recorder writes over a bulk stream of its own with one request
under way, so bindings and status never wait behind Events in the client.

Source: client-go `tools/record`.
"""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Any, Final

from google.protobuf.message import Message

from kcore.api.core.v1.event_pb2 import Event
from kcore.base import limits, log, metrics
from kcore.client import items, kinds
from kcore.client.bulk import BulkClient, BulkResult
from kcore.client.client import Client
from kcore.client.correlator import Correlator, Occurrence, Regarding, Series
from kcore.client.items import Item
from kcore.client.retry import Backoff
from kcore.machinery import timestamp
from kcore.machinery.status import StatusError

NORMAL: Final = "Normal"
WARNING: Final = "Warning"

_BACKOFF: Final = Backoff(limits.WATCH_BACKOFF_S, limits.WATCH_BACKOFF_S_MAX)
_LOG = log.get("client.recorder")


class EventRecorder:
    """The Events of one component. Thread: the event loop's. Cost: 10 us an Event noted, and 10 us sent."""

    def __init__(self, client: Client, component: str, host: str = "") -> None:
        """Record for a component, such as `default-scheduler`, on a host, such as a node's name for its kubelet."""
        self.component = component
        self.dropped_count = 0
        self._host = host
        self._client = client
        self._bulk = BulkClient(client.transport)
        self._correlator = Correlator()
        self._pending: dict[str, Series] = {}
        self._sending: list[Series] = []
        self._wanted = asyncio.Event()
        self._sent = asyncio.Event()
        self._name_count = 0

    def named(self, component: str) -> ComponentRecorder:
        """Return the recorder of another component, whose Events this one sends."""
        return ComponentRecorder(self, component)

    def event(self, regarding: Message | Regarding, type_: str, reason: str, message: str, action: str = "", component: str = "") -> None:
        """Note that something happened to an object; never waits, never fails.

        regarding  the object, or what names it
        type_      NORMAL or WARNING
        component  what says so; empty: this recorder's
        """
        about = regarding if isinstance(regarding, Regarding) else regarding_of(regarding)
        occurrence = Occurrence(about, type_, reason, message[: limits.EVENT_MESSAGE_CHARS_MAX], action, component or self.component)
        series = self._correlator.correlate(occurrence, self._client.clock.now(), self._new_name(about))
        if series is None:
            self._drop(1, "spam")
        elif series.name not in self._pending:
            if len(self._pending) >= limits.EVENTS_PENDING_MAX:
                self._correlator.forget(series)
                self._drop(1, "full")
            else:
                self._pending[series.name] = series
                self._wanted.set()

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            while True:
                await self._wanted.wait()
                await self._send_pending()
                await self._client.clock.sleep(limits.EVENTS_INTERVAL_S)
        finally:
            await self._bulk.close()

    async def flush(self) -> None:
        """Wait until `run` has sent, or dropped, what is noted by now."""
        while self._pending or self._sending:
            self._sent.clear()
            await self._sent.wait()

    async def _send_pending(self) -> None:
        """Send the oldest Events that wait, again until they are sent or dropped."""
        self._sending = [self._pending.pop(name) for name in list(islice(self._pending, limits.EVENTS_PER_REQUEST_MAX))]
        if not self._pending:
            self._wanted.clear()
        failure_count = 0
        while self._sending:
            try:
                results = await self._bulk.write([self._item(series) for series in self._sending])
            except StatusError as error:
                failure_count += 1
                await self._failed(error, failure_count)
            else:
                self._sending = [s for s, r in zip(self._sending, results, strict=True) if self._is_wanted_again(s, r)]
        self._sent.set()

    async def _failed(self, error: StatusError, failure_count: int) -> None:
        if failure_count < limits.EVENTS_ATTEMPTS_MAX:
            await self._client.clock.sleep(_BACKOFF.pause_s(failure_count, self._client.entropy.random()))
            return
        _LOG.warning("events dropped", count=len(self._sending), reason=error.reason, message=error.message)
        for series in self._sending:
            self._correlator.forget(series)
        self._drop(len(self._sending), "unreachable")
        self._sending = []

    def _is_wanted_again(self, series: Series, result: BulkResult) -> bool:
        """Take the answer for one Event; returns whether it has to be created after all."""
        error = result.error
        if error is None or (series.is_new and error.reason == "AlreadyExists"):
            series.is_new = False
            metrics.EVENTS_SENT.inc(self.component)
            return False
        if error.reason == "NotFound" and not series.is_new:
            series.is_new = True
            return True
        self._correlator.forget(series)
        self._drop(1, "refused")
        return False

    def _item(self, series: Series) -> Item:
        if series.is_new:
            return items.create(self._event(series))
        change: dict[str, Any] = {"count": series.count, "lastTimestamp": timestamp.format_time(series.last_at)}
        change["message"] = series.occurrence.message
        return items.patch(kinds.of_message(Event), series.name, change, namespace=series.namespace)

    def _event(self, series: Series) -> Event:
        about, type_, reason, message, action, component = series.occurrence
        event = Event(reason=reason, message=message, type=type_, count=series.count, reportingComponent=component)
        event.metadata.name, event.metadata.namespace = series.name, series.namespace
        regarding = event.involvedObject
        regarding.kind, regarding.name, regarding.apiVersion = about.kind, about.name, about.api_version
        regarding.namespace, regarding.uid = about.namespace, about.uid
        regarding.resourceVersion, regarding.fieldPath = about.resource_version, about.field_path
        event.source.component = component
        if self._host:
            event.source.host = event.reportingInstance = self._host
        if action:
            event.action = action
        event.firstTimestamp.seconds, event.lastTimestamp.seconds = int(series.first_at), int(series.last_at)
        return event

    def _new_name(self, about: Regarding) -> str:
        """Name an Event as client-go does, by its object and the time in nanoseconds; the count keeps names apart."""
        self._name_count += 1
        prefix = about.name[: limits.EVENT_NAME_PREFIX_CHARS_MAX].rstrip(".-")
        return f"{prefix}.{int(self._client.clock.now() * 1e6) * 1000 + self._name_count % 1000:x}"

    def _drop(self, count: int, reason: str) -> None:
        self.dropped_count += count
        metrics.EVENTS_DROPPED.inc(self.component, reason, amount=count)


class ComponentRecorder:
    """The Events of one component of a process. Thread and cost: those of the recorder that sends them."""

    def __init__(self, sender: EventRecorder, component: str) -> None:
        self.component = component
        self._sender = sender

    def event(self, regarding: Message | Regarding, type_: str, reason: str, message: str, action: str = "") -> None:
        """Note that something happened to an object; never waits, never fails."""
        self._sender.event(regarding, type_, reason, message, action, self.component)


def regarding_of(object_: Any) -> Regarding:
    """Name an object."""
    resource, meta = kinds.of_message(object_), object_.metadata
    return Regarding(resource.api_version, resource.kind, meta.namespace, meta.name, meta.uid, meta.resourceVersion)
