"""Priority levels: how many seats each has, and who of those that wait comes next. Pure.

    level --> lines --> those that wait, in the order in which they came

Lines take turns by what was let in of each, and so do levels, in proportion to their shares (start-time fair queueing): whoever has had
little is next, and a long line holds up nobody but itself.

    line a: 1 1 1 1      starts 0 1 2 3
    line b: 1 1          came when 1 was served: starts 1 2       order: a0 a1 b1 a2 b2 a3

A level may use seats beyond its own as far as others can lend them and do not use them.

Source: Goyal, Vin and Cheng, Start-time Fair Queueing, IEEE/ACM Transactions on Networking 5(5), 1997; Kubernetes KEP-1040.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Hashable, Iterable
from typing import Any, Generic, TypeVar

from kcore.base import limits

Object = dict[str, Any]
T = TypeVar("T")
PERCENT = 100


class Lines(Generic[T]):
    """What waits, by line. An entry's width is what it counts when its line's next turn is found."""

    def __init__(self) -> None:
        self.lines: dict[Hashable, deque[tuple[T, int]]] = {}
        self.order: list[tuple[float, int, Hashable]] = []
        self.now = 0.0
        self.came = 0
        self.count = 0

    def length(self, line: Hashable) -> int:
        """How many wait in a line."""
        found = self.lines.get(line)
        return 0 if found is None else len(found)

    def put(self, line: Hashable, entry: T, width: int) -> None:
        """Stand at the end of a line."""
        self.count += 1
        found = self.lines.get(line)
        if found is None:
            self.lines[line] = deque(((entry, width),))
            self.enter(self.now, line)
        else:
            found.append((entry, width))

    def enter(self, start: float, line: Hashable) -> None:
        """Have a line wait for its turn."""
        self.came += 1
        heapq.heappush(self.order, (start, self.came, line))

    def width(self) -> int:
        """The width of who is next. There must be one."""
        return self.lines[self.order[0][2]][0][1]

    def take(self) -> T:
        """Let the next one go. There must be one."""
        start, _, line = heapq.heappop(self.order)
        found = self.lines[line]
        entry, width = found.popleft()
        self.now, self.count = start, self.count - 1
        if found:
            self.enter(start + width, line)
        else:
            del self.lines[line]
        return entry


class Level(Generic[T]):
    """A priority level.

    seats       how many requests of width 1 it may have under way by its own right; `is_exempt`: any number
    lendable    seats that others may use meanwhile
    borrowable  seats of others that it may use, None: any number
    queues      lines among which its flows are dealt; 0: who finds no seat is refused
    weight      its part of the turns: its shares, of an exempt level as much as all others have
    start       its place among levels: what was let in of it by its weight
    executing   seats that are taken
    """

    def __init__(self, name: str) -> None:
        self.name, self.uid = name, ""
        self.is_exempt = False
        self.shares, self.weight, self.seats, self.lendable = 0, 1, 0, 0
        self.lendable_percent = 0
        self.borrowable_percent: int | None = None
        self.borrowable: int | None = None
        self.queues, self.hand_size, self.queue_length = 0, 0, 0
        self.lines: Lines[T] = Lines()
        self.start = 0.0
        self.executing = 0

    def configure(self, obj: Object) -> None:
        """Be what a PriorityLevelConfiguration says."""
        spec = obj.get("spec") or {}
        self.uid = obj["metadata"].get("uid", "")
        self.is_exempt = spec.get("type") == "Exempt"
        part = spec.get("exempt" if self.is_exempt else "limited") or {}
        self.shares = part.get("nominalConcurrencyShares") or 0
        self.lendable_percent = part.get("lendablePercent") or 0
        self.borrowable_percent = part.get("borrowingLimitPercent")
        response = part.get("limitResponse") or {}
        queuing = (response.get("queuing") or {}) if response.get("type") == "Queue" else {}
        self.queues, self.hand_size = queuing.get("queues", 0), queuing.get("handSize", 0)
        self.queue_length = queuing.get("queueLengthLimit", 0)

    def share(self, seats: int, shares: int) -> None:
        """Take its part of all seats."""
        self.seats = math.ceil(seats * self.shares / shares) if shares else 0
        self.weight = max(1, shares if self.is_exempt else self.shares)
        self.lendable = round(self.seats * self.lendable_percent / PERCENT)
        percent = self.borrowable_percent
        self.borrowable = None if percent is None else round(self.seats * percent / PERCENT)

    @property
    def unlent(self) -> int:
        """Seats that nobody else may have now."""
        return max(self.executing, self.seats - self.lendable)


def divide(levels: Iterable[Level[Any]], seats: int) -> None:
    """Divide all seats among levels by their shares."""
    levels = list(levels)
    shares = sum(level.shares for level in levels)
    for level in levels:
        level.share(seats, shares)


def has_room(level: Level[Any], width: int, levels: Iterable[Level[Any]]) -> bool:
    """Whether a level has seats for one more: its own, or some that others lend."""
    taken = level.executing + width
    if level.is_exempt or taken <= level.seats:
        return True
    if level.borrowable is not None and taken > level.seats + level.borrowable:
        return False
    return taken + sum(each.unlent for each in levels if each is not level and not each.is_exempt) <= limits.FLOW_SEATS
