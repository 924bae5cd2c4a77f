"""The gRPC methods of all kinds, and what each asks of the pipeline; read from the services' method options.

Every typed request is one of a few shapes that all kinds share, so a method is a shape and a KindSpec, and no message class of a kind is
imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from kcore.api.meta.v1 import meta_pb2
from kcore.api.options.v1 import options_pb2
from kcore.machinery.request import Request, User
from kcore.machinery.scheme import KindSpec, Scheme

PROTOBUF = "application/vnd.kubernetes.protobuf"


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a kind's service. `path` is `/kcore.api.core.v1.PodService/Create`."""

    path: str
    spec: KindSpec
    verb: str
    subresource: str
    streaming: bool
    request: str


def methods(scheme: Scheme) -> Iterator[Method]:
    """All methods of all kinds that are served."""
    by_service = {spec.service: spec for spec in scheme.served()}
    for file in scheme.files.file:
        for service in file.service:
            full = f"{file.package}.{service.name}"
            if (spec := by_service.get(full)) is None:
                continue
            for method in service.method:
                options: Any = method.options
                rule = options.Extensions[options_pb2.method]
                yield Method(
                    f"/{full}/{method.name}",
                    spec,
                    rule.verb,
                    rule.subresource,
                    method.server_streaming,
                    method.input_type.rpartition(".")[2],
                )


def write_options(options: Any) -> dict[str, Any]:
    """WriteOptions as the pipeline's options."""
    found: dict[str, Any] = {}
    if options.dry_run:
        found["dryRun"] = list(options.dry_run)
    if options.field_manager:
        found["fieldManager"] = options.field_manager
    if options.field_validation:
        found["fieldValidation"] = options.field_validation
    return found


def patch_options(message: Any) -> dict[str, Any]:
    """The options of a PatchRequest."""
    return write_options(message.options) | ({"force": True} if message.force else {})


def delete_options(options: Any) -> dict[str, Any]:
    """DeleteOptions as the dict that a REST body would be."""
    found: dict[str, Any] = {}
    if options.HasField("gracePeriodSeconds"):
        found["gracePeriodSeconds"] = options.gracePeriodSeconds
    if options.HasField("preconditions"):
        wanted = options.preconditions
        found["preconditions"] = {name: getattr(wanted, name) for name in ("uid", "resourceVersion") if wanted.HasField(name)}
    if options.HasField("orphanDependents"):
        found["orphanDependents"] = options.orphanDependents
    if options.HasField("propagationPolicy"):
        found["propagationPolicy"] = options.propagationPolicy
    if options.dryRun:
        found["dryRun"] = list(options.dryRun)
    return found


def selection(message: Any) -> dict[str, Any]:
    """The selectors of a list, watch or collection request."""
    return {name: value for name, value in (("labelSelector", message.label_selector), ("fieldSelector", message.field_selector)) if value}


def list_options(message: Any) -> dict[str, Any]:
    """The options of a ListRequest."""
    found = selection(message)
    if message.limit:
        found["limit"] = message.limit
    if message.continue_token:
        found["continue"] = message.continue_token
    for name, value in (("resourceVersion", message.resource_version), ("resourceVersionMatch", message.resource_version_match)):
        if value:
            found[name] = value
    return found


def watch_options(message: Any) -> dict[str, Any]:
    """The options of a WatchRequest."""
    found = selection(message)
    for name, value in (("resourceVersion", message.resource_version), ("resourceVersionMatch", message.resource_version_match)):
        if value:
            found[name] = value
    if message.allow_bookmarks:
        found["allowWatchBookmarks"] = True
    if message.send_initial_events:
        found["sendInitialEvents"] = True
    if message.timeout_seconds:
        found["timeoutSeconds"] = message.timeout_seconds
    return found


def read(message_class: Any, data: bytes) -> Any:
    """Read a message. Raises DecodeError, also for a string that is no UTF-8, which protobuf would hand out as bytes."""
    message = message_class.FromString(data)
    if not data.isascii():
        check_strings(message)
    return message


def check_strings(message: Any) -> None:
    """Refuse a message with a string that is none; those of proto3 (Struct) have been checked already. Raises DecodeError."""
    for field, found in message.ListFields():
        values = found if field.is_repeated else (found,)
        if field.type == field.TYPE_STRING:
            if any(isinstance(value, bytes) for value in values):
                raise DecodeError(f"{field.name} is not UTF-8")
        elif field.type == field.TYPE_MESSAGE and field.message_type.file.package.startswith("kcore."):
            for value in values:
                check_strings(value)


def parse(method: Method, data: bytes, user: User) -> tuple[Request, Any]:
    """Read a typed request; -> the pipeline's request, and the message for what only gRPC knows (page bytes, metadata only)."""
    spec = method.spec
    request = Request(
        verb=method.verb, group=spec.group, version=spec.version, resource=spec.resource, subresource=method.subresource, user=user
    )
    message: Any
    if method.verb in ("create", "update"):
        message = read(meta_pb2.RawWriteRequest, data)
        request.name, request.body, request.content_type = message.name, message.object, PROTOBUF
        request.options = write_options(message.options) if message.HasField("options") else {}
    elif method.verb == "get":
        message = read(meta_pb2.GetRequest, data)
        request.name = message.name
    elif method.verb == "list":
        message = read(meta_pb2.ListRequest, data)
        request.options = list_options(message)
    elif method.verb == "watch":
        message = read(meta_pb2.WatchRequest, data)
        request.options = watch_options(message)
    elif method.verb == "patch":
        message = read(meta_pb2.PatchRequest, data)
        request.name, request.subresource, request.body, request.content_type = (
            message.name,
            message.subresource,
            message.patch,
            message.content_type,
        )
        request.options = patch_options(message)
    elif method.verb == "delete":
        message = read(meta_pb2.DeleteRequest, data)
        request.name, request.options = message.name, delete_options(message.options)
    else:
        message = read(meta_pb2.DeleteCollectionRequest, data)
        request.options = selection(message) | delete_options(message.options)
    request.namespace = message.namespace
    return request, message
