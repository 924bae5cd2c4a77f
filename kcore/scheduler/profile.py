"""The default profile: which plugins filter and score, in which order, and with which weights.

The order of filters decides which of several reasons a node is rejected for. Wishes that have no plugin yet are refused by name in
`ingest.unsupported` (required ones) or counted (preferred ones).

Source: kube-scheduler 1.37, default profile.
"""
from __future__ import annotations

from typing import Final

from kcore.scheduler.framework import NodeFilter, NodeScore, PlacedFilter, PlacedScore, Waker
from kcore.scheduler.plugins.image_locality import ImageLocality
from kcore.scheduler.plugins.node_affinity import NodeAffinity
from kcore.scheduler.plugins.node_name import NodeName
from kcore.scheduler.plugins.node_ports import NodePorts
from kcore.scheduler.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from kcore.scheduler.plugins.node_resources_fit import NodeResourcesFit
from kcore.scheduler.plugins.node_unschedulable import NodeUnschedulable
from kcore.scheduler.plugins.taint_toleration import TaintToleration

_TAINT_TOLERATION: Final = TaintToleration()
_NODE_AFFINITY: Final = NodeAffinity()
_NODE_RESOURCES_FIT: Final = NodeResourcesFit()

NODE_FILTERS: Final[tuple[NodeFilter, ...]] = (NodeName(), NodeUnschedulable(), _TAINT_TOLERATION, _NODE_AFFINITY)
PLACED_FILTERS: Final[tuple[PlacedFilter, ...]] = (NodePorts(), _NODE_RESOURCES_FIT)
WAKERS: Final[dict[str, Waker]] = {plugin.name: plugin for plugin in (*NODE_FILTERS, *PLACED_FILTERS)}

NODE_SCORES: Final[tuple[tuple[NodeScore, int], ...]] = ((_TAINT_TOLERATION, 3), (_NODE_AFFINITY, 2), (ImageLocality(), 1))
PLACED_SCORES: Final[tuple[tuple[PlacedScore, int], ...]] = ((_NODE_RESOURCES_FIT, 1), (NodeResourcesBalancedAllocation(), 1))
