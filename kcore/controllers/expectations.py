"""What a controller asked for and has not seen yet: until it has, its view is too old to decide how many are missing.

    expect("default/web", creations=["web-4xk2p"])      before the create is sent
    created("default/web", "web-4xk2p")                 when the informer shows it
    satisfied("default/web")                            True again

Kept by name (creations) and uid (deletions), so that an event that comes twice, or for something else, lowers nothing. An expectation
that is not met within EXPECTATIONS_TIMEOUT_S counts as met: the view was wrong, or the watch was lost for longer than it may be.

Source: Kubernetes `pkg/controller/controller_utils.go`. Differs from upstream: names instead of a count, since names are known beforehand.
Thread: the event loop's.
"""

from __future__ import annotations

from collections.abc import Iterable

from kcore.base import limits


class _Pending:
    __slots__ = ("creations", "deletions", "since")

    def __init__(self) -> None:
        self.creations: set[str] = set()
        self.deletions: set[str] = set()
        self.since = 0.0


class Expectations:
    """Pending creations and deletions by the key of who asked for them."""

    def __init__(self) -> None:
        self._pending: dict[str, _Pending] = {}

    def expect(self, key: str, now: float, *, creations: Iterable[str] = (), deletions: Iterable[str] = ()) -> None:
        """Note what is about to be sent; `now` is monotonic."""
        pending = self._pending.setdefault(key, _Pending())
        pending.creations.update(creations)
        pending.deletions.update(deletions)
        pending.since = now

    def created(self, key: str, name: str) -> None:
        """Note that a creation is seen, or will never be."""
        pending = self._pending.get(key)
        if pending is not None:
            pending.creations.discard(name)
            self._drop_if_met(key, pending)

    def deleted(self, key: str, uid: str) -> None:
        """Note that a deletion has begun, or will never be."""
        pending = self._pending.get(key)
        if pending is not None:
            pending.deletions.discard(uid)
            self._drop_if_met(key, pending)

    def satisfied(self, key: str, now: float) -> bool:
        """Tell whether nothing is pending, or only what is pending for too long."""
        pending = self._pending.get(key)
        return pending is None or now - pending.since >= limits.EXPECTATIONS_TIMEOUT_S

    def remaining_s(self, key: str, now: float) -> float | None:
        """Return after how many seconds what is pending counts as met; None if nothing is."""
        pending = self._pending.get(key)
        return None if pending is None else max(0.0, pending.since + limits.EXPECTATIONS_TIMEOUT_S - now)

    def forget(self, key: str) -> None:
        """Who asked is gone."""
        self._pending.pop(key, None)

    def _drop_if_met(self, key: str, pending: _Pending) -> None:
        if not pending.creations and not pending.deletions:
            self._pending.pop(key, None)
