"""What amounts decide, in one compiled pass: NodeResourcesFit as a filter and a score, and NodeResourcesBalancedAllocation.

These three concern nearly every pod, and read the same arrays; `_loads` judges them together, block by block, and ranks what it finds. They
are taken together where a profile has them as kube-scheduler's default one does, and where nothing else that is placed concerns the ask:
host ports, volumes, devices and nominated pods are looked at one plugin after the other, and so is what is to be explained.
"""
from __future__ import annotations

from typing import Final, NamedTuple

from kcore.scheduler._loads import Wanted
from kcore.scheduler.columns import Columns
from kcore.scheduler.framework import PlacedFilter, PlacedScore
from kcore.scheduler.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from kcore.scheduler.plugins.node_resources_fit import NodeResourcesFit
from kcore.scheduler.profile import Profile
from kcore.scheduler.requests import CPU, MEMORY
from kcore.scheduler.rows import Ask

WEIGHT_MAX: Final = 1 << 20


class Fused(NamedTuple):
    """The plugins of a profile that are taken together, and the weights of the two scores; 0 where a profile has not got one."""

    fit: NodeResourcesFit
    fit_weight: int
    balance: NodeResourcesBalancedAllocation | None
    balance_weight: int

    def are_all(self, filters: list[PlacedFilter], scores: list[tuple[PlacedScore, int]], ask: Ask, columns: Columns) -> bool:
        """Say whether nothing else that is placed decides about an ask which these filters and scores concern, and nodes are ordinary."""
        if filters != [self.fit] or ask.device_needs is not None or columns.nominated or columns.unusual:
            return False
        return all(plugin is self.fit or plugin is self.balance for plugin, _ in scores)

    def wanted(self, ask: Ask, columns: Columns) -> Wanted:
        """Return what an ask wants of amounts."""
        asked = dict(ask.amounts)
        cpu, memory = asked.get(CPU, 0), asked.get(MEMORY, 0)
        scored = ask.nonzero_cpu, ask.nonzero_memory
        balance_weight = self.balance_weight if cpu or memory else 0
        return Wanted(self.fit.counted(ask), columns.resources, (cpu, memory), scored, self.fit_weight, balance_weight)


def fused(profile: Profile) -> Fused | None:
    """Return which plugins of a profile are taken together; None where they are not what `_loads` computes."""
    fit = next((plugin for plugin in profile.placed_filters if isinstance(plugin, NodeResourcesFit)), None)
    scoring = {type(plugin): (plugin, weight) for plugin, weight in profile.placed_scores}
    scorer, fit_weight = scoring.get(NodeResourcesFit, (fit, 0))
    balance, balance_weight = scoring.get(NodeResourcesBalancedAllocation, (None, 0))
    if fit is None or scorer is not fit or not fit.scores_least or max(fit_weight, balance_weight) > WEIGHT_MAX:
        return None
    if balance is not None and not (isinstance(balance, NodeResourcesBalancedAllocation) and balance.is_default):
        return None
    return Fused(fit, fit_weight, balance, balance_weight)
