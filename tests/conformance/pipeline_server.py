"""The REST requests of the recordings against the pipeline in this process: a path becomes a Request, an Outcome becomes an answer.

A stand-in for the REST front-end where only objects matter; `replay.Run` compares, as it does against a server.
"""

from __future__ import annotations

import asyncio
import json
import urllib.parse

from kcore.apiserver import strategy
from kcore.apiserver.objects import Outcome
from kcore.apiserver.pipeline import Pipeline
from kcore.machinery import status
from kcore.machinery.request import Request, User, manager_of
from kcore.machinery.route import parse_query, route
from tests.conformance.replay import USER_AGENT, Response, Server

ADMIN = User("admin", "1", ("system:masters", "system:authenticated"))


class PipelineServer(Server):
    """A `replay.Server` whose requests end in a pipeline."""

    def __init__(self, pipeline: Pipeline, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__("http://pipeline", "token")
        self.pipeline, self.loop = pipeline, loop

    def request(
        self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes | None = None, who: str = "admin"
    ) -> Response:
        """Answer one request."""
        self.deprecation: list[str] = []
        split = urllib.parse.urlsplit(target)
        try:
            request = route(method, split.path, parse_query(split.query), self.pipeline.scheme.resources)
            if request is None:
                raise status.no_such_resource()
            self.deprecation = self.pipeline.deprecation(self.pipeline.resolve(request))
            request.user, request.body, request.content_type = ADMIN, body, (headers or {}).get("Content-Type") or ""
            request.manager = manager_of(USER_AGENT)
            return self.loop.run_until_complete(self.answer(request))
        except status.StatusError as error:
            return json_response(error.code, error.status, self.deprecation + error.warnings)

    async def answer(self, request: Request) -> Response:
        """Carry out a request that a path led to."""
        if request.verb == "list":
            spec = self.pipeline.resolve(request)
            raw = await self.pipeline.reads.list_raw(spec, request.namespace, request.options, 1 << 30, False)
            return json_response(200, Outcome(spec.list_message, spec.api_version, f"{spec.kind}List", raw).obj(), self.deprecation)
        if request.verb == "get":
            return json_response(200, self.pipeline.read(request)[1].obj(), self.deprecation)
        outcome = self.pipeline.write(request)
        if outcome.submission is not None:
            await outcome.submission.durable()
        if outcome.removed and request.verb == "delete" and request.resource not in strategy.RETURNS_DELETED:
            return json_response(200, status.success(request.resource, request.group, outcome.name, outcome.uid), outcome.all_warnings())
        return json_response(201 if outcome.created else 200, outcome.obj(), outcome.all_warnings())


def json_response(code: int, value: object, warnings: list[str] | None = None) -> Response:
    """An answer as it would come over HTTP."""
    headers = {"content-type": ["application/json"]}
    if isinstance(value, dict) and (retry := (value.get("details") or {}).get("retryAfterSeconds")):
        headers["retry-after"] = [str(retry)]
    if warnings:
        headers["warning"] = ["299 - " + json.dumps(warning, ensure_ascii=False) for warning in warnings]
    return Response(code, headers, json.dumps(value).encode())
