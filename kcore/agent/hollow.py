"""Thousands of hollow nodes in one process: they register, report, run pods and end them, and nothing runs for real.

    hollow = HollowNodes(client, NodeSettings(count=5000), addresses_for=NodeIpam)
    async with asyncio.TaskGroup() as group:
        group.create_task(hollow.run())
        await hollow.wait_ready()

Decisions are in `kcore.agent.nodefleet` and `kcore.agent.podfleet`; here are only the streams that feed them, the timers that
wake them, and the bulk writes that carry out what they want. There is one watch of all nodes and one of all assigned pods,
whatever the number of nodes. Nodes and pods are known before the first write, so nodes of an earlier run are taken over, and no
address is given twice.

Thread: the event loop it runs in.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Generic, Protocol, TypeVar

from kcore.agent import nodestate
from kcore.agent.addresses import AddressesFor, NodeSubnets
from kcore.agent.hollownode import HollowNode, HollowPod
from kcore.agent.nodefleet import NodeFleet
from kcore.agent.podfleet import PodFleet
from kcore.agent.podstate import Moment
from kcore.agent.settings import HollowSettings, NodeSettings
from kcore.base import limits, log
from kcore.client.bulk import BulkClient, BulkResult
from kcore.client.client import Client
from kcore.client.correlator import Regarding
from kcore.client.items import Item
from kcore.client.objects import ResourceClient
from kcore.client.recorder import EventRecorder
from kcore.client.reflector import EVERYTHING, Reflector, Selection
from kcore.client.wire import WatchEvent
from kcore.machinery.status import StatusError

Owner = TypeVar("Owner")

ASSIGNED: Final = Selection(field_selector="spec.nodeName!=")
_LOG = log.get("agent.hollow")


class BulkWrites(Protocol):
    """What carries many writes out at once: `kcore.client.bulk.BulkClient`, or a fake."""

    async def write(self, items: Sequence[Item]) -> list[BulkResult]:
        """Carry writes out, in order, each with its own result.

        Raises  StatusError if the request failed as a whole
        """
        ...


class BulkLoop(Generic[Owner]):
    """Sends what a fleet has to write as soon as a request is free, and hands the answers back."""

    def __init__(
        self,
        bulk: BulkWrites,
        take: Callable[[int], list[tuple[Owner, Item]]],
        settle: Callable[[Owner, BulkResult | None], None],
        requests: int = limits.HOLLOW_REQUESTS_MAX,
    ) -> None:
        self._bulk = bulk
        self._take = take
        self._settle = settle
        self._slots = asyncio.Semaphore(requests)
        self._wanted = asyncio.Event()

    def poke(self) -> None:
        """Say that there may be something to write."""
        self._wanted.set()

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                await self._slots.acquire()
                while taken := self._take(limits.HOLLOW_WRITES_PER_REQUEST_MAX):
                    group.create_task(self._send(taken))
                    await self._slots.acquire()
                self._slots.release()

    async def _send(self, taken: Sequence[tuple[Owner, Item]]) -> None:
        results: Sequence[BulkResult | None]
        try:
            results = await self._bulk.write([item for _, item in taken])
        except StatusError as error:
            _LOG.info("bulk write failed", count=len(taken), reason=error.reason, message=error.message)
            results = [None] * len(taken)
        finally:
            self._slots.release()
        for (owner, _), result in zip(taken, results, strict=True):
            self._settle(owner, result)
        self._wanted.set()


class HollowNodes:
    """The hollow nodes of one process."""

    def __init__(
        self,
        client: Client,
        node_settings: NodeSettings,
        *,
        addresses_for: AddressesFor,
        hollow_settings: HollowSettings | None = None,
        subnets: NodeSubnets | None = None,
    ) -> None:
        """Simulate nodes through a client, on its clock and with its entropy.

        addresses_for   opens a node's addresses by its podCIDRs: `kcore.network.NodeIpam`
        subnets         gives nodes their podCIDRs where no controllers run: a `kcore.network.SubnetAllocator`; None where they do
        """
        settings = hollow_settings or HollowSettings()
        self._client = client
        self._clock = client.clock
        self._bulk, self._beats = BulkClient(client.transport), BulkClient(client.transport)
        self.nodes = NodeFleet(node_settings, addresses_for, self._node_has_addresses, subnets)
        self.pods = PodFleet(self.nodes.nodes, settings, client.entropy.random)
        self._recorder = EventRecorder(client, "kubelet")
        self._node_writes: BulkLoop[HollowNode] = BulkLoop(
            self._beats, lambda count: self.nodes.take(count, self._now()), self._node_written
        )
        self._pod_writes: BulkLoop[HollowPod] = BulkLoop(self._bulk, self.pods.take, self._pod_written)
        self._tick_s = min(
            max(limits.NODE_HEARTBEAT_S * limits.HEARTBEATS_PER_TICK / max(node_settings.count, 1), limits.HEARTBEAT_TICK_S_MIN),
            limits.HEARTBEAT_TICK_S_MAX,
        )
        self._woken = asyncio.Event()
        self._ready = asyncio.Event()
        self._pods_open = False

    @property
    def is_ready(self) -> bool:
        """Whether all nodes have been registered and Ready, with what they wait for, and the pods are known."""
        return self._ready.is_set()

    async def wait_ready(self) -> None:
        """Wait until that is so."""
        await self._ready.wait()

    async def run(self) -> None:
        """Simulate until cancelled."""
        nodes = self._reflector(self._client.nodes, EVERYTHING, self._nodes_changed)
        pods = self._reflector(self._client.pods, ASSIGNED, self._pods_changed)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(nodes.run(), name="hollow-nodes")
                await nodes.wait_synced()
                await self._list_leases()
                self.nodes.open(self._now())
                group.create_task(self._node_writes.run(), name="hollow-node-writes")
                group.create_task(self._recorder.run(), name="hollow-events")
                group.create_task(self._beat(), name="hollow-heartbeats")
                self._node_writes.poke()
                group.create_task(pods.run(), name="hollow-pods")
                await pods.wait_synced()
                self.pods.open(self._now())
                self._pods_open = True
                group.create_task(self._pod_writes.run(), name="hollow-pod-writes")
                group.create_task(self._keep_time(), name="hollow-timers")
                self._after_pods()
                self._judge()
        finally:
            await self._bulk.close()
            await self._beats.close()

    def _reflector(self, calls: ResourceClient[Any], selection: Selection, deliver: Callable[[list[WatchEvent]], None]) -> Reflector:
        reflector = Reflector(calls, selection, self._clock, self._client.entropy)
        reflector.add_receiver(deliver)
        return reflector

    def _now(self) -> Moment:
        return Moment(self._clock.monotonic(), int(self._clock.now()))

    def _nodes_changed(self, changes: list[WatchEvent]) -> None:
        self.nodes.receive(changes, self._now())
        self._judge()
        if self.nodes.pending:
            self._node_writes.poke()

    def _pods_changed(self, changes: list[WatchEvent]) -> None:
        self.pods.receive(changes, self._now())
        self._after_pods()

    def _node_has_addresses(self, node: HollowNode) -> None:
        if node.addresses is not None:
            for pod in node.pods:
                self.pods.claim(pod)
        self.pods.retry(node, self._now())
        self._after_pods()

    def _node_written(self, node: HollowNode, result: BulkResult | None) -> None:
        self.nodes.settle(node, result, self._now())

    def _pod_written(self, pod: HollowPod, result: BulkResult | None) -> None:
        self.pods.settle(pod, result, self._now())
        self._after_pods()

    def _after_pods(self) -> None:
        """Pass on what the pods have to write and to tell."""
        if self.pods.pending:
            self._pod_writes.poke()
        while self.pods.events:
            pod, told = self.pods.events.popleft()
            self._recorder.event(Regarding("v1", "Pod", pod.namespace, pod.name, pod.uid), told.type, told.reason, told.message)
        self._woken.set()

    def _judge(self) -> None:
        if self._pods_open and self.nodes.is_ready:
            self._ready.set()

    async def _keep_time(self) -> None:
        """Wake pods when their time has come."""
        while True:
            self._woken.clear()
            pause_s = self.pods.next_s - self._clock.monotonic()
            if pause_s > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause_s if pause_s < limits.HOLLOW_IDLE_S else limits.HOLLOW_IDLE_S):
                        await self._woken.wait()
            self.pods.wake(self._now())
            self._after_pods()

    async def _beat(self) -> None:
        """Renew the Leases that are due, all of them in one write, and let nodes report."""
        while True:
            if self.nodes.lease_versions_unknown:
                await self._list_leases()
            self.nodes.wake(self._now())
            if self.nodes.pending:
                self._node_writes.poke()
            taken = self.nodes.take_leases(self._now(), self._clock.now())
            results: Sequence[BulkResult | None] = [None] * len(taken)
            with suppress(StatusError):
                results = await self._beats.write([item for _, item in taken])
            for (node, _), result in zip(taken, results, strict=True):
                self.nodes.settle_lease(node, result)
            await self._clock.sleep(self._tick_s)

    async def _list_leases(self) -> None:
        """Learn the resource versions of the Leases; a failure leaves them unknown until the next beat."""
        try:
            leases = await self._client.leases.list(namespace=nodestate.LEASE_NAMESPACE, metadata_only=True)
        except StatusError as error:
            _LOG.info("leases not listed", reason=error.reason, message=error.message)
            self.nodes.lease_versions_unknown = True
        else:
            self.nodes.leases_listed((lease.metadata.name, lease.metadata.resourceVersion) for lease in leases.items)
