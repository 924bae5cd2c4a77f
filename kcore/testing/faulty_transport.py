"""The way to an API server with everything that can go wrong on a way: the one mechanism of faults, whatever the way leads to.

    faults = FaultyTransport(transport, clock)

    faults.fail("update", status.conflict("pods", "", "a"))               the next update does not reach the server
    faults.fail("create", error, after=True, times=3)                     the next three happen, but their answers are lost
    faults.delay("list", 2.0, resource="pods")                            lists of pods take two seconds longer, until `heal`
    faults.break_streams(error)                                           all watches end, and are opened again by who watches
    faults.hold_watches(resource="pods")                                  what is known of pods grows stale, until `release_watches`
    faults.go_down()                                                      there is no server, until `come_up`
    faults.heal()                                                         nothing goes wrong any more
    faults.calls                                                          what was asked: (verb, resource, subresource, key)

Items of a bulk write are calls as any others, and fail one by one; the request as a whole is the verb "bulk". Each client has a way of its
own, with faults of its own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from kcore.api.bulk.v1 import bulk_service_pb2 as bulk_pb2
from kcore.base import limits
from kcore.base.clock import Clock
from kcore.client import failures, wire
from kcore.client.bulk import WRITE
from kcore.client.transport import DuplexStream, Stream, Transport
from kcore.machinery import status
from kcore.machinery.status import StatusError
from kcore.testing.calls import Call, call_of

ANY: Final = "*"
BULK: Final = "bulk"

Refusal = Callable[[str, bytes], StatusError | None]
"""Resource and bytes of an object that is to be created -> why it is not, None if it is."""


@dataclass(slots=True)
class Fault:
    """What goes wrong with calls.

    error    how they fail; None: they do not
    after    the server carries them out, but the answer is lost
    delay_s  how much longer they take
    left     how many it concerns still
    """

    verb: str
    resource: str
    error: StatusError | None
    after: bool
    delay_s: float
    left: float

    def concerns(self, call: Call) -> bool:
        """Whether a call is one of them."""
        return self.verb in (call.verb, ANY) and self.resource in (call.resource, ANY)


class Trouble(NamedTuple):
    """What happens to one call."""

    error: StatusError | None
    after: bool
    delay_s: float

    def strike(self, after: bool) -> None:
        """Raise the error if its time has come: before the call is carried out, or `after`."""
        if self.error is not None and self.after is after:
            raise self.error


class FaultyTransport:
    """A client's way to a server in the same process. Thread: the event loop's."""

    def __init__(self, inner: Transport, clock: Clock | None = None, delay_s: float = 0.0, refusal: Refusal | None = None) -> None:
        """Lead where another transport does.

        delay_s  how long every answer takes, by `clock`
        refusal  says why something is not to be created, beside what a test asks for
        """
        self.calls: list[Call] = []
        self.is_down = False
        self._inner = inner
        self._clock, self._delay_s, self._refusal = clock, delay_s, refusal
        self._faults: list[Fault] = []
        self._streams: list[_FaultyStream] = []
        self._calling = 0
        self._held: set[str] = set()
        self._released = asyncio.Event()

    # what goes wrong

    def fail(self, verb: str, error: StatusError, *, resource: str = ANY, times: int = 1, after: bool = False) -> None:
        """Have the next calls fail.

        verb   such as "create", "watch", "bulk" (a whole request of bulk writes), or ANY
        after  the server carries them out, but the answer is lost
        """
        self._faults.append(Fault(verb, resource, error, after, 0.0, times))

    def delay(self, verb: str, seconds: float, *, resource: str = ANY, times: float = float("inf")) -> None:
        """Have calls take longer, by the clock."""
        assert self._clock is not None, "a delay needs a clock"
        self._faults.append(Fault(verb, resource, None, False, seconds, times))

    def break_streams(self, error: StatusError | None = None, *, resource: str = ANY) -> None:
        """End open streams, with a failure or as a server does whose time is up; those of a resource are its watches."""
        broken = [stream for stream in self._streams if resource in (ANY, stream.call.resource)]
        self._streams = [stream for stream in self._streams if stream not in broken]
        for stream in broken:
            stream.end(error)

    def hold_watches(self, *, resource: str = ANY) -> None:
        """Let no more changes of a resource through, so that what is known grows stale."""
        self._held.add(resource)

    def release_watches(self) -> None:
        """Let all changes through that were held up, and those that come."""
        self._held.clear()
        self._released.set()
        self._released = asyncio.Event()

    def go_down(self) -> None:
        """Be as if there were no server, until `come_up`."""
        self.is_down = True
        self.break_streams(status.service_unavailable("connection lost"))

    def come_up(self) -> None:
        """Be there again."""
        self.is_down = False

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        self._faults.clear()
        self.release_watches()
        self.come_up()

    @property
    def watch_count(self) -> int:
        """How many watches are open."""
        return sum(stream.call.verb == "watch" for stream in self._streams)

    @property
    def is_idle(self) -> bool:
        """Whether no call is under way, and who reads streams waits for more."""
        return not self._calling and all(stream.is_idle for stream in self._streams)

    # what a transport does

    async def unary(self, method: str, request: bytes, timeout_s: float | None = None) -> bytes:
        """Send a request and return its answer, or not."""
        self._calling += 1
        try:
            call = call_of(method, request)
            trouble = await self._meet(call)
            trouble.strike(after=False)
            if call.verb == "create" and self._refusal is not None:
                self._refuse(call, wire.read_write_request(request)[2])
            answer = await self._inner.unary(method, request, timeout_s)
            trouble.strike(after=True)
            return answer
        finally:
            self._calling -= 1

    def stream(self, method: str, request: bytes) -> Stream:
        """Open a stream of answers, or one that ends at once."""
        call = call_of(method, request)
        self._note(call)
        trouble = self._trouble(call)
        if self.is_down or trouble.error is not None:
            return _EndedStream(status.service_unavailable("no server") if self.is_down else trouble.error)
        stream = _FaultyStream(self, call, self._inner.stream(method, request), trouble.delay_s)
        self._streams.append(stream)
        return stream

    def duplex(self, method: str) -> DuplexStream:
        """Open a stream of bulk writes, or one that ends at once."""
        assert method == WRITE, method
        if self.is_down:
            return _EndedStream(status.service_unavailable("no server"))
        stream = _FaultyBulk(self, self._inner.duplex(method))
        self._streams.append(stream)
        return stream

    async def close(self) -> None:
        """End all streams, and close the way."""
        self.break_streams(status.service_unavailable("the client is closed"))
        await self._inner.close()

    def _note(self, call: Call) -> None:
        """Keep a call; the oldest are forgotten."""
        self.calls.append(call)
        if len(self.calls) > limits.TESTING_CALLS_KEPT_MAX:
            del self.calls[: limits.TESTING_CALLS_KEPT_MAX // 2]

    async def _meet(self, call: Call | None) -> Trouble:
        """Be on the way, noting the call if it arrives; -> what happens to it."""
        if self._delay_s and self._clock is not None:
            await self._clock.sleep(self._delay_s)
        else:
            await asyncio.sleep(0)
        if self.is_down:
            raise status.service_unavailable("no server")
        if call is not None:
            self._note(call)
        trouble = self._trouble(call or Call(BULK, ANY, "", ""))
        if trouble.delay_s and self._clock is not None:
            await self._clock.sleep(trouble.delay_s)
        return trouble

    def _refuse(self, call: Call, raw: bytes) -> None:
        """Raise why an object is not to be created."""
        error = self._refusal(call.resource, raw) if self._refusal is not None else None
        if error is not None:
            raise error

    def _trouble(self, call: Call) -> Trouble:
        """What happens to a call: all delays that concern it, and the first failure; both are used up by it."""
        delay_s, failure = 0.0, None
        for fault in [fault for fault in self._faults if fault.concerns(call)]:
            if fault.error is not None and failure is not None:
                continue
            failure = fault if fault.error is not None else failure
            delay_s += fault.delay_s
            fault.left -= 1
            if fault.left <= 0:
                self._faults.remove(fault)
        return Trouble(failure.error if failure else None, failure.after if failure else False, delay_s)

    async def _flow(self, call: Call) -> None:
        """Wait while changes of a resource are held up."""
        while self._held & {call.resource, ANY} and call.verb == "watch":
            await self._released.wait()

    def _gone(self, stream: _FaultyStream) -> None:
        if stream in self._streams:
            self._streams.remove(stream)


class _EndedStream:
    """A stream that failed before it began."""

    def __init__(self, error: StatusError | None) -> None:
        self.error = error

    async def read(self) -> bytes | None:
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return None

    async def write(self, request: bytes) -> None:
        raise self.error or status.service_unavailable("the stream has ended")

    def cancel(self) -> None:
        pass


class _FaultyStream:
    """A stream that can be ended from outside."""

    def __init__(self, way: FaultyTransport, call: Call, inner: Stream, delay_s: float = 0.0) -> None:
        self.call = call
        self.has_ended = False
        self.error: StatusError | None = None
        self._way, self._inner, self._delay_s = way, inner, delay_s
        self._is_reading = False

    @property
    def is_idle(self) -> bool:
        """Whether the reader has come back for more."""
        return self._is_reading

    def end(self, error: StatusError | None) -> None:
        """Break the stream; what waits in it is lost."""
        if not self.has_ended:
            self.has_ended, self.error = True, error
            self._inner.cancel()

    async def read(self) -> bytes | None:
        answer: bytes | None = None
        try:
            if not self.has_ended:
                answer = await self._read()
                await self._way._flow(self.call)
                if self._delay_s and self._way._clock is not None:
                    await self._way._clock.sleep(self._delay_s)
        except StatusError:
            if not self.has_ended:
                self._way._gone(self)
                raise
        if self.has_ended:
            if self.error is not None:
                raise self.error
            return None
        if answer is None:
            self._way._gone(self)
        return answer

    async def _read(self) -> bytes | None:
        self._is_reading = True
        try:
            return await self._inner.read()
        finally:
            self._is_reading = False

    def cancel(self) -> None:
        self._way._gone(self)
        self.end(status.service_unavailable("the stream is cancelled"))


class _FaultyBulk(_FaultyStream):
    """A stream of bulk writes, some items of which do not reach the server, and others' results do not come back."""

    def __init__(self, way: FaultyTransport, inner: DuplexStream) -> None:
        super().__init__(way, Call(BULK, ANY, "", ""), inner)
        self._duplex = inner
        # What happens to each item of the requests that are not answered, and the failure of the answer as a whole.
        self._under_way: deque[tuple[list[Trouble], StatusError | None]] = deque()

    @property
    def is_idle(self) -> bool:
        """Whether every request is answered."""
        return not self._under_way

    async def write(self, request: bytes) -> None:
        if self.has_ended:
            raise self.error or status.service_unavailable("the stream has ended")
        try:
            whole = await self._way._meet(None)
            whole.strike(after=False)
        except StatusError as error:
            self.end(error)
            return
        wanted = bulk_pb2.WriteRequest.FromString(request)
        troubles = [self._item(item) for item in wanted.items]
        if wanted.atomic and (refused := next((each for each in troubles if each.error is not None and not each.after), None)):
            troubles = [refused] * len(troubles)
        kept = [item for item, trouble in zip(wanted.items, troubles, strict=True) if trouble.error is None or trouble.after]
        if len(kept) < len(troubles):
            del wanted.items[:]
            wanted.items.extend(kept)
            request = wanted.SerializeToString()
        self._under_way.append((troubles, whole.error))
        await self._duplex.write(request)

    def _item(self, item: bulk_pb2.Item) -> Trouble:
        call = Call(item.verb, item.resource, item.subresource, f"{item.namespace}/{item.name}".lstrip("/"))
        self._way._note(call)
        try:
            if item.verb == "create":
                self._way._refuse(call, item.object)
        except StatusError as error:
            return Trouble(error, False, 0.0)
        return self._way._trouble(call)

    async def read(self) -> bytes | None:
        answer = await super().read()
        if answer is None:
            return None
        troubles, error = self._under_way.popleft()
        if error is not None:
            self._way._gone(self)
            self.end(error)
            raise error
        if all(trouble.error is None for trouble in troubles):
            return answer
        results = iter(bulk_pb2.WriteResponse.FromString(answer).results)
        merged = bulk_pb2.WriteResponse()
        for trouble in troubles:
            result = next(results) if trouble.error is None or trouble.after else None
            merged.results.append(result if trouble.error is None and result is not None else failed(trouble.error))
        encoded: bytes = merged.SerializeToString()
        return encoded


def failed(error: StatusError | None) -> bulk_pb2.ItemResult:
    """The result of an item that failed."""
    assert error is not None
    return bulk_pb2.ItemResult(status=failures.to_message(error))
