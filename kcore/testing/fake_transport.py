"""The way to a `FakeServer`, with everything that can go wrong on a way.

    server = FakeServer(clock, entropy)
    transport = FakeTransport(server)
    client = Client(transport, clock=clock, entropy=entropy)

    transport.fail("update", status.service_unavailable("gone"))          the next update does not reach the server
    transport.fail("create", error, after=True)                           the next create happens, but its answer is lost
    transport.break_streams(error)                                        all open streams end
    transport.calls                                                       what was asked: (verb, resource, subresource, key)

Several transports may lead to one server; each has its own faults.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from kcore.api.bulk.v1 import bulk_service_pb2 as bulk_pb2
from kcore.api.meta.v1 import meta_pb2
from kcore.base.clock import Clock
from kcore.client import failures, kinds, wire
from kcore.client.bulk import WRITE
from kcore.client.kinds import Resource
from kcore.client.wire import BOOKMARK
from kcore.machinery import status
from kcore.machinery.status import StatusError
from kcore.testing.fake_server import FakeServer, Mutation, Selection, methods, watch_event

ANY: Final = "*"


class Call(NamedTuple):
    """A call that arrived, or an item of a bulk write."""

    verb: str
    resource: str
    subresource: str
    key: str


class _Fault(NamedTuple):
    verb: str
    resource: str
    error: StatusError
    after: bool


class FakeTransport:
    """A client's way to a server in the same process."""

    def __init__(self, server: FakeServer, clock: Clock | None = None, delay_s: float = 0.0) -> None:
        """Lead to a server.

        delay_s  how long an answer takes, by `clock`
        """
        self.server = server
        self.calls: list[Call] = []
        self.is_down = False
        self._clock, self._delay_s = clock, delay_s
        self._methods = methods()
        self._faults: list[_Fault] = []
        self._streams: list[_FakeStream] = []
        server.subscribe(self._committed)

    def fail(self, verb: str, error: StatusError, *, resource: str = ANY, times: int = 1, after: bool = False) -> None:
        """Have the next calls fail.

        verb   such as "create", "watch", "bulk" (the whole request), or ANY
        after  the server carries them out, but the answer is lost
        """
        self._faults += [_Fault(verb, resource, error, after)] * times

    def break_streams(self, error: StatusError | None = None) -> None:
        """End all open streams, with a failure or as a server does whose time is up."""
        for stream in self._streams:
            stream.end(error)
        self._streams = []

    def go_down(self) -> None:
        """Be as if there were no server, until `come_up`."""
        self.is_down = True
        self.break_streams(status.service_unavailable("connection lost"))

    def come_up(self) -> None:
        """Be there again."""
        self.is_down = False

    def send_bookmarks(self) -> None:
        """Send a bookmark on every watch that takes them."""
        for stream in self._streams:
            if isinstance(stream, _FakeWatch) and stream.bookmarks:
                stream.push([(BOOKMARK, self.server.bookmark(stream.resource))])

    @property
    def watch_count(self) -> int:
        """How many watches are open."""
        return sum(isinstance(stream, _FakeWatch) for stream in self._streams)

    async def unary(self, method: str, request: bytes, timeout_s: float | None = None) -> bytes:
        """Carry a call out."""
        await self._travel()
        resource, verb, subresource = self._methods[method]
        arguments = _ARGUMENTS[verb if verb in _ARGUMENTS and not (subresource and verb != "get") else "write"](request)
        name = getattr(arguments, "name", "")
        self.calls.append(Call(verb, resource.resource, subresource, wire.join_key(arguments.namespace, name)))
        fault = self._fault(verb, resource.resource)
        if fault is not None and not fault.after:
            raise fault.error
        answer: bytes = self.server.commit(lambda: self._answer(resource, verb, subresource, arguments))
        if fault is not None:
            raise fault.error
        return answer

    def stream(self, method: str, request: bytes) -> _FakeStream:
        """Open a watch."""
        resource, verb, _ = self._methods[method]
        assert verb == "watch", method
        wanted = meta_pb2.WatchRequest.FromString(request)
        self.calls.append(Call(verb, resource.resource, "", wanted.namespace))
        watch = _FakeWatch(resource, Selection.of(wanted), wanted.allow_bookmarks)
        fault = self._fault(verb, resource.resource)
        if fault is not None or self.is_down:
            watch.end(fault.error if fault is not None else status.service_unavailable("no server"))
            return watch
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
        if self.is_down:
            bulk.end(status.service_unavailable("no server"))
        else:
            self._streams.append(bulk)
        return bulk

    async def close(self) -> None:
        """End all streams."""
        self.break_streams(status.service_unavailable("the client is closed"))

    async def _travel(self) -> None:
        if self._delay_s and self._clock is not None:
            await self._clock.sleep(self._delay_s)
        else:
            await asyncio.sleep(0)
        if self.is_down:
            raise status.service_unavailable("no server")

    def _fault(self, verb: str, resource: str) -> _Fault | None:
        for fault in self._faults:
            if fault.verb in (verb, ANY) and fault.resource in (resource, ANY):
                self._faults.remove(fault)
                return fault
        return None

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
        await self._travel()
        wanted = bulk_pb2.WriteRequest.FromString(request)
        fault = self._fault("bulk", ANY)
        if fault is not None and not fault.after:
            raise fault.error
        results = self.server.commit(lambda: [self._bulk_item(item, wanted.return_objects) for item in wanted.items])
        if fault is not None:
            raise fault.error
        answer: bytes = bulk_pb2.WriteResponse(results=results).SerializeToString()
        return answer

    def _bulk_item(self, item: bulk_pb2.Item, return_objects: bool) -> bulk_pb2.ItemResult:
        resource = kinds.resource(item.group, item.version, item.resource)
        self.calls.append(Call(item.verb, item.resource, item.subresource, wire.join_key(item.namespace, item.name)))
        fault = self._fault(item.verb, item.resource)
        try:
            if fault is not None and not fault.after:
                raise fault.error
            arguments = _item_arguments(item)
            answer = self._object_answer(resource, item.verb, item.subresource, arguments)
            if fault is not None:
                raise fault.error
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


class _Write(NamedTuple):
    namespace: str
    name: str
    raw: bytes


def _write(request: bytes) -> _Write:
    namespace, name, raw, _ = wire.read_write_request(request)
    return _Write(namespace, name, raw)


_ARGUMENTS: Final[dict[str, Callable[[bytes], Any]]] = {
    "get": meta_pb2.GetRequest.FromString,
    "list": meta_pb2.ListRequest.FromString,
    "patch": meta_pb2.PatchRequest.FromString,
    "delete": meta_pb2.DeleteRequest.FromString,
    "deletecollection": meta_pb2.DeleteCollectionRequest.FromString,
    "write": _write,
}


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
    return _Write(item.namespace, item.name, item.object)


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
