"""Every resource through one service, objects as plain dicts in Kubernetes' JSON form: for whoever knows a kind only by its name.

`kcore apply`, the garbage collector's deletions of custom resources and tests use it; programs that know their kinds use `ResourceClient`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Final, Self

from kcore.api.dynamic.v1 import dynamic_service_pb2 as dynamic_pb2
from kcore.api.meta.v1 import meta_pb2
from kcore.base import limits
from kcore.client.objects import MERGE_PATCH, delete_options
from kcore.client.retry import Caller
from kcore.client.transport import Stream

Object = dict[str, Any]

_SERVICE: Final = "/kcore.api.dynamic.v1.DynamicService/"
_JSON: Final = "application/json"


class DynamicClient:
    """Calls about resources that are named by group, version and plural; the core group is ''."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def resource(self, group: str, version: str, resource: str) -> DynamicResource:
        """Return the calls of one resource."""
        return DynamicResource(self._caller, group, version, resource)


class DynamicResource:
    """The calls of one resource."""

    def __init__(self, caller: Caller, group: str, version: str, resource: str) -> None:
        self._caller = caller
        self._name = (group, version, resource)

    async def create(self, object_: Object, *, namespace: str = "", dry_run: bool = False, field_validation: str = "") -> Object:
        """Create an object and return it as it is stored."""
        return await self._write("Create", object_, namespace, "", dry_run, field_validation)

    async def update(self, object_: Object, *, subresource: str = "", dry_run: bool = False, field_validation: str = "") -> Object:
        """Replace an object, or a subresource of it."""
        return await self._write("Update", object_, "", subresource, dry_run, field_validation)

    async def get(self, name: str, *, namespace: str = "", subresource: str = "") -> Object:
        """Return an object, or a subresource of it."""
        inner = meta_pb2.GetRequest(namespace=namespace, name=name)
        request = dynamic_pb2.GetRequest(resource=self._resource(subresource), get=inner, accept=_JSON)
        return _json(await self._caller.read(_SERVICE + "Get", request.SerializeToString()))

    async def list(self, *, namespace: str = "", label_selector: str = "", field_selector: str = "") -> Object:
        """Return a list object with all that match."""
        found: Object = {}
        items: list[Object] = []
        token = ""
        for _ in range(limits.LIST_PAGES_MAX):
            inner = meta_pb2.ListRequest(
                namespace=namespace, label_selector=label_selector, field_selector=field_selector, continue_token=token
            )
            request = dynamic_pb2.ListRequest(resource=self._resource(), list=inner, accept=_JSON)
            found = _json(await self._caller.read(_SERVICE + "List", request.SerializeToString()))
            items += found.get("items") or []
            token = found["metadata"].pop("continue", "")
            if not token:
                break
        return found | {"items": items}

    def watch(
        self, *, namespace: str = "", label_selector: str = "", field_selector: str = "", resource_version: str = ""
    ) -> DynamicWatch:
        """Open a watch that gives (type, object)."""
        inner = meta_pb2.WatchRequest(
            namespace=namespace, label_selector=label_selector, field_selector=field_selector, resource_version=resource_version
        )
        request = dynamic_pb2.WatchRequest(resource=self._resource(), watch=inner, accept=_JSON)
        return DynamicWatch(self._caller.transport.stream(_SERVICE + "Watch", request.SerializeToString()))

    async def patch(
        self, name: str, patch: Object | bytes, *, namespace: str = "", content_type: str = MERGE_PATCH, subresource: str = ""
    ) -> Object:
        """Change an object by a patch and return it as it is stored."""
        inner = meta_pb2.PatchRequest(
            namespace=namespace,
            name=name,
            patch=patch if isinstance(patch, bytes) else json.dumps(patch).encode(),
            content_type=content_type,
            subresource=subresource,
            options=self._caller.write_options(),
        )
        request = dynamic_pb2.PatchRequest(resource=self._resource(subresource), patch=inner, accept=_JSON)
        return _json(await self._caller.write(_SERVICE + "Patch", request.SerializeToString()))

    async def delete(self, name: str, *, namespace: str = "", **options: Any) -> Object:
        """Delete an object; takes the options of `ResourceClient.delete`."""
        inner = meta_pb2.DeleteRequest(namespace=namespace, name=name, options=delete_options(**options))
        request = dynamic_pb2.DeleteRequest(resource=self._resource(), delete=inner, accept=_JSON)
        return _json(await self._caller.write(_SERVICE + "Delete", request.SerializeToString()))

    def _resource(self, subresource: str = "") -> dynamic_pb2.Resource:
        group, version, resource = self._name
        return dynamic_pb2.Resource(group=group, version=version, resource=resource, subresource=subresource)

    async def _write(self, method: str, object_: Object, namespace: str, subresource: str, dry_run: bool, field_validation: str) -> Object:
        meta = object_.get("metadata") or {}
        options = meta_pb2.WriteOptions(
            dry_run=["All"] if dry_run else [], field_manager=self._caller.field_manager, field_validation=field_validation
        )
        request = dynamic_pb2.WriteRequest(
            resource=self._resource(subresource),
            namespace=namespace or meta.get("namespace", ""),
            name=meta.get("name", ""),
            object=dynamic_pb2.Object(content_type=_JSON, data=json.dumps(object_).encode()),
            options=options,
            accept=_JSON,
        )
        return _json(await self._caller.write(_SERVICE + method, request.SerializeToString()))


class DynamicWatch:
    """Changes one by one, as (type, object)."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[tuple[str, Object]]:
        while (response := await self._stream.read()) is not None:
            for event in dynamic_pb2.WatchResponse.FromString(response).events:
                yield event.type, json.loads(event.object.data)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.cancel()


def _json(answer: bytes) -> Object:
    found: Object = json.loads(dynamic_pb2.Object.FromString(answer).data)
    return found
