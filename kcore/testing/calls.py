"""What a call asks, read from its method and request: verb, resource, subresource, and the key of the object if it has one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

from kcore.api.dynamic.v1 import dynamic_service_pb2 as dynamic_pb2
from kcore.api.meta.v1 import meta_pb2
from kcore.client import kinds, wire
from kcore.client.kinds import Resource

DYNAMIC: Final = "/kcore.api.dynamic.v1.DynamicService/"
DYNAMIC_WRITES: Final = ("Create", "Update")
WRAPPED: Final = ("get", "list", "watch", "patch", "delete", "delete_collection")


class Call(NamedTuple):
    """A call that arrived, or an item of a bulk write."""

    verb: str
    resource: str
    subresource: str
    key: str


class Write(NamedTuple):
    """A request that has a body."""

    namespace: str
    name: str
    raw: bytes


def _write(request: bytes) -> Write:
    namespace, name, raw, _ = wire.read_write_request(request)
    return Write(namespace, name, raw)


REQUESTS: Final[dict[str, Callable[[bytes], Any]]] = {
    "get": meta_pb2.GetRequest.FromString,
    "list": meta_pb2.ListRequest.FromString,
    "watch": meta_pb2.WatchRequest.FromString,
    "patch": meta_pb2.PatchRequest.FromString,
    "delete": meta_pb2.DeleteRequest.FromString,
    "deletecollection": meta_pb2.DeleteCollectionRequest.FromString,
}
"""How the requests of each verb are read; all others are writes with a body."""


@cache
def methods() -> dict[str, tuple[Resource, str, str]]:
    """Return what each RPC of every kind does: resource, verb, subresource."""
    return {path: (resource, *rpc) for resource in kinds.served() for path, rpc in resource.rpcs().items()}


def request_of(verb: str, subresource: str, request: bytes) -> Any:
    """The request of a kind's method; a subresource's is a write but where it is read."""
    read = REQUESTS.get(verb, _write)
    return (_write if subresource and verb not in ("get", "patch") else read)(request)


def call_of(method: str, request: bytes) -> Call:
    """What a call asks."""
    if method.startswith(DYNAMIC):
        return _dynamic_call(method.removeprefix(DYNAMIC), request)
    resource, verb, subresource = methods()[method]
    arguments = request_of(verb, subresource, request)
    return Call(verb, resource.resource, subresource, wire.join_key(arguments.namespace, getattr(arguments, "name", "")))


def _dynamic_call(name: str, request: bytes) -> Call:
    """A call of DynamicService: its requests hold the resource, and what the typed ones hold."""
    message: Any = getattr(dynamic_pb2, "WriteRequest" if name in DYNAMIC_WRITES else f"{name}Request").FromString(request)
    where = message.resource
    inner = next((value for field, value in message.ListFields() if field.name in WRAPPED), message)
    key = wire.join_key(getattr(inner, "namespace", ""), getattr(inner, "name", ""))
    return Call(name.lower(), where.resource, where.subresource, key)
