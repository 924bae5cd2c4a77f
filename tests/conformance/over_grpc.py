"""Recorded requests as calls of DynamicService: what `replay.py` sends over HTTP goes through the other front door.

Not every recording can: `adapted` says which are about objects alone, and takes out of these what only HTTP answers.
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import grpc
from google.rpc import status_pb2

from kcore.api.dynamic.v1 import dynamic_service_pb2 as dynamic
from kcore.api.meta.v1 import meta_pb2
from kcore.machinery import codec, scheme, status
from kcore.machinery.field_error import quote
from kcore.machinery.request import Request, manager_of
from kcore.machinery.route import route
from tests.conformance.replay import USER_AGENT, Response, Server

SERVICE: Final = "/kcore.api.dynamic.v1.DynamicService/"
STATUS: Final = "kcore.api.meta.v1.Status"
METHODS: Final = ("POST", "PUT", "PATCH", "GET", "DELETE")
OPTIONS: Final = {"dryRun", "fieldManager", "fieldValidation", "force"}
SUCCESS: Final = {"create": 201}
JSON: Final = {"content-type": ["application/json"]}
STATUS_BYTES_MAX: Final = 3_000
"""Of the text of a recorded Status: a longer one is cut over gRPC."""

Json = dict[str, Any]


def adapted(scenario: Json) -> Json | None:
    """A scenario as it can be played over gRPC; None if it is about HTTP."""
    steps = [step for each in scenario["steps"] if (step := _adapted_step(each)) is not None]
    return {**scenario, "steps": steps} if len(steps) == len(scenario["steps"]) else None


def _adapted_step(step: Json) -> Json | None:
    expected = step.get("expect") or {}
    body, headers, query = expected.get("body"), step.get("headers") or {}, step.get("query") or {}
    if step["method"] not in METHODS or not isinstance(body, dict) or "as" in step or set(headers) - {"Content-Type"}:
        return None
    is_list = step["method"] in ("GET", "DELETE") and body.get("kind", "").endswith("List")
    is_cut = body.get("kind") == "Status" and len(json.dumps(body)) > STATUS_BYTES_MAX
    if set(query) - OPTIONS or is_list or is_cut or "/watch/" in step["path"]:
        return None
    code = expected["status"]
    if code == 406 or (code >= 400 and expected.get("headers")) or (step["method"] == "DELETE" and "body_text" in step):
        return None
    if step["method"] == "DELETE" and body.get("kind") == "Status" and code == 200:
        return {**step, "ignore": ["*"], "expect": {**expected, "body": {}}}
    if code == 201 and step["method"] != "POST":  # gRPC does not say that an object is new; in a namespace it goes with that
        return {**step, "expect": {**expected, "status": 200}} if "/namespaces/" in step["path"] else None
    return step


class OverGrpc(Server):
    """A server that is asked over gRPC."""

    def __init__(self, address: str, token: str, ca: bytes) -> None:
        super().__init__(f"https://{address}", token)
        self.channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(ca))
        self.resources = scheme.load().resources

    def request(
        self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes | None = None, who: str = "admin"
    ) -> Response:
        """Send what a request over HTTP says; -> the answer as HTTP would carry it."""
        parts = urlsplit(target)
        try:
            asked = route(method, parts.path, parse_qs(parts.query, keep_blank_values=True), self.resources)
            assert asked is not None, target
            asked.body, asked.content_type = body, (headers or {}).get("Content-Type", "application/json")
            name, message = call_of(asked)
            answer = dynamic.Object.FromString(self.channel.unary_unary(SERVICE + name)(
                message.SerializeToString(), metadata=[("authorization", f"Bearer {self.bearer(who)}")]
            ))
        except status.StatusError as error:
            return Response(error.code, JSON, json.dumps(error.status).encode())
        except grpc.RpcError as error:
            told = told_by(error)
            return Response(told.get("code", 500), JSON, json.dumps(told).encode())
        warnings = [f"299 - {quote(sentence)}" for sentence in dict.fromkeys(answer.warnings)]
        return Response(SUCCESS.get(asked.verb, 200), JSON | ({"warning": warnings} if warnings else {}), answer.data)


def call_of(asked: Request) -> tuple[str, Any]:
    """The method and the message that ask for the same."""
    where = dynamic.Resource(group=asked.group, version=asked.version, resource=asked.resource, subresource=asked.subresource)
    place = {"namespace": asked.namespace, "name": asked.name}
    if asked.verb == "get":
        return "Get", dynamic.GetRequest(resource=where, get=place)
    manager = asked.options.get("fieldManager") or ("" if "apply" in asked.content_type else manager_of(USER_AGENT))
    options = meta_pb2.WriteOptions(
        dry_run=asked.options.get("dryRun"), field_validation=asked.options.get("fieldValidation"), field_manager=manager
    )
    if asked.verb in ("create", "update"):
        sent = {"content_type": asked.content_type, "data": asked.body}
        message = dynamic.WriteRequest(resource=where, object=sent, options=options, accept="application/json", **place)
        return asked.verb.capitalize(), message
    if asked.verb == "patch":
        patch = {"patch": asked.body, "content_type": asked.content_type, "options": options, "force": asked.options.get("force"), **place}
        return "Patch", dynamic.PatchRequest(resource=where, patch=patch)
    given = json.loads(asked.body) if asked.body else {}
    how = meta_pb2.DeleteOptions.FromString(codec.encode("kcore.api.meta.v1.DeleteOptions", {**asked.options, **given}))
    selected = {"options": how, "namespace": asked.namespace}
    if asked.verb == "deletecollection":
        return "DeleteCollection", dynamic.DeleteCollectionRequest(resource=where, delete_collection=selected)
    return "Delete", dynamic.DeleteRequest(resource=where, delete={**selected, "name": asked.name})


def told_by(error: grpc.RpcError) -> Json:
    """The Status of a call that failed."""
    for key, value in error.trailing_metadata():
        if key == "grpc-status-details-bin":
            return codec.decode(STATUS, status_pb2.Status.FromString(value).details[0].value, "v1", "Status")
    return {"code": 500, "message": f"{error.code()}: {error.details()}"}
