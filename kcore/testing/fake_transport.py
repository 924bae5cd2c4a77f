"""The way to a `FakeServer`, with everything that can go wrong on a way (`kcore.testing.faulty_transport`).

    server = FakeServer(clock, entropy)
    transport = FakeTransport(server)
    client = Client(transport, clock=clock, entropy=entropy)

    transport.fail("update", status.service_unavailable("gone"))          the next update does not reach the server

Several transports may lead to one server; each has its own faults.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from kcore.api.bulk.v1 import bulk_service_pb2 as bulk_pb2
from kcore.api.meta.v1 import meta_pb2
from kcore.base.clock import Clock
from kcore.client import failures, kinds, wire
from kcore.client.bulk import WRITE
from kcore.client.kinds import Resource
from kcore.client.wire import BOOKMARK
from kcore.machinery import status
from kcore.machinery.status import StatusError
from kcore.testing.calls import Write, methods, request_of
from kcore.testing.fake_server import FakeServer, Mutation, Selection, watch_event
from kcore.testing.faulty_transport import FaultyTransport


class FakeTransport(FaultyTransport):
    """A client's way to a `FakeServer`."""

    def __init__(self, server: FakeServer, clock: Clock | None = None, delay_s: float = 0.0) -> None:
        """Lead to a server.

        delay_s  how long an answer takes, by `clock`
        """
        self.server = server
        self._way = ServerTransport(server)
        super().__init__(self._way, clock, delay_s)

    def send_bookmarks(self) -> None:
        """Send a bookmark on every watch that takes them."""
        self._way.send_bookmarks()


class ServerTransport:
    """Calls and streams of a `FakeServer`, with no faults."""

    def __init__(self, server: FakeServer) -> None:
        self.server = server
        self._streams: list[_FakeStream] = []
        server.subscribe(self._committed)

    def send_bookmarks(self) -> None:
        """Send a bookmark on every watch that takes them."""
        for stream in self._streams:
            if isinstance(stream, _FakeWatch) and stream.bookmarks:
                stream.push([(BOOKMARK, self.server.bookmark(stream.resource))])

    async def unary(self, method: str, request: bytes, timeout_s: float | None = None) -> bytes:
        """Carry a call out."""
        resource, verb, subresource = methods()[method]
        arguments = request_of(verb, subresource, request)
        answer: bytes = self.server.commit(lambda: self._answer(resource, verb, subresource, arguments))
        return answer

    def stream(self, method: str, request: bytes) -> _FakeStream:
        """Open a watch."""
        resource, verb, _ = methods()[method]
        assert verb == "watch", method
        wanted = meta_pb2.WatchRequest.FromString(request)
        watch = _FakeWatch(resource, Selection.of(wanted), wanted.allow_bookmarks)
        try:
            watch.push(self._first_events(resource, watch.selection, wanted))
        except StatusError as error:
            watch.end(error)
        else:
            self._streams.append(watch)
        return watch

    def duplex(self, method: str) -> _FakeBulk:
        """Open a stream of bulk writes."""
        assert method == WRITE, method
        bulk = _FakeBulk(self._bulk)
        self._streams.append(bulk)
        return bulk

    async def close(self) -> None:
        """End all streams."""
        for stream in self._streams:
            stream.end(status.service_unavailable("the client is closed"))
        self._streams = []

    def _first_events(self, resource: Resource, selection: Selection, wanted: meta_pb2.WatchRequest) -> list[tuple[str, bytes]]:
        server = self.server
        if wanted.send_initial_events or not wanted.resource_version:
            if wanted.resource_version and int(wanted.resource_version) > server.revision:
                raise status.too_large_resource_version(int(wanted.resource_version), server.revision)
            events = [(wire.ADDED, found.SerializeToString()) for found in server.list(resource, selection)]
            if wanted.send_initial_events:
                events.append((BOOKMARK, server.bookmark(resource, ends_initial_events=True)))
            return events
        missed = (m for m in server.since(int(wanted.resource_version)) if m.resource is resource)
        return [event for mutation in missed if (event := watch_event(mutation, selection)) is not None]

    def _committed(self, mutations: list[Mutation]) -> None:
        self._streams = [stream for stream in self._streams if not stream.has_ended]
        for stream in self._streams:
            if isinstance(stream, _FakeWatch):
                mine = (watch_event(m, stream.selection) for m in mutations if m.resource is stream.resource)
                stream.push([event for event in mine if event is not None])

    def _answer(self, resource: Resource, verb: str, subresource: str, arguments: Any) -> bytes:
        server = self.server
        if verb == "list":
            found = server.list(resource, Selection.of(arguments))
            return _page(found, arguments, str(server.revision))
        if verb == "deletecollection":
            gone = server.delete_collection(resource, Selection.of(arguments), arguments.options)
            return wire.join_list([message.SerializeToString() for message in gone], str(server.revision))
        answer: bytes = self._object_answer(resource, verb, subresource, arguments).SerializeToString()
        return answer

    def _object_answer(self, resource: Resource, verb: str, subresource: str, arguments: Any) -> Any:
        server, namespace, name = self.server, arguments.namespace, arguments.name
        if verb == "get":
            return server.scale(resource, namespace, name) if subresource else server.get(resource, wire.join_key(namespace, name))
        if verb == "delete":
            return server.delete(resource, namespace, name, arguments.options)
        if verb == "patch":
            return server.patch(resource, arguments)
        body = (resource.body(subresource) if subresource else resource.message).FromString(arguments.raw)
        if subresource == "binding":
            server.bind(resource, namespace, name, body)
        elif subresource == "eviction":
            server.delete(resource, namespace, name, body.deleteOptions)
        elif subresource == "scale":
            return server.update_scale(resource, namespace, name, body)
        elif verb == "create":
            return server.create(resource, body, namespace, name)
        else:
            return server.update(resource, body, subresource)
        return meta_pb2.Status(status="Success")

    async def _bulk(self, request: bytes) -> bytes:
        wanted = bulk_pb2.WriteRequest.FromString(request)
        results = self.server.commit(lambda: [self._bulk_item(item, wanted.return_objects) for item in wanted.items])
        answer: bytes = bulk_pb2.WriteResponse(results=results).SerializeToString()
        return answer

    def _bulk_item(self, item: bulk_pb2.Item, return_objects: bool) -> bulk_pb2.ItemResult:
        resource = kinds.resource(item.group, item.version, item.resource)
        try:
            answer = self._object_answer(resource, item.verb, item.subresource, _item_arguments(item))
        except StatusError as error:
            return bulk_pb2.ItemResult(status=failures.to_message(error))
        if isinstance(answer, meta_pb2.Status):
            return bulk_pb2.ItemResult(name=item.name)
        meta = answer.metadata
        result = bulk_pb2.ItemResult(name=meta.name, resource_version=meta.resourceVersion, uid=meta.uid)
        if return_objects:
            result.object = answer.SerializeToString()
        return result


class _FakeStream:
    """Answers that wait to be read."""

    def __init__(self) -> None:
        self.has_ended = False
        self._answers: deque[bytes] = deque()
        self._error: StatusError | None = None
        self._changed = asyncio.Event()

    def end(self, error: StatusError | None) -> None:
        if not self.has_ended:
            self.has_ended, self._error = True, error
            self._changed.set()

    def answer(self, response: bytes) -> None:
        self._answers.append(response)
        self._changed.set()

    async def read(self) -> bytes | None:
        while not self._answers:
            if self.has_ended:
                if self._error is not None:
                    raise self._error
                return None
            self._changed.clear()
            await self._changed.wait()
        await asyncio.sleep(0)
        return self._answers.popleft()

    def cancel(self) -> None:
        self.end(status.service_unavailable("the stream is cancelled"))


class _FakeWatch(_FakeStream):
    """The answers of a watch, one per commit."""

    def __init__(self, resource: Resource, selection: Selection, bookmarks: bool) -> None:
        super().__init__()
        self.resource, self.selection, self.bookmarks = resource, selection, bookmarks

    def push(self, events: list[tuple[str, bytes]]) -> None:
        if events and not self.has_ended:
            self.answer(wire.join_watch(events))


class _FakeBulk(_FakeStream):
    """A stream of bulk writes, answered in order."""

    def __init__(self, carry_out: Callable[[bytes], Any]) -> None:
        super().__init__()
        self._carry_out = carry_out
        self._tail: asyncio.Task[None] | None = None

    async def write(self, request: bytes) -> None:
        if self.has_ended:
            raise self._error or status.service_unavailable("the stream has ended")
        self._tail = asyncio.create_task(self._process(request, self._tail))

    async def _process(self, request: bytes, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await before
        if self.has_ended:
            return
        try:
            self.answer(await self._carry_out(request))
        except StatusError as error:
            self.end(error)


def _item_arguments(item: bulk_pb2.Item) -> Any:
    if item.verb == "delete":
        return meta_pb2.DeleteRequest(namespace=item.namespace, name=item.name, options=item.delete_options)
    if item.verb == "patch":
        return meta_pb2.PatchRequest(
            namespace=item.namespace,
            name=item.name,
            patch=item.object,
            content_type=item.content_type,
            subresource=item.subresource,
        )
    return Write(item.namespace, item.name, item.object)


def _page(found: list[Any], request: meta_pb2.ListRequest, resource_version: str) -> bytes:
    """Cut a list; the continue token is the key of the last object and the list's revision, whatever was written since."""
    token = ""
    if request.continue_token:
        resource_version, _, last = request.continue_token.partition(" ")
        found = [message for message in found if wire.join_key(message.metadata.namespace, message.metadata.name) > last]
    if request.limit and len(found) > request.limit:
        found = found[: request.limit]
        meta = found[-1].metadata
        token = f"{resource_version} {wire.join_key(meta.namespace, meta.name)}"
    return wire.join_list([message.SerializeToString() for message in found], resource_version, token)
