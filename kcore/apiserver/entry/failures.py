"""What a client is told of an error, whichever front-end it came through."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from kcore.base import limits, log
from kcore.machinery import status
from kcore.store.storage import StoreError

LOG = log.get("apiserver")


def as_status(error: Exception) -> status.StatusError:
    """The Status of an error; what nobody expected is logged and becomes an InternalError without its text."""
    if isinstance(error, status.StatusError):
        return error
    if isinstance(error, StoreError):
        return store_status(error)
    if isinstance(error, DecodeError):
        return status.bad_request("the request is no message of this method")
    LOG.error("request failed", exc_info=error)
    return status.internal("an internal error occurred; the server's log has it")


def store_status(error: StoreError) -> status.StatusError:
    """The one translation of store errors."""
    if error.kind == "no space":
        return status.failure("TooManyRequests", f"the store is full: {error}", {"retryAfterSeconds": limits.STORE_FULL_RETRY_AFTER_S})
    if error.kind == "busy":
        return status.too_many_requests(f"the disk cannot keep up: {error}")
    if error.kind == "compacted":
        return status.expired(str(error))
    return status.internal(str(error))
