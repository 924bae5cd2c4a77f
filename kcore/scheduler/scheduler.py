"""The scheduler at work: follows pods and nodes, lets the core decide, sends bindings, conditions and events.

    scheduler = Scheduler(client)
    await scheduler.run(on_synced=report_ready)

Bindings go out in bulk and nobody waits for them: what is assumed counts at once, so the next pods are decided while the API works, up to
SCHEDULER_BINDINGS_IN_FLIGHT_MAX requests ahead. Whoever runs several schedulers lets `run` be called by the leader only.

Besides pods and nodes it follows what wishes about other pods look at: labels of namespaces, and what Services and workloads select.
"""
from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import repeat
from typing import Final

from kcore.base import limits, log, metrics
from kcore.client import items, kinds
from kcore.client.bulk import BulkClient
from kcore.client.client import Client
from kcore.client.correlator import Regarding
from kcore.client.failures import UNSURE_REASONS
from kcore.client.informer import Informers
from kcore.client.items import Item
from kcore.client.objects import STRATEGIC_MERGE_PATCH
from kcore.client.recorder import EventRecorder
from kcore.client.retry import Backoff
from kcore.client.wire import DELETED, WatchEvent
from kcore.machinery.status import StatusError
from kcore.scheduler import binding, timing
from kcore.scheduler.binding import Note
from kcore.scheduler.cache import Placed
from kcore.scheduler.configuration.reading import Configuration
from kcore.scheduler.core import SCHEDULER_NAME, Attempt, Core, Eviction
from kcore.scheduler.gangs.writer import GroupWriter
from kcore.scheduler.ingest import node_row, pod_row
from kcore.scheduler.peers.ingest import WORKLOADS, namespace_labels, service_selector, workload_selector
from kcore.scheduler.preemption.budgets import budget_row
from kcore.scheduler.queue import State
from kcore.scheduler.reserving.writer import ReservationWriter, item_of
from kcore.scheduler.rows import Owner, PodRow

_LOG: Final = log.get("scheduler")
_LOOK_BACKOFF: Final = Backoff(limits.WATCH_BACKOFF_S, limits.WATCH_BACKOFF_S_MAX)
_QUEUES: Final = (State.ACTIVE, State.BACKOFF, State.UNSCHEDULABLE, State.GATED)


class Scheduler:
    """One scheduler. Thread: the event loop's."""

    def __init__(self, client: Client, configuration: Configuration | None = None) -> None:
        self.core = Core(client.clock, client.entropy, configuration)
        self.recorder = EventRecorder(client, SCHEDULER_NAME)
        self._client = client
        self._statuses = BulkClient(client.transport)
        self._pods = kinds.resource("", "v1", "pods")
        self._nodes = kinds.resource("", "v1", "nodes")
        self._budgets = kinds.resource("policy", "v1", "poddisruptionbudgets")
        self._told = asyncio.Event()
        self._bindings = asyncio.Semaphore(limits.SCHEDULER_BINDINGS_IN_FLIGHT_MAX)
        self._status_slots = asyncio.Semaphore(limits.SCHEDULER_STATUS_IN_FLIGHT_MAX)
        self._reserved = ReservationWriter(client, self.core, self._told.set)
        gangs = self.core.gangs
        self._groups = GroupWriter(client, gangs, self._statuses, self._told.set) if gangs is not None else None
        self._gated: dict[str, PodRow] = {}

    async def run(self, on_synced: Callable[[], None] | None = None) -> None:
        """Schedule until cancelled; on_synced is called when all pods and nodes are known."""
        informers = Informers(self._client)
        self._reserved.follow(informers)
        if self._groups is not None:
            self._groups.follow(informers)
        informers.receive(self._nodes, self._nodes_changed)
        informers.receive(kinds.resource("", "v1", "namespaces"), self._namespaces_changed)
        informers.receive(kinds.resource("", "v1", "services"), self._services_changed)
        for kind, where in WORKLOADS.items():
            informers.receive(kinds.resource(where[0], "v1", where[1]), partial(self._workloads_changed, kind))
        informers.receive(self._budgets, self._budgets_changed)
        informers.receive(self._pods, self._pods_changed)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(informers.run(), name="scheduler-informers")
                group.create_task(self.recorder.run(), name="scheduler-events")
                await informers.wait_synced()
                _LOG.info("synced", nodes=self.core.columns.node_count, pods=len(self.core.cache), waiting=len(self.core.queue))
                if on_synced is not None:
                    on_synced()
                await self._work(group)
        finally:
            await self._statuses.close()

    async def _work(self, group: asyncio.TaskGroup) -> None:
        while True:
            self._told.clear()
            started_at = self._client.clock.monotonic()
            batch = self.core.decide(limits.SCHEDULER_BATCH_MAX)
            for state in _QUEUES:
                metrics.PENDING_PODS.set(self.core.queue.count(state), state.value)
            gated, self._gated = self._gated, {}
            if not (any(batch) or gated):
                await self._wait()
                continue
            timing.decided(batch, self._client.clock.monotonic() - started_at)
            if batch.reserved:
                group.create_task(self._reserved.write([each.pod for each in batch.reserved], self._refuse), name="scheduler-reserve")
            for pod, problem in batch.failed:
                self._note(pod, binding.reserved_note(problem))
            if batch.evictions:
                await self._status_slots.acquire()
                group.create_task(self._evict(batch.evictions), name="scheduler-evict")
            if batch.assumed:
                await self._bindings.acquire()
                group.create_task(self._bind(batch.assumed, started_at), name="scheduler-bind")
            if batch.groups and self._groups is not None:
                group.create_task(self._groups.write(batch.groups), name="scheduler-groups")
            writes = [
                *self._waiting_items(batch.waiting), *self._displaced_items(batch.displaced), *self._gated_items(gated.values())
            ]  # fmt: skip
            if writes:
                await self._status_slots.acquire()
                group.create_task(self._write_statuses(writes), name="scheduler-status")
            await asyncio.sleep(0)

    async def _wait(self) -> None:
        """Wait until something is told, or a pause is over."""
        try:
            async with asyncio.timeout(max(0.0, self.core.next_at() - self._client.clock.monotonic())):
                await self._told.wait()
        except TimeoutError:
            pass

    # from the watch

    def _pods_changed(self, changes: list[WatchEvent]) -> None:
        for type_, raw, key, _ in changes:
            if type_ == DELETED:
                self.core.pod_deleted(key)
                continue
            pod = pod_row(raw)
            self.core.pod_changed(pod)
            if self.core.queue.state(key) is State.GATED:
                self._gated[key] = pod
        self._told.set()

    def _nodes_changed(self, changes: list[WatchEvent]) -> None:
        for type_, raw, key, _ in changes:
            if type_ == DELETED:
                self.core.node_deleted(key)
            else:
                self.core.node_changed(node_row(raw))
        self._told.set()

    def _namespaces_changed(self, changes: list[WatchEvent]) -> None:
        for type_, raw, key, _ in changes:
            self.core.namespace_changed(key, None if type_ == DELETED else namespace_labels(raw)[1])
        self._told.set()

    def _services_changed(self, changes: list[WatchEvent]) -> None:
        for type_, raw, key, _ in changes:
            namespace, _, name = key.partition("/")
            self.core.service_changed(namespace, name, None if type_ == DELETED else service_selector(raw)[2])

    def _workloads_changed(self, kind: str, changes: list[WatchEvent]) -> None:
        for type_, raw, key, _ in changes:
            namespace, _, name = key.partition("/")
            selector = None if type_ == DELETED else workload_selector(kind, raw)[2]
            self.core.workload_changed(namespace, Owner(kind, name), selector)

    def _budgets_changed(self, changes: list[WatchEvent]) -> None:
        for type_, raw, key, _ in changes:
            if type_ == DELETED:
                self.core.budgets.remove(key)
            else:
                self.core.budgets.set(budget_row(raw))

    # to the API

    async def _bind(self, attempts: Sequence[Attempt], started_at: float) -> None:
        """Bind assumed pods, and take back those whose binding fails."""
        sent_at = self._client.clock.monotonic()
        writes = [items.bind(pod.name, decision.node or "", namespace=pod.namespace, uid=pod.uid) for pod, decision, _ in attempts]
        errors: list[StatusError | None]
        try:
            errors = [result.error for result in await self._client.bulk.write(writes)]
        except StatusError as error:
            errors = list(repeat(error, len(attempts)))
        finally:
            self._bindings.release()
        unsure = [number for number, error in enumerate(errors) if error is not None and error.reason in UNSURE_REASONS]
        if unsure:
            bound = await self._which_happened([attempts[number].pod for number in unsure])
            for number in unsure:
                errors[number] = None if attempts[number].pod.key in bound else errors[number]
        now, refused = self._client.clock.monotonic(), list[PodRow]()
        timing.bound(attempts, errors, now - started_at, now - sent_at)
        for (pod, decision, _), failure in zip(attempts, errors, strict=True):
            if failure is None:
                self._note(pod, binding.scheduled_note(pod, decision.node or ""))
                continue
            refused.append(pod)
            if failure.reason not in binding.EXPECTED_REFUSALS:
                self._note(pod, binding.refused_note(failure.message))
                _LOG.warning("binding failed", pod=pod.key, node=decision.node, reason=failure.reason, message=failure.message)
        self.core.refused(refused)
        self._told.set()

    def _refuse(self, pod: PodRow, problem: str) -> None:
        """Give up a node for which something could not be written."""
        self._note(pod, binding.reserved_note(self.core.reserved_refused(pod, problem)))

    async def _evict(self, evictions: Sequence[Eviction]) -> None:
        """Delete the pods that others preempt; who preempted one that cannot be deleted tries again."""
        condemned = [(pod, victim, node) for pod, node, victims in evictions for victim in victims]
        now, whose = self._client.clock.now(), {(pod.scheduler_name, binding.sort_of(pod)) for pod, _, _ in evictions}
        patches = {each: items.patch_text(binding.preempted_patch(*each, now)) for each in whose}
        told = [(patches[pod.scheduler_name, binding.sort_of(pod)], victim) for pod, victim, _ in condemned]
        writes = [item for patch, victim in told for item in self._victim_items(patch, victim)]
        errors: list[StatusError | None]
        try:
            errors = [result.error for result in await self._statuses.write(writes)][1::2]
        except StatusError as error:
            errors = list(repeat(error, len(condemned)))
        finally:
            self._status_slots.release()
        for (pod, victim, node), failure in zip(condemned, errors, strict=True):
            if failure is None:
                namespace, _, name = victim.key.partition("/")
                note = binding.preempted_note(pod, node)
                about = Regarding("v1", "Pod", namespace, name, victim.uid)
                self.recorder.event(about, note.type, note.reason, note.message, note.action, pod.scheduler_name)
            elif failure.reason not in binding.EXPECTED_REFUSALS:
                _LOG.warning("preemption failed", pod=pod.key, victim=victim.key, reason=failure.reason, message=failure.message)
                self.core.spared(pod, victim)
        self._told.set()

    def _victim_items(self, patch: bytes, victim: Placed) -> Iterator[Item]:
        namespace, _, name = victim.key.partition("/")
        yield items.patch(self._pods, name, patch, namespace=namespace, content_type=STRATEGIC_MERGE_PATCH, subresource="status")
        yield items.delete(self._pods, name, namespace=namespace, uid=victim.uid)

    async def _which_happened(self, pods: Sequence[PodRow]) -> set[str]:
        """Find out which bindings happened whose answers were lost; -> the keys of their pods.

        A request that is under way arrives in time or not at all. Until then, and as long as nobody answers, the pods count where they
        were assumed: their room must not be given away.
        """
        await self._client.clock.sleep(limits.LOST_ANSWER_PAUSE_S)
        slots = asyncio.Semaphore(limits.SCHEDULER_LOOKS_AT_ONCE)

        async def is_bound(pod: PodRow) -> bool:
            async with slots:
                return not self.core.cache.is_assumed(pod.key) or await self._is_bound(pod)

        answers = await asyncio.gather(*map(is_bound, pods))
        return {pod.key for pod, happened in zip(pods, answers, strict=True) if happened}

    async def _is_bound(self, pod: PodRow) -> bool:
        """Ask the API whether a pod is on a node; again until it answers."""
        failure_count = 0
        while True:
            try:
                found = await self._client.resource(self._pods).get(pod.name, namespace=pod.namespace)
            except StatusError as error:
                if error.reason == "NotFound":
                    return False
                failure_count += 1
                await self._client.clock.sleep(_LOOK_BACKOFF.pause_s(failure_count, self._client.entropy.random()))
            else:
                return found.metadata.uid == pod.uid and bool(found.spec.nodeName)

    def _waiting_items(self, attempts: Sequence[Attempt]) -> Iterator[Item]:
        """Tell why pods wait, and yield the writes of conditions that are new."""
        for pod, decision, nominated in attempts:
            self._note(pod, binding.failed_note(decision))
            reason = binding.FAILED if decision.failed else binding.UNSCHEDULABLE
            yield from self._status_items(pod, reason, decision.message, nominated)
            yield from map(item_of, decision.writes)

    def _displaced_items(self, pods: Iterable[PodRow]) -> Iterator[Item]:
        for pod in pods:
            yield items.patch(
                self._pods, pod.name, {"status": {"nominatedNodeName": None}}, namespace=pod.namespace, subresource="status"
            )  # fmt: skip

    def _gated_items(self, pods: Iterable[PodRow]) -> Iterator[Item]:
        for pod in pods:
            yield from self._status_items(pod, binding.GATED, binding.GATED_MESSAGE, pod.nominated)

    def _status_items(self, pod: PodRow, reason: str, message: str, nominated: str) -> Iterator[Item]:
        patch = binding.status_patch(pod, reason, message, nominated, self._client.clock.now())
        if patch is not None:
            yield items.patch(self._pods, pod.name, patch, namespace=pod.namespace, subresource="status")

    async def _write_statuses(self, writes: Sequence[Item]) -> None:
        """Write conditions; one that fails is written by the pod's next attempt."""
        try:
            for result in await self._statuses.write(writes):
                if result.error is not None and result.error.reason not in binding.EXPECTED_REFUSALS:
                    _LOG.warning("status failed", message=result.error.message)
        except StatusError as error:
            _LOG.warning("status failed", pods=len(writes), reason=error.reason, message=error.message)
        finally:
            self._status_slots.release()

    def _note(self, pod: PodRow, note: Note) -> None:
        about = Regarding("v1", "Pod", pod.namespace, pod.name, pod.uid)
        self.recorder.event(about, note.type, note.reason, note.message, note.action, pod.scheduler_name)
