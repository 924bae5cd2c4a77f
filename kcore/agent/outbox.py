"""Who has something to write, in order, each once: the workqueue's rule (dirty and processing) for writes that go out in bulk.

An owner that is added while its write is under way is not queued again; `done` says whether it was, and its owner decides anew
what to write.
"""

from collections.abc import Hashable
from typing import Generic, TypeVar

Owner = TypeVar("Owner", bound=Hashable)


class Outbox(Generic[Owner]):
    """A queue of owners of writes."""

    __slots__ = ("_again", "_under_way", "_waiting")

    def __init__(self) -> None:
        self._waiting: dict[Owner, None] = {}
        self._under_way: set[Owner] = set()
        self._again: set[Owner] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, owner: Owner) -> bool:
        return owner in self._waiting or owner in self._under_way

    def is_under_way(self, owner: Owner) -> bool:
        """Say whether a write of the owner was taken and is not done."""
        return owner in self._under_way

    def add(self, owner: Owner) -> None:
        """Note that the owner has something to write."""
        if owner in self._under_way:
            self._again.add(owner)
        else:
            self._waiting[owner] = None

    def discard(self, owner: Owner) -> None:
        """The owner has nothing to write any more."""
        self._waiting.pop(owner, None)
        self._again.discard(owner)

    def take(self, count: int) -> list[Owner]:
        """Take the owners that waited longest; each is under way until `done`."""
        if count >= len(self._waiting):
            taken = list(self._waiting)
            self._waiting.clear()
        else:
            taken = [owner for owner, _ in zip(self._waiting, range(count), strict=False)]
            for owner in taken:
                del self._waiting[owner]
        self._under_way.update(taken)
        return taken

    def done(self, owner: Owner) -> bool:
        """The owner's write is answered. Returns whether it was added meanwhile; then it has to be added again."""
        self._under_way.discard(owner)
        if owner in self._again:
            self._again.discard(owner)
            return True
        return False
