"""Thousands of writes in few messages, over one stream that stays open.

    results = await client.bulk.write(items)          a list of any length, cut into requests, answered in order
    result = await client.bulk.submit(item)           one write, which travels with those that others submit at the same time

Guarantees
- Requests are answered in the order in which they were sent; at most BULK_REQUESTS_MAX are under way, then callers wait.
- An item's failure is a value, `BulkResult.error`. A stream that breaks raises StatusError for all that was not answered (each of these may
  or may not have happened); the next write opens a new stream.
- `submit` sends at once while nothing is under way, else it collects until an answer comes: idle, it costs no time; busy, it batches.
  Short lists do so, too: many callers that each write little make few requests.
- Writes reach the server in the order in which they were handed in, but for atomic ones and those that ask for objects.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from kcore.api.meta.v1 import meta_pb2
from kcore.base import limits
from kcore.client import failures
from kcore.client.items import Item
from kcore.client.transport import DuplexStream, Transport
from kcore.machinery import status
from kcore.machinery._bulk import split_results
from kcore.machinery.status import StatusError

WRITE: Final = "/kcore.api.bulk.v1.BulkService/Write"
ATOMIC: Final = b"\x10\x01"
RETURN_OBJECTS: Final = b"\x18\x01"
"""Fields of a request as they stand on the wire."""


class BulkResult(NamedTuple):
    """What became of an item.

    error   why it failed; None if it did not, and then the rest is set
    object  the bytes of the object as it is stored, if the request asked for objects
    """

    error: StatusError | None
    name: str
    resource_version: str
    uid: str
    object: bytes


class BulkClient:
    """The bulk writes of one client."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._stream: _Pipeline | None = None
        self._slots = asyncio.Semaphore(limits.BULK_REQUESTS_MAX)
        self._writing = asyncio.Lock()
        self._submitted: deque[tuple[Item, asyncio.Future[BulkResult]]] = deque()
        self._unanswered_count = 0
        self._under_way_count = 0
        self._sender: asyncio.Task[None] | None = None

    async def write(self, items: Sequence[Item], *, atomic: bool = False, return_objects: bool = False) -> list[BulkResult]:
        """Carry out writes and return their results in order.

        atomic   all or none, in one commit; then the items must fit one request
        Raises   StatusError if the stream breaks; RequestEntityTooLarge if atomic items do not fit
        """
        if not (atomic or return_objects) and self._joins(len(items)):
            return await asyncio.gather(*[self.submit(item) for item in items])
        return await self._write(items, atomic, return_objects)

    def submit(self, item: Item) -> asyncio.Future[BulkResult]:
        """Hand a write in; the future has its result, or StatusError if the stream broke.

        Raises  StatusError (TooManyRequests) while BULK_PENDING_ITEMS_MAX writes are unanswered
        """
        if self._unanswered_count >= limits.BULK_PENDING_ITEMS_MAX:
            raise status.too_many_requests(f"{self._unanswered_count} writes are not answered yet")
        future: asyncio.Future[BulkResult] = asyncio.get_running_loop().create_future()
        self._unanswered_count += 1
        self._submitted.append((item, future))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_submitted(), name="bulk-submit")
        return future

    async def close(self) -> None:
        """Give the stream up; what is not answered fails."""
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)
        if self._stream is not None:
            await self._stream.close()
        _fail([future for _, future in self._submitted], status.service_unavailable("the client is closed"))
        self._unanswered_count -= len(self._submitted)
        self._submitted.clear()

    def _joins(self, count: int) -> bool:
        """Say whether so many items go with what is submitted: few do while requests are under way, any do behind what waits already."""
        if self._unanswered_count + count > limits.BULK_PENDING_ITEMS_MAX:
            return False
        return bool(self._submitted) or (self._under_way_count > 0 and count <= limits.BULK_FEW_ITEMS_MAX)

    async def _write(self, items: Sequence[Item], atomic: bool = False, return_objects: bool = False) -> list[BulkResult]:
        chunks = list(_chunks(items))
        if atomic and len(chunks) > 1:
            raise status.request_entity_too_large(f"{len(items)} items do not fit one request, which atomic writes have to")
        self._under_way_count += len(chunks)
        try:
            answers = await asyncio.gather(*(self._request(chunk, atomic, return_objects) for chunk in chunks))
        finally:
            self._under_way_count -= len(chunks)
        return [result for answer in answers for result in answer]

    async def _send_submitted(self) -> None:
        """Send what is submitted, all of it each time, until nothing is left."""
        while self._submitted:
            batch = [self._submitted.popleft() for _ in range(min(len(self._submitted), limits.BULK_ITEMS_MAX))]
            futures = [future for _, future in batch]
            try:
                _resolve(futures, await self._write([item for item, _ in batch]))
            except StatusError as error:
                _fail(futures, error)
            finally:
                self._unanswered_count -= len(batch)
                _fail(futures, status.service_unavailable("the client is closed"))

    async def _request(self, items: Sequence[Item], atomic: bool, return_objects: bool) -> list[BulkResult]:
        async with self._slots:
            request = b"".join((*items, ATOMIC if atomic else b"", RETURN_OBJECTS if return_objects else b""))
            async with self._writing:
                if self._stream is None or self._stream.broken:
                    self._stream = _Pipeline(self._transport.duplex(WRITE))
                answer = await self._stream.send(request)
            results = split_results(await answer)
        if len(results) != len(items):
            raise status.internal(f"{len(items)} items got {len(results)} results")
        return [_result(*found) for found in results]


class _Pipeline:
    """One stream, with the callers that wait for its answers in the order of their requests."""

    def __init__(self, stream: DuplexStream) -> None:
        self.broken = False
        self._stream = stream
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._reader = asyncio.create_task(self._read(), name="bulk-read")

    async def send(self, request: bytes) -> asyncio.Future[bytes]:
        """Send a request; the future has its answer. One caller at a time."""
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        try:
            await self._stream.write(request)
        except StatusError as error:
            self._break(error)
        except asyncio.CancelledError:
            answer.cancel()  # nobody waits for it any more
            self._break(status.service_unavailable("a bulk request was cancelled while it was sent"))
            raise
        return answer

    async def close(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        self._break(status.service_unavailable("the client is closed"))

    async def _read(self) -> None:
        try:
            while (response := await self._stream.read()) is not None:
                answer = self._waiting.popleft()
                if not answer.done():
                    answer.set_result(response)
            self._break(status.service_unavailable("the server ended the bulk stream"))
        except StatusError as error:
            self._break(error)

    def _break(self, error: StatusError) -> None:
        self.broken = True
        self._stream.cancel()
        _fail(self._waiting, error)
        self._waiting.clear()


def _chunks(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Cut items into requests that keep to both limits."""
    chunk: list[Item] = []
    size_bytes = 0
    for item in items:
        item_bytes = len(item)
        if chunk and (len(chunk) == limits.BULK_ITEMS_MAX or size_bytes + item_bytes > limits.BULK_REQUEST_BYTES_MAX):
            yield chunk
            chunk, size_bytes = [], 0
        chunk.append(item)
        size_bytes += item_bytes
    if chunk:
        yield chunk


def _result(failure: bytes | None, name: str, resource_version: str, object_: bytes, uid: str) -> BulkResult:
    error = None if failure is None else failures.from_message(meta_pb2.Status.FromString(failure))
    return BulkResult(error, name, resource_version, uid, object_)


def _resolve(futures: Sequence[asyncio.Future[BulkResult]], results: Sequence[BulkResult]) -> None:
    for future, result in zip(futures, results, strict=True):
        if not future.done():
            future.set_result(result)


def _fail(futures: Sequence[asyncio.Future[BulkResult]] | deque[asyncio.Future[bytes]], error: StatusError) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
