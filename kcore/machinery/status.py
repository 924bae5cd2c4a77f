"""The metav1 Status that answers a request which failed, and the one table of its codes.

`StatusError` is what everything above the store raises; a front-end writes `error.status` as it is. The constructors below are the only
place where the sentences that clients match on are written.

Source: Kubernetes apimachinery `pkg/api/errors`, DESIGN D2 for the gRPC codes.
"""
from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from kcore.base import limits
from kcore.machinery.field_error import FieldError, quote
from kcore.machinery.field_error import invalid as invalid_field


class Codes(NamedTuple):
    """The HTTP status and the name of the gRPC code of a reason."""

    http: int
    grpc: str


REASONS: Final[dict[str, Codes]] = {
    "": Codes(500, "INTERNAL"),
    "BadRequest": Codes(400, "INVALID_ARGUMENT"),
    "Unauthorized": Codes(401, "UNAUTHENTICATED"),
    "Forbidden": Codes(403, "PERMISSION_DENIED"),
    "NotFound": Codes(404, "NOT_FOUND"),
    "MethodNotAllowed": Codes(405, "UNIMPLEMENTED"),
    "NotAcceptable": Codes(406, "INVALID_ARGUMENT"),
    "AlreadyExists": Codes(409, "ALREADY_EXISTS"),
    "Conflict": Codes(409, "ABORTED"),
    "Gone": Codes(410, "OUT_OF_RANGE"),
    "Expired": Codes(410, "OUT_OF_RANGE"),
    "RequestEntityTooLarge": Codes(413, "RESOURCE_EXHAUSTED"),
    "UnsupportedMediaType": Codes(415, "INVALID_ARGUMENT"),
    "Invalid": Codes(422, "INVALID_ARGUMENT"),
    "TooManyRequests": Codes(429, "RESOURCE_EXHAUSTED"),
    "InternalError": Codes(500, "INTERNAL"),
    "ServerTimeout": Codes(500, "DEADLINE_EXCEEDED"),
    "ServiceUnavailable": Codes(503, "UNAVAILABLE"),
    "Timeout": Codes(504, "DEADLINE_EXCEEDED"),
}

MODIFIED: Final = "the object has been modified; please apply your changes to the latest version and try again"


class StatusError(Exception):
    """A request's failure as a metav1 Status.

    status    the Status as it is sent
    code      its HTTP code
    warnings  what to warn the client of all the same
    """

    def __init__(self, status: dict[str, Any]) -> None:
        super().__init__(status.get("message", ""))
        self.status = status
        self.code: int = status["code"]
        self.warnings: list[str] = []

    @property
    def reason(self) -> str:
        reason: str = self.status.get("reason", "")
        return reason

    @property
    def message(self) -> str:
        message: str = self.status.get("message", "")
        return message

    @property
    def grpc_code(self) -> str:
        """The name of the gRPC code; a reason of a later version or of a webhook is judged by its HTTP code."""
        codes = REASONS.get(self.reason)
        if codes is not None and (self.reason or self.code == codes.http):
            return codes.grpc
        return grpc_code_of_http(self.code)


def grpc_code_of_http(code: int) -> str:
    """Name the gRPC code of an HTTP code that comes without a known reason."""
    return next((codes.grpc for reason, codes in REASONS.items() if reason and codes.http == code), "INTERNAL")


def qualified(resource: str, group: str) -> str:
    """Write a resource or kind with its group: `deployments.apps`, `pods`."""
    return f"{resource}.{group}" if group else resource


def failure(reason: str, message: str, details: dict[str, Any] | None = None, code: int = 0) -> StatusError:
    """Build a failure of a known reason; `code` replaces the HTTP code of the table."""
    status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    if message:
        status["message"] = message
    if reason:
        status["reason"] = reason
    if details is not None:
        status["details"] = details
    status["code"] = code or REASONS[reason].http
    return StatusError(status)


def success(resource: str, group: str, name: str, uid: str = "") -> dict[str, Any]:
    """Build the Status that answers a deletion which is done."""
    details = _details(resource, group, name)
    if uid:
        details["uid"] = uid
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def not_found(resource: str, group: str, name: str) -> StatusError:
    """No such object."""
    return failure("NotFound", f"{qualified(resource, group)} {quote(name)} not found", _details(resource, group, name))


def no_such_resource() -> StatusError:
    """The path leads nowhere."""
    return failure("NotFound", "the server could not find the requested resource", {})


def already_exists(resource: str, group: str, name: str) -> StatusError:
    """An object of that name is there."""
    return failure("AlreadyExists", f"{qualified(resource, group)} {quote(name)} already exists", _details(resource, group, name))


def generate_name_conflict(resource: str, group: str, name: str, retry_after_s: int = 1) -> StatusError:
    """Every name that was generated is taken."""
    taken = already_exists(resource, group, name).message
    sentence = f"{taken}, the server was not able to generate a unique name for the object"
    return failure("AlreadyExists", sentence, _details(resource, group, name) | {"retryAfterSeconds": retry_after_s})


def conflict(resource: str, group: str, name: str, detail: str = MODIFIED) -> StatusError:
    """A write rests on a state that is gone."""
    sentence = f"Operation cannot be fulfilled on {qualified(resource, group)} {quote(name)}: {detail}"
    return failure("Conflict", sentence, _details(resource, group, name))


def precondition_failed(resource: str, group: str, name: str, what: str, wanted: str, found: str, key: str = "") -> StatusError:
    """A precondition of an update on `what` (UID or ResourceVersion) does not hold; `key` is that of the store, as Kubernetes shows it."""
    detail = f"Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}"
    if key:
        detail = f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: {detail}"
    return conflict(resource, group, name, detail)


def deletion_precondition_failed(kind: str, group: str, name: str, what: str, wanted: str, found: str) -> StatusError:
    """A precondition of a deletion on `what` (UID or ResourceVersion) does not hold; the answer names the kind, not the resource."""
    cause = "deleted and then recreated" if what == "UID" else "modified"
    mismatch = f"the {what} in the precondition ({wanted}) does not match the {what} in record ({found})"
    return conflict(kind, group, name, f"{mismatch}. The object might have been {cause}")


def blind_update(resource: str, group: str, name: str) -> StatusError:
    """An update without resourceVersion of a kind that takes none; the answer names the resource where others name the kind."""
    return invalid(group, resource, name, [invalid_field("metadata.resourceVersion", 0, "must be specified for an update")])


def apply_conflict(causes: Sequence[dict[str, str]], message: str) -> StatusError:
    """Other managers own fields that an apply wants to change."""
    return failure("Conflict", message, {"causes": list(causes)})


def invalid(group: str, kind: str, name: str, errors: Sequence[FieldError]) -> StatusError:
    """The object breaks rules; each error is a cause, equal ones are said once, and no more than anybody reads."""
    every = list({(error.field, error.body): error for error in errors}.values())
    distinct = every[: limits.ERRORS_SHOWN_MAX]
    messages = [error.message() for error in distinct]
    if len(every) > len(distinct):
        messages.append(f"and {len(every) - len(distinct)} more")
    text = messages[0] if len(messages) == 1 else f"[{', '.join(messages)}]"
    details = _details(kind, group, name)
    details["causes"] = [{"reason": error.reason, "message": error.body, "field": error.field} for error in distinct]
    return failure("Invalid", f"{qualified(kind, group)} {quote(name)} is invalid: {text}", details)


def unprocessable() -> StatusError:
    """The request as a whole cannot be carried out (a JSON patch whose test or path fails)."""
    return failure("Invalid", "the server rejected our request due to an error in our request", {})


def bad_request(message: str) -> StatusError:
    """The request makes no sense."""
    return failure("BadRequest", message)


def unauthorized(message: str = "Unauthorized") -> StatusError:
    """Nobody vouches for the caller."""
    return failure("Unauthorized", message)


def forbidden(resource: str, group: str, name: str, detail: str) -> StatusError:
    """The user, or an admission rule, does not allow it; without resource a path is refused."""
    subject = qualified(resource, group)
    if not subject:
        message = f"forbidden: {detail}"
    elif not name:
        message = f"{subject} is forbidden: {detail}"
    else:
        message = f"{subject} {quote(name)} is forbidden: {detail}"
    return failure("Forbidden", message, _details(resource, group, name))


def namespace_terminating(resource: str, group: str, name: str, namespace: str) -> StatusError:
    """Nothing is created in a namespace that is going away."""
    gone = f"namespace {namespace} is being terminated"
    error = forbidden(resource, group, name, f"unable to create new content in namespace {namespace} because it is being terminated")
    error.status["details"]["causes"] = [{"reason": "NamespaceTerminating", "message": gone, "field": "metadata.namespace"}]
    return error


def method_not_allowed() -> StatusError:
    """The path has no such HTTP method."""
    return failure("MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def method_not_supported(resource: str, group: str, action: str) -> StatusError:
    """The resource knows no such verb."""
    message = f'{action} is not supported on resources of kind "{qualified(resource, group)}"'
    return failure("MethodNotAllowed", message, _details(resource, group, ""))


def not_acceptable(media_types: Sequence[str]) -> StatusError:
    """The answer cannot have the form that is asked for."""
    return failure("NotAcceptable", f"only the following media types are accepted: {', '.join(media_types)}")


def unsupported_media_type(media_types: Sequence[str]) -> StatusError:
    """The body is in no form that is read here."""
    sentence = "the body of the request was in an unknown format - accepted media types include: "
    return failure("UnsupportedMediaType", sentence + ", ".join(media_types))


def request_entity_too_large(detail: str) -> StatusError:
    """The request, or a list in it, is too large."""
    return failure("RequestEntityTooLarge", f"Request entity too large: {detail}")


def body_too_large(limit_bytes: int) -> StatusError:
    """The body is longer than the server reads."""
    return request_entity_too_large(f"limit is {limit_bytes}")


def expired(message: str) -> StatusError:
    """History that a list, a continuation or a watch needs is compacted."""
    return failure("Expired", message)


def too_old_resource_version(resource_version: int, floor: int) -> StatusError:
    """A watch wants to start before the floor of history."""
    return expired(f"too old resource version: {resource_version} ({floor})")


def gone(message: str) -> StatusError:
    """What the request stands on is gone for good."""
    return failure("Gone", message)


def too_many_requests(message: str, retry_after_s: int = 1, causes: Sequence[dict[str, str]] = ()) -> StatusError:
    """The server, or a disruption budget (with its cause), asks to try later."""
    details: dict[str, Any] = {"causes": list(causes)} if causes else {}
    if retry_after_s:
        details["retryAfterSeconds"] = retry_after_s
    return failure("TooManyRequests", message, details)


def timeout(message: str, retry_after_s: int = 0) -> StatusError:
    """The server gave up waiting."""
    return failure("Timeout", f"Timeout: {message}", {"retryAfterSeconds": retry_after_s} if retry_after_s else {})


def too_large_resource_version(wanted: int, newest: int, retry_after_s: int = 1) -> StatusError:
    """A list or watch asks for a revision that has not happened."""
    error = timeout(f"Too large resource version: {wanted}, current: {newest}")
    error.status["details"] = {
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": retry_after_s,
    }
    return error


def server_timeout(resource: str, group: str, operation: str, retry_after_s: int) -> StatusError:
    """The store did not answer in time."""
    sentence = f"The {operation} operation against {qualified(resource, group)} could not be completed at this time, please try again."
    return failure("ServerTimeout", sentence, _details(resource, group, "") | {"retryAfterSeconds": retry_after_s})


def service_unavailable(message: str) -> StatusError:
    """The server, or a part that it needs, cannot serve now."""
    return failure("ServiceUnavailable", message)


def internal(message: str) -> StatusError:
    """The server is at fault."""
    return failure("InternalError", f"Internal error occurred: {message}", {"causes": [{"message": message}]})


def unknown(message: str) -> StatusError:
    """A failure that Kubernetes answers with 500 and no reason."""
    return failure("", message)


def cut(status: dict[str, Any], max_bytes: int) -> dict[str, Any]:
    """Shorten a Status until its JSON form is at most `max_bytes` (its protobuf form is smaller).

    Causes go first: the last one then says how many are missing; what is still too long loses the end of its message.
    Returns the Status itself when it fits
    """
    if _size(status) <= max_bytes:
        return status
    details = dict(status.get("details", {}))
    causes = details.get("causes", [])
    short = dict(status) | ({"details": details} if "details" in status else {})
    short["message"] = _head(status.get("message", ""), max_bytes // 3)
    if causes:
        kept = _causes_that_fit(causes, max_bytes - _size(short | {"details": details | {"causes": []}}) - 64)
        more = len(causes) - len(kept)
        details["causes"] = kept + ([{"message": f"and {more} more"}] if more else [])
    return short


def _causes_that_fit(causes: Sequence[dict[str, str]], room_bytes: int) -> list[dict[str, str]]:
    kept: list[dict[str, str]] = []
    for cause in causes:
        room_bytes -= _size(cause) + 1
        if room_bytes < 0:
            break
        kept.append(cause)
    return kept


def _head(text: str, size_max: int) -> str:
    data = text.encode()
    return text if len(data) <= size_max else data[: size_max - 3].decode(errors="ignore") + "..."


def _size(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def _details(kind: str, group: str, name: str) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    if kind:
        details["kind"] = kind
    return details
