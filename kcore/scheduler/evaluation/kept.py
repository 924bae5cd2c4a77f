"""The results of recent asks.

Results are kept per ask, and what peer plugins read besides, from the second time on that it is asked: pods that all differ share one
set of arrays, which stays in the processor's cache. The least recently used are given up first, and their arrays used again.
"""
from __future__ import annotations

from collections.abc import Hashable

from kcore.base.limits import SCHEDULER_KEPT_BYTES_MAX, SCHEDULER_KEPT_MAX
from kcore.scheduler.columns import Columns
from kcore.scheduler.evaluation.evaluation import Evaluation
from kcore.scheduler.evaluation.fused import fused
from kcore.scheduler.evaluation.nodes import KEPT_MIN, NodeResults
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
        self._kept: dict[Hashable, Evaluation] = {}
        self._kept_bytes = 0
        self._seen: dict[Hashable, None] = {}
        self._once = Evaluation(profile, self._together)
        self._once_key: Hashable = None

    def of(self, pod: PodRow, columns: Columns) -> Evaluation:
        """Return the up-to-date results of what a pod asks; they may be those of another ask after the next call."""
        reads = tuple([plugin.reads(pod, columns) for plugin in self._looking])
        cares = reads != self._nothing
        key = (pod.ask, reads) if cares else pod.ask
        evaluation = self._kept.pop(key, None)
        if evaluation is None:
            evaluation = self._begin(key)
        else:
            self._kept_bytes -= evaluation.size_bytes
        if evaluation.pod is not None:
            pod = evaluation.pod
        evaluation.refresh(pod, columns, self.nodes, cares)
        if evaluation is not self._once:
            self._kept_bytes += evaluation.size_bytes
            self._kept[key] = evaluation
        return evaluation

    def _begin(self, key: Hashable) -> Evaluation:
        """Return results for what is not kept: those that are shared, for what is asked for the first time."""
        evaluation = self._once
        if key == self._once_key:
            self._once, self._once_key = self._least_recent() or Evaluation(self.profile, self._together), None
            return evaluation
        if key in self._seen:
            evaluation = self._least_recent() or Evaluation(self.profile, self._together)
        else:
            if len(self._seen) >= SCHEDULER_KEPT_MAX:
                del self._seen[next(iter(self._seen))]
            self._seen[key] = None
            self._once_key = key
        evaluation.pod = None
        return evaluation

    def _least_recent(self) -> Evaluation | None:
        """Give up the results used least recently if there are enough; -> the last of them."""
        given_up = None
        while len(self._kept) >= KEPT_MIN and (len(self._kept) >= SCHEDULER_KEPT_MAX or self._kept_bytes >= SCHEDULER_KEPT_BYTES_MAX):
            given_up = self._kept.pop(next(iter(self._kept)))
            self._kept_bytes -= given_up.size_bytes
        return given_up
