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

What amounts decide is judged in one pass where nothing else that is placed concerns the ask (`fused`): then passing and own are written
at once, without codes and scores of single plugins, and a block of slots is judged anew instead of one. A ranking knows the best of each
block, so that choosing looks at few slots, and a run of pods that ask and show the same is placed without leaving compiled code.

Where pods are nominated to a node that come before this one or with it, the pod must fit with them and without; they count in no score.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from kcore.scheduler import _kernels, _peers
from kcore.scheduler._loads import Wanted
from kcore.scheduler._ranking import Ranking
from kcore.scheduler.columns import Columns, Float64, Int64, UInt8
from kcore.scheduler.evaluation.fused import Fused
from kcore.scheduler.evaluation.nodes import NodeResults
from kcore.scheduler.framework import Diagnosis, NodeScore, PeerFilter, PeerScore, PlacedFilter, PlacedScore, Scores, Verdicts
from kcore.scheduler.plugins.node_affinity import named_nodes
from kcore.scheduler.plugins.node_resources_fit import NodeResourcesFit
from kcore.scheduler.profile import Profile
from kcore.scheduler.rows import Account, Ask, PodRow

# Above this part of all slots, computing everything costs less than computing the touched ones one by one; so many are always few.
TOUCHED_PART: Final = 16
TOUCHED_FEW: Final = 4
# Where the fields of an ask are that only amounts decide by.
AMOUNTS: Final = slice(Ask._fields.index("amounts"), Ask._fields.index("nonzero_memory") + 1)


class Evaluation:
    """The results of one ask under one profile.

    pod       one of those that ask this
    feasible  (slots,) 1 where the pod fits; totals (slots,) the weighted sum there; feasible_count of them; ranking: the best of them
    filters   the placed and peer filters that concern the ask, with the codes of each; all of them once no node is feasible, or `detail`
              was called
    verdicts  what the peer filters keep, the last of `filters`
    mask      (slots,) 1 where all node filters pass; not to be written to
    named     the only nodes that are looked at, or None for all
    diagnosis why no node is feasible, once somebody found out; forgotten when anything changes
    """

    def __init__(self, profile: Profile, together: Fused | None = None) -> None:
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
        self.ranking = Ranking(self.feasible, self.totals)
        self._together = together
        self._wanted: Wanted | None = None
        self._detailed = False
        self._cares = False
        self._nodes = NodeResults(profile)
        self._by_amounts = self.ranking
        self._placed: list[tuple[PlacedFilter, Int64]] = []
        self._scores: list[tuple[PlacedScore, int, Int64]] = []
        self._peer_scores: list[tuple[PeerScore, int, Scores, Int64]] = []
        self._peers: list[tuple[PeerFilter, Verdicts]] = []
        self._scratch: Int64 = self.totals
        self._passing: UInt8 = self.feasible
        self._own: Int64 = self.totals
        self.mask: UInt8 = self.feasible
        self._base: Int64 | int = 0
        self._raws: list[tuple[NodeScore, int, Int64 | None]] = []
        self._normalised = False
        self._version = -1
        self._position = 0
        self._drop_count = 0

    def refresh(self, pod: PodRow, columns: Columns, nodes: NodeResults, cares: bool = True) -> None:
        """Bring the results up to what the columns hold now; cares: whether any peer plugin concerns the pod.

        What is kept is of a pod that asked the same, and whom the same concerned then. That pod may be concerned otherwise now.
        """
        is_kept, self.pod = self.pod is not None, pod
        if not is_kept and not cares and self._together is not None and self._differs_in_amounts(pod.ask, columns):
            self._judge_others(pod, self._together, columns)
        elif not is_kept or self._version != columns.static_version or not self._is_kept(columns):
            self._compute(pod, columns, nodes, cares)
        elif self._position != columns.position:
            touched = columns.touched_since(self._position)
            if (
                touched is None
                or len(touched) > max(TOUCHED_FEW, columns.count // TOUCHED_PART)
                or (self._wanted is not None and (columns.nominated or columns.unusual))
            ):
                self._compute(pod, columns, nodes, cares)
            else:
                self._update(set(touched), columns)
        if not self.feasible_count:
            self.detail(columns)
        elif self._detailed and not columns.nominated and self.feasible_count > columns.count // TOUCHED_PART:
            self._compute(pod, columns, nodes, cares)
        self._version, self._position = columns.static_version, columns.position

    def detail(self, columns: Columns) -> None:
        """Find out what every single plugin says, where several were judged together, until many nodes are feasible again."""
        if self._wanted is not None and self.pod is not None:
            self._compute(self.pod, columns, self._nodes, together=False)
            self._detailed = True

    def may_run(self, columns: Columns) -> bool:
        """Say whether `place` can place pods: amounts alone decide, and some node is feasible."""
        return self._wanted is not None and self.ranking is self._by_amounts and not columns.nominated and self.feasible_count > 0

    def place(self, most: int, account: Account, columns: Columns, randrange: Callable[[int], int]) -> list[tuple[int, int, int, int]]:
        """Choose nodes for pods that ask what was asked here and take this there, one after the other, each counted before the next.

        Returns  (slot, how many had the highest total, that total, how many were feasible) for each; to be called again for the rest
        """
        if self._wanted is None or not self.may_run(columns):
            return []
        base, bases = self._bases()
        placed = columns.loads.place(
            most, self._wanted, self.mask, base, bases, self.ranking,
            account.amounts, columns.resources, account.nonzero_cpu, account.nonzero_memory, randrange,
        )  # fmt: skip
        slots = [slot for slot, *_ in placed]
        columns.placed(account, slots)
        self.feasible_count = self.ranking.feasible_count
        if bases is not None and not self.feasible[slots[-1]]:
            self._sum(columns)
        self.diagnosis, self._position = None, columns.position
        return placed

    def scores(self, columns: Columns, nodes: NodeResults) -> dict[str, tuple[Int64 | int, int]]:
        """Return per plugin that scores this ask its normalised scores and weight; for explanations."""
        self.detail(columns)
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

    def raws(self, columns: Columns) -> dict[str, Int64 | Float64 | None]:
        """Return per plugin that scores this ask its scores before they are normalised, None where all are 0; for explanations."""
        self.detail(columns)
        found: dict[str, Int64 | Float64 | None] = {plugin.name: raw for plugin, _, raw in self._raws}
        found |= {placed.name: scores for placed, _, scores in self._scores}
        return found | {peer.name: keeper.raw for peer, _, keeper, _ in self._peer_scores}

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
        late = self.profile.late_filters
        found = self._failing_placed(slot, columns, [plugin for plugin, _ in placed if plugin not in late])
        if found is not None:
            return found
        self.take_in(slot)
        for peer, verdicts in peers:
            code = verdicts.code(slot)
            if code:
                return peer, code
        return self._failing_placed(slot, columns, [plugin for plugin, _ in placed if plugin in late])

    def _failing_placed(self, slot: int, columns: Columns, plugins: Iterable[PlacedFilter]) -> tuple[PlacedFilter, int] | None:
        if len(self._scratch) != columns.capacity:
            self._scratch = np.zeros(columns.capacity, np.int64)
        for plugin in plugins:
            plugin.codes(self.ask, columns, slot, slot + 1, self._scratch)
            if self._scratch[slot]:
                return plugin, int(self._scratch[slot])
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

    def _compute(self, pod: PodRow, columns: Columns, nodes: NodeResults, cares: bool = True, together: bool = True) -> None:
        count, ask = columns.count, pod.ask
        self.diagnosis, self._detailed, self._nodes = None, False, nodes
        self._prepare(pod, columns, cares, together)
        self.mask = nodes.mask(ask, columns)
        self._raws = [
            (plugin, weight, nodes.raw(index, ask, columns))
            for index, (plugin, weight) in enumerate(self.profile.node_scores)
            if plugin.reads(ask) is not None
        ]
        self._normalised = any(raw is not None for _, _, raw in self._raws)
        if self._wanted is None:
            self._compute_placed(columns)
        else:
            self._base = 0 if self._normalised else self._normalise(count)
            self._judge_amounts(columns)
        if self.verdicts:
            self._mark_peers(columns)
            self._judge(count)
        if self._wanted is None or self._normalised:
            self._sum(columns)
        if self._peer_scores:
            self._add_peers(count, changed=True)
        if self.ranking is not self._by_amounts:
            self.ranking.rank(count)

    def _differs_in_amounts(self, ask: Ask, columns: Columns) -> bool:
        """Say whether all that was found for another ask holds for this one, but what amounts decide."""
        if self._wanted is None or self._version != columns.static_version or self._cares or columns.nominated or columns.unusual:
            return False
        old = self.ask
        return old[: AMOUNTS.start] == ask[: AMOUNTS.start] and old[AMOUNTS.stop :] == ask[AMOUNTS.stop :]

    def _judge_others(self, pod: PodRow, together: Fused, columns: Columns) -> None:
        """Judge the amounts of another pod."""
        self.pod, self.ask, self.diagnosis = pod, pod.ask, None
        self._wanted = together.wanted(pod.ask, columns)
        if self._normalised:
            self._base = 0
        self._judge_amounts(columns)
        if self._normalised:
            self._sum(columns)

    def _compute_placed(self, columns: Columns) -> None:
        count, ask = columns.count, self.ask
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

    def _judge_amounts(self, columns: Columns) -> None:
        assert self._wanted is not None
        columns.loads.judge(self._wanted, self.mask, *self._bases(), self._by_amounts)
        if not self.verdicts:
            self.feasible_count = self._by_amounts.feasible_count

    def _bases(self) -> tuple[int, Int64 | None]:
        return (self._base, None) if isinstance(self._base, int) else (0, self._base)

    def _prepare(self, pod: PodRow, columns: Columns, cares: bool, together: bool) -> None:
        """Choose the plugins that the ask concerns and give each an array, an old one where there is one."""
        arrays = [each[1] for each in self.filters] + [each[2] for each in self._scores] + [each[3] for each in self._peer_scores]
        if len(self.feasible) != columns.capacity:
            self.feasible = np.zeros(columns.capacity, np.uint8)
            self.totals = np.zeros(columns.capacity, np.int64)
            self.ranking = Ranking(self.feasible, self.totals)
            arrays = []
        ask, profile = pod.ask, self.profile
        self.pod, self.ask = pod, ask
        self._drop_count = columns.peers.drop_count
        filters = [plugin for plugin in (*profile.placed_filters, *profile.late_filters) if plugin.reads(ask) is not None]
        scores = [each for each in profile.placed_scores if each[0].reads(ask) is not None]
        self._wanted, self._cares = None, cares
        if self._together is not None and together and self._together.are_all(filters, scores, ask, columns):
            self._wanted = self._together.wanted(ask, columns)
            filters, scores = [], []
        self._placed = [(plugin, _array(arrays, columns)) for plugin in filters]
        self._scores = [(plugin, weight, _array(arrays, columns)) for plugin, weight in scores]
        self._peers = self._begin(columns) if cares else []
        judging = [(peer, verdicts, _array(arrays, columns)) for peer, verdicts in self._peers]
        self.verdicts = [(verdicts, codes) for _, verdicts, codes in judging]
        late = [each for each in self._placed if each[0] in profile.late_filters]
        self.filters = [*self._placed[: len(self._placed) - len(late)], *((peer, codes) for peer, _, codes in judging), *late]
        scoring = [
            (peer, by, peer.scores(pod, columns)) for peer, by in profile.peer_scores if cares and peer.reads(pod, columns) is not None
        ]
        self._peer_scores = [(peer, by, scores, _array(arrays, columns)) for peer, by, scores in scoring if scores is not None]
        self._passing = np.zeros(columns.capacity, np.uint8) if self.verdicts else self.feasible
        self._own = np.zeros(columns.capacity, np.int64) if self._peer_scores else self.totals
        apart = self._wanted is None or self.verdicts or self._peer_scores
        self._by_amounts = Ranking(self._passing, self._own) if apart else self.ranking
        self.named = named_nodes(ask)
        self.size_bytes = self._size_bytes()

    def _size_bytes(self) -> int:
        per_slot = (2 + len(self.filters) + len(self._scores) + len(self._peer_scores)) * 8 + 2
        kept = sum(verdicts.size_bytes for verdicts, _ in self.verdicts) + sum(scores.size_bytes for _, _, scores, _ in self._peer_scores)
        return per_slot * len(self.feasible) + kept

    def _normalise(self, count: int) -> Int64 | int:
        """Return the weighted sum of the scores that nodes themselves decide, normalised over the feasible ones."""
        feasible = self.feasible[:count]
        base: Int64 | int = 0
        for plugin, weight, raw in self._raws:
            base = base + weight * plugin.normalise(raw, feasible)
        return base

    def _sum(self, columns: Columns) -> None:
        self._base = self._normalise(columns.count)
        if self._wanted is not None:
            self._judge_amounts(columns)
            return
        own = self._own[: columns.count]
        own[:] = self._base
        for _, weight, scores in self._scores:
            own += scores[: columns.count] if weight == 1 else weight * scores[: columns.count]

    # what placed pods change

    def _update(self, slots: set[int], columns: Columns) -> None:
        self.diagnosis = None
        array = np.array([*slots], np.int64)
        changed = self._update_placed(slots, columns) if self._wanted is None else self._update_amounts(array, columns)
        everywhere = False
        if self.verdicts:
            changed, everywhere = self._update_verdicts(slots, array, columns)
        is_resummed = changed and self._normalised
        if is_resummed:
            self._sum(columns)
        elif self._wanted is None:
            for slot in slots:
                base = self._base if isinstance(self._base, int) else int(self._base[slot])
                self._own[slot] = base + sum(weight * int(scores[slot]) for _, weight, scores in self._scores)
        is_rescored = self._update_scores(slots, array, columns.count, changed) if self._peer_scores else False
        if self.ranking is self._by_amounts:
            return
        if is_resummed or is_rescored or everywhere:
            self.ranking.rank(columns.count)
        else:
            for slot in slots:
                self.ranking.rank_slot(slot)

    def _update_amounts(self, slots: Int64, columns: Columns) -> bool:
        """Judge some slots anew; -> whether any came to pass or ceased to."""
        assert self._wanted is not None
        changed = columns.loads.judge_slots(slots, self._wanted, self.mask, *self._bases(), self._by_amounts)
        if not self.verdicts:
            self.feasible_count = self._by_amounts.feasible_count
        return changed

    def _update_scores(self, slots: set[int], array: Int64, count: int, changed: bool) -> bool:
        """Let peer scores take in some slots; -> whether all were added anew."""
        rescored = [scores.update(array) for _, _, scores, _ in self._peer_scores]
        if changed or any(rescored):
            self._add_peers(count, changed)
            return True
        for slot in slots:
            self.totals[slot] = self._own[slot] + sum(weight * scores[slot] for _, weight, _, scores in self._peer_scores)
        return False

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

    def _update_verdicts(self, slots: set[int], array: Int64, columns: Columns) -> tuple[bool, bool]:
        """Let peer filters take in some slots; -> whether other nodes may be feasible than before, and whether any others than these."""
        elsewhere = [verdicts.update(array) for verdicts, _ in self.verdicts]
        if any(elsewhere) or columns.nominated:
            self._mark_peers(columns)
            self._judge(columns.count)
            return True, True
        return self._judge_slots(slots), False

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
            plugin.add_claims(self.ask, columns, codes)
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
