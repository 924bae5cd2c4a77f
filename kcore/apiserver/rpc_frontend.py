"""gRPC in front of the pipeline: bytes in, bytes out.

Handlers are registered with identity (de)serialisers, so that no message of a kind is parsed here and the transport can be replaced. A
call is authenticated by its `authorization` metadata; health and reflection are open to everybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc

from kcore.api.admin.v1 import admin_service_pb2 as admin_pb2
from kcore.apiserver import rpc_dynamic, rpc_errors, rpc_methods
from kcore.apiserver.authentication import Authenticator
from kcore.apiserver.authorization import Attributes
from kcore.apiserver.bulk import BulkStream
from kcore.apiserver.entry.failures import as_status
from kcore.apiserver.entry.gate import Caller
from kcore.apiserver.pipeline import Pipeline
from kcore.base import limits
from kcore.machinery import status
from kcore.machinery.request import WRITES

BULK = "/kcore.api.bulk.v1.BulkService/Write"
SNAPSHOT = "/kcore.api.admin.v1.AdminService/Snapshot"
IMPERSONATE = "impersonate-"
OPEN_SERVICES = ("/grpc.health.v1.Health/", "/grpc.reflection.")
Context = Any


def caller(authenticator: Authenticator, context: Context) -> Caller:
    """Who makes a call."""
    authorization, impersonation = None, []
    for key, value in context.invocation_metadata() or ():
        if key == "authorization":
            authorization = value if isinstance(value, str) else value.decode("latin-1")
        elif key.startswith(IMPERSONATE):
            impersonation.append((key, value if isinstance(value, str) else value.decode("latin-1")))
    return Caller(authenticator.authenticate(authorization, None, impersonation), context.peer())


class RpcFrontend(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """The handlers of all methods, looked up by path."""

    def __init__(self, pipeline: Pipeline, authenticator: Authenticator) -> None:
        self.pipeline, self.authenticator, self.gate = pipeline, authenticator, pipeline.gate
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

    def guarded(self, act: Callable[[bytes, Caller], Awaitable[bytes]]) -> Callable[[bytes, Context], Awaitable[bytes]]:
        """A unary handler around `act`."""

        async def handle(data: bytes, context: Context) -> bytes:
            failure: status.StatusError
            try:
                return await act(data, caller(self.authenticator, context))
            except Exception as error:  # the outermost handler of a front-end
                failure = as_status(error)
            await context.abort(rpc_errors.code(failure), failure.message[: limits.RPC_MESSAGE_CHARS_MAX], rpc_errors.trailer(failure))
            raise AssertionError("abort raises")

        return handle

    def guarded_stream(self, act: Callable[[Any, Caller], AsyncIterator[bytes]]) -> Callable[[Any, Context], AsyncIterator[bytes]]:
        """A streaming handler around `act`."""

        async def handle(data: Any, context: Context) -> AsyncIterator[bytes]:
            try:
                asking = caller(self.authenticator, context)
                await context.send_initial_metadata(())  # some clients hand a stream over only when its headers are there
                async for message in act(data, asking):
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

    def writer(self, method: rpc_methods.Method) -> Callable[[bytes, Caller], Awaitable[bytes]]:
        async def act(data: bytes, caller: Caller) -> bytes:
            request, _ = rpc_methods.parse(method, data, caller.user)
            async with self.gate.seat(request, caller.connection):
                return (await self.pipeline.written(request)).raw

        return act

    def reader(self, method: rpc_methods.Method) -> Callable[[bytes, Caller], Awaitable[bytes]]:
        async def act(data: bytes, caller: Caller) -> bytes:
            request, message = rpc_methods.parse(method, data, caller.user)
            async with self.gate.seat(request, caller.connection):
                spec, found = self.pipeline.read(request)
                return self.pipeline.reads.metadata_of(spec, found.raw) if message.metadata_only else found.raw

        return act

    def lister(self, method: rpc_methods.Method) -> Callable[[bytes, Caller], Awaitable[bytes]]:
        async def act(data: bytes, caller: Caller) -> bytes:
            request, message = rpc_methods.parse(method, data, caller.user)
            async with self.gate.seat(request, caller.connection):
                spec = self.pipeline.permitted(request)
                size_max = message.bytes_max or limits.RPC_PAGE_BYTES
                return await self.pipeline.reads.list_raw(spec, request.namespace, request.options, size_max, message.metadata_only)

        return act

    def watcher(self, method: rpc_methods.Method) -> Callable[[bytes, Caller], AsyncIterator[bytes]]:
        async def act(data: bytes, caller: Caller) -> AsyncIterator[bytes]:
            request, message = rpc_methods.parse(method, data, caller.user)
            async with self.gate.seat(request, caller.connection):  # a watch that is open takes none
                spec = self.pipeline.permitted(request)
            async for batch in self.pipeline.reads.watch(spec, request.namespace, request.options, message.metadata_only):
                yield batch

        return act

    async def bulk(self, requests: AsyncIterator[bytes], caller: Caller) -> AsyncIterator[bytes]:
        """BulkService.Write: each of its items is authorized as what it is."""
        async for response in BulkStream(self.pipeline, caller).answers(requests):
            yield response

    async def snapshot(self, data: bytes, caller: Caller) -> AsyncIterator[bytes]:
        """AdminService.Snapshot."""
        admin_pb2.SnapshotRequest.FromString(data)
        self.pipeline.authorizer.require(caller.user, Attributes("get", path=SNAPSHOT))
        async for piece in self.pipeline.reads.snapshot():
            yield admin_pb2.SnapshotResponse(data=piece).SerializeToString()
