"""Values whose JSON form is not their wire form, beyond what the compiled codec reads itself: odd times, quantities, base64, durations.

Everything here is the slow half of a fast path, or rare. A ValueError carries the sentence in which Kubernetes refuses the value.
Source: apimachinery `pkg/apis/meta/v1` (time.go, micro_time.go, duration.go), Go's `time` and `encoding/base64`.
"""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import Any, Final

from kcore.machinery import quantity, timestamp

TIME_LAYOUT: Final = "2006-01-02T15:04:05Z07:00"
MICRO_TIME_LAYOUT: Final = "2006-01-02T15:04:05.000000Z07:00"

# What Go's time.Parse takes from a text, piece by piece: the piece of the layout, and the pattern of what stands there.
_PIECES: Final = (
    ("2006", r"\d{4}"), ("-", "-"), ("01", r"\d\d"), ("-", "-"), ("02", r"\d\d"), ("T", "T"),
    ("15", r"\d\d"), (":", ":"), ("04", r"\d\d"), (":", ":"), ("05", r"\d\d(?:[.,]\d+)?"), ("Z07:00", r"Z|[+-]\d\d:\d\d"),
)  # fmt: skip
_MICRO_PIECES: Final = (*_PIECES[:-2], ("05", r"\d\d"), (".000000", r"[.,]\d{6}(?!\d)"), _PIECES[-1])
_RANGES: Final = {"01": ("month", 1, 12), "15": ("hour", 0, 23), "04": ("minute", 0, 59), "05": ("second", 0, 59)}

_UNIT_NANOS: Final = {"ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION_PART: Final = re.compile(r"(\d*)(?:\.(\d*))?([^\d.]+)", re.ASCII)
_DURATION_MAX: Final = 2**63 - 1


def moment(text: str, micro: bool) -> tuple[int, int]:
    """Read a Time or a MicroTime (which has six digits of fraction) into unix seconds and nanoseconds.

    Raises  ValueError with the sentence of Go's time.Parse
    """
    rest = text
    for piece, pattern in _MICRO_PIECES if micro else _PIECES:
        match = re.match(pattern, rest, re.ASCII)
        if match is None:
            layout = MICRO_TIME_LAYOUT if micro else TIME_LAYOUT
            raise ValueError(f'parsing time "{text}" as "{layout}": cannot parse "{rest}" as "{piece}"')
        _check_range(text, piece, match.group())
        rest = rest[match.end() :]
    if rest:
        raise ValueError(f'parsing time "{text}": extra text: "{rest}"')
    try:
        seconds, nanos = timestamp.parse_parts(text)
    except ValueError as cause:
        raise ValueError(f'parsing time "{text}": day out of range') from cause
    return seconds, nanos // 1000 * 1000 if micro else 0


def canonical_quantity(value: object) -> str:
    """Return a quantity, a string or a number in JSON, as Kubernetes writes it.

    Raises  ValueError with Kubernetes' sentence
    """
    if isinstance(value, str):
        return quantity.canonical(value.strip())
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return quantity.canonical(str(value))
    raise ValueError(quantity.FORMAT_SENTENCE)


def canonical_base64(value: object) -> str:
    """Return base64 text without line breaks.

    Raises  ValueError with the sentence of Go's encoding/base64; TypeError if it is no text
    """
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return b64encode(base64_bytes(value)).decode("ascii")


def base64_bytes(value: str) -> bytes:
    """Return the bytes that base64 text stands for.

    Raises  ValueError with the sentence of Go's encoding/base64
    """
    try:
        return a2b_base64(value.replace("\r", "").replace("\n", ""), strict_mode=True)
    except (Base64Error, ValueError) as cause:
        raise ValueError(f"illegal base64 data at input byte {_base64_flaw(value)}") from cause


def parse_duration(text: str) -> int:
    """Read a duration such as `1m30s` into nanoseconds.

    Raises  ValueError with the sentence of Go's time.ParseDuration
    """
    sign = -1 if text[:1] == "-" else 1
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0
    total, place = 0, 0
    while place < len(rest):
        match = _DURATION_PART.match(rest, place)
        if match is None or not (match.group(1) or match.group(2)):
            raise ValueError(f'time: {"missing unit in" if rest[place:].isdigit() else "invalid"} duration "{text}"')
        unit = _UNIT_NANOS.get(match.group(3))
        if unit is None:
            raise ValueError(f'time: unknown unit "{match.group(3)}" in duration "{text}"')
        fraction = match.group(2) or ""
        total += int(match.group(1) or "0") * unit + int(fraction or "0") * unit // 10 ** len(fraction)
        place = match.end()
    if not rest or total > _DURATION_MAX:
        raise ValueError(f'time: invalid duration "{text}"')
    return sign * total


def format_duration(nanos: int) -> str:
    """Write nanoseconds as Go does: `1m30s`, `1.5s`, `20ms`."""
    sign, rest = ("-", -nanos) if nanos < 0 else ("", nanos)
    if rest < 10**9:
        unit, size = ("ms", 10**6) if rest >= 10**6 else ("µs", 1000) if rest >= 1000 else ("ns", 1)
        return f"{sign}{_decimal(rest, size)}{unit}" if rest else "0s"
    minutes, rest = divmod(rest, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, 10**9)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{sign}{hours}h{text}" if hours else f"{sign}{text}"


def wrap_duration(value: Any) -> dict[str, Any]:
    """Return the message of a duration."""
    return {"duration": parse_duration(value)} if value is not None else {}


def unwrap_duration(message: dict[str, Any]) -> str:
    """Return the JSON form of a duration."""
    return format_duration(message.get("duration", 0))


def _decimal(value: int, size: int) -> str:
    whole, part = divmod(value, size)
    digits = f"{part:0{len(str(size)) - 1}d}".rstrip("0") if part else ""
    return f"{whole}.{digits}" if digits else str(whole)


def _check_range(text: str, piece: str, found: str) -> None:
    if piece in _RANGES:
        noun, low, high = _RANGES[piece]
        if not low <= int(found[:2]) <= high:
            raise ValueError(f'parsing time "{text}": {noun} out of range')


def _base64_flaw(value: str) -> int:
    """Return where Go says that base64 goes wrong: at the first foreign character, else at the end of what is there."""
    for place, char in enumerate(value):
        if not (char.isascii() and (char.isalnum() or char in "+/\r\n")):
            tail = value[place:].replace("\r", "").replace("\n", "")
            whole = place - value.count("\n", 0, place) - value.count("\r", 0, place)
            if char == "=" and whole % 4 >= 2 and tail == "=" * (4 - whole % 4):
                continue
            return place if char != "=" or whole % 4 < 2 else place + len(tail) - len(tail.lstrip("="))
    return len(value) // 4 * 4 if len(value) % 4 else len(value)
