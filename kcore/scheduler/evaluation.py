"""What is known about one ask on all nodes, kept up to date as pods are placed.

    slot            0      1      2      3
    mask            1      1      0      1       node filters: labels, taints ...; lives until a node changes
    codes           0      2      0      0       placed filters: 0 or reason bits
    passing         1      0      0      1       mask and not codes
    peers' codes    0      0      1      1       peer filters: 0 or reason bits
    feasible        1      0      0      0       passing and no peer's code
    own             481    -      -      492     sum of the weighted scores of node and placed plugins
    totals          519    -      -      -       own and the weighted scores of peer plugins

A pod placed on slot 3 by anybody appends 3 to the columns' log. The next pod with the same ask finds the entry, computes slot 3 anew in
every placed filter and score, and leaves the rest: its results are those of a fresh evaluation. What peer plugins keep takes in slot 3 too;
only if that changes what they say are all nodes marked or scored anew by them. If a slot became feasible or ceased to be, scores that are
normalised over the feasible nodes are normalised again. Where no peer plugin has a say, passing is feasible, and own is totals.

Where pods are nominated to a node that come before this one or with it, the pod must fit with them and without; they count in no score.

Results are kept per ask, and what peer plugins read besides, the least recently used given up first, and its arrays used again.
"""
from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Final

import numpy as np

from kcore.base.limits import SCHEDULER_KEPT_BYTES_MAX, SCHEDULER_KEPT_MAX
from kcore.scheduler import _kernels, _peers
from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.framework import Diagnosis, PeerFilter, PeerScore, PlacedFilter, PlacedScore, Scores, Verdicts
from kcore.scheduler.plugins.node_affinity import named_nodes
from kcore.scheduler.plugins.node_resources_fit import NodeResourcesFit
from kcore.scheduler.profile import DEFAULT, Profile
from kcore.scheduler.rows import Ask, PodRow

# A mask of a byte or raw scores of eight bytes per slot.
BYTES_PER_SLOT: Final = 8
# Above this part of all slots, computing everything costs less than computing the touched ones one by one; so many are always few.
TOUCHED_PART: Final = 16
TOUCHED_FEW: Final = 4
# So many results are kept however large a cluster is.
KEPT_MIN: Final = 4
NO_SLOTS: Final = np.zeros(0, np.int64)


class NodeResults:
    """Masks and raw scores that only nodes decide, by what they read of an ask; dropped when a node changes."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._version = -1
        self.masks: dict[Hashable, UInt8] = {}
        self._raws: dict[Hashable, Int64 | None] = {}

    def mask(self, ask: Ask, columns: Columns) -> UInt8:
        """Return 1 where all node filters pass; not to be written to."""
        self._expire(columns)
        key = tuple(plugin.reads(ask) for plugin in self._profile.node_filters)
        mask = self.masks.get(key)
        if mask is None:
            mask = columns.present[: columns.count].copy()
            for plugin, reads in zip(self._profile.node_filters, key, strict=True):
                if reads is not None:
                    mask &= plugin.mask(ask, columns)
            self._keep(self.masks, key, mask, columns)
        return mask

    def raw(self, index: int, ask: Ask, columns: Columns) -> Int64 | None:
        """Return the raw scores of the node score with this index in the profile; not to be written to."""
        self._expire(columns)
        plugin, _ = self._profile.node_scores[index]
        key = (index, plugin.reads(ask))
        if key not in self._raws:
            self._keep(self._raws, key, plugin.raw(ask, columns), columns)
        return self._raws[key]

    def _expire(self, columns: Columns) -> None:
        if self._version != columns.static_version:
            self.masks.clear()
            self._raws.clear()
            self._version = columns.static_version

    def _keep(self, results: dict[Hashable, UInt8] | dict[Hashable, Int64 | None], key: Hashable, value: object, columns: Columns) -> None:
        if len(results) >= kept_max(columns):
            del results[next(iter(results))]
        results[key] = value  # type: ignore[assignment]


class Evaluation:
    """The results of one ask under one profile.

    pod       one of those that ask this
    feasible  (slots,) 1 where the pod fits; totals (slots,) the weighted sum there; feasible_count of them
    filters   the placed and peer filters that concern the ask, with the codes of each
    verdicts  what the peer filters keep, the last of `filters`
    mask      (slots,) 1 where all node filters pass; not to be written to
    named     the only nodes that are looked at, or None for all
    diagnosis why no node is feasible, once somebody found out; forgotten when anything changes
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.pod: PodRow | None = None
        self.ask = Ask()
        self.feasible: UInt8 = np.zeros(0, np.uint8)
        self.totals: Int64 = np.zeros(0, np.int64)
        self.feasible_count = 0
        self.named: frozenset[str] | None = None
        self.diagnosis: Diagnosis | None = None
        self.filters: list[tuple[PlacedFilter | PeerFilter, Int64]] = []
        self.verdicts: list[tuple[Verdicts, Int64]] = []
        self.size_bytes = 0
        self._placed: list[tuple[PlacedFilter, Int64]] = []
        self._scores: list[tuple[PlacedScore, int, Int64]] = []
        self._peer_scores: list[tuple[PeerScore, int, Scores, Int64]] = []
        self._peers: list[tuple[PeerFilter, Verdicts]] = []
        self._scratch: Int64 = self.totals
        self._passing: UInt8 = self.feasible
        self._own: Int64 = self.totals
        self.mask: UInt8 = self.feasible
        self._base: Int64 | int = 0
        self._normalised = False
        self._version = -1
        self._position = 0
        self._drop_count = 0

    def refresh(self, pod: PodRow, columns: Columns, nodes: NodeResults) -> None:
        """Bring the results up to what the columns hold now."""
        if pod is not self.pod or self._version != columns.static_version or not self._is_kept(columns):
            self._compute(pod, columns, nodes)
        elif self._position != columns.position:
            touched = columns.touched_since(self._position)
            if touched is None or len(touched) > max(TOUCHED_FEW, columns.count // TOUCHED_PART):
                self._compute(pod, columns, nodes)
            else:
                self._update(set(touched), columns, nodes)
        self._version, self._position = columns.static_version, columns.position

    def scores(self, columns: Columns, nodes: NodeResults) -> dict[str, tuple[Int64 | int, int]]:
        """Return per plugin that scores this ask its normalised scores and weight; for explanations."""
        found: dict[str, tuple[Int64 | int, int]] = {}
        feasible = self.feasible[: columns.count]
        for index, (plugin, weight) in enumerate(self.profile.node_scores):
            if plugin.reads(self.ask) is not None:
                found[plugin.name] = plugin.normalise(nodes.raw(index, self.ask, columns), feasible), weight
        for placed, weight, scores in self._scores:
            found[placed.name] = scores, weight
        for peer, weight, _, scores in self._peer_scores:
            found[peer.name] = scores, weight
        return found

    # one node as it would be

    @property
    def fit_alone(self) -> NodeResourcesFit | None:
        """Return the filter of amounts where no other filter of pods concerns the ask."""
        plugin = self.filters[0][0] if len(self.filters) == 1 else None
        return plugin if isinstance(plugin, NodeResourcesFit) else None

    def failing(self, slot: int, columns: Columns) -> tuple[PlacedFilter | PeerFilter, int] | None:
        """Return the filter of pods that rejects a node as the columns are now, and its code; None where all pass.

        Within a trial; what is kept takes in the slot once more when the trial is over (`take_in`).
        """
        return self._failing_with_claims(slot, columns, self._placed) or self._failing(slot, columns, self._placed, self._peers)

    def take_in(self, slot: int) -> None:
        """Let what peer filters keep take in a slot again."""
        if self.verdicts:
            slots = np.array([slot], np.int64)
            for verdicts, _ in self.verdicts:
                verdicts.update(slots)

    def _failing_with_claims(
        self, slot: int, columns: Columns, placed: Iterable[tuple[PlacedFilter, Int64]]
    ) -> tuple[PlacedFilter | PeerFilter, int] | None:
        claims = columns.claims(slot, self.ask.priority) if columns.nominated else ()
        if not claims:
            return None
        with columns.trial(columns.names[slot], also=claims):
            # Whom nominated pods avoid matters, as upstream, where a filter of peers concerns the pod anyway.
            begins = self._peers and any(claim.peer.affinity is not None for claim in claims)
            found = self._failing(slot, columns, placed, self._begin(columns) if begins else self._peers)
        self.take_in(slot)
        return found

    def _failing(
        self, slot: int, columns: Columns, placed: Iterable[tuple[PlacedFilter, Int64]], peers: Iterable[tuple[PeerFilter, Verdicts]]
    ) -> tuple[PlacedFilter | PeerFilter, int] | None:
        if len(self._scratch) != columns.capacity:
            self._scratch = np.zeros(columns.capacity, np.int64)
        for plugin, _ in placed:
            plugin.codes(self.ask, columns, slot, slot + 1, self._scratch)
            if self._scratch[slot]:
                return plugin, int(self._scratch[slot])
        self.take_in(slot)
        for peer, verdicts in peers:
            code = verdicts.code(slot)
            if code:
                return peer, code
        return None

    def _begin(self, columns: Columns) -> list[tuple[PeerFilter, Verdicts]]:
        assert self.pod is not None
        pod = self.pod
        begun = [(peer, peer.verdicts(pod, columns)) for peer in self.profile.peer_filters if peer.reads(pod, columns) is not None]
        return [(peer, verdicts) for peer, verdicts in begun if verdicts is not None]

    def _is_kept(self, columns: Columns) -> bool:
        """Say whether everything that is counted for peer plugins is still followed."""
        if self._drop_count == columns.peers.drop_count:
            return True
        self._drop_count = columns.peers.drop_count
        return all(verdicts.kept for verdicts, _ in self.verdicts) and all(scores.kept for _, _, scores, _ in self._peer_scores)

    # everything

    def _compute(self, pod: PodRow, columns: Columns, nodes: NodeResults) -> None:
        count, ask = columns.count, pod.ask
        self.diagnosis = None
        self._prepare(pod, columns)
        self.mask = nodes.mask(ask, columns)
        self._passing[:count] = self.mask
        self.feasible_count = 0 if self._placed else int(np.count_nonzero(self.mask))
        for plugin, codes in self._placed:
            plugin.codes(ask, columns, 0, count, codes)
        if columns.nominated:
            self._place_claimed(columns)
        for _, codes in self._placed:
            self.feasible_count = _kernels.keep_passing(codes, 0, count, self._passing)
        for scorer, _, scores in self._scores:
            scorer.score(ask, columns, self._passing, 0, count, scores)
        self._mark_peers(columns)
        self._judge(count)
        self._sum(columns, nodes)
        self._add_peers(count, changed=True)

    def _prepare(self, pod: PodRow, columns: Columns) -> None:
        """Choose the plugins that the ask concerns and give each an array, an old one where there is one."""
        arrays = [each[1] for each in self.filters] + [each[2] for each in self._scores] + [each[3] for each in self._peer_scores]
        if len(self.feasible) != columns.capacity:
            self.feasible = np.zeros(columns.capacity, np.uint8)
            self.totals = np.zeros(columns.capacity, np.int64)
            arrays = []
        ask, profile = pod.ask, self.profile
        self._drop_count = columns.peers.drop_count
        early, late = (
            [(plugin, _array(arrays, columns)) for plugin in plugins if plugin.reads(ask) is not None]
            for plugins in (profile.placed_filters, profile.late_filters)
        )
        self._placed = [*early, *late]
        self._scores = [
            (plugin, weight, _array(arrays, columns)) for plugin, weight in profile.placed_scores if plugin.reads(ask) is not None
        ]
        self.pod, self.ask = pod, ask
        self._peers = self._begin(columns)
        judging = [(peer, verdicts, _array(arrays, columns)) for peer, verdicts in self._peers]
        self.verdicts = [(verdicts, codes) for _, verdicts, codes in judging]
        self.filters = [*early, *((peer, codes) for peer, _, codes in judging), *late]
        scoring = [(peer, by, peer.scores(pod, columns)) for peer, by in profile.peer_scores if peer.reads(pod, columns) is not None]
        self._peer_scores = [(peer, by, scores, _array(arrays, columns)) for peer, by, scores in scoring if scores is not None]
        self._passing = np.zeros(columns.capacity, np.uint8) if self.verdicts else self.feasible
        self._own = np.zeros(columns.capacity, np.int64) if self._peer_scores else self.totals
        self.named = named_nodes(ask)
        self.size_bytes = self._size_bytes()

    def _size_bytes(self) -> int:
        per_slot = (2 + len(self.filters) + len(self._scores) + len(self._peer_scores)) * 8 + 2
        kept = sum(verdicts.size_bytes for verdicts, _ in self.verdicts) + sum(scores.size_bytes for _, _, scores, _ in self._peer_scores)
        return per_slot * len(self.feasible) + kept

    def _sum(self, columns: Columns, nodes: NodeResults) -> None:
        feasible = self.feasible[: columns.count]
        base: Int64 | int = 0
        self._normalised = False
        for index, (plugin, weight) in enumerate(self.profile.node_scores):
            if plugin.reads(self.ask) is None:
                continue
            raw = nodes.raw(index, self.ask, columns)
            self._normalised |= raw is not None
            base = base + weight * plugin.normalise(raw, feasible)
        self._base = base
        own = self._own[: columns.count]
        own[:] = base
        for _, weight, scores in self._scores:
            own += scores[: columns.count] if weight == 1 else weight * scores[: columns.count]

    # what placed pods change

    def _update(self, slots: set[int], columns: Columns, nodes: NodeResults) -> None:
        self.diagnosis = None
        changed = self._update_placed(slots, columns)
        array = np.array([*slots], np.int64) if self.verdicts or self._peer_scores else NO_SLOTS
        if self.verdicts:
            changed = self._update_verdicts(slots, array, columns)
        if changed and self._normalised:
            self._sum(columns, nodes)
        else:
            for slot in slots:
                base = self._base if isinstance(self._base, int) else int(self._base[slot])
                self._own[slot] = base + sum(weight * int(scores[slot]) for _, weight, scores in self._scores)
        if self._peer_scores:
            rescored = [scores.update(array) for _, _, scores, _ in self._peer_scores]
            if changed or any(rescored):
                self._add_peers(columns.count, changed)
            else:
                for slot in slots:
                    self.totals[slot] = self._own[slot] + sum(weight * scores[slot] for _, weight, _, scores in self._peer_scores)

    def _update_placed(self, slots: set[int], columns: Columns) -> bool:
        """Compute some slots anew in placed plugins; -> whether any came to pass or ceased to."""
        changed = False
        for slot in slots:
            before = self._passing[slot]
            self._passing[slot] = self.mask[slot]
            self._place(slot, columns)
            for _, codes in self._placed:
                _kernels.keep_passing(codes, slot, slot + 1, self._passing)
            for scorer, _, scores in self._scores:
                scorer.score(self.ask, columns, self._passing, slot, slot + 1, scores)
            if before != self._passing[slot]:
                changed = True
                if not self.verdicts:
                    self.feasible_count += 1 if self._passing[slot] else -1
        return changed

    def _update_verdicts(self, slots: set[int], array: Int64, columns: Columns) -> bool:
        """Let peer filters take in some slots; -> whether other nodes may be feasible than before."""
        elsewhere = [verdicts.update(array) for verdicts, _ in self.verdicts]
        if any(elsewhere) or columns.nominated:
            self._mark_peers(columns)
            self._judge(columns.count)
            return True
        return self._judge_slots(slots)

    def _place(self, slot: int, columns: Columns) -> None:
        """Write the codes of placed filters for one slot: with the pods nominated there, or where these leave room, without."""
        if columns.nominated:
            claims = columns.claims(slot, self.ask.priority)
            if claims:
                with columns.trial(columns.names[slot], also=claims):
                    for plugin, codes in self._placed:
                        plugin.codes(self.ask, columns, slot, slot + 1, codes)
                if any(codes[slot] for _, codes in self._placed):
                    return
        for plugin, codes in self._placed:
            plugin.codes(self.ask, columns, slot, slot + 1, codes)

    def _place_claimed(self, columns: Columns) -> None:
        """Write the codes of placed filters for all slots with nominated pods; amounts are compared in one pass."""
        plugin, codes = self._placed[0] if len(self._placed) == 1 else (None, None)
        if isinstance(plugin, NodeResourcesFit) and codes is not None:
            plugin.add_claims(self.ask, columns, columns.claimed(), codes)
            return
        for slot in columns.claimed():
            self._place(slot, columns)

    def _mark_peers(self, columns: Columns) -> None:
        """Write the codes of peer filters: with nominated pods, or where these leave room, without."""
        for verdicts, codes in self.verdicts:
            verdicts.codes(columns.count, codes)
        for slot in columns.claimed() if self.verdicts else ():
            failing = self._failing_with_claims(slot, columns, ())
            if failing is not None:
                for plugin, codes in self.filters[len(self._placed) :]:
                    codes[slot] = failing[1] if plugin is failing[0] else 0

    def _judge(self, count: int) -> None:
        """Say which passing nodes are feasible."""
        if self.verdicts:
            self.feasible[:count] = self._passing[:count]
        for _, codes in self.verdicts:
            self.feasible_count = _kernels.keep_passing(codes, 0, count, self.feasible)

    def _judge_slots(self, slots: set[int]) -> bool:
        """Say of some slots whether they are feasible; -> whether that has changed of any."""
        changed = False
        for slot in slots:
            for verdicts, codes in self.verdicts:
                codes[slot] = verdicts.code(slot)
            before = self.feasible[slot]
            self.feasible[slot] = self._passing[slot] and not any(codes[slot] for _, codes in self.verdicts)
            if before != self.feasible[slot]:
                changed = True
                self.feasible_count += 1 if self.feasible[slot] else -1
        return changed

    def _add_peers(self, count: int, changed: bool) -> None:
        """Add the scores of peer plugins to the others."""
        base, feasible = self._own, self.feasible[:count]
        for _, weight, keeper, scores in self._peer_scores:
            keeper.score(feasible, changed, scores)
            _peers.weigh(base, scores, weight, count, self.totals)
            base = self.totals


def _array(arrays: list[Int64], columns: Columns) -> Int64:
    return arrays.pop() if arrays else np.empty(columns.capacity, np.int64)


class Evaluations:
    """The results of recent asks under one profile."""

    def __init__(self, profile: Profile = DEFAULT) -> None:
        self.profile = profile
        self.nodes = NodeResults(profile)
        self._looking = profile.peers
        self._nothing = (None,) * len(self._looking)
        self._kept: dict[Hashable, Evaluation] = {}
        self._kept_bytes = 0

    def of(self, pod: PodRow, columns: Columns) -> Evaluation:
        """Return the up-to-date results of what a pod asks."""
        reads = tuple([plugin.reads(pod, columns) for plugin in self._looking])
        key = pod.ask if reads == self._nothing else (pod.ask, reads)
        evaluation = self._kept.pop(key, None)
        if evaluation is None:
            evaluation = self._least_recent() or Evaluation(self.profile)
            evaluation.pod = None
        elif evaluation.pod is not None:
            pod = evaluation.pod
        self._kept_bytes -= evaluation.size_bytes
        evaluation.refresh(pod, columns, self.nodes)
        self._kept_bytes += evaluation.size_bytes
        self._kept[key] = evaluation
        return evaluation

    def _least_recent(self) -> Evaluation | None:
        """Give up the results used least recently if there are enough; -> the last of them."""
        given_up = None
        while len(self._kept) >= KEPT_MIN and (len(self._kept) >= SCHEDULER_KEPT_MAX or self._kept_bytes >= SCHEDULER_KEPT_BYTES_MAX):
            if given_up is not None:
                self._kept_bytes -= given_up.size_bytes
            given_up = self._kept.pop(next(iter(self._kept)))
        return given_up


def kept_max(columns: Columns) -> int:
    """Return how many masks and raw scores are kept each."""
    return max(KEPT_MIN, min(SCHEDULER_KEPT_MAX, SCHEDULER_KEPT_BYTES_MAX // (BYTES_PER_SLOT * columns.capacity)))
