"""DynamicService: every resource through one service, objects as JSON, YAML, enveloped protobuf, or JSON within the message."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
from google.protobuf import struct_pb2

from kcore.api.dynamic.v1 import dynamic_service_pb2 as pb
from kcore.apiserver import body as bodies
from kcore.apiserver.entry.gate import Caller
from kcore.apiserver.objects import Outcome
from kcore.apiserver.pipeline import Pipeline
from kcore.apiserver.rpc_methods import delete_options, list_options, patch_options, read, selection, watch_options, write_options
from kcore.base import limits
from kcore.machinery import codec, status
from kcore.machinery.request import Request, User

SERVICE = "/kcore.api.dynamic.v1.DynamicService/"
WATCH = SERVICE + "Watch"
AS_STRUCT = "application/json;as=Struct"
MERGE_PATCH = "application/merge-patch+json"
GROWTH = {AS_STRUCT: 4, bodies.PROTOBUF: 1}
GROWTH_OF_TEXT = 3
"""How much larger than a message a list may be in another form (measured on pods: 2.6 times as Struct, 2.2 as JSON)."""
EXACT_MAX = 2.0**53
"""Up to here every whole number is a double."""

Unary = Callable[[bytes, Caller], Awaitable[bytes]]


def request_for(message: Any, verb: str, user: User) -> Request:
    """The frame of a request about the resource that `message` names."""
    where = message.resource
    return Request(verb=verb, group=where.group, version=where.version, resource=where.resource, subresource=where.subresource, user=user)


def encoded(outcome: Outcome, accept: str) -> Any:
    """An outcome as an Object in the media type that the client accepts."""
    media = accept or bodies.JSON
    if media == AS_STRUCT:
        json = struct_pb2.Struct()
        json.update(outcome.obj())
        return pb.Object(content_type=bodies.JSON, json=json, warnings=outcome.all_warnings())
    if media not in bodies.MEDIA_TYPES:
        raise status.not_acceptable(bodies.MEDIA_TYPES)
    if media == bodies.PROTOBUF:
        data = codec.envelope(outcome.api_version, outcome.kind, outcome.raw)
    elif media == bodies.JSON:
        data = orjson.dumps(outcome.obj())
    else:
        import yaml  # dear, and few ask for it

        data = yaml.dump(outcome.obj(), Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False).encode()
    return pb.Object(content_type=media, data=data, warnings=outcome.all_warnings())


def plain(value: struct_pb2.Value) -> Any:
    """A Value as JSON has it, with whole numbers whole again."""
    form = value.WhichOneof("kind")
    if form == "struct_value":
        return {name: plain(each) for name, each in value.struct_value.fields.items()}
    if form == "list_value":
        return [plain(each) for each in value.list_value.values]
    if form == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and abs(number) <= EXACT_MAX else number
    return None if form in (None, "null_value") else getattr(value, form)


def written(json: struct_pb2.Struct) -> bytes:
    """A Struct as JSON text, so that it is read by the rules of a text."""
    return orjson.dumps(plain(struct_pb2.Value(struct_value=json)))


def shown(outcome: Outcome, accept: str) -> bytes:
    """What is answered."""
    data: bytes = encoded(outcome, accept).SerializeToString()
    return data


async def carried_out(pipeline: Pipeline, request: Request, caller: Caller, accept: str) -> bytes:
    """Carry a write out when its turn has come."""
    async with pipeline.gate.seat(request, caller.connection):
        return shown(await pipeline.written(request), accept)


def unary_methods(pipeline: Pipeline) -> dict[str, Unary]:
    """Path -> handler of every method but Watch."""

    def writer(verb: str) -> Unary:
        async def act(data: bytes, caller: Caller) -> bytes:
            message = read(pb.WriteRequest, data)
            request = request_for(message, verb, caller.user)
            request.namespace, request.name, request.options = message.namespace, message.name, write_options(message.options)
            given = message.object
            if given.HasField("json"):
                request.content_type, request.body, form = bodies.JSON, written(given.json), AS_STRUCT
            else:
                request.content_type = form = given.content_type or bodies.JSON
                request.body = given.data
            return await carried_out(pipeline, request, caller, message.accept or form)

        return act

    async def get(data: bytes, caller: Caller) -> bytes:
        message = read(pb.GetRequest, data)
        request = request_for(message, "get", caller.user)
        request.namespace, request.name = message.get.namespace, message.get.name
        async with pipeline.gate.seat(request, caller.connection):
            return shown(pipeline.read(request)[1], message.accept)

    async def list_(data: bytes, caller: Caller) -> bytes:
        message = read(pb.ListRequest, data)
        request = request_for(message, "list", caller.user)
        request.namespace, request.options = message.list.namespace, list_options(message.list)
        async with pipeline.gate.seat(request, caller.connection):
            spec = pipeline.permitted(request)
            size_max = message.list.bytes_max or limits.RPC_PAGE_BYTES // GROWTH.get(message.accept, GROWTH_OF_TEXT)
            raw = await pipeline.reads.list_raw(spec, request.namespace, request.options, size_max, message.list.metadata_only)
            return shown(Outcome(spec.list_message, spec.api_version, f"{spec.kind}List", raw), message.accept)

    async def patch(data: bytes, caller: Caller) -> bytes:
        message = read(pb.PatchRequest, data)
        request, inner = request_for(message, "patch", caller.user), message.patch
        request.namespace, request.name, request.body, request.content_type = inner.namespace, inner.name, inner.patch, inner.content_type
        request.subresource = request.subresource or inner.subresource
        request.options = patch_options(inner)
        if message.HasField("json"):
            request.body, request.content_type = written(message.json), inner.content_type or MERGE_PATCH
        return await carried_out(pipeline, request, caller, message.accept)

    async def delete(data: bytes, caller: Caller) -> bytes:
        message = read(pb.DeleteRequest, data)
        request, inner = request_for(message, "delete", caller.user), message.delete
        request.namespace, request.name, request.options = inner.namespace, inner.name, delete_options(inner.options)
        return await carried_out(pipeline, request, caller, message.accept)

    async def delete_collection(data: bytes, caller: Caller) -> bytes:
        message = read(pb.DeleteCollectionRequest, data)
        request, inner = request_for(message, "deletecollection", caller.user), message.delete_collection
        request.namespace, request.options = inner.namespace, selection(inner) | delete_options(inner.options)
        return await carried_out(pipeline, request, caller, message.accept)

    found = {
        "Create": writer("create"),
        "Update": writer("update"),
        "Get": get,
        "List": list_,
        "Patch": patch,
        "Delete": delete,
        "DeleteCollection": delete_collection,
    }
    return {SERVICE + name: act for name, act in found.items()}


def watch(pipeline: Pipeline) -> Callable[[bytes, Caller], AsyncIterator[bytes]]:
    """The handler of Watch."""

    async def act(data: bytes, caller: Caller) -> AsyncIterator[bytes]:
        message = read(pb.WatchRequest, data)
        request = request_for(message, "watch", caller.user)
        request.namespace, request.options = message.watch.namespace, watch_options(message.watch)
        async with pipeline.gate.seat(request, caller.connection):
            spec = pipeline.permitted(request)
        async for events in pipeline.reads.watch_events(spec, request.namespace, request.options, message.watch.metadata_only):
            response = pb.WatchResponse()
            for event_type, raw in events:
                response.events.add(
                    type=event_type, object=encoded(Outcome(spec.message, spec.api_version, spec.kind, raw), message.accept)
                )
            yield response.SerializeToString()

    return act
