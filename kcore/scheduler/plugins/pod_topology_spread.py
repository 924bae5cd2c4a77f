"""PodTopologySpread: pods that a constraint selects stand evenly in the values of its topology key.

A hard constraint (DoNotSchedule) gives each value a verdict: whether one more pod would bring it too far above the value with fewest. A
soft one (ScheduleAnyway) gives each value a score, count * ln(values + 2) + maxSkew - 1. A pod without constraints has soft ones over nodes
and zones if a Service or workload selects it. An empty selector counts no pod, though the incoming pod itself satisfies it.

Which nodes count: for hard constraints those with all their keys, for soft ones likewise unless they are the default ones; and per
constraint those that pass nodeAffinityPolicy and nodeTaintsPolicy. Terminating pods count nowhere.

Source: kube-scheduler PodTopologySpread.
"""
from __future__ import annotations

from collections.abc import Hashable, Iterable
from math import log
from typing import Final

import numpy as np

from kcore.scheduler import _peers
from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.events import ClusterEvent, NodeChanged, NodeGone, PeerChanged, PodGone
from kcore.scheduler.framework import UNRESOLVABLE
from kcore.scheduler.peers.index import Tally
from kcore.scheduler.peers.selectors import all_hold
from kcore.scheduler.peers.sums import Sums
from kcore.scheduler.plugins.node_affinity import NodeAffinity
from kcore.scheduler.plugins.taint_toleration import TaintToleration
from kcore.scheduler.rows import Ask, Expression, Peer, PodRow, PodSelector, Spread

HOSTNAME: Final = "kubernetes.io/hostname"
ZONE: Final = "topology.kubernetes.io/zone"
NOTHING: Final = PodSelector(None)
SYSTEM_DEFAULTS: Final = (Spread(HOSTNAME, 3, False, NOTHING), Spread(ZONE, 5, False, NOTHING))

SKEWED: Final = 1
MISSING: Final = 2
REASONS: Final = (
    "node(s) didn't match pod topology spread constraints",
    "node(s) didn't match pod topology spread constraints (missing required label)",
)

_NODE_AFFINITY: Final = NodeAffinity()
_TAINT_TOLERATION: Final = TaintToleration()


class PodTopologySpread:
    """Spread pods over topology values.

    defaults  the constraints of pods that have none, without selectors; system: they are the built-in ones, of which a node may lack keys
    """

    name: Final = "PodTopologySpread"
    hears: Final = (NodeChanged, NodeGone, PodGone, PeerChanged)

    def __init__(self, defaults: tuple[Spread, ...] = SYSTEM_DEFAULTS, system: bool = True) -> None:
        self._defaults = defaults
        self._system = system
        self._rejects = any(constraint.hard for constraint in defaults)

    def reads(self, pod: PodRow, columns: Columns) -> Hashable:
        """Return which hard constraints select the pod itself; with default constraints, whom they select."""
        peer = pod.account.peer
        if pod.ask.spread:
            return tuple([_selects_itself(constraint.pods, peer) for constraint in pod.ask.spread if constraint.hard])
        selector = self._default_selector(pod, columns)
        if not selector:
            return None
        return peer.namespace, selector, self._rejects and _selects_itself(PodSelector(selector), peer)

    def verdicts(self, pod: PodRow, columns: Columns) -> SpreadVerdicts | None:
        """Begin to follow the hard constraints."""
        hard = [constraint for constraint in self._constraints(pod, columns) if constraint.hard]
        return SpreadVerdicts(hard, pod, columns) if hard else None

    def scores(self, pod: PodRow, columns: Columns) -> SpreadScores | None:
        """Begin to follow the soft constraints."""
        soft = [constraint for constraint in self._constraints(pod, columns) if not constraint.hard]
        return SpreadScores(soft, bool(pod.ask.spread) or not self._system, pod, columns) if soft else None

    def reasons(self, ask: Ask) -> tuple[str, ...]:
        """Return what is wrong with a value, and with a node that has none."""
        return REASONS

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """A node or a pod helps that changes what is counted where."""
        hard = [constraint for constraint in ask.spread if constraint.hard]
        if not hard:
            return not ask.spread and self._rejects
        match event:
            case NodeChanged(None, node) | NodeGone(node):
                return all(constraint.key in node.labels for constraint in hard)
            case NodeChanged(old, new):
                return old is not None and (
                    old.labels != new.labels or (old.taints != new.taints and any(constraint.honors_taints for constraint in hard))
                )
            case PodGone(_, account):
                return any(_counts(constraint, account.peer) for constraint in hard)
            case PeerChanged(before, after):
                return any(_counts(constraint, before) != _counts(constraint, after) for constraint in hard)
            case _:
                return False

    def _constraints(self, pod: PodRow, columns: Columns) -> tuple[Spread, ...]:
        return pod.ask.spread or self._default_constraints(pod, columns)

    def _default_constraints(self, pod: PodRow, columns: Columns) -> tuple[Spread, ...]:
        selector = self._default_selector(pod, columns)
        if not selector:
            return ()
        pods = PodSelector(selector, (pod.account.peer.namespace,))
        return tuple(constraint._replace(pods=pods) for constraint in self._defaults)

    def _default_selector(self, pod: PodRow, columns: Columns) -> tuple[Expression, ...]:
        return columns.owners.selector(pod.account.peer, pod.owner) if self._defaults else ()


class SpreadVerdicts:
    """Hard constraints: per topology value, whether one more pod would be too many."""

    def __init__(self, constraints: list[Spread], pod: PodRow, columns: Columns) -> None:
        counted = _CountedNodes(constraints, pod.ask, columns)
        self._rules = []
        for constraint in constraints:
            sums = Sums(columns.label(constraint.key), counted.by(constraint)).add(_tally(constraint, columns))
            verdicts = np.zeros(len(sums.values), np.int64)
            verdicts[0] = MISSING | UNRESOLVABLE
            own = int(_selects_itself(constraint.pods, pod.account.peer))
            limits = (own, constraint.max_skew, constraint.min_domains, SKEWED, verdicts)
            self._rules.append((sums, sums.domains(), limits))
            _peers.skew(sums.values, self._rules[-1][1], *limits)

    @property
    def kept(self) -> bool:
        """Whether all that is counted is still followed."""
        return all(sums.kept for sums, _, _ in self._rules)

    @property
    def size_bytes(self) -> int:
        """How much memory it takes."""
        return sum(sums.size_bytes for sums, _, _ in self._rules)

    def update(self, slots: Int64) -> bool:
        """Take in slots on which pods have changed."""
        changed = 0
        for sums, domains, limits in self._rules:
            if sums.update(slots):
                changed += _peers.skew(sums.values, domains, *limits)
        return changed > 0

    def codes(self, count: int, out: Int64) -> None:
        """Write the verdict of the first constraint that a node does not satisfy."""
        out[:count] = 0
        for sums, _, (*_, verdicts) in self._rules:
            _peers.mark(sums.codes, verdicts, count, out)

    def code(self, slot: int) -> int:
        """Return what `codes` would write for one slot."""
        found = (int(verdicts[sums.codes[slot]]) for sums, _, (*_, verdicts) in self._rules)
        return next(filter(None, found), 0)


class SpreadScores:
    """Soft constraints: per topology value, how many pods are there."""

    def __init__(self, constraints: list[Spread], require_keys: bool, pod: PodRow, columns: Columns) -> None:
        counted = _CountedNodes(constraints if require_keys else (), pod.ask, columns)
        self._keys: UInt8 | None = counted.nodes if require_keys else None
        self._parts: list[tuple[Sums, Spread, UInt8 | None]] = []
        for constraint in constraints:
            column, tally = columns.label(constraint.key), _tally(constraint, columns)
            if constraint.key == HOSTNAME:
                self._parts.append((Sums.per_slot(column, columns.present[: columns.count]).add(tally), constraint, None))
            else:
                values = np.zeros(len(column.values), np.uint8)
                self._parts.append((Sums(column, counted.by(constraint)).add(tally), constraint, values))
        self._weights = [0.0] * len(constraints)
        self.raw = np.zeros(columns.count, np.float64)

    @property
    def kept(self) -> bool:
        """Whether all that is counted is still followed."""
        return all(sums.kept for sums, _, _ in self._parts)

    @property
    def size_bytes(self) -> int:
        """How much memory it takes."""
        return self.raw.nbytes + sum(sums.size_bytes for sums, _, _ in self._parts)

    def update(self, slots: Int64) -> bool:
        """Take in slots on which pods have changed."""
        changed = [sums.update(slots) for sums, _, _ in self._parts]
        return any(changed)

    def score(self, feasible: UInt8, changed: bool, out: Int64) -> None:
        """Score the feasible nodes that have the keys."""
        count = len(feasible)
        scored = feasible if self._keys is None else feasible & self._keys
        if changed:
            self._weights = [self._weight(part, scored, count) for part in self._parts]
        begin = True
        for (sums, constraint, _), weight in zip(self._parts, self._weights, strict=True):
            _peers.add_spread(sums.codes, sums.values, weight, constraint.max_skew - 1.0, begin, count, self.raw)
            begin = False
        _peers.normalise_spread(self.raw, scored, count, out)

    @staticmethod
    def _weight(part: tuple[Sums, Spread, UInt8 | None], scored: UInt8, count: int) -> float:
        """Return ln(values + 2), of the values that scored nodes have; for host names, of those nodes."""
        sums, _, values = part
        size = np.count_nonzero(scored) if values is None else _peers.distinct(sums.codes, scored, count, values)
        return log(size + 2)


class _CountedNodes:
    """The nodes that count: those with the keys of all constraints; and of these, per constraint, those that its policies let count."""

    def __init__(self, constraints: Iterable[Spread], ask: Ask, columns: Columns) -> None:
        self._ask = ask
        self._columns = columns
        self.nodes: UInt8 = columns.present[: columns.count].copy()
        for constraint in constraints:
            self.nodes &= columns.label(constraint.key).codes[: columns.count] > 0

    def by(self, constraint: Spread) -> UInt8:
        """Return 1 for the nodes that count for a constraint."""
        counted = self.nodes
        if constraint.honors_affinity and _NODE_AFFINITY.reads(self._ask) is not None:
            counted = counted & _NODE_AFFINITY.mask(self._ask, self._columns)
        if constraint.honors_taints:
            counted = counted & _TAINT_TOLERATION.mask(self._ask, self._columns)
        return counted


def _tally(constraint: Spread, columns: Columns) -> Tally:
    pods = constraint.pods if constraint.pods.expressions else constraint.pods._replace(expressions=None)
    return columns.peers.tally(pods, living=True)


def _selects_itself(pods: PodSelector, peer: Peer) -> bool:
    return pods.expressions is not None and all_hold(pods.expressions, dict(peer.labels))


def _counts(constraint: Spread, peer: Peer | None) -> bool:
    """Say whether a placed pod counts for a constraint."""
    if peer is None or peer.terminating or not constraint.pods.expressions or peer.namespace not in constraint.pods.namespaces:
        return False
    return all_hold(constraint.pods.expressions, dict(peer.labels))
