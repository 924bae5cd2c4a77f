"""How long ago a time was, for people.

Source: apimachinery `util/duration` (HumanDuration).
"""

from __future__ import annotations

from kcore.machinery import timestamp


def age(created: str | None, now: float) -> str:
    """How long ago a time was, for people; `<unknown>` without a time."""
    if not created:
        return "<unknown>"
    return duration(now - timestamp.parse_time(created))


def duration(seconds: float) -> str:
    """A span in the two largest units that matter."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return with_rest(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return with_rest(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return with_rest(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    years = days // 365
    return with_rest(years, "y", days % 365, "d") if years < 8 else f"{years}y"


def with_rest(large: int, unit: str, rest: int, rest_unit: str) -> str:
    """`5m30s`, or `5m` when nothing is left over."""
    return f"{large}{unit}{rest}{rest_unit}" if rest else f"{large}{unit}"
