"""InterPodAffinity: pods stand near to or away from other pods, as they ask and as those ask that are placed already.

Required terms give each topology value a verdict. A pod must be where one pod satisfies all its required affinity terms; the first of a
series that want to be together, which satisfies its own terms, may stand anywhere that has the keys. It must not be where pods are that it
avoids, nor where pods are that avoid it. Preferred terms add their weight for each pod, in both directions, and placed pods' required
affinity adds the hard weight.

Source: kube-scheduler InterPodAffinity.
"""
from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Final

import numpy as np

from kcore.scheduler import _peers
from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.events import ClusterEvent, NamespaceChanged, NodeChanged, NodeGone, PeerChanged, PodGone
from kcore.scheduler.framework import UNRESOLVABLE
from kcore.scheduler.peers.index import AVOIDED, PREFERRED, REQUIRED, Tally
from kcore.scheduler.peers.selectors import all_hold, selects
from kcore.scheduler.peers.sums import Sums
from kcore.scheduler.rows import Ask, Peer, PodAffinity, PodRow, PodSelector

UNWANTED: Final = 1
AVOIDS: Final = 2
IS_AVOIDED: Final = 4
REASONS: Final = (
    "node(s) didn't match pod affinity rules",
    "node(s) didn't match pod anti-affinity rules",
    "node(s) didn't satisfy existing pods anti-affinity rules",
)
NO_WISHES: Final = PodAffinity()


class InterPodAffinity:
    """Place pods by the pods around.

    hard_weight       what a placed pod's required affinity adds
    ignore_preferred  what placed pods prefer does not count for a pod that prefers nothing itself
    """

    name: Final = "InterPodAffinity"
    hears: Final = (NodeChanged, NodeGone, PodGone, PeerChanged, NamespaceChanged)

    def __init__(self, hard_weight: int = 1, ignore_preferred: bool = False) -> None:
        self._hard_weight = hard_weight
        self._ignore_preferred = ignore_preferred

    def reads(self, pod: PodRow, columns: Columns) -> Hashable:
        """Return the wishes of placed pods that concern the pod, and whether it satisfies its own."""
        concerning = columns.peers.concerning(pod.account.peer)
        if pod.ask.affinity is None and not concerning:
            return None
        return tuple(held.number for held in concerning), _satisfies_itself(pod, columns)

    def verdicts(self, pod: PodRow, columns: Columns) -> AffinityVerdicts | None:
        """Begin to follow what is required."""
        verdicts = AffinityVerdicts(pod, columns)
        return verdicts if verdicts.rules else None

    def scores(self, pod: PodRow, columns: Columns) -> AffinityScores | None:
        """Begin to follow what is preferred."""
        preferred = (pod.ask.affinity or NO_WISHES).preferred
        if self._ignore_preferred and not preferred:
            return None
        parts = [(term.key, columns.peers.tally(term.pods), weight) for weight, term in preferred]
        for held in columns.peers.concerning(pod.account.peer):
            purpose, term, weight = held.wish
            if purpose == PREFERRED:
                parts.append((term.key, columns.peers.holders(held), weight))
            elif purpose == REQUIRED and self._hard_weight:
                parts.append((term.key, columns.peers.holders(held), self._hard_weight))
        return AffinityScores(parts, columns) if parts else None

    def reasons(self, ask: Ask) -> tuple[str, ...]:
        """Return the reason of each bit."""
        return REASONS

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """A new node with the keys helps, and whatever changes which pods are meant, and where they are."""
        wishes = ask.affinity or NO_WISHES
        match event:
            case NodeChanged(None, new):
                return all(term.key in new.labels for term in wishes.required)
            case NodeChanged(old, new):
                return old is not None and old.labels != new.labels
            case PodGone(_, account):
                return _hinders(account.peer, wishes) or bool(account.peer.affinity and account.peer.affinity.avoided)
            case PeerChanged(before, after):
                return _helps(after, wishes) or (before is not None and _hinders(before, wishes))
            case NodeGone() | NamespaceChanged():
                return True
            case _:
                return False


Rule = tuple[Sums, bool, int, Int64]
"""Sums, whether they are of the required affinity, the verdict where there are pods, the verdicts."""


class AffinityVerdicts:
    """What is required: per topology value, whether there are pods that must be there or must not."""

    def __init__(self, pod: PodRow, columns: Columns) -> None:
        wishes = pod.ask.affinity or NO_WISHES
        peers = columns.peers
        self._alone = _satisfies_itself(pod, columns)
        self._first = False
        wanted = peers.tally(*(term.pods for term in wishes.required)) if wishes.required else None
        required = _by_key(((term.key, wanted, 1) for term in wishes.required if wanted), columns)
        avoided = _by_key(((term.key, peers.tally(term.pods), 1) for term in wishes.avoided), columns)
        avoiding = [held for held in peers.concerning(pod.account.peer) if held.wish.purpose == AVOIDED]
        avoiders = _by_key(((held.wish.term.key, peers.holders(held), 1) for held in avoiding), columns)
        self.rules: list[Rule] = [
            *((sums, True, 0, np.zeros(len(sums.values), np.int64)) for sums in required),
            *((sums, False, AVOIDS, np.zeros(len(sums.values), np.int64)) for sums in avoided),
            *((sums, False, IS_AVOIDED, np.zeros(len(sums.values), np.int64)) for sums in avoiders),
        ]
        for _, is_required, _, verdicts in self.rules:
            verdicts[0] = UNWANTED | UNRESOLVABLE if is_required else 0
        self._first = self._is_first()
        for rule in self.rules:
            self._judge(rule, None)

    @property
    def kept(self) -> bool:
        """Whether all that is counted is still followed."""
        return all(sums.kept for sums, *_ in self.rules)

    @property
    def size_bytes(self) -> int:
        """How much memory it takes."""
        return sum(sums.size_bytes + verdicts.nbytes for sums, _, _, verdicts in self.rules)

    def update(self, slots: Int64) -> bool:
        """Take in slots on which pods have changed."""
        touched = [rule for rule in self.rules if rule[0].update(slots)]
        changed = [rule[0] for rule in touched if self._judge(rule, slots)]
        if touched and self._first != self._is_first():
            self._first = not self._first
            for rule in self.rules:
                self._judge(rule, None)
            return True
        return not all(sums.is_unique for sums in changed)

    def codes(self, count: int, out: Int64) -> None:
        """Write the first verdict against a node."""
        out[:count] = 0
        for sums, _, _, verdicts in self.rules:
            _peers.mark(sums.codes, verdicts, count, out)

    def code(self, slot: int) -> int:
        """Return what `codes` would write for one slot."""
        found = (int(verdicts[sums.codes[slot]]) for sums, _, _, verdicts in self.rules)
        return next(filter(None, found), 0)

    def _is_first(self) -> bool:
        """Say whether the pod is the first of a series that want to be together."""
        return self._alone and not any(sums.values.any() for sums, is_required, _, _ in self.rules if is_required)

    def _judge(self, rule: Rule, slots: Int64 | None) -> int:
        """Judge the values that some slots have, or all; -> how many verdicts changed."""
        sums, is_required, code, verdicts = rule
        values = sums.codes[slots] if slots is not None else np.arange(len(verdicts), dtype=np.int32)
        without = UNWANTED | UNRESOLVABLE if is_required and not self._first else 0
        return _peers.judge(sums.values, values, without, code, verdicts)


class AffinityScores:
    """What is preferred: per topology value, the weights of all pods there."""

    def __init__(self, parts: Iterable[tuple[str, Tally, int]], columns: Columns) -> None:
        self._sums = _by_key(parts, columns)
        self.raw = np.zeros(columns.count, np.int64)

    @property
    def kept(self) -> bool:
        """Whether all that is counted is still followed."""
        return all(sums.kept for sums in self._sums)

    @property
    def size_bytes(self) -> int:
        """How much memory it takes."""
        return self.raw.nbytes + sum(sums.size_bytes for sums in self._sums)

    def update(self, slots: Int64) -> bool:
        """Take in slots on which pods have changed."""
        changed = [sums.update(slots) for sums in self._sums]
        return any(changed)

    def score(self, feasible: UInt8, changed: bool, out: Int64) -> None:
        """Stretch the sums from 0 to 100."""
        count = len(feasible)
        self.raw[:] = 0
        for sums in self._sums:
            _peers.add_sums(sums.codes, sums.values, count, self.raw)
        _peers.normalise_affinity(self.raw, feasible, count, out)


def _by_key(parts: Iterable[tuple[str, Tally, int]], columns: Columns) -> list[Sums]:
    """Sum weighted tallies per topology key."""
    found: dict[str, Sums] = {}
    for key, tally, weight in parts:
        sums = found.get(key)
        if sums is None:
            sums = found[key] = Sums(columns.label(key), columns.present[: columns.count])
        sums.add(tally, weight)
    return list(found.values())


def _satisfies_itself(pod: PodRow, columns: Columns) -> bool:
    """Say whether a pod satisfies all affinity terms that it requires."""
    required = (pod.ask.affinity or NO_WISHES).required
    if not required:
        return False
    peer = pod.account.peer
    labels = dict(peer.labels)
    return all(selects(term.pods, peer.namespace, labels, columns.peers.namespaces) for term in required)


def _helps(peer: Peer, wishes: PodAffinity) -> bool:
    """Say whether a placed pod may be one that is required."""
    return bool(wishes.required) and all(_may_mean(term.pods, peer) for term in wishes.required)


def _hinders(peer: Peer, wishes: PodAffinity) -> bool:
    """Say whether the end of a placed pod may help: it is avoided, or it kept another one from being the first."""
    return any(_may_mean(term.pods, peer) for term in wishes.avoided) or _helps(peer, wishes)


def _may_mean(pods: PodSelector, peer: Peer) -> bool:
    """Say whether a selector means a pod, whatever the labels of its namespace are."""
    if pods.expressions is None or (peer.namespace not in pods.namespaces and pods.namespace_selector is None):
        return False
    return all_hold(pods.expressions, dict(peer.labels))
