"""Pods by what they show to others, and tallies of them: how many pods of a sort stand on each slot.

    groups                                 a1 a2: {app: a}    b1: {app: b}, stays away from app=a by zone
    slots                                  a1 on 0, a2 and b1 on 2
    tally of "pods with app=a"             [1 0 1]            asked for by an incoming pod's wish
    tally of "pods that hold b's term"     [0 0 1]            asked for by a pod with app=a, which that term means

Pods that show the same are a group, which knows the tallies that it counts in. A tally is made when somebody asks for it first, from the
groups; from then on a pod that comes or goes changes one number in each tally of its group, and nothing else. Above a bound, the tally
asked for longest ago is dropped; whoever keeps results of it sees that it is not `kept` any more.

Cost: place and displace O(tallies of the group), a first pod of a group O(tallies and terms with its labels), a new tally O(groups).
Thread: one.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from itertools import repeat
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kcore.base.limits import SCHEDULER_TALLIES_MAX, SCHEDULER_TEMPLATES_MAX
from kcore.scheduler.peers.selectors import NO_LABELS, Anchored, Labels, all_hold, anchor, selects
from kcore.scheduler.rows import Peer, PodSelector, PodTerm

Int32 = NDArray[np.int32]

REQUIRED: Final = "required"
AVOIDED: Final = "avoided"
PREFERRED: Final = "preferred"


class Sort(NamedTuple):
    """Pods that every one of these selectors selects; living: without those that are terminating."""

    selectors: tuple[PodSelector, ...]
    living: bool


class Tally:
    """How many pods of a sort stand on each slot; kept: whether it still follows them."""

    __slots__ = ("counts", "kept")

    def __init__(self, capacity: int) -> None:
        self.counts: Int32 = np.zeros(capacity, np.int32)
        self.kept = True


class Wish(NamedTuple):
    """A term of placed pods: purpose REQUIRED, AVOIDED, or PREFERRED with a weight."""

    purpose: str
    term: PodTerm
    weight: int = 0


class Held:
    """A wish that placed pods hold: the groups of these, and how often they name it; the number is never given to another one."""

    __slots__ = ("holders", "number", "wish")

    def __init__(self, number: int, wish: Wish) -> None:
        self.number = number
        self.wish = wish
        self.holders: dict[_Group, int] = {}


class _Group:
    """Placed pods that show the same, and the tallies that each of them counts in.

    Where all pods differ in a label a group is one pod, so a single one is kept as its slot, not as a dict of how many on which slots.
    """

    __slots__ = ("_slots", "tallies")

    def __init__(self) -> None:
        self._slots: dict[int, int] | int | None = None
        self.tallies: tuple[Tally, ...] = ()


    @property
    def slots(self) -> Mapping[int, int]:
        """How many pods are on which slots."""
        if self._slots is None:
            return NO_SLOTS
        return {self._slots: 1} if isinstance(self._slots, int) else self._slots

    def add(self, slot: int) -> None:
        """Add a pod."""
        if self._slots is None:
            self._slots = slot
            return
        if isinstance(self._slots, int):
            self._slots = {self._slots: 1}
        self._slots[slot] = self._slots.get(slot, 0) + 1

    def remove(self, slot: int) -> None:
        """Undo add."""
        slots = self._slots
        if not isinstance(slots, dict):
            assert slots == slot, f"no such pod on slot {slot}"
            self._slots = None
            return
        slots[slot] -= 1
        if not slots[slot]:
            del slots[slot]
        if not slots:
            self._slots = None


NO_SLOTS: Final[Mapping[int, int]] = {}
NO_GROUPS: Final[Mapping[Peer, _Group]] = {}


class PeerIndex:
    """The placed pods of a cluster as peers, and the namespaces they are in; drop_count: how many tallies have been dropped."""

    def __init__(self, capacity: int) -> None:
        self.namespaces: dict[str, Mapping[str, str]] = {}
        self.drop_count = 0
        self._capacity = capacity
        self._groups: dict[str, dict[Peer, _Group]] = {}
        self._tallies: dict[Sort | Held, Tally] = {}
        self._sorts: Anchored[Sort] = Anchored()
        self._held: dict[Wish, Held] = {}
        self._wishes: Anchored[Held] = Anchored()
        self._concerning: dict[tuple[str, Labels], tuple[Held, ...]] = {}
        self._numbers = 0
        self._pinned: set[Peer] = set()

    # pods

    def place(self, peer: Peer, slot: int) -> None:
        """Count a pod on a slot."""
        group = self._groups.get(peer.namespace, NO_GROUPS).get(peer) or self._begin(peer)
        group.add(slot)
        for tally in group.tallies:
            tally.counts[slot] += 1

    def place_all(self, peer: Peer, slots: Sequence[int]) -> None:
        """Count a pod on each of some slots, which may repeat."""
        group = self._groups.get(peer.namespace, NO_GROUPS).get(peer) or self._begin(peer)
        for slot in slots:
            group.add(slot)
        for tally in group.tallies:
            np.add.at(tally.counts, slots, 1)

    def displace(self, peer: Peer, slot: int) -> None:
        """Undo place with the same arguments."""
        group = self._groups[peer.namespace][peer]
        group.remove(slot)
        for tally in group.tallies:
            tally.counts[slot] -= 1
        if not group.slots and peer not in self._pinned:
            self._end(peer)

    @contextmanager
    def pinned(self, peers: Set[Peer]) -> Iterator[None]:
        """Keep what is known of these peers meanwhile, though no pod of them is left: a trial takes them away and puts them back."""
        pinned = peers - self._pinned
        self._pinned |= pinned
        try:
            yield
        finally:
            self._pinned -= pinned
            for peer in pinned:
                group = self._groups.get(peer.namespace, NO_GROUPS).get(peer)
                if group is not None and not group.slots:
                    self._end(peer)

    def replace(self, old: Peer, new: Peer, slot: int) -> bool:
        """Let a pod show something else; -> whether it counts in other tallies now."""
        before = self._groups[old.namespace][old].tallies
        self.place(new, slot)
        changed = before != self._groups[new.namespace][new].tallies
        self.displace(old, slot)
        return changed

    def _begin(self, peer: Peer) -> _Group:
        group = self._groups.setdefault(peer.namespace, {})[peer] = _Group()
        labels = dict(peer.labels)
        tallies = [self._tallies[sort] for sort in self._sorts.candidates(peer.labels) if self._is_of(sort, peer, labels)]
        for wish in _wishes(peer):
            held = self._held.get(wish) or self._hold(wish)
            held.holders[group] = held.holders.get(group, 0) + 1
            if held in self._tallies:
                tallies.append(self._tallies[held])
        group.tallies = tuple(tallies)
        return group

    def _end(self, peer: Peer) -> None:
        beside = self._groups[peer.namespace]
        group = beside.pop(peer)
        if not beside:
            del self._groups[peer.namespace]
        for wish in set(_wishes(peer)):
            held = self._held[wish]
            del held.holders[group]
            if not held.holders:
                self._release(held)

    # what incoming pods ask for

    def tally(self, *selectors: PodSelector, living: bool = False) -> Tally:
        """Return the tally of the pods that all of these select, made at first use."""
        return self._asked(Sort(selectors, living))

    def holders(self, held: Held) -> Tally:
        """Return the tally of the pods that hold a wish, made at first use; one that names it twice counts twice."""
        return self._asked(held)

    def _asked(self, key: Sort | Held) -> Tally:
        tally = self._tallies.pop(key, None)
        if tally is None:
            if len(self._tallies) >= SCHEDULER_TALLIES_MAX:
                self._drop(next(iter(self._tallies)))
            tally = Tally(self._capacity)
            for group, times in self._counted(key):
                self._count(tally, group, times)
            if isinstance(key, Sort):
                self._sorts.add(anchor(key.selectors[0]), key)
        self._tallies[key] = tally
        return tally

    def _count(self, tally: Tally, group: _Group, times: int) -> None:
        if times:
            group.tallies = (*group.tallies, *repeat(tally, times))
            for slot, count in group.slots.items():
                tally.counts[slot] += count * times

    def _drop(self, key: Sort | Held) -> None:
        tally = self._tallies.pop(key)
        tally.kept = False
        self.drop_count += 1
        if isinstance(key, Sort):
            self._sorts.remove(anchor(key.selectors[0]), key)
        for group, _ in self._counted(key):
            if tally in group.tallies:
                group.tallies = tuple(other for other in group.tallies if other is not tally)

    def _counted(self, key: Sort | Held) -> Iterator[tuple[_Group, int]]:
        """Return groups and how often each of their pods counts: those that hold a wish, or all of the namespaces that a sort may be in."""
        if isinstance(key, Held):
            yield from key.holders.items()
            return
        first = key.selectors[0]
        for name in self._groups if first.namespace_selector is not None else first.namespaces:
            for peer, group in self._groups.get(name, NO_GROUPS).items():
                yield group, int(self._is_of(key, peer, dict(peer.labels)))

    def _is_of(self, sort: Sort, peer: Peer, labels: Mapping[str, str]) -> bool:
        if sort.living and peer.terminating:
            return False
        return all(selects(pods, peer.namespace, labels, self.namespaces) for pods in sort.selectors)

    # what placed pods wish

    def concerning(self, peer: Peer) -> tuple[Held, ...]:
        """Return the wishes of placed pods that mean a pod like this."""
        if not self._held:
            return ()
        key = peer.namespace, peer.labels
        found = self._concerning.get(key)
        if found is None:
            if len(self._concerning) >= SCHEDULER_TEMPLATES_MAX:
                self._concerning.clear()
            labels = dict(peer.labels)
            found = self._concerning[key] = tuple(
                held
                for held in self._wishes.candidates(peer.labels)
                if selects(held.wish.term.pods, peer.namespace, labels, self.namespaces)
            )
        return found

    def _hold(self, wish: Wish) -> Held:
        self._numbers += 1
        held = self._held[wish] = Held(self._numbers, wish)
        self._wishes.add(anchor(wish.term.pods), held)
        self._concerning.clear()
        return held

    def _release(self, held: Held) -> None:
        """Forget a wish that no pod holds any more."""
        del self._held[held.wish]
        self._wishes.remove(anchor(held.wish.term.pods), held)
        self._concerning.clear()
        if held in self._tallies:
            self._drop(held)

    # namespaces

    def set_namespace(self, name: str, labels: Mapping[str, str] | None) -> bool:
        """Take in the labels of a namespace, None where it is gone; -> whether they are others than before.

        A namespace that is not known is taken for one without labels.
        """
        old = self.namespaces.get(name, NO_LABELS)
        if labels is None:
            self.namespaces.pop(name, None)
        else:
            self.namespaces[name] = labels
        new = labels or NO_LABELS
        if old == new:
            return False
        sorts = [key for key in self._tallies if isinstance(key, Sort)]
        for sort in [sort for sort in sorts if any(_tells(pods, old, new) for pods in sort.selectors)]:
            self._drop(sort)
        self._concerning.clear()
        return True

    # for those who hold arrays, and those who compare

    def grow(self, capacity: int) -> None:
        """Make room for more slots."""
        self._capacity = capacity
        for tally in self._tallies.values():
            counts = np.zeros(capacity, np.int32)
            counts[: len(tally.counts)] = tally.counts
            tally.counts = counts

    def standing(self, slot: int) -> dict[Peer, int]:
        """Return the pods on a slot."""
        return {peer: group.slots[slot] for groups in self._groups.values() for peer, group in groups.items() if slot in group.slots}

    def count_like(self, other: PeerIndex) -> None:
        """Count all that is counted in another index of the same pods; to compare the two."""
        for key in other._tallies:
            self._asked(self._held[key.wish] if isinstance(key, Held) else key)

    def tallies(self) -> dict[Sort | Wish, Tally]:
        """Return all that is counted."""
        return {key.wish if isinstance(key, Held) else key: tally for key, tally in self._tallies.items()}


def _wishes(peer: Peer) -> Iterator[Wish]:
    if peer.affinity is not None:
        for term in peer.affinity.required:
            yield Wish(REQUIRED, term)
        for term in peer.affinity.avoided:
            yield Wish(AVOIDED, term)
        for weight, term in peer.affinity.preferred:
            yield Wish(PREFERRED, term, weight)


def _tells(pods: PodSelector, left: Mapping[str, str], right: Mapping[str, str]) -> bool:
    """Say whether a selector tells namespaces with these labels apart."""
    selector = pods.namespace_selector
    return selector is not None and all_hold(selector, left) != all_hold(selector, right)
