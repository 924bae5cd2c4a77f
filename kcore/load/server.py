"""What a load needs of an API server, whichever way it is reached; and the way over gRPC, on which creates go in bulk or one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from kcore.api.core.v1 import pod_pb2
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.client import items, kinds
from kcore.client.client import Client
from kcore.client.kinds import Resource
from kcore.client.objects import ResourceClient
from kcore.client.wire import WatchEvent
from kcore.load.pods import Wanted
from kcore.machinery.status import StatusError

Outcomes = Sequence[StatusError | None]


class Watch(Protocol):
    """Changes of pods, in batches."""

    async def read(self) -> list[WatchEvent] | None:
        """Return the next batch, None when the server has ended the watch. Raises StatusError."""
        ...

    def cancel(self) -> None:
        """Give the watch up."""
        ...


class Server(Protocol):
    """An API server. All that it is asked for may raise StatusError."""

    clock: Clock
    entropy: Entropy

    async def node_count(self) -> int:
        """How many nodes it has."""
        ...

    async def create(self, resource: Resource, namespace: str, group: Sequence[Wanted]) -> Outcomes:
        """Create objects; -> of each why it was refused, None if it was not."""
        ...

    async def delete_pods(self, namespace: str, names: Sequence[str]) -> None:
        """Delete pods, as gracefully as they ask for."""
        ...

    async def delete_all(self, resource: Resource, namespace: str, selector: str) -> None:
        """Delete all objects that a selector chooses, at once."""
        ...

    async def revision(self, namespace: str) -> str:
        """The revision that a watch of the pods may begin after."""
        ...

    def watch(self, namespace: str, selector: str, after: str) -> Watch:
        """Follow the pods that a selector chooses; after '' with what is there."""
        ...


class RpcServer:
    """An API server of kcore, over gRPC. Thread: the event loop's."""

    def __init__(self, client: Client, in_bulk: bool) -> None:
        self.client, self.in_bulk = client, in_bulk
        self.clock, self.entropy = client.clock, client.entropy
        self.pods: ResourceClient[pod_pb2.Pod] = client.resource(kinds.resource("", "v1", "pods"))

    async def node_count(self) -> int:
        return len((await self.client.nodes.list(metadata_only=True)).items)

    async def create(self, resource: Resource, namespace: str, group: Sequence[Wanted]) -> Outcomes:
        if self.in_bulk:
            made = [items.raw("create", resource, each.raw, namespace=namespace, name=each.name) for each in group]
            return [result.error for result in await self.client.bulk.write(made)]
        return await asyncio.gather(*(self.create_one(resource, each) for each in group))

    async def create_one(self, resource: Resource, item: Wanted) -> StatusError | None:
        try:
            await self.client.resource(resource).create(resource.message.FromString(item.raw))
        except StatusError as refused:
            return refused
        return None

    async def delete_pods(self, namespace: str, names: Sequence[str]) -> None:
        await self.client.bulk.write([items.delete(self.pods.resource, name, namespace=namespace) for name in names])

    async def delete_all(self, resource: Resource, namespace: str, selector: str) -> None:
        await self.client.resource(resource).delete_collection(namespace=namespace, label_selector=selector, grace_period_seconds=0)

    async def revision(self, namespace: str) -> str:
        return (await self.pods.list_page(limit=1, namespace=namespace, metadata_only=True)).resource_version

    def watch(self, namespace: str, selector: str, after: str) -> Watch:
        return self.pods.watch_raw(namespace=namespace, label_selector=selector, resource_version=after)
