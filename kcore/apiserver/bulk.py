"""BulkService.Write: the items of a request go through the pipeline in order.

While a request's commit is being synced the next request is decided already; the number of requests in between is bounded, and the stream
is not read further meanwhile. After some items other calls have their turn, so that a leader renews its Lease however much is written; only
an atomic request is decided at once and stands in one commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError

from kcore.api.meta.v1 import meta_pb2
from kcore.apiserver.entry.gate import Caller
from kcore.apiserver.objects import Outcome
from kcore.apiserver.pipeline import Pipeline
from kcore.apiserver.rpc_methods import PROTOBUF, delete_options, read, write_options
from kcore.base import limits
from kcore.machinery import codec, status
from kcore.machinery._bulk import element, split_request
from kcore.machinery.request import Request, User

STATUS_MESSAGE = "kcore.api.meta.v1.Status"
VERBS = frozenset(("create", "update", "patch", "delete"))


class Item(NamedTuple):
    """An item of a request, its fields in the order of their numbers; the options are bytes, or None where there are none."""

    verb: str
    group: str
    version: str
    resource: str
    subresource: str
    namespace: str
    name: str
    object: bytes
    content_type: str
    options: bytes | None
    delete_options: bytes | None


Answered = tuple[bytes, Outcome | None]


def request_of(item: Item, user: User) -> Request:
    """An item as the pipeline's request."""
    verb, group, version, resource, subresource, namespace, name, body, content_type, given, given_to_delete = item
    if verb not in VERBS:
        raise status.bad_request(f"verb {verb!r} cannot be part of a bulk write: it must be one of {', '.join(sorted(VERBS))}")
    options: dict[str, Any] = {}
    if verb == "delete" and given_to_delete is not None:
        options = delete_options(read_options(meta_pb2.DeleteOptions, given_to_delete))
    if given is not None:
        options |= write_options(read_options(meta_pb2.WriteOptions, given))
    if verb == "delete":
        return Request(verb, group, version, resource, subresource, namespace, name, None, "", options, user)
    return Request(verb, group, version, resource, subresource, namespace, name, body, content_type or PROTOBUF, options, user)


def frame_of(item: Item, user: User) -> Request:
    """What an item asks for, whether it may or not."""
    return Request(item.verb, item.group, item.version, item.resource, item.subresource, item.namespace, item.name, user=user)


def read_options(message_class: Any, data: bytes) -> Any:
    """The options of an item. Raises StatusError: a bad item fails alone."""
    try:
        return read(message_class, data)
    except DecodeError as error:
        raise status.bad_request(f"the options of the item cannot be read: {error}") from error


def result_of(outcome: Outcome, with_object: bool) -> bytes:
    """An outcome as an element of the response."""
    revision = str(outcome.revision) if outcome.revision else None
    return element((None, outcome.name, revision, outcome.raw if with_object else None, outcome.uid))


def failure_of(error: status.StatusError) -> bytes:
    """A failure as an element of the response."""
    return element((codec.encode(STATUS_MESSAGE, error.status),))


class BulkStream:
    """One stream of bulk writes. Thread: the event loop's."""

    def __init__(self, pipeline: Pipeline, caller: Caller) -> None:
        self.pipeline, self.caller, self.user = pipeline, caller, caller.user

    async def answers(self, requests: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Answer each request once it is durable, in order."""
        decided: asyncio.Queue[Answered | None] = asyncio.Queue()
        places = asyncio.Semaphore(limits.BULK_REQUESTS_UNDER_WAY_MAX)
        reader = asyncio.create_task(self.decide_all(requests, decided, places))
        try:
            while (found := await decided.get()) is not None:
                response, last = found
                if last is not None and last.submission is not None:
                    await last.submission.durable()
                yield response
                places.release()
            await reader
        finally:
            reader.cancel()

    async def decide_all(self, requests: AsyncIterator[bytes], decided: asyncio.Queue[Answered | None], places: asyncio.Semaphore) -> None:
        """Read requests and decide them until the client has no more, or one fails as a whole; then put None."""
        try:
            async for data in requests:
                await places.acquire()
                decided.put_nowait(await self.decide(data))
        finally:
            decided.put_nowait(None)

    async def decide(self, data: bytes) -> Answered:
        """Apply the items of one request; -> the response, and the last write to wait for."""
        items, atomic, with_objects = split(data)
        if atomic:
            return self.decide_together(items, with_objects)
        results: list[bytes] = []
        last: Outcome | None = None
        gate = self.pipeline.gate
        for number, turn in enumerate(turns(items)):
            if number or gate.waiting:
                await gate.give_way(gate.flow(frame_of(turn[0], self.user)), self.caller)
            if len(turn) == 1 and len(turn[0].object) > limits.LARGE_WRITE_BYTES:
                found = await self.decide_large(turn[0], with_objects, results)
            else:
                found = self.decide_each(turn, with_objects, results)
            last = found or last
        return b"".join(results), last

    async def decide_large(self, item: Item, with_objects: bool, results: list[bytes]) -> Outcome | None:
        """Apply a large item, for whose long work nobody else waits; -> its write."""
        try:
            outcome = await self.pipeline.written(request_of(item, self.user))
        except status.StatusError as error:
            results.append(failure_of(error))
            return None
        results.append(result_of(outcome, with_objects))
        return outcome if outcome.submission is not None else None

    def decide_each(self, items: list[Item], with_objects: bool, results: list[bytes]) -> Outcome | None:
        """Apply items in order, whatever becomes of the others; -> the last write."""
        last: Outcome | None = None
        write, user = self.pipeline.write, self.user
        for item in items:
            try:
                outcome = write(request_of(item, user))
            except status.StatusError as error:
                results.append(failure_of(error))
                continue
            results.append(result_of(outcome, with_objects))
            if outcome.submission is not None:
                last = outcome
        return last

    def decide_together(self, items: list[Item], with_objects: bool) -> Answered:
        """Apply all items in one commit, or none."""
        results: list[bytes] = []
        last: Outcome | None = None
        chain = self.pipeline.registry.chain
        mark = chain.mark()
        with self.pipeline.registry.storage.batch() as batch:
            for number, item in enumerate(items):
                try:
                    outcome = self.pipeline.write(request_of(item, self.user))
                except status.StatusError as error:
                    batch.revert()
                    chain.revert(mark)
                    return all_failed(len(items), number, error), None
                results.append(result_of(outcome, with_objects))
                last = outcome if outcome.submission is not None else last
        return b"".join(results), last


def turns(items: list[Item]) -> Iterator[list[Item]]:
    """Items in their order, as many at a time as are decided in one go: so many, of so many bytes, and a larger one alone."""
    turn: list[Item] = []
    size = 0
    for item in items:
        size += len(item.object)
        if turn and (len(turn) == limits.BULK_TURN_ITEMS_MAX or size > limits.BULK_TURN_BYTES_MAX):
            yield turn
            turn, size = [], len(item.object)
        turn.append(item)
    if turn:
        yield turn


def split(data: bytes) -> tuple[list[Item], bool, bool]:
    """The items of a request, whether it is atomic, and whether it asks for objects. Raises StatusError for what is none, or too long."""
    try:
        items, atomic, with_objects = split_request(data, Item)
    except codec.DecodeError as error:
        raise status.bad_request(f"the request is no message of this method: {error}") from error
    if len(items) > limits.RPC_BULK_ITEMS_MAX:
        raise status.request_entity_too_large(f"a bulk write has at most {limits.RPC_BULK_ITEMS_MAX} items, this one {len(items)}")
    return items, atomic, with_objects


def all_failed(count: int, failed: int, error: status.StatusError) -> bytes:
    """The response to an atomic request: nothing was written."""
    other = status.failure("Conflict", f"item {failed} of the atomic write failed: {error.message}")
    return b"".join(failure_of(error if number == failed else other) for number in range(count))
