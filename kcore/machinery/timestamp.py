"""RFC 3339 timestamps between text and seconds: `Time` with whole seconds, `MicroTime` with microseconds.

Source: Kubernetes apimachinery `pkg/apis/meta/v1` (time.go, micro_time.go); RFC 3339.
"""
from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from kcore.base import limits

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHAPE: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))",
    re.ASCII,
)


def format_time(seconds: float) -> str:
    """Write unix seconds as `2024-01-01T00:00:00Z`; a fraction is cut off."""
    return _format_second(int(seconds // 1))


@lru_cache(limits.TIMES_KEPT)
def _format_second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_micro_time(seconds: float) -> str:
    """Write unix seconds as `2024-01-01T00:00:00.000000Z`."""
    return (_EPOCH + timedelta(microseconds=round(seconds * 1_000_000))).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def format_parts(seconds: int, nanos: int, micro: bool = False) -> str:
    """Write the seconds and nanoseconds of the wire form; `micro` keeps microseconds."""
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    text = text.rjust(19, "0")
    return f"{text}.{nanos // 1000:06d}Z" if micro else text + "Z"


@lru_cache(limits.TIMES_KEPT)
def parse_parts(text: str) -> tuple[int, int]:
    """Read RFC 3339 into unix seconds and nanoseconds.

    Raises  ValueError if it is none
    """
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no RFC 3339 time")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, sign, zone_hour, zone_minute = match.groups()[6:]
    moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    if sign:
        if int(zone_hour) > 23 or int(zone_minute) > 59:
            raise ValueError(f"{text!r} has no such time zone")
        offset = int(zone_hour) * 3600 + int(zone_minute) * 60
        seconds += offset if sign == "-" else -offset
    return seconds, int((fraction or "0")[:9].ljust(9, "0"))


def parse_time(text: str) -> float:
    """Read RFC 3339 into unix seconds.

    Raises  ValueError if it is none
    """
    seconds, nanos = parse_parts(text)
    return seconds + nanos / 1_000_000_000 if nanos else float(seconds)


def same_moment(left: str | None, right: str | None) -> bool:
    """Say whether two timestamps, either of which may be absent, name one moment."""
    if left == right:
        return True
    if not left or not right:
        return not left and not right
    return parse_parts(left) == parse_parts(right)
