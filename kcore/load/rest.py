"""Any Kubernetes API server as a load reaches it over HTTP: protobuf both ways, since that costs this side and the server least."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp

from kcore.api.meta.v1 import meta_pb2
from kcore.base import limits
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.client import failures, kinds, retry, wire
from kcore.client.kinds import Resource
from kcore.client.wire import BOOKMARK, WatchEvent
from kcore.load.kubeconfig import Access
from kcore.load.pods import Wanted
from kcore.load.server import Outcomes
from kcore.machinery import codec, status
from kcore.machinery.projection import Projection
from kcore.machinery.status import StatusError

PROTOBUF: Final = "application/vnd.kubernetes.protobuf"
ANY: Final = f"{PROTOBUF}, application/json;q=0.9"
FRAME: Final = struct.Struct(">I")
ERROR: Final = "ERROR"
REVISION: Final = Projection("kcore.api.core.v1.Pod", ["metadata.resourceVersion"])
"""The metadata of all kinds stand in the same place."""


class RestServer:
    """An API server over HTTP. Thread: the event loop's."""

    def __init__(self, access: Access, in_flight: int, clock: Clock, entropy: Entropy) -> None:
        """Prepare the way. It is open within `async with`.

        in_flight  requests under way at once; the watch has a connection of its own
        """
        self.access, self.in_flight, self.clock, self.entropy = access, in_flight, clock, entropy
        self.pods = kinds.resource("", "v1", "pods")
        self.session: aiohttp.ClientSession

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[RestServer]:
        """Hold connections as long as this lasts."""
        connector = aiohttp.TCPConnector(limit=self.in_flight + 1, ssl=self.access.tls or True)
        headers = {"User-Agent": "kcore-load", "Accept": ANY, "Content-Type": PROTOBUF, **self.access.headers}
        timeout = aiohttp.ClientTimeout(total=limits.CALL_TIMEOUT_S, sock_connect=limits.CONNECT_TIMEOUT_S)
        async with aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout) as self.session:
            yield self

    async def node_count(self) -> int:
        found = await self.listed(kinds.resource("", "v1", "nodes"), "")
        return len(found.items) + int(found.metadata.remainingItemCount)

    async def create(self, resource: Resource, namespace: str, group: Sequence[Wanted]) -> Outcomes:
        return await asyncio.gather(*(self.create_one(resource, namespace, each) for each in group))

    async def create_one(self, resource: Resource, namespace: str, item: Wanted) -> StatusError | None:
        try:
            await self.call("POST", path(resource, namespace), codec.envelope(resource.api_version, resource.kind, item.raw))
        except StatusError as refused:
            return refused
        return None

    async def delete_pods(self, namespace: str, names: Sequence[str]) -> None:
        await asyncio.gather(*(self.delete_pod(namespace, name) for name in names))

    async def delete_pod(self, namespace: str, name: str) -> None:
        try:
            await self.call("DELETE", f"{path(self.pods, namespace)}/{name}")
        except StatusError as refused:
            if refused.reason != "NotFound":
                raise

    async def delete_all(self, resource: Resource, namespace: str, selector: str) -> None:
        await self.call("DELETE", path(resource, namespace), labelSelector=selector, gracePeriodSeconds="0")

    async def revision(self, namespace: str) -> str:
        found: str = (await self.listed(self.pods, namespace)).metadata.resourceVersion
        return found

    def watch(self, namespace: str, selector: str, after: str) -> RestWatch:
        return RestWatch(self, path(self.pods, namespace), {"watch": "true", "labelSelector": selector, "resourceVersion": after})

    async def listed(self, resource: Resource, namespace: str) -> Any:
        """The first object, and what its list says of the others."""
        return resource.list_message.FromString(await self.call("GET", path(resource, namespace), limit="1"))

    async def all(self, resource: Resource) -> list[bytes]:
        """All objects of a resource, in wire form, asked for page by page. Raises StatusError."""
        found, token = list[bytes](), ""
        for _ in range(limits.LIST_PAGES_MAX):
            raw = await self.call("GET", path(resource, ""), b"", limit=str(limits.REST_LIST_PAGE_OBJECTS), **{"continue": token})
            page = wire.split_list(raw)
            found += page.items
            token = page.continue_token
            if not token:
                break
        return found

    async def call(self, method: str, where: str, body: bytes = b"", **query: str) -> bytes:
        """Ask, again where that is safe; -> the message in the answer. Raises StatusError."""
        policy = retry.READS if method == "GET" else retry.WRITES
        return await retry.call(lambda: self.once(method, where, body, query), policy, self.clock, self.entropy)

    async def once(self, method: str, where: str, body: bytes, query: Mapping[str, str]) -> bytes:
        """Ask once. Raises StatusError."""
        try:
            async with self.request(method, where, query, body) as answer:
                raw = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise broken(error) from error
        if answer.status >= 400:
            raise refusal(answer.status, raw, answer.headers.get("Retry-After", ""))
        return message(raw)

    def request(self, method: str, where: str, query: Mapping[str, str], body: bytes = b"", **more: Any) -> Any:
        """A request as the library sends it."""
        access = self.access
        return self.session.request(
            method, access.address + where, params=query, data=body, proxy=access.proxy, server_hostname=access.tls_name, **more
        )


class RestWatch:
    """The changes of pods, as they come."""

    def __init__(self, server: RestServer, where: str, query: dict[str, str]) -> None:
        self.server, self.where = server, where
        self.query = {name: value for name, value in query.items() if value}
        self.answer: aiohttp.ClientResponse | None = None
        self.waiting = bytearray()

    async def read(self) -> list[WatchEvent] | None:
        try:
            answer = self.answer or await self.open()
            while data := await answer.content.readany():
                self.waiting += data
                if found := [event_of(frame) for frame in frames(self.waiting)]:
                    return found
        except (aiohttp.ClientError, TimeoutError) as error:
            raise broken(error) from error
        return None

    async def open(self) -> aiohttp.ClientResponse:
        """Begin the watch. Raises StatusError."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=limits.CONNECT_TIMEOUT_S)
        answer: aiohttp.ClientResponse = await self.server.request("GET", self.where, self.query, timeout=timeout)
        self.answer = answer
        if answer.status >= 400:
            raise refusal(answer.status, await answer.read(), answer.headers.get("Retry-After", ""))
        return answer

    def cancel(self) -> None:
        if self.answer is None:
            return
        if self.answer.connection is not None and self.answer.connection.transport is not None:
            self.answer.connection.transport.abort()  # to close it would wait for the server to take leave, too
        self.answer.close()


def path(resource: Resource, namespace: str) -> str:
    """Where a resource is."""
    root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    return f"{root}/namespaces/{namespace}/{resource.resource}" if namespace and resource.namespaced else f"{root}/{resource.resource}"


def frames(waiting: bytearray) -> list[bytes]:
    """Take the frames that have come whole. Raises StatusError when one is larger than any may be."""
    found, at = list[bytes](), 0
    while len(waiting) - at >= FRAME.size:
        (length,) = FRAME.unpack_from(waiting, at)
        if length > limits.RESPONSE_BYTES_MAX:
            raise status.internal(f"an event of {length} bytes")
        if len(waiting) - at < FRAME.size + length:
            break
        found.append(bytes(waiting[at + FRAME.size : at + FRAME.size + length]))
        at += FRAME.size + length
    del waiting[:at]
    return found


def event_of(frame: bytes) -> WatchEvent:
    """An event out of its frame; a bookmark has no object. Raises StatusError for one that says that the watch failed."""
    event = meta_pb2.WatchEvent.FromString(frame)
    raw = message(event.object.raw)
    if event.type == ERROR:
        raise failures.from_message(meta_pb2.Status.FromString(raw))
    (revision,) = REVISION(raw)
    return WatchEvent(event.type, b"" if event.type == BOOKMARK else raw, "", int(revision))


def message(raw: bytes) -> bytes:
    """The message in an envelope. Raises StatusError when there is none."""
    try:
        return codec.open_envelope(raw)[2]
    except codec.DecodeError as error:
        raise status.internal(f"the answer is not in protobuf: {error}") from error


def broken(error: Exception) -> StatusError:
    """The failure of a request that was not answered."""
    return status.service_unavailable(f"the API server does not answer: {str(error) or type(error).__name__}")


def refusal(code: int, raw: bytes, retry_after: str) -> StatusError:
    """The failure that an answer tells of: in protobuf, in JSON, or by its code alone, as from a proxy or a server under load."""
    if raw.startswith(codec.MAGIC):
        return failures.from_message(meta_pb2.Status.FromString(message(raw)))
    try:
        found = json.loads(raw)
        if found["kind"] == "Status":
            return StatusError({"code": code, **found})
    except (ValueError, KeyError, TypeError):
        pass
    reason = next((reason for reason, codes in status.REASONS.items() if reason and codes.http == code), "InternalError")
    details = {"retryAfterSeconds": int(retry_after)} if retry_after.isdecimal() else None
    return status.failure(reason, raw.decode(errors="replace").strip()[: limits.REASON_CHARS_MAX] or f"HTTP {code}", details, code)
