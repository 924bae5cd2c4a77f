"""BulkService.Write: the items of a request go through the pipeline in order and into one commit.

While a request's commit is being synced the next request is decided already; the number of requests in between is bounded, and the stream
is not read further meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from kcore.api.bulk.v1 import bulk_service_pb2 as pb
from kcore.api.meta.v1 import meta_pb2
from kcore.apiserver.objects import Outcome
from kcore.apiserver.pipeline import Pipeline
from kcore.apiserver.rpc_methods import PROTOBUF, delete_options, write_options
from kcore.base import limits
from kcore.machinery import codec, status
from kcore.machinery.request import Request, User

STATUS_MESSAGE = "kcore.api.meta.v1.Status"
VERBS = frozenset(("create", "update", "patch", "delete"))

Answered = tuple[Any, Outcome | None]


def request_of(item: Any, user: User) -> Request:
    """An item as the pipeline's request."""
    if item.verb not in VERBS:
        raise status.bad_request(f"verb {item.verb!r} cannot be part of a bulk write: it must be one of {', '.join(sorted(VERBS))}")
    request = Request(
        verb=item.verb, group=item.group, version=item.version, resource=item.resource, subresource=item.subresource, user=user
    )
    request.namespace, request.name = item.namespace, item.name
    if item.verb == "delete":
        request.options = delete_options(item.delete_options)
    else:
        request.body, request.content_type = item.object, item.content_type or PROTOBUF
    if item.HasField("options"):
        request.options = {**request.options, **write_options(item.options)}
    return request


class BulkStream:
    """One stream of bulk writes. Thread: the event loop's."""

    def __init__(self, pipeline: Pipeline, user: User) -> None:
        self.pipeline, self.user = pipeline, user

    async def answers(self, requests: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Answer each request once it is durable, in order."""
        decided: asyncio.Queue[Answered | None] = asyncio.Queue()
        places = asyncio.Semaphore(limits.BULK_REQUESTS_UNDER_WAY_MAX)
        reader = asyncio.create_task(self.decide_all(requests, decided, places))
        try:
            while (found := await decided.get()) is not None:
                response, last = found
                if last is not None and last.submission is not None:
                    await last.submission.durable()
                yield response.SerializeToString()
                places.release()
            await reader
        finally:
            reader.cancel()

    async def decide_all(self, requests: AsyncIterator[bytes], decided: asyncio.Queue[Answered | None], places: asyncio.Semaphore) -> None:
        """Read requests and decide them until the client has no more, or one fails as a whole; then put None."""
        try:
            async for data in requests:
                await places.acquire()
                decided.put_nowait(self.decide(data))
        finally:
            decided.put_nowait(None)

    def decide(self, data: bytes) -> Answered:
        """Apply the items of one request; -> the response, and the last write to wait for."""
        request = pb.WriteRequest.FromString(data)
        if len(request.items) > limits.RPC_BULK_ITEMS_MAX:
            raise status.request_entity_too_large(
                f"a bulk write has at most {limits.RPC_BULK_ITEMS_MAX} items, this one {len(request.items)}"
            )
        response = pb.WriteResponse()
        last: Outcome | None = None
        storage = self.pipeline.registry.storage
        chain = self.pipeline.registry.chain
        mark = chain.mark() if request.atomic else None
        with storage.batch() as batch:
            for item in request.items:
                result = response.results.add()
                try:
                    outcome = self.pipeline.write(request_of(item, self.user))
                except status.StatusError as error:
                    result.status.CopyFrom(meta_pb2.Status.FromString(codec.encode(STATUS_MESSAGE, error.status)))
                    if mark is not None:
                        batch.revert()
                        chain.revert(mark)
                        return self.all_failed(request, response, error), None
                    continue
                fill(result, outcome, request.return_objects)
                if outcome.submission is not None:
                    last = outcome
        return response, last

    def all_failed(self, request: Any, response: Any, error: status.StatusError) -> Any:
        """Say of every item of an atomic request that nothing was written."""
        failed = len(response.results) - 1
        answer = pb.WriteResponse()
        for i in range(len(request.items)):
            result = answer.results.add()
            why = error if i == failed else status.failure("Conflict", f"item {failed} of the atomic write failed: {error.message}")
            result.status.CopyFrom(meta_pb2.Status.FromString(codec.encode(STATUS_MESSAGE, why.status)))
        return answer


def fill(result: Any, outcome: Outcome, with_object: bool) -> None:
    """Write an outcome into its result."""
    result.name = outcome.name
    result.uid = outcome.uid
    if outcome.revision:
        result.resource_version = str(outcome.revision)
    if with_object:
        result.object = outcome.raw
