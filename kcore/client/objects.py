"""Typed calls about one resource: what `client.pods` is.

Names come first and namespaces by keyword (`get("a", namespace="default")`); writes take both from the object. An update is refused as a
Conflict when the object's resourceVersion is not the newest; `modify` reads, changes and writes until that works.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Generic, NamedTuple, Self, TypeVar

from google.protobuf.message import Message

from kcore.api.meta.v1 import meta_pb2
from kcore.base import limits
from kcore.client import retry, wire
from kcore.client.kinds import Resource
from kcore.client.retry import Caller
from kcore.client.transport import Stream
from kcore.client.wire import WatchEvent
from kcore.machinery.status import StatusError

T = TypeVar("T", bound=Message)

MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH: Final = "application/strategic-merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"
APPLY_PATCH: Final = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class ObjectList(Generic[T]):
    """Objects as they were at one revision.

    continue_token  asks for what comes after them; empty if nothing does
    """

    items: list[T]
    resource_version: str
    continue_token: str = ""


class RawWatch:
    """Changes in the batches in which they were committed."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def read(self) -> list[WatchEvent] | None:
        """Return the next batch, None when the server has ended the watch (its time was up).

        Raises  StatusError: Expired when history is gone, ServiceUnavailable when the connection is
        """
        response = await self._stream.read()
        return None if response is None else wire.split_watch(response)

    def cancel(self) -> None:
        """Give the watch up."""
        self._stream.cancel()


class Change(NamedTuple, Generic[T]):
    """One change.

    type     ADDED, MODIFIED, DELETED or BOOKMARK
    object_  of a bookmark it has only metadata
    """

    type: str
    object_: T


class Watch(Generic[T]):
    """Changes one by one."""

    def __init__(self, raw: RawWatch, parse: Callable[[bytes], T]) -> None:
        self._raw = raw
        self._parse = parse
        self._batch: deque[WatchEvent] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change[T]:
        while not self._batch:
            batch = await self._raw.read()
            if batch is None:
                raise StopAsyncIteration
            self._batch.extend(batch)
        event = self._batch.popleft()
        return Change(event.type, self._parse(event.raw))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.cancel()

    def cancel(self) -> None:
        """Give the watch up."""
        self._raw.cancel()


class ResourceClient(Generic[T]):
    """The calls of one resource."""

    def __init__(self, caller: Caller, resource: Resource) -> None:
        self.resource = resource
        self._caller = caller

    async def get(self, name: str, *, namespace: str = "", metadata_only: bool = False) -> T:
        """Return an object; NotFound if there is none."""
        request = meta_pb2.GetRequest(namespace=namespace, name=name, metadata_only=metadata_only)
        return self._parse(await self._caller.read(self.resource.method("get"), request.SerializeToString()))

    async def list_page(
        self,
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 0,
        continue_token: str = "",
        resource_version: str = "",
        resource_version_match: str = "",
        metadata_only: bool = False,
    ) -> ObjectList[T]:
        """Return one page of objects in key order; without limit it ends at the size that a gRPC client receives."""
        request = meta_pb2.ListRequest(
            namespace=namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            limit=limit,
            continue_token=continue_token,
            resource_version=resource_version,
            resource_version_match=resource_version_match,
            metadata_only=metadata_only,
        )
        page = wire.split_list(await self._caller.read(self.resource.method("list"), request.SerializeToString()))
        return ObjectList([self._parse(raw) for raw in page.items], page.resource_version, page.continue_token)

    async def pages(self, **selection: Any) -> AsyncIterator[ObjectList[T]]:
        """Return page after page, all of one revision; takes what `list_page` takes. Expired if that is compacted meanwhile."""
        for _ in range(limits.LIST_PAGES_MAX):
            page = await self.list_page(**selection)
            yield page
            if not page.continue_token:
                return
            selection["continue_token"] = page.continue_token

    async def list(
        self, *, namespace: str = "", label_selector: str = "", field_selector: str = "", metadata_only: bool = False
    ) -> ObjectList[T]:
        """Return all objects that match, as they are at one revision."""
        selection = {
            "namespace": namespace,
            "label_selector": label_selector,
            "field_selector": field_selector,
            "metadata_only": metadata_only,
        }
        for restart in range(limits.LIST_RESTARTS_MAX + 1):
            items: list[T] = []
            resource_version = ""
            try:
                async for page in self.pages(**selection):
                    items += page.items
                    resource_version = page.resource_version
                break
            except StatusError as error:
                if error.reason != "Expired" or restart == limits.LIST_RESTARTS_MAX:
                    raise
        return ObjectList(items, resource_version)

    def watch_raw(
        self,
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str = "",
        send_initial_events: bool = False,
        allow_bookmarks: bool = False,
        timeout_seconds: int = 0,
        metadata_only: bool = False,
    ) -> RawWatch:
        """Open a watch that gives batches of `WatchEvent`, objects as bytes. For a sequence without gaps see ``kcore.client.reflector``."""
        request = meta_pb2.WatchRequest(
            namespace=namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            resource_version=resource_version,
            send_initial_events=send_initial_events,
            resource_version_match="NotOlderThan" if send_initial_events else "",
            allow_bookmarks=allow_bookmarks or send_initial_events,
            timeout_seconds=timeout_seconds,
            metadata_only=metadata_only,
        )
        return RawWatch(self._caller.transport.stream(self.resource.method("watch"), request.SerializeToString()))

    def watch(self, **selection: Any) -> Watch[T]:
        """Open a watch; takes what `watch_raw` takes.

            async with client.pods.watch(namespace="default") as changes:
                async for type_, pod in changes:
                    ...

        Without resource_version it begins with the present objects as ADDED. It ends with StatusError (Expired) when its history is gone.
        """
        return Watch(self.watch_raw(**selection), self._parse)

    async def create(self, object_: T, *, namespace: str = "", dry_run: bool = False, field_manager: str = "") -> T:
        """Create an object and return it as it is stored; AlreadyExists if it is there."""
        return await self._write("create", "", object_, namespace, "", dry_run, field_manager)

    async def update(self, object_: T, *, dry_run: bool = False, field_manager: str = "") -> T:
        """Replace an object, but for its status; Conflict if its resourceVersion is not the newest."""
        return await self._write("update", "", object_, "", "", dry_run, field_manager)

    async def update_status(self, object_: T, *, dry_run: bool = False, field_manager: str = "") -> T:
        """Replace the status of an object and nothing else; Conflict as in `update`."""
        return await self._write("update", "status", object_, "", "", dry_run, field_manager)

    async def modify(self, name: str, change: Callable[[T], bool | None], *, namespace: str = "", status: bool = False) -> T:
        """Read an object, change it in place and write it, anew as long as others write in between (bounded).

        change  changes the object; returns False if there is nothing to write
        status  write the status instead of the rest
        Raises  StatusError (Conflict) if others were always first
        """

        async def once() -> T:
            found = await self.get(name, namespace=namespace)
            if change(found) is False:
                return found
            return await (self.update_status(found) if status else self.update(found))

        return await retry.call(once, retry.CONFLICTS, self._caller.clock, self._caller.entropy)

    async def patch(
        self,
        name: str,
        patch: dict[str, Any] | bytes,
        *,
        namespace: str = "",
        content_type: str = MERGE_PATCH,
        subresource: str = "",
        dry_run: bool = False,
        field_manager: str = "",
        force: bool = False,
    ) -> T:
        """Change an object by a patch, a JSON merge patch unless said otherwise, and return it as it is stored."""
        request = meta_pb2.PatchRequest(
            namespace=namespace,
            name=name,
            patch=patch if isinstance(patch, bytes) else json.dumps(patch).encode(),
            content_type=content_type,
            subresource=subresource,
            options=self._caller.write_options(dry_run, field_manager),
            force=force,
        )
        return self._parse(await self._caller.write(self.resource.method("patch"), request.SerializeToString()))

    async def delete(
        self,
        name: str,
        *,
        namespace: str = "",
        grace_period_seconds: int | None = None,
        propagation_policy: str = "",
        uid: str = "",
        resource_version: str = "",
        dry_run: bool = False,
    ) -> T:
        """Delete an object and return it as it is then, or was at last.

        Raises  StatusError: NotFound if there is none, Conflict if its uid or resource_version is another one
        """
        options = delete_options(grace_period_seconds, propagation_policy, uid, resource_version, dry_run)
        request = meta_pb2.DeleteRequest(namespace=namespace, name=name, options=options)
        return self._parse(await self._caller.write(self.resource.method("delete"), request.SerializeToString()))

    async def delete_collection(
        self,
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        grace_period_seconds: int | None = None,
        propagation_policy: str = "",
        dry_run: bool = False,
    ) -> ObjectList[T]:
        """Delete all objects that match and return them."""
        request = meta_pb2.DeleteCollectionRequest(
            namespace=namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            options=delete_options(grace_period_seconds, propagation_policy, dry_run=dry_run),
        )
        found = wire.split_list(await self._caller.write(self.resource.method("deletecollection"), request.SerializeToString()))
        return ObjectList([self._parse(raw) for raw in found.items], found.resource_version)

    async def write_subresource(self, subresource: str, name: str, body: Message, *, namespace: str = "", verb: str = "update") -> Any:
        """Write a subresource that has no method here (finalize, approval, token, resize ...); returns what its RPC answers."""
        path = self.resource.method(verb, subresource)
        request = wire.write_request(namespace, name, body.SerializeToString(), self._caller.write_options_bytes())
        return self.resource.answer(verb, subresource).FromString(await self._caller.write(path, request))

    async def bind(self, name: str, node: str, *, namespace: str, uid: str = "") -> None:
        """Assign a pod to a node; Conflict if it is assigned already."""
        await self.write_subresource("binding", name, self._binding(name, namespace, node, uid), namespace=namespace, verb="create")

    async def evict(self, name: str, *, namespace: str, grace_period_seconds: int | None = None) -> None:
        """Delete a pod if its disruption budgets allow it; TooManyRequests if they do not (that is not tried again here)."""
        body = self.resource.body("eviction")(metadata=meta_pb2.ObjectMeta(name=name, namespace=namespace))
        if grace_period_seconds is not None:
            body.deleteOptions.gracePeriodSeconds = grace_period_seconds
        request = wire.write_request(namespace, name, body.SerializeToString(), self._caller.write_options_bytes())
        await self._caller.once(self.resource.method("create", "eviction"), request)

    async def get_scale(self, name: str, *, namespace: str) -> Any:
        """Return how many replicas an object wants and has, as an autoscaling/v1 Scale."""
        request = meta_pb2.GetRequest(namespace=namespace, name=name).SerializeToString()
        return self.resource.body("scale").FromString(await self._caller.read(self.resource.method("get", "scale"), request))

    async def update_scale(self, name: str, replicas: int, *, namespace: str, resource_version: str = "") -> Any:
        """Set how many replicas an object wants; returns the Scale."""
        meta = meta_pb2.ObjectMeta(name=name, namespace=namespace, resourceVersion=resource_version)
        scale = self.resource.body("scale")(metadata=meta)
        scale.spec.replicas = replicas
        return await self.write_subresource("scale", name, scale, namespace=namespace)

    def _binding(self, name: str, namespace: str, node: str, uid: str) -> Any:
        body = self.resource.body("binding")(metadata=meta_pb2.ObjectMeta(name=name, namespace=namespace, uid=uid))
        body.target.kind, body.target.name = "Node", node
        return body

    async def _write(self, verb: str, subresource: str, object_: Any, namespace: str, name: str, dry_run: bool, field_manager: str) -> T:
        meta = object_.metadata
        options = self._caller.write_options_bytes(dry_run, field_manager)
        request = wire.write_request(namespace or meta.namespace, name or meta.name, object_.SerializeToString(), options)
        return self._parse(await self._caller.write(self.resource.method(verb, subresource), request))

    def _parse(self, raw: bytes) -> T:
        parsed: T = self.resource.message.FromString(raw)
        return parsed


def delete_options(
    grace_period_seconds: int | None = None, propagation_policy: str = "", uid: str = "", resource_version: str = "", dry_run: bool = False
) -> meta_pb2.DeleteOptions:
    """Write the options of a deletion; what is empty is left out."""
    options = meta_pb2.DeleteOptions(dryRun=["All"] if dry_run else [])
    if grace_period_seconds is not None:
        options.gracePeriodSeconds = grace_period_seconds
    if propagation_policy:
        options.propagationPolicy = propagation_policy
    if uid:
        options.preconditions.uid = uid
    if resource_version:
        options.preconditions.resourceVersion = resource_version
    return options
