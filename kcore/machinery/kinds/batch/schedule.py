"""The syntax of a cron schedule, with the sentences of the parser that Kubernetes uses.

Five fields (minute, hour, day of month, month, day of week), each a comma list of `*`, `?`, numbers, names, ranges and steps, or one of the
descriptors `@yearly`, `@every 1h30m` and so on.

Source: github.com/robfig/cron v3 (the syntax and its sentences).
"""
from __future__ import annotations

import re
from typing import Final, NamedTuple

from kcore.machinery.quantity import parse_int64

_DESCRIPTORS: Final = frozenset(("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"))
_EVERY: Final = "@every "
_DURATION: Final = re.compile(r"[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+)")
_MONTH_NAMES: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_NAMES: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS: Final = {name: index + 1 for index, name in enumerate(_MONTH_NAMES)}
_DAYS: Final = {name: index for index, name in enumerate(_DAY_NAMES)}


class _Bounds(NamedTuple):
    low: int
    high: int
    names: dict[str, int]


_FIELDS: Final = (_Bounds(0, 59, {}), _Bounds(0, 23, {}), _Bounds(1, 31, {}), _Bounds(1, 12, _MONTHS), _Bounds(0, 6, _DAYS))


class _Trouble(Exception):
    """What is wrong, in the parser's words."""


def schedule_trouble(text: str) -> str:
    """Say what is wrong with a schedule; the empty string if nothing is."""
    try:
        _parse(text)
    except _Trouble as trouble:
        return str(trouble)
    return ""


def _parse(text: str) -> None:
    if text.startswith(("TZ=", "CRON_TZ=")):
        _, _, text = text.partition(" ")
        text = text.strip()
    if text.startswith("@"):
        _parse_descriptor(text)
        return
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise _Trouble(f"expected exactly {len(_FIELDS)} fields, found {len(fields)}: [{' '.join(fields)}]")
    for field, bounds in zip(fields, _FIELDS, strict=True):
        for part in field.split(","):
            _parse_range(part, bounds)


def _parse_descriptor(text: str) -> None:
    if text in _DESCRIPTORS:
        return
    if not text.startswith(_EVERY):
        raise _Trouble(f"unrecognized descriptor: {text}")
    if _DURATION.fullmatch(text.removeprefix(_EVERY)) is None:
        raise _Trouble(f'failed to parse duration {text}: time: invalid duration "{text.removeprefix(_EVERY)}"')


def _parse_range(text: str, bounds: _Bounds) -> None:
    body, *step = text.split("/")
    low_text, *high_text = body.split("-")
    if low_text in ("*", "?"):
        low, high = bounds.low, bounds.high
    else:
        low = high = _number(low_text, bounds)
        if len(high_text) == 1:
            high = _number(high_text[0], bounds)
        elif high_text:
            raise _Trouble(f"too many hyphens: {text}")
    if len(step) > 1:
        raise _Trouble(f"too many slashes: {text}")
    every = _plain_number(step[0]) if step else 1
    if step and not high_text:
        high = bounds.high
    if low < bounds.low:
        raise _Trouble(f"beginning of range ({low}) below minimum ({bounds.low}): {text}")
    if high > bounds.high:
        raise _Trouble(f"end of range ({high}) above maximum ({bounds.high}): {text}")
    if low > high:
        raise _Trouble(f"beginning of range ({low}) beyond end of range ({high}): {text}")
    if every == 0:
        raise _Trouble(f"step of range should be a positive number: {text}")


def _number(text: str, bounds: _Bounds) -> int:
    named = bounds.names.get(text.lower())
    return _plain_number(text) if named is None else named


def _plain_number(text: str) -> int:
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()):
        raise _Trouble(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    number = parse_int64(text)
    if number is None:
        raise _Trouble(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": value out of range')
    if number < 0:
        raise _Trouble(f"negative number ({number}) not allowed: {text}")
    return number
