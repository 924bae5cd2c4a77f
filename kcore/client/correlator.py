"""What becomes of an Event before it is sent: counted up if it was there before, combined with similar ones, or held back as spam.

- Equal ones (same object, reason, type, message, source) become one Event whose count grows.
- More than EVENTS_SIMILAR_MAX different messages of one group (all but the message the same) within EVENTS_SIMILAR_WINDOW_S become one
  Event whose message begins with "(combined from similar events): ".
- About one object, a source sends EVENTS_BURST at once and then one in five minutes; the rest is held back.

Pure: whoever asks brings the time and a name. All memory is bounded; what was used least recently is forgotten.

Source: client-go `tools/record/events_cache.go`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar

from kcore.base import limits
from kcore.client.retry import TokenBucket

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

COMBINED: Final = "(combined from similar events): "


class Regarding(NamedTuple):
    """The object that an Event is about."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str = ""
    resource_version: str = ""
    field_path: str = ""


class Occurrence(NamedTuple):
    """Something that happened.

    type       Normal or Warning
    component  what says so
    """

    regarding: Regarding
    type: str
    reason: str
    message: str
    action: str = ""
    component: str = ""


@dataclass(slots=True)
class Series:
    """An Event as it stands, or will when it is sent.

    is_new  it has not been sent yet
    """

    name: str
    namespace: str
    occurrence: Occurrence
    first_at: float
    last_at: float
    count: int = 1
    is_new: bool = True


@dataclass(slots=True)
class _Similar:
    messages: set[str]
    last_at: float


class Correlator:
    """The memory of the Events of one sender, component by component."""

    def __init__(self) -> None:
        self._similar: _Lru[tuple[Hashable, ...], _Similar] = _Lru(limits.EVENTS_CACHE_MAX)
        self._series: _Lru[tuple[Hashable, ...], Series] = _Lru(limits.EVENTS_CACHE_MAX)
        self._buckets: _Lru[tuple[str, ...], TokenBucket] = _Lru(limits.EVENTS_CACHE_MAX)

    def correlate(self, occurrence: Occurrence, now: float, new_name: str) -> Series | None:
        """Return the Event to send, None if it is held back.

        now       unix seconds
        new_name  the name of the Event if it is a new one
        """
        group = _group(occurrence)
        key, message = self._combine(group, occurrence.message, now)
        series = self._series.get(key)
        if series is None:
            regarding = occurrence.regarding
            namespace = regarding.namespace or "default"
            told = occurrence if message == occurrence.message else occurrence._replace(message=message)
            series = Series(new_name, namespace, told, now, now)
            self._series.put(key, series)
        else:
            series.count += 1
            series.last_at = now
            if series.occurrence.message != message:
                series.occurrence = series.occurrence._replace(message=message)
        return series if self._is_allowed(occurrence, now) else None

    def forget(self, series: Series) -> None:
        """The Event is gone from the server, or never got there: the next equal one is new."""
        occurrence = series.occurrence
        group = _group(occurrence)
        for key in ((*group, occurrence.message), group):
            if self._series.get(key) is series:
                self._series.drop(key)

    def _combine(self, group: tuple[Hashable, ...], message: str, now: float) -> tuple[tuple[Hashable, ...], str]:
        """Return the key under which the Event is counted, and its message."""
        similar = self._similar.get(group)
        if similar is None or now - similar.last_at > limits.EVENTS_SIMILAR_WINDOW_S:
            similar = _Similar(set(), now)
            self._similar.put(group, similar)
        similar.last_at = now
        if len(similar.messages) < limits.EVENTS_SIMILAR_MAX:
            similar.messages.add(message)
        if message in similar.messages:
            return (*group, message), message
        return group, COMBINED + message

    def _is_allowed(self, occurrence: Occurrence, now: float) -> bool:
        about = occurrence.regarding
        key = (occurrence.component, about.kind, about.namespace, about.name, about.uid, about.api_version)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = TokenBucket(limits.EVENTS_PER_S, limits.EVENTS_BURST)
            self._buckets.put(key, bucket)
        return bucket.take(now)


class _Lru(Generic[K, V]):
    """The values that were used last, up to a bound."""

    def __init__(self, count_max: int) -> None:
        self._values: OrderedDict[K, V] = OrderedDict()
        self._count_max = count_max

    def get(self, key: K) -> V | None:
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        self._values[key] = value
        if len(self._values) > self._count_max:
            self._values.popitem(last=False)

    def drop(self, key: K) -> None:
        self._values.pop(key, None)


def _group(occurrence: Occurrence) -> tuple[Hashable, ...]:
    regarding = occurrence.regarding
    return (
        regarding.kind,
        regarding.namespace,
        regarding.name,
        regarding.uid,
        regarding.api_version,
        occurrence.type,
        occurrence.reason,
        occurrence.action,
        occurrence.component,
    )
