"""Garbage on every method of the API server: a Status or an answer, and the server is as it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from google.protobuf.message import DecodeError
from grpc_health.v1 import health, health_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.api.dynamic.v1 import dynamic_service_pb2 as dynamic
from kcore.api.meta.v1 import meta_pb2
from kcore.apiserver import rpc_dynamic, rpc_frontend, rpc_methods
from kcore.apiserver.authentication import Authenticator
from kcore.apiserver.rpc_frontend import RpcFrontend
from kcore.apiserver.rpc_reflection import METHODS, ReflectionHandler
from kcore.base import limits
from kcore.machinery import scheme
from kcore.machinery.request import User
from kcore.machinery.status import StatusError
from kcore.serve.direct import DirectTransport
from kcore.serve.ports.rpc import health_handler
from tests.property.fuzz.decoders import bulk_request
from tests.property.fuzz.garbage import nearly, samples, wires
from tests.unit.apiserver.api import Api, configmap

APPLIED = {"metadata": {"name": "here", "labels": {"a": "b"}, "finalizers": ["x/y"]}, "spec": {"replicas": 2}}
TURNS = 30
"""Turns of the event loop that a stream has before it is given up."""


@cache
def requests() -> dict[str, list[bytes]]:
    """Good requests of every method of the front-end, by its path."""
    found = {method.path: list(typed(method)) for method in rpc_methods.methods(scheme.load())}
    return found | dynamics() | {rpc_frontend.BULK: [bulk_request()], rpc_frontend.SNAPSHOT: [b""]}


def typed(method: rpc_methods.Method) -> Iterator[bytes]:
    where = {"namespace": "default"} if method.spec.namespaced else {}
    message: Any
    if method.verb in ("create", "update"):
        for raw in wires().get(method.spec.message, [b""]):
            yield meta_pb2.RawWriteRequest(**where, name="here", object=raw).SerializeToString()
    elif method.verb == "patch":
        for media in ("merge-patch", "json-patch", "strategic-merge-patch"):
            patch = b'{"metadata":{"labels":{"a":"b"}},"spec":{"replicas":2}}'
            yield meta_pb2.PatchRequest(**where, name="here", patch=patch, content_type=f"application/{media}+json").SerializeToString()
        owner = meta_pb2.WriteOptions(field_manager="m")
        wanted = json.dumps({"apiVersion": method.spec.api_version, "kind": method.spec.kind, **APPLIED}).encode()
        asked = meta_pb2.PatchRequest(**where, name="here", patch=wanted, content_type="application/apply-patch+yaml", options=owner)
        yield asked.SerializeToString()
    elif method.verb in ("list", "watch"):
        message = meta_pb2.ListRequest if method.verb == "list" else meta_pb2.WatchRequest
        yield message(**where).SerializeToString()
        selectors = {"label_selector": "a in (b,c),!d", "field_selector": "metadata.name=here"}
        yield message(**where, **selectors, resource_version="3").SerializeToString()
    elif method.verb in ("get", "delete"):
        message = meta_pb2.GetRequest if method.verb == "get" else meta_pb2.DeleteRequest
        yield message(**where, name="here").SerializeToString()
    else:
        yield meta_pb2.DeleteCollectionRequest(**where, label_selector="a=b").SerializeToString()


def dynamics() -> dict[str, list[bytes]]:
    resource = dynamic.Resource(version="v1", resource="configmaps")
    where = {"namespace": "default", "name": "here"}
    text = dynamic.Object(content_type="application/yaml", data=b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: here}\ndata: {a: b}")
    struct = dynamic.Object()
    struct.json.update({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "here"}, "data": {"a": "b"}})
    made: dict[str, list[Any]] = {
        "Create": [dynamic.WriteRequest(resource=resource, object=each, **where) for each in (text, struct)],
        "Update": [dynamic.WriteRequest(resource=resource, object=each, **where) for each in (text, struct)],
        "Get": [dynamic.GetRequest(resource=resource, get=meta_pb2.GetRequest(**where))],
        "List": [dynamic.ListRequest(resource=resource, list=meta_pb2.ListRequest(namespace="default"))],
        "Watch": [dynamic.WatchRequest(resource=resource, watch=meta_pb2.WatchRequest(namespace="default"))],
        "Patch": [dynamic.PatchRequest(resource=resource, patch=meta_pb2.PatchRequest(patch=b'{"data":{"c":"d"}}', **where))],
        "Delete": [dynamic.DeleteRequest(resource=resource, delete=meta_pb2.DeleteRequest(**where))],
        "DeleteCollection": [
            dynamic.DeleteCollectionRequest(resource=resource, delete_collection=meta_pb2.DeleteCollectionRequest(namespace="default"))
        ],
    }
    return {rpc_dynamic.SERVICE + name: [each.SerializeToString() for each in messages] for name, messages in made.items()}


class Server:
    """An API server under fire, in an event loop of its own."""

    def __init__(self, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.api = self.runner.run(self.started(folder))

    async def started(self, folder: Path) -> Api:
        api = await Api(folder).start()
        self.frontend = RpcFrontend(api.pipeline, Authenticator({"t": User("admin", "1", ("system:masters",))}))
        self.way = DirectTransport(self.frontend, "t")
        await api.create("configmaps", configmap("good", a="1"), namespace="kube-system")
        return api

    async def survives(self, method: str, data: bytes) -> None:
        """Send a request; whatever comes but an answer or a Status that says what is wrong is a bug."""
        before = self.api.storage.revision
        handler: Any = self.frontend.handlers[method]
        failed: StatusError | None = None
        try:
            if handler.unary_unary is not None:
                await self.way.unary(method, data)
            else:
                await self.stream(method, data, handler)
        except StatusError as error:
            failed = error
        if failed is not None:
            assert failed.reason != "InternalError", f"{method} {data!r}: {failed.status}"
            assert method == rpc_frontend.BULK or self.api.storage.revision == before, "a request that failed wrote something"
        await self.is_well()

    async def stream(self, method: str, data: bytes, handler: Any) -> None:
        """Read a stream for some turns of the loop, then give it up."""
        stream = self.way.stream(method, data) if handler.unary_stream is not None else self.way.duplex(method)
        if handler.stream_stream is not None:
            await stream.write(data)
        reading = asyncio.ensure_future(stream.read())
        for _ in range(TURNS):
            await asyncio.sleep(0)
        failed = reading.exception() if reading.done() else None
        reading.cancel()
        stream.cancel()
        await asyncio.wait([reading, stream.pump])
        if failed is not None:
            raise failed

    async def is_well(self) -> None:
        """Good requests are answered, and nothing is left of those before; garbage that reads as a deletion may have deleted."""
        found = await self.api.list("configmaps", "kube-system", fieldSelector="metadata.name=good")
        if not found["items"]:
            await self.api.create("configmaps", configmap("good", a="1"), namespace="kube-system")
        assert self.api.get("configmaps", "good", "kube-system")["metadata"]["name"] == "good"
        assert self.frontend.gate.bound.total == 0
        assert not self.way.streams and not self.way.calls
        assert sum(len(state.watchers) for state in self.api.server.hub.resources.values()) == 0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(limits, "TOO_LARGE_REVISION_WAIT_S", 0.001)
        made = Server(tmp_path_factory.mktemp("fuzz") / "store")
        yield made
        made.api.close()
        made.runner.close()


def test_no_method_is_left_out(server: Server) -> None:
    assert set(requests()) == set(server.frontend.handlers)
    assert len({sample["kind"] for sample in samples()}) > 60


@settings(max_examples=800)
@given(st.data())
def test_garbage_is_answered_with_a_status(server: Server, data: st.DataObject) -> None:
    method = data.draw(st.sampled_from(sorted(requests())))
    server.runner.run(server.survives(method, data.draw(nearly(st.sampled_from(requests()[method])))))


def test_every_method_takes_what_is_good_and_what_is_cut_off(server: Server) -> None:
    for method, good in requests().items():
        for request in good:
            for data in (request, request[: len(request) // 2], request + b"\xff", b"\xff" * 20):
                server.runner.run(server.survives(method, data))


async def one(data: Any) -> AsyncIterator[Any]:
    yield data


@given(nearly(st.sampled_from([b"", b"\n\x01a", b"\x22\x10kcore.api.core.v1"])))
def test_reflection_and_health_answer_or_refuse(server: Server, data: bytes) -> None:
    async def ask() -> None:
        made: Any = health
        paths = {f"/{health.SERVICE_NAME}/Check": health_handler(made.aio.HealthServicer())}
        paths |= dict.fromkeys(METHODS, ReflectionHandler(scheme.load()))
        for path, services in paths.items():
            handler: Any = services.service(cast(Any, SimpleNamespace(method=path)))
            try:
                request = handler.request_deserializer(data)
            except DecodeError:
                continue
            if handler.stream_stream is not None:
                assert [answer async for answer in handler.stream_stream(one(request), None)]
            else:
                context = Refusing()
                answer = await handler.unary_unary(request, context)
                assert context.code is not None or isinstance(answer, health_pb2.HealthCheckResponse)

    server.runner.run(ask())


class Refusing:
    """What the health service sees of a call."""

    code: Any = None

    async def abort(self, code: Any, message: str = "") -> None:
        self.code = code
