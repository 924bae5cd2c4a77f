"""What of a log is wanted, and of which container."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from kcore.machinery import field_error as fe
from kcore.machinery import status, timestamp

Object = dict[str, Any]
STREAMS: Final = ("All", "Stderr", "Stdout")


class LogOptions(NamedTuple):
    """Options of a request for a log; None where nothing is said.

    since_s  the moment before which lines are left out; with `since_seconds` it is counted from the request
    """

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    since_s: float | None = None
    since_seconds: int | None = None
    tail_lines: int | None = None
    limit_bytes: int | None = None
    stream: str = ""


def read(options: Object, name: str) -> LogOptions:
    """Check the options of a request for the log of a pod. Raises StatusError: 400 for a time that is none, 422."""
    errors: list[fe.FieldError] = []
    tail, limit, seconds = (options.get(field) for field in ("tailLines", "limitBytes", "sinceSeconds"))
    since, stream = options.get("sinceTime") or None, options.get("stream") or ""
    if tail is not None and tail < 0:
        errors.append(fe.invalid("tailLines", tail, "must be greater than or equal to 0"))
    if limit is not None and limit < 1:
        errors.append(fe.invalid("limitBytes", limit, "must be greater than 0"))
    if since and seconds is not None:
        errors.append(fe.forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
    elif seconds is not None and seconds < 1:
        errors.append(fe.invalid("sinceSeconds", seconds, "must be greater than 0"))
    if stream and stream not in STREAMS:
        errors.append(fe.not_supported("stream", stream, STREAMS))
    elif stream not in ("", "All") and tail is not None:
        errors.append(fe.forbidden("", "`tailLines` and specific `stream` are mutually exclusive for now"))
    if errors:
        raise status.invalid("", "PodLogOptions", name, errors)
    follow, previous, stamps = (bool(options.get(field)) for field in ("follow", "previous", "timestamps"))
    return LogOptions(follow, previous, stamps, moment(since), seconds, tail, limit, stream)


def moment(text: str | None) -> float | None:
    """The time that a query names. Raises StatusError (400)."""
    try:
        return None if text is None else timestamp.parse_time(text)
    except ValueError as error:
        raise status.bad_request(f"sinceTime: {error}") from error


def container_of(pod: Object, wanted: str) -> str:
    """The container that is meant, which need not be said if there is one. Raises StatusError (400)."""
    name, spec = pod["metadata"]["name"], pod.get("spec") or {}
    names = [each["name"] for field in ("initContainers", "containers", "ephemeralContainers") for each in spec.get(field) or ()]
    if wanted:
        if wanted not in names:
            raise status.bad_request(f"container {wanted} is not valid for pod {name}")
        return wanted
    mains = spec.get("containers") or []
    if len(mains) == 1:
        return str(mains[0]["name"])
    choice = f", choose one of: [{' '.join(names)}]" if mains else ""
    raise status.bad_request(f"a container name must be specified for pod {name}{choice}")
