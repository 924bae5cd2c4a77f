"""DynamicService: every resource through one service, objects as JSON, YAML or enveloped protobuf."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson

from kcore.api.dynamic.v1 import dynamic_service_pb2 as pb
from kcore.apiserver import body as bodies
from kcore.apiserver.authentication import authorize
from kcore.apiserver.objects import Outcome
from kcore.apiserver.pipeline import Pipeline
from kcore.apiserver.rpc_methods import delete_options, list_options, selection, watch_options, write_options
from kcore.base import limits
from kcore.machinery import codec, status
from kcore.machinery.request import Request, User

SERVICE = "/kcore.api.dynamic.v1.DynamicService/"
WATCH = SERVICE + "Watch"

Unary = Callable[[bytes, User], Awaitable[bytes]]


def request_for(message: Any, verb: str, user: User) -> Request:
    """The frame of a request about the resource that `message` names."""
    where = message.resource
    return Request(verb=verb, group=where.group, version=where.version, resource=where.resource, subresource=where.subresource, user=user)


def encoded(outcome: Outcome, accept: str) -> Any:
    """An outcome as an Object in the media type that the client accepts."""
    media = accept or bodies.JSON
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


async def finished(outcome: Outcome, accept: str) -> bytes:
    """Wait for a write, then encode it."""
    if outcome.submission is not None:
        await outcome.submission.durable()
    data: bytes = encoded(outcome, accept).SerializeToString()
    return data


def unary_methods(pipeline: Pipeline) -> dict[str, Unary]:
    """Path -> handler of every method but Watch."""

    def writer(verb: str) -> Unary:
        async def act(data: bytes, user: User) -> bytes:
            message = pb.WriteRequest.FromString(data)
            request = request_for(message, verb, user)
            request.namespace, request.name, request.body = message.namespace, message.name, message.object.data
            request.content_type = message.object.content_type or bodies.JSON
            request.options = write_options(message.options)
            return await finished(pipeline.write(request), message.accept or request.content_type)

        return act

    async def get(data: bytes, user: User) -> bytes:
        message = pb.GetRequest.FromString(data)
        request = request_for(message, "get", user)
        request.namespace, request.name = message.get.namespace, message.get.name
        return await finished(pipeline.read(request)[1], message.accept)

    async def list_(data: bytes, user: User) -> bytes:
        message = pb.ListRequest.FromString(data)
        request = request_for(message, "list", user)
        spec = pipeline.resolve(request)
        authorize(user)
        size_max = message.list.bytes_max or limits.RPC_PAGE_BYTES // 2
        raw = await pipeline.reads.list_raw(spec, message.list.namespace, list_options(message.list), size_max, message.list.metadata_only)
        return await finished(Outcome(spec.list_message, spec.api_version, f"{spec.kind}List", raw), message.accept)

    async def patch(data: bytes, user: User) -> bytes:
        message = pb.PatchRequest.FromString(data)
        request, inner = request_for(message, "patch", user), message.patch
        request.namespace, request.name, request.body, request.content_type = inner.namespace, inner.name, inner.patch, inner.content_type
        request.subresource = request.subresource or inner.subresource
        request.options = write_options(inner.options)
        return await finished(pipeline.write(request), message.accept)

    async def delete(data: bytes, user: User) -> bytes:
        message = pb.DeleteRequest.FromString(data)
        request = request_for(message, "delete", user)
        request.namespace, request.name, request.options = (
            message.delete.namespace,
            message.delete.name,
            delete_options(message.delete.options),
        )
        return await finished(pipeline.write(request), message.accept)

    async def delete_collection(data: bytes, user: User) -> bytes:
        message = pb.DeleteCollectionRequest.FromString(data)
        request, inner = request_for(message, "deletecollection", user), message.delete_collection
        request.namespace, request.options = inner.namespace, selection(inner) | delete_options(inner.options)
        return await finished(pipeline.write(request), message.accept)

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


def watch(pipeline: Pipeline) -> Callable[[bytes, User], AsyncIterator[bytes]]:
    """The handler of Watch."""

    async def act(data: bytes, user: User) -> AsyncIterator[bytes]:
        message = pb.WatchRequest.FromString(data)
        spec = pipeline.resolve(request_for(message, "watch", user))
        authorize(user)
        options = watch_options(message.watch)
        async for events in pipeline.reads.watch_events(spec, message.watch.namespace, options, message.watch.metadata_only):
            response = pb.WatchResponse()
            for event_type, raw in events:
                response.events.add(
                    type=event_type, object=encoded(Outcome(spec.message, spec.api_version, spec.kind, raw), message.accept)
                )
            yield response.SerializeToString()

    return act
