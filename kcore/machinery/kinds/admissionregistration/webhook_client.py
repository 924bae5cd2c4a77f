"""Where a webhook is: a URL, or a path of a Service.

Source: Kubernetes apiserver `pkg/util/webhook/validation.go`.
"""
from __future__ import annotations

from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError

_FORM: Final = "; desired format: https://host[/path]"


def validate_client_config(client: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    """Check that a webhook is at a URL or behind a Service."""
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        errors.append(fe.required(path, "exactly one of url or service is required"))
    elif url is not None:
        _validate_url(url, f"{path}.url", errors)
    elif service is not None:
        _validate_service(service, f"{path}.service", errors)


def _validate_url(url: str, path: str, errors: list[FieldError]) -> None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as cause:
        errors.append(fe.required(path, f"url must be a valid URL: parse {fe.quote(url)}: {cause}{_FORM}"))
        return
    user, host = _authority(parts)
    if parts.scheme != "https":
        errors.append(fe.invalid(path, parts.scheme, f"'https' is the only allowed URL scheme{_FORM}"))
    if not host:
        errors.append(fe.invalid(path, host, f"host must be specified{_FORM}"))
    if user is not None:
        errors.append(fe.invalid(path, user, "user information is not permitted in the URL"))
    if parts.fragment:
        errors.append(fe.invalid(path, parts.fragment, "fragments are not permitted in the URL"))
    if parts.query:
        errors.append(fe.invalid(path, parts.query, "query parameters are not permitted in the URL"))


def _authority(parts: SplitResult) -> tuple[str | None, str]:
    user, at, host = parts.netloc.rpartition("@")
    return user if at else None, host


def _validate_service(service: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    # Differs from what one expects, as upstream does: the two names are taken for each other.
    if not service.get("namespace"):
        errors.append(fe.required(f"{path}.name"))
    if not service.get("name"):
        errors.append(fe.required(f"{path}.namespace"))
    port = service.get("port") or 0
    wrong = names.port_number(port)
    if wrong:
        errors.append(fe.invalid(f"{path}.port", port, f"port is not valid: {','.join(wrong)}"))
    if service.get("path") is not None:
        _validate_path(service["path"], f"{path}.path", errors)


def _validate_path(where: str, path: str, errors: list[FieldError]) -> None:
    if where in ("", "/"):
        return
    if where == "//":
        errors.append(fe.invalid(path, where, "segment[0] may not be empty"))
        return
    if not where.startswith("/"):
        errors.append(fe.invalid(path, where, "must start with a '/'"))
    for index, step in enumerate(where[1:].removesuffix("/").split("/")):
        if not step:
            errors.append(fe.invalid(path, where, f"segment[{index}] may not be empty"))
        else:
            errors.extend(fe.invalid(path, where, f"segment[{index}]: {sentence}") for sentence in names.dns1123_subdomain(step))
