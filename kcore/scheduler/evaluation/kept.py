"""The results of recent asks; an ask that came once has none of its own yet.

Results are kept per ask, and what peer plugins read besides, from the second time on that it is asked: pods that all differ share one
set of arrays, which stays in the processor's cache. The least recently used are given up first, and their arrays used again.
"""
from __future__ import annotations

from collections.abc import Hashable

from kcore.base.limits import SCHEDULER_KEPT_BYTES_MAX, SCHEDULER_KEPT_MAX, SCHEDULER_KEPT_MIN
from kcore.scheduler.columns import Columns
from kcore.scheduler.evaluation.evaluation import Evaluation
from kcore.scheduler.evaluation.fused import fused
from kcore.scheduler.evaluation.nodes import NodeResults
from kcore.scheduler.profile import DEFAULT, Profile
from kcore.scheduler.rows import PodRow


class Evaluations:
    """The results of recent asks under one profile."""

    def __init__(self, profile: Profile = DEFAULT) -> None:
        self.profile = profile
        self.nodes = NodeResults(profile)
        self._together = fused(profile)
        self._looking = profile.peers
        self._nothing = (None,) * len(self._looking)
        self._kept: dict[Hashable, Evaluation | None] = {}
        self._kept_bytes = 0
        self._once = Evaluation(profile, self._together)
        self._once_key: Hashable = None

    @property
    def kept_count(self) -> int:
        """How many results are kept."""
        return sum(evaluation is not None for evaluation in self._kept.values())

    def of(self, pod: PodRow, columns: Columns) -> Evaluation:
        """Return the up-to-date results of what a pod asks; they may be those of another ask after the next call."""
        reads = tuple([plugin.reads(pod, columns) for plugin in self._looking])
        cares = reads != self._nothing
        key = (pod.ask, reads) if cares else pod.ask
        found = self._kept.pop(key, self._once)
        evaluation = found or self._again(key)
        if found is self._once:
            self._make_room()
            evaluation.pod, self._once_key = None, key
        elif found is not None:
            self._kept_bytes -= evaluation.size_bytes
        evaluation.refresh(pod, columns, self.nodes, cares)
        if evaluation is self._once:
            self._kept[key] = None
        else:
            self._kept[key] = evaluation
            self._kept_bytes += evaluation.size_bytes
        return evaluation

    @property
    def _is_full(self) -> bool:
        return len(self._kept) >= SCHEDULER_KEPT_MAX or self._kept_bytes >= SCHEDULER_KEPT_BYTES_MAX

    def _again(self, key: Hashable) -> Evaluation:
        """Return results for what is asked for the second time: those of the first time, if nothing else was asked in between."""
        other = self._make_room() or Evaluation(self.profile, self._together)
        if key != self._once_key:
            other.pod = None
            return other
        evaluation, self._once, self._once_key = self._once, other, None
        return evaluation

    def _make_room(self) -> Evaluation | None:
        """Give up what was used least recently if there is enough; -> the last results given up."""
        given_up = None
        while len(self._kept) >= SCHEDULER_KEPT_MIN and self._is_full:
            oldest = self._kept.pop(next(iter(self._kept)))
            if oldest is not None:
                self._kept_bytes -= oldest.size_bytes
                given_up = oldest
        return given_up
