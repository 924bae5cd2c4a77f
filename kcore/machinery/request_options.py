"""Options of an operation (CreateOptions, ListOptions ...): read from a query, and checked.

Source: Kubernetes apimachinery `pkg/apis/meta/v1/validation`, `pkg/apis/meta/internalversion/validation`, `pkg/runtime/conversion.go`.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import request as requests
from kcore.machinery import status
from kcore.machinery.field_error import FieldError
from kcore.machinery.quantity import parse_int64

GROUP: Final = "meta.k8s.io"
APPLY_PATCHES: Final = ("application/apply-patch+yaml", "application/apply-patch+cbor")

EXACT: Final = "Exact"
NOT_OLDER_THAN: Final = "NotOlderThan"

_STRINGS: Final = frozenset((
    "fieldManager", "fieldValidation", "labelSelector", "fieldSelector", "resourceVersion", "resourceVersionMatch", "continue",
    "propagationPolicy", "shardSelector",
))
_BOOLS: Final = frozenset((
    "watch", "allowWatchBookmarks", "sendInitialEvents", "force", "orphanDependents", "ignoreStoreReadErrorWithClusterBreakingPotential",
))
_INTS: Final = frozenset(("timeoutSeconds", "limit", "gracePeriodSeconds"))
_CONNECTION_STRINGS: Final = frozenset(("container", "sinceTime", "stream"))
_CONNECTION_BOOLS: Final = frozenset((
    "follow", "previous", "timestamps", "insecureSkipTLSVerifyBackend", "stdin", "stdout", "stderr", "tty",
))
_CONNECTION_INTS: Final = frozenset(("sinceSeconds", "tailLines", "limitBytes"))
_LISTS: Final = frozenset(("dryRun",))
_FIELD_VALIDATIONS: Final = ("", "Ignore", "Strict", "Warn")
_PROPAGATIONS: Final = ("Foreground", "Background", "Orphan", "nil")
_KIND_OF_VERB: Final = {
    requests.CREATE: "CreateOptions", requests.UPDATE: "UpdateOptions", requests.PATCH: "PatchOptions", requests.DELETE: "DeleteOptions",
    requests.DELETE_COLLECTION: "DeleteOptions", requests.LIST: "ListOptions", requests.WATCH: "ListOptions",
}


def from_query(query: Mapping[str, Sequence[str]], numbers: bool = True) -> dict[str, Any]:
    """Read the options that a query holds; unknown parameters stay out, and numbers where none are asked for.

    Raises  StatusError (BadRequest) if a number is none
    """
    options: dict[str, Any] = {}
    for key, values in query.items():
        if not values:
            continue
        if key in _STRINGS:
            options[key] = values[0]
        elif key in _BOOLS:
            options[key] = is_true(values[0])
        elif numbers and key in _INTS and values[0]:
            options[key] = _integer(values[0])
        elif key in _LISTS:
            options[key] = list(values)
        elif key in ("pretty", "includeObject"):
            options[key] = values[0]
    return options


def from_connection(query: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Read the options that a query for a log or another connection to a container holds.

    Raises  StatusError (BadRequest) if a number is none
    """
    options: dict[str, Any] = {}
    for key, values in query.items():
        if not values or not values[0]:
            continue
        if key in _CONNECTION_STRINGS:
            options[key] = values[0]
        elif key in _CONNECTION_BOOLS:
            options[key] = is_true(values[0])
        elif key in _CONNECTION_INTS:
            options[key] = _integer(values[0])
    return options


def is_true(text: str) -> bool:
    """Read a query's boolean: whatever is not empty, `0` or `false` is true."""
    return text.lower() not in ("", "0", "false")


def check(verb: str, options: Mapping[str, Any], content_type: str = "") -> None:
    """Check the options of a verb.

    Raises  StatusError (Invalid) that names the options' kind
    """
    errors: list[FieldError] = []
    if verb in (requests.CREATE, requests.UPDATE, requests.PATCH):
        if verb == requests.PATCH:
            _check_patch(options, content_type, errors)
        _check_field_manager(options.get("fieldManager") or "", errors)
        _check_dry_run(options.get("dryRun"), errors)
        validation = options.get("fieldValidation") or ""
        if validation not in _FIELD_VALIDATIONS:
            errors.append(fe.not_supported("fieldValidation", validation, _FIELD_VALIDATIONS))
    elif verb in (requests.DELETE, requests.DELETE_COLLECTION):
        _check_delete(options, errors)
    elif verb == requests.WATCH:
        _check_watch(options, errors)
    elif verb == requests.LIST:
        _check_list(options, errors)
    if errors:
        raise status.invalid(GROUP, _KIND_OF_VERB[verb], "", errors)


def _integer(text: str) -> int:
    digits = text[1:] if text[0] in "+-" else text
    if not (digits.isascii() and digits.isdigit()):
        raise status.bad_request(f"strconv.ParseInt: parsing {fe.quote(text)}: invalid syntax")
    value = parse_int64(text)
    if value is None:
        raise status.bad_request(f"strconv.ParseInt: parsing {fe.quote(text)}: value out of range")
    return value


def _check_field_manager(manager: str, errors: list[FieldError]) -> None:
    if len(manager.encode()) > requests.FIELD_MANAGER_BYTES_MAX:
        errors.append(fe.too_long("fieldManager", requests.FIELD_MANAGER_BYTES_MAX))
    position = 0
    for char in manager:
        if not char.isprintable():
            errors.append(fe.invalid("fieldManager", manager, f"invalid character U+{ord(char):04X} (at position {position})"))
        position += len(char.encode())


def _check_dry_run(dry_run: Sequence[str] | None, errors: list[FieldError]) -> None:
    if any(value != "All" for value in dry_run or ()):
        errors.append(fe.not_supported("dryRun", list(dry_run or ()), ("All",)))


def _check_patch(options: Mapping[str, Any], content_type: str, errors: list[FieldError]) -> None:
    if content_type.partition(";")[0].strip() not in APPLY_PATCHES:
        if options.get("force") is not None:
            errors.append(fe.forbidden("force", "may not be specified for non-apply patch"))
    elif not options.get("fieldManager"):
        errors.append(fe.required("fieldManager", "is required for apply patch"))


def _check_delete(options: Mapping[str, Any], errors: list[FieldError]) -> None:
    policy = options.get("propagationPolicy")
    if policy is not None and options.get("orphanDependents") is not None:
        errors.append(fe.invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set"))
    if policy is not None and policy not in _PROPAGATIONS[:3]:
        errors.append(fe.not_supported("propagationPolicy", policy, _PROPAGATIONS))
    _check_dry_run(options.get("dryRun"), errors)


def _check_list(options: Mapping[str, Any], errors: list[FieldError]) -> None:
    match = options.get("resourceVersionMatch") or ""
    path = "resourceVersionMatch"
    if match:
        if not options.get("resourceVersion"):
            errors.append(fe.forbidden(path, "resourceVersionMatch is forbidden unless resourceVersion is provided"))
        if options.get("continue"):
            errors.append(fe.forbidden(path, "resourceVersionMatch is forbidden when continue is provided"))
        if match not in (EXACT, NOT_OLDER_THAN):
            errors.append(fe.not_supported(path, match, (EXACT, NOT_OLDER_THAN, "")))
        if match == EXACT and options.get("resourceVersion") == "0":
            errors.append(fe.forbidden(path, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    if options.get("sendInitialEvents") is not None:
        errors.append(fe.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))


def _check_watch(options: Mapping[str, Any], errors: list[FieldError]) -> None:
    match = options.get("resourceVersionMatch") or ""
    path = "resourceVersionMatch"
    if options.get("continue"):
        errors.append(fe.forbidden(path, "resourceVersionMatch is forbidden when continue is provided"))
    send = options.get("sendInitialEvents")
    if send is not None and match != NOT_OLDER_THAN:
        errors.append(fe.forbidden(path, f"sendInitialEvents requires setting resourceVersionMatch to {NOT_OLDER_THAN}"))
    if match:
        if send is None:
            errors.append(fe.forbidden(path, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"))
        if match != NOT_OLDER_THAN:
            errors.append(fe.not_supported(path, match, (NOT_OLDER_THAN,)))
