"""StatusError -> gRPC status: the code of the one table, the message, and the Kubernetes Status in the details.

The Status is cut so that the trailer arrives. Source: gRFC A6 for the trailer that says when to come back.
"""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import status_pb2
from grpc_status import rpc_status

from kcore.apiserver.entry.gate import Refused
from kcore.base import limits
from kcore.machinery import codec, status

STATUS_MESSAGE = "kcore.api.meta.v1.Status"
PUSHBACK_KEY = "grpc-retry-pushback-ms"
TYPE_URL = f"type.googleapis.com/{STATUS_MESSAGE}"


def code(error: status.StatusError) -> grpc.StatusCode:
    """The gRPC code of an error."""
    return grpc.StatusCode[error.grpc_code]


def details(error: status.StatusError) -> status_pb2.Status:
    """The google.rpc.Status that holds the Kubernetes Status."""
    cut = status.cut(error.status, limits.RPC_STATUS_BYTES_MAX)
    inner = any_pb2.Any(type_url=TYPE_URL, value=codec.encode(STATUS_MESSAGE, cut))
    return status_pb2.Status(code=code(error).value[0], message=error.message[: limits.RPC_MESSAGE_CHARS_MAX], details=[inner])


def trailer(error: status.StatusError) -> Any:
    """The trailing metadata of an error; with when to come back, for gRPC libraries that repeat calls themselves."""
    found = rpc_status.to_status(details(error)).trailing_metadata
    after_s = (error.status.get("details") or {}).get("retryAfterSeconds", 0)
    if after_s:
        found = (*found, (PUSHBACK_KEY, str(after_s * 1_000)))
    if isinstance(error, Refused):
        found = (*found, *((name.decode(), uid.decode()) for name, uid in error.flow.headers))
    return found
