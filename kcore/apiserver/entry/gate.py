"""Lets requests in: at once where nothing waits, else some in each turn of the event loop, in the order that `levels` finds.

What is scarce is the loop itself, so a request takes a turn before anything is done for it, and a seat until it is answered. In a rush few
are let in at a time, so that who comes meanwhile, from whichever port, is seen soon and has his place in the order.

    request -> flow (schema, who) -> level --seat free, nothing waits--> in
                                       |-- its line is not full --> waits for a turn --> in
                                       `-- else --> refused (429), the later the more are refused

Who is refused and comes back at once would cost as much as who is served, so only so many a second hear of it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from kcore.apiserver.authorization.attributes import Attributes, of_request
from kcore.apiserver.bootstrap import flows as bootstrap
from kcore.apiserver.entry import levels, schemas
from kcore.apiserver.entry.levels import Level
from kcore.apiserver.entry.schemas import Schema
from kcore.apiserver.objects import Stored
from kcore.base import limits, metrics
from kcore.base.flow import Flows
from kcore.machinery import status
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.request import Request, User
from kcore.machinery.scheme import KindSpec, Scheme
from kcore.store.storage import Mutation, Storage

SCHEMA: Final = GroupVersionKind(bootstrap.GROUP, "v1", "FlowSchema")
LEVEL: Final = GroupVersionKind(bootstrap.GROUP, "v1", "PriorityLevelConfiguration")
CATCH_ALL: Final = "catch-all"
SCHEMA_HEADER: Final = b"x-kubernetes-pf-flowschema-uid"
LEVEL_HEADER: Final = b"x-kubernetes-pf-prioritylevel-uid"
TOO_MANY: Final = "too many requests, please try again later"

OK, CREATED, INTERNAL = 200, 201, 500

Counts = Callable[[Request], int]


class Caller(NamedTuple):
    """Who asks, and over which connection."""

    user: User
    connection: str = ""


class Flow(NamedTuple):
    """Requests that wait in the same lines.

    hand     the lines, of a level that has some
    headers  what an answer says of it
    """

    schema: Schema
    level: Level[Seat]
    hand: tuple[int, ...]
    headers: tuple[tuple[bytes, bytes], ...]


class Refused(status.StatusError):
    """There is no place for a request."""

    def __init__(self, flow: Flow) -> None:
        super().__init__(status.too_many_requests(TOO_MANY, limits.FLOW_RETRY_AFTER_S).status)
        self.flow = flow


class Seat:
    """A request's place, as `async with`: entered when its turn has come. Raises Refused.

    request  what is counted at the end; None if it is about no object, or part of something that is
    """

    __slots__ = ("began", "caller", "entered", "flow", "gate", "is_counted", "refused_at", "request", "turn", "width")

    def __init__(self, gate: Gate, flow: Flow, caller: Caller, width: int, request: Request | None = None) -> None:
        self.gate, self.flow, self.caller, self.width, self.request = gate, flow, caller, width, request
        self.turn: asyncio.Future[None] | None = None
        self.began = self.entered = self.refused_at = 0.0
        self.is_counted = False

    async def __aenter__(self) -> Seat:
        if self.refused_at:
            await asyncio.sleep(self.refused_at - self.began)
            refusal = Refused(self.flow)
            self.count(refusal, 0.0)
            raise refusal
        if self.turn is not None:
            try:
                await self.turn
            except (asyncio.CancelledError, Refused):
                self.gate.gone(self)
                raise
        self.entered = asyncio.get_running_loop().time()
        return self

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self.gate.leave(self)
        self.count(error, asyncio.get_running_loop().time() - self.entered)

    def count(self, error: BaseException | None, seconds: float) -> None:
        """Count a request, with the code of its answer."""
        request = self.request
        if request is None:
            return
        code = CREATED if request.verb == "create" else OK
        if error is not None:
            code = error.code if isinstance(error, status.StatusError) else INTERNAL
        scope = "resource" if request.name else "namespace" if request.namespace else "cluster"
        dry_run = "All" if request.dry_run else ""
        labels = (
            request.verb.upper(), dry_run, request.group, request.version, request.resource, request.subresource, scope, "apiserver",
        )  # fmt: skip
        metrics.REQUESTS.inc(*labels, str(code))
        metrics.REQUEST_SECONDS.observe(seconds, *labels)


class Gate:
    """The gate of one API server. Thread: the event loop's.

    counts   how many objects a list may have to look at
    changes  grows with every change of what is configured
    """

    def __init__(self, scheme: Scheme, storage: Storage, counts: Counts) -> None:
        self.storage, self.counts = storage, counts
        self.specs: tuple[KindSpec, KindSpec] = (scheme.kinds[LEVEL], scheme.kinds[SCHEMA])
        self.prefixes = tuple(spec.prefix for spec in self.specs)
        self.levels: dict[str, Level[Seat]] = {}
        self.schemas: list[Schema] = []
        self.flows: dict[tuple[Any, ...], Flow] = {}
        self.bound = Flows(limits.RPC_IN_FLIGHT_MAX)
        self.is_stale = True
        self.changes = 0
        self.is_busy = False
        self.waiting = 0
        self.now = self.refuse_at = 0.0
        storage.subscribe(self.follow)

    # what is configured

    def follow(self, mutations: Sequence[Mutation], _revision: int) -> None:
        """Take notice of changes of what is configured."""
        for mutation in mutations:
            if mutation.key.startswith(self.prefixes):
                self.is_stale = True
                self.changes += 1

    def configure(self) -> None:
        """Read what is configured; the two levels and schemas without which nothing can be judged are there in any case."""
        every = {(obj["kind"], obj["metadata"]["name"]): obj for obj in bootstrap.flows()}
        default = {key: obj for key, obj in every.items() if key[1] in bootstrap.MANDATORY}
        stored = {(spec.kind, obj["metadata"]["name"]): obj for spec in self.specs for obj in self.stored(spec)}
        objects = {**default, **stored}
        configured = {name: obj for (kind, name), obj in objects.items() if kind == LEVEL.kind}
        for name, obj in configured.items():
            self.levels.setdefault(name, Level(name)).configure(obj)
        self.levels = {name: level for name, level in self.levels.items() if name in configured or level.lines.count}
        levels.divide((self.levels[name] for name in configured), limits.FLOW_SEATS)
        found = [schemas.schema_of(obj) for (kind, _), obj in objects.items() if kind == SCHEMA.kind]
        self.schemas = sorted((schema for schema in found if schema.level in configured), key=lambda schema: schema[:2])
        self.flows.clear()
        self.is_stale = False

    def stored(self, spec: KindSpec) -> Iterator[dict[str, Any]]:
        """The durable objects of a kind."""
        for kv in self.storage.range(spec.prefix, spec.prefix[:-1] + b"0").kvs:
            yield Stored(spec, kv).obj()

    # whose turn it is

    def seat(self, request: Request, connection: str = "") -> Seat:
        """A place for a request about objects."""
        flow = self.flow(request)
        width = self.width(request, flow.level) if request.verb == "list" else 1
        return self.placed(Seat(self, flow, Caller(request.user, connection), width, request))

    def flow(self, request: Request) -> Flow:
        """The flow of a request about objects."""
        key = (request.user, request.verb, request.group, request.resource, request.subresource, request.namespace)
        flow = None if self.is_stale else self.flows.get(key)
        if flow is None:
            asked = of_request(request)
            flow = self.flow_of(request.user, asked, key if asked.namespace == request.namespace else None)
        return flow

    def seat_of_path(self, caller: Caller, asked: Attributes) -> Seat:
        """A place for a request whose path is no resource."""
        key = (caller.user, asked.verb, asked.path)
        flow = None if self.is_stale else self.flows.get(key)
        return self.placed(Seat(self, flow or self.flow_of(caller.user, asked, key), caller, 1))

    def flow_of(self, user: User, asked: Attributes, key: tuple[Any, ...] | None) -> Flow:
        """The flow of a request, remembered under a key."""
        if self.is_stale:
            self.configure()
        schema = schemas.first(self.schemas, user, asked)
        if schema is None:
            schema = next(schema for schema in self.schemas if schema.name == CATCH_ALL)
        level = self.levels[schema.level]
        hand = schemas.hand(schema.name, schemas.distinguished(schema, user, asked), level.queues, level.hand_size)
        flow = Flow(schema, level, hand, ((SCHEMA_HEADER, schema.uid.encode()), (LEVEL_HEADER, level.uid.encode())))
        if key is not None:
            if len(self.flows) >= limits.FLOWS_REMEMBERED_MAX:
                self.flows.clear()
            self.flows[key] = flow
        return flow

    def width(self, request: Request, level: Level[Seat]) -> int:
        """The seats that a list takes: the more it may have to look at, the more."""
        count = min(self.counts(request), request.options.get("limit") or math.inf)
        return max(1, min(math.ceil(count / limits.FLOW_OBJECTS_PER_SEAT), limits.FLOW_WIDTH_MAX, level.seats or limits.FLOW_WIDTH_MAX))

    def placed(self, seat: Seat) -> Seat:
        """A place: taken, in a line, or none."""
        level, caller, width = seat.flow.level, seat.caller, seat.width
        if level.is_exempt:
            seat.is_counted = self.bound.begin(caller.user.name, caller.connection)
            if not seat.is_counted:
                return self.refused(seat)
        if self.is_busy or level.lines.count or not levels.has_room(level, width, self.levels.values()):
            return self.waits(seat)
        level.executing += width
        self.wake()
        return seat

    def waits(self, seat: Seat) -> Seat:
        """Have a request wait in the shortest line of its hand, if that is not full."""
        level = seat.flow.level
        line: Hashable = (seat.caller.user.name, seat.caller.connection)
        if level.queues:
            line = min(seat.flow.hand, key=level.lines.length)
            if level.lines.length(line) >= level.queue_length:
                return self.refused(seat)
        elif not level.is_exempt and not levels.has_room(level, seat.width + level.lines.count, self.levels.values()):
            return self.refused(seat)
        self.put(seat, line)
        return seat

    def put(self, seat: Seat, line: Hashable) -> None:
        """Have a request wait in a line."""
        loop, level = asyncio.get_running_loop(), seat.flow.level
        seat.turn, seat.began = loop.create_future(), loop.time()
        if not level.lines.count:
            level.start = max(level.start, self.now)
        level.lines.put(line, seat, seat.width)
        self.waiting += 1

    async def give_way(self, flow: Flow, caller: Caller) -> None:
        """Let others have their turn, amid something long that is under way: it waits with them, and is not refused."""
        if not self.waiting:
            await asyncio.sleep(0)
            return
        seat = Seat(self, flow, caller, limits.GATE_TURN_WIDTH)
        self.put(seat, caller)
        seat.began = math.inf
        async with seat:
            self.wake()

    def refused(self, seat: Seat) -> Seat:
        """Have a request hear that there is no place, as soon as that may be said once more."""
        seat.began = asyncio.get_running_loop().time()
        self.refuse_at = max(self.refuse_at, seat.began) + 1 / limits.FLOW_REFUSALS_PER_S
        seat.refused_at = min(self.refuse_at, seat.began + limits.FLOW_REFUSAL_WAIT_S_MAX)
        metrics.FLOW_REJECTED.inc(seat.flow.schema.name, seat.flow.level.name, "queue-full")
        return seat

    # turns

    def wake(self) -> None:
        """Take turns from now on."""
        if not self.is_busy:
            self.is_busy = True
            asyncio.get_running_loop().call_soon(self.take_turn)

    def take_turn(self) -> None:
        """Let some in, and look again in the next turn of the loop, by when others may have come; a rush ends when there was nobody."""
        if self.let_in():
            asyncio.get_running_loop().call_soon(self.take_turn)
        else:
            self.is_busy = False

    def let_in(self) -> bool:
        """Let in those whose turn it is; -> whether there was somebody."""
        left = limits.GATE_TURN_WIDTH if self.waiting else 0
        found = False
        while left > 0 and (level := self.next_level()) is not None:
            left -= self.take(level)
            found = True
        return found

    def next_level(self) -> Level[Seat] | None:
        """The level that had least, among those in which somebody waits for whom there is room."""
        every = self.levels.values()
        ready = [level for level in every if level.lines.count and levels.has_room(level, level.lines.width(), every)]
        return min(ready, key=lambda level: level.start, default=None)

    def take(self, level: Level[Seat]) -> int:
        """Let the next one of a level in, or go if it has waited too long; -> its width, 0 if nobody came of it."""
        seat = level.lines.take()
        self.waiting -= 1
        turn = seat.turn
        assert turn is not None, "who waits has a turn"
        if turn.done():
            return 0
        if asyncio.get_running_loop().time() - seat.began > limits.FLOW_WAIT_S_MAX:
            turn.set_exception(Refused(seat.flow))
            metrics.FLOW_REJECTED.inc(seat.flow.schema.name, level.name, "time-out")
            return 0
        self.now = level.start
        level.start += seat.width / level.weight
        level.executing += seat.width
        turn.set_result(None)
        return seat.width

    def gone(self, seat: Seat) -> None:
        """A client went while its request waited, or it waited too long."""
        turn = seat.turn
        if turn is not None and turn.done() and not turn.cancelled() and turn.exception() is None:
            self.leave(seat)
        elif seat.is_counted:
            self.bound.end(seat.caller.user.name, seat.caller.connection)

    def report(self) -> None:
        """Tell the metrics how things are."""
        for level in self.levels.values():
            metrics.FLOW_SEATS_NOMINAL.set(level.seats, level.name)
            metrics.FLOW_SEATS_TAKEN.set(level.executing, "", level.name)
        metrics.REQUESTS_WAITING.set(self.waiting, "")

    def leave(self, seat: Seat) -> None:
        """A request that was let in is answered."""
        level = seat.flow.level
        level.executing -= seat.width
        if seat.is_counted:
            self.bound.end(seat.caller.user.name, seat.caller.connection)
        metrics.FLOW_DISPATCHED.inc(seat.flow.schema.name, level.name)
        if self.waiting:
            self.wake()
