"""gRPC in front of the pipeline: bytes in, bytes out.

Handlers are registered with identity (de)serialisers, so that no message of a kind is parsed here and the transport can be replaced. A
call is authenticated by its `authorization` metadata; health and reflection are open to everybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from kcore.api.admin.v1 import admin_service_pb2 as admin_pb2
from kcore.apiserver import rpc_dynamic, rpc_errors, rpc_methods
from kcore.apiserver.authentication import Authenticator
from kcore.apiserver.authorization import Attributes
from kcore.apiserver.bulk import BulkStream
from kcore.apiserver.objects import Outcome
from kcore.apiserver.pipeline import Pipeline
from kcore.base import limits, log
from kcore.base.flow import Flows
from kcore.machinery import status
from kcore.machinery.request import WRITES, User
from kcore.store.storage import StoreError

LOG = log.get("rpc")
BULK = "/kcore.api.bulk.v1.BulkService/Write"
SNAPSHOT = "/kcore.api.admin.v1.AdminService/Snapshot"
IMPERSONATE = "impersonate-"
OPEN_SERVICES = ("/grpc.health.v1.Health/", "/grpc.reflection.")
Context = Any


def caller(authenticator: Authenticator, context: Context) -> User:
    """The user of a call."""
    authorization, impersonation = None, []
    for key, value in context.invocation_metadata() or ():
        if key == "authorization":
            authorization = value if isinstance(value, str) else value.decode("latin-1")
        elif key.startswith(IMPERSONATE):
            impersonation.append((key, value if isinstance(value, str) else value.decode("latin-1")))
    return authenticator.authenticate(authorization, None, impersonation)


def as_status(error: Exception) -> status.StatusError:
    """What a client is told of an error; what nobody expected is logged and becomes an InternalError without its text."""
    if isinstance(error, status.StatusError):
        return error
    if isinstance(error, StoreError):
        return store_status(error)
    if isinstance(error, DecodeError):
        return status.bad_request("the request is no message of this method")
    LOG.error("request failed", exc_info=error)
    return status.internal("an internal error occurred; the server's log has it")


def store_status(error: StoreError) -> status.StatusError:
    """The one translation of store errors."""
    if error.kind == "no space":
        return status.failure("TooManyRequests", f"the store is full: {error}", {"retryAfterSeconds": limits.STORE_FULL_RETRY_AFTER_S})
    if error.kind == "busy":
        return status.too_many_requests(f"the disk cannot keep up: {error}")
    if error.kind == "compacted":
        return status.expired(str(error))
    return status.internal(str(error))


class RpcFrontend(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """The handlers of all methods, looked up by path."""

    def __init__(self, pipeline: Pipeline, authenticator: Authenticator) -> None:
        self.pipeline, self.authenticator = pipeline, authenticator
        self.flows = Flows(limits.RPC_IN_FLIGHT_MAX)
        self.handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        for method in rpc_methods.methods(pipeline.scheme):
            self.handlers[method.path] = self.typed(method)
        self.handlers[BULK] = grpc.stream_stream_rpc_method_handler(self.guarded_stream(self.bulk))
        self.handlers[SNAPSHOT] = grpc.unary_stream_rpc_method_handler(self.guarded_stream(self.snapshot))
        for path, unary in rpc_dynamic.unary_methods(pipeline).items():
            self.handlers[path] = grpc.unary_unary_rpc_method_handler(self.guarded(unary))
        self.handlers[rpc_dynamic.WATCH] = grpc.unary_stream_rpc_method_handler(self.guarded_stream(rpc_dynamic.watch(pipeline)))

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Find the handler of a call."""
        return self.handlers.get(handler_call_details.method)

    # frames: who calls, how many at once, and what an error becomes

    def guarded(self, act: Callable[[bytes, User], Awaitable[bytes]]) -> Callable[[bytes, Context], Awaitable[bytes]]:
        """A unary handler around `act`."""

        async def handle(data: bytes, context: Context) -> bytes:
            failure: status.StatusError
            try:
                user, connection = caller(self.authenticator, context), context.peer()
                if not self.flows.begin(user.name, connection):
                    raise status.too_many_requests("too many requests are under way, please try again later")
                try:
                    return await act(data, user)
                finally:
                    self.flows.end(user.name, connection)
            except Exception as error:  # the outermost handler of a front-end
                failure = as_status(error)
            await context.abort(rpc_errors.code(failure), failure.message[: limits.RPC_MESSAGE_CHARS_MAX], rpc_errors.trailer(failure))
            raise AssertionError("abort raises")

        return handle

    def guarded_stream(self, act: Callable[[Any, User], AsyncIterator[bytes]]) -> Callable[[Any, Context], AsyncIterator[bytes]]:
        """A streaming handler around `act`."""

        async def handle(data: Any, context: Context) -> AsyncIterator[bytes]:
            try:
                user = caller(self.authenticator, context)
                await context.send_initial_metadata(())  # some clients hand a stream over only when its headers are there
                async for message in act(data, user):
                    yield message
                return
            except asyncio.CancelledError:
                raise
            except Exception as error:  # the outermost handler of a front-end
                failure = as_status(error)
            await context.abort(rpc_errors.code(failure), failure.message[: limits.RPC_MESSAGE_CHARS_MAX], rpc_errors.trailer(failure))

        return handle

    # typed services

    def typed(self, method: rpc_methods.Method) -> grpc.RpcMethodHandler[Any, Any]:
        """The handler of a kind's method."""
        if method.streaming:
            return grpc.unary_stream_rpc_method_handler(self.guarded_stream(self.watcher(method)))
        act = self.writer(method) if method.verb in WRITES else self.lister(method) if method.verb == "list" else self.reader(method)
        return grpc.unary_unary_rpc_method_handler(self.guarded(act))

    def writer(self, method: rpc_methods.Method) -> Callable[[bytes, User], Awaitable[bytes]]:
        async def act(data: bytes, user: User) -> bytes:
            request, _ = rpc_methods.parse(method, data, user)
            return (await durable(self.pipeline.write(request))).raw

        return act

    def reader(self, method: rpc_methods.Method) -> Callable[[bytes, User], Awaitable[bytes]]:
        async def act(data: bytes, user: User) -> bytes:
            request, message = rpc_methods.parse(method, data, user)
            spec, found = self.pipeline.read(request)
            return self.pipeline.reads.metadata_of(spec, found.raw) if message.metadata_only else found.raw

        return act

    def lister(self, method: rpc_methods.Method) -> Callable[[bytes, User], Awaitable[bytes]]:
        async def act(data: bytes, user: User) -> bytes:
            request, message = rpc_methods.parse(method, data, user)
            spec = self.pipeline.permitted(request)
            size_max = message.bytes_max or limits.RPC_PAGE_BYTES
            return await self.pipeline.reads.list_raw(spec, request.namespace, request.options, size_max, message.metadata_only)

        return act

    def watcher(self, method: rpc_methods.Method) -> Callable[[bytes, User], AsyncIterator[bytes]]:
        async def act(data: bytes, user: User) -> AsyncIterator[bytes]:
            request, message = rpc_methods.parse(method, data, user)
            spec = self.pipeline.permitted(request)
            async for batch in self.pipeline.reads.watch(spec, request.namespace, request.options, message.metadata_only):
                yield batch

        return act

    async def bulk(self, requests: AsyncIterator[bytes], user: User) -> AsyncIterator[bytes]:
        """BulkService.Write: each of its items is authorized as what it is."""
        async for response in BulkStream(self.pipeline, user).answers(requests):
            yield response

    async def snapshot(self, data: bytes, user: User) -> AsyncIterator[bytes]:
        """AdminService.Snapshot."""
        admin_pb2.SnapshotRequest.FromString(data)
        self.pipeline.authorizer.require(user, Attributes("get", path=SNAPSHOT))
        async for piece in self.pipeline.reads.snapshot():
            yield admin_pb2.SnapshotResponse(data=piece).SerializeToString()


async def durable(outcome: Outcome) -> Outcome:
    """Wait until a write is on disk."""
    if outcome.submission is not None:
        await outcome.submission.durable()
    return outcome
