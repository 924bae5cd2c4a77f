"""A failed call as a `StatusError`: the one place where a client translates.

The server's own Status comes in the trailing metadata (`google.rpc.Status`, whose details hold a metav1 Status). Without it, as when the
connection broke or a proxy answered, the gRPC code decides.
"""

from __future__ import annotations

from typing import Any, Final

from google.rpc import status_pb2

from kcore.api.meta.v1 import meta_pb2
from kcore.machinery import status
from kcore.machinery.status import StatusError

DETAILS_KEY: Final = "grpc-status-details-bin"
PUSHBACK_KEY: Final = "grpc-retry-pushback-ms"
"""When to come back, for those who do not read the details; below 0: never. Source: gRFC A6."""

UNSURE_REASONS: Final = frozenset(("Timeout", "ServerTimeout", "ServiceUnavailable", "InternalError", ""))
"""Reasons of failures after which a write may have happened all the same."""

_REASONS: Final = {
    "INVALID_ARGUMENT": "BadRequest",
    "FAILED_PRECONDITION": "Conflict",
    "NOT_FOUND": "NotFound",
    "ALREADY_EXISTS": "AlreadyExists",
    "ABORTED": "Conflict",
    "OUT_OF_RANGE": "Expired",
    "PERMISSION_DENIED": "Forbidden",
    "UNAUTHENTICATED": "Unauthorized",
    "RESOURCE_EXHAUSTED": "TooManyRequests",
    "UNIMPLEMENTED": "MethodNotAllowed",
    "DEADLINE_EXCEEDED": "Timeout",
    "UNAVAILABLE": "ServiceUnavailable",
    "CANCELLED": "ServiceUnavailable",
}


def from_call(code: str, message: str, details: bytes | None, pushback_ms: str = "") -> StatusError:
    """Translate the end of a gRPC call.

    code         the name of the gRPC code
    details      the bytes of `grpc-status-details-bin`, if the server sent them
    pushback_ms  `grpc-retry-pushback-ms`, which a proxy between may send as well; it counts if there are no details
    """
    found = _own_status(details) if details else None
    if found is not None:
        return from_message(found)
    after_s = -(-int(pushback_ms) // 1_000) if pushback_ms.isdecimal() else 0
    return status.failure(_REASONS.get(code, "InternalError"), message, {"retryAfterSeconds": after_s} if after_s else None)


def from_message(message: meta_pb2.Status) -> StatusError:
    """Translate a metav1 Status that says Failure."""
    return StatusError(to_dict(message))


def to_dict(message: meta_pb2.Status) -> dict[str, Any]:
    """Return the JSON form of a metav1 Status."""
    found: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}}
    for name in ("status", "message", "reason"):
        if value := getattr(message, name):
            found[name] = value
    if message.HasField("details"):
        found["details"] = _details(message.details)
    found["code"] = message.code or status.REASONS.get(message.reason, status.REASONS[""]).http
    return found


def to_message(error: StatusError) -> meta_pb2.Status:
    """Return the message of a failure, for those who play the server."""
    source = error.status
    message = meta_pb2.Status(status="Failure", message=error.message, reason=error.reason, code=error.code)
    if "details" in source:
        details = source["details"]
        message.details.SetInParent()
        for name in ("name", "group", "kind", "uid", "retryAfterSeconds"):
            if name in details:
                setattr(message.details, name, details[name])
        for cause in details.get("causes", ()):
            message.details.causes.add(**cause)
    return message


def retry_after_s(error: StatusError) -> float:
    """Return how long the server asks to wait; 0 if it does not."""
    return float((error.status.get("details") or {}).get("retryAfterSeconds", 0))


def _own_status(details: bytes) -> meta_pb2.Status | None:
    wanted = meta_pb2.Status.DESCRIPTOR.full_name
    for detail in status_pb2.Status.FromString(details).details:
        if detail.type_url.rpartition("/")[2] == wanted:
            return meta_pb2.Status.FromString(detail.value)
    return None


def _details(message: meta_pb2.StatusDetails) -> dict[str, Any]:
    details: dict[str, Any] = {}
    for name in ("name", "group", "kind", "uid"):
        if value := getattr(message, name):
            details[name] = value
    if message.causes:
        details["causes"] = [_cause(cause) for cause in message.causes]
    if message.retryAfterSeconds:
        details["retryAfterSeconds"] = message.retryAfterSeconds
    return details


def _cause(message: meta_pb2.StatusCause) -> dict[str, str]:
    return {name: value for name in ("reason", "message", "field") if (value := getattr(message, name))}
