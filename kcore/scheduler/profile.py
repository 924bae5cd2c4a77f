"""A profile: which plugins filter and score, in which order, and with which weights; the default one is kube-scheduler's.

The order of filters decides which of several reasons a node is rejected for. What is scheduled together
is no plugin of a profile (`gangs`).

Source: kube-scheduler 1.37, default profile.
"""
from __future__ import annotations

from typing import Final, NamedTuple

from kcore.base.limits import SCHEDULER_VOLUMES_BOUND_S_MAX
from kcore.scheduler.framework import NodeFilter, NodeScore, PeerFilter, PeerScore, PlacedFilter, PlacedScore, Waker
from kcore.scheduler.plugins.dynamic_resources import DynamicResources
from kcore.scheduler.plugins.image_locality import ImageLocality
from kcore.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from kcore.scheduler.plugins.node_affinity import NodeAffinity
from kcore.scheduler.plugins.node_name import NodeName
from kcore.scheduler.plugins.node_ports import NodePorts
from kcore.scheduler.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from kcore.scheduler.plugins.node_resources_fit import NodeResourcesFit
from kcore.scheduler.plugins.node_unschedulable import NodeUnschedulable
from kcore.scheduler.plugins.node_volume_limits import NodeVolumeLimits
from kcore.scheduler.plugins.pod_topology_spread import PodTopologySpread
from kcore.scheduler.plugins.taint_toleration import TaintToleration
from kcore.scheduler.plugins.volume_binding import VolumeBinding
from kcore.scheduler.plugins.volume_restrictions import VolumeRestrictions
from kcore.scheduler.plugins.volume_zone import VolumeZone

_TAINT_TOLERATION: Final = TaintToleration()
_NODE_AFFINITY: Final = NodeAffinity()
_NODE_RESOURCES_FIT: Final = NodeResourcesFit()
_VOLUME_BINDING: Final = VolumeBinding()
_DYNAMIC_RESOURCES: Final = DynamicResources()
_POD_TOPOLOGY_SPREAD: Final = PodTopologySpread()
_INTER_POD_AFFINITY: Final = InterPodAffinity()

DEFAULT_NAME: Final = "default-scheduler"


class PreemptionArgs(NamedTuple):
    """How many candidates are looked for: a percentage of the nodes that may be cleared, at least so many."""

    percentage: int = 10
    absolute: int = 100


DEFAULT_PREEMPTION: Final = PreemptionArgs()


class Profile(NamedTuple):
    """What decides for the pods of one scheduler name.

    node_scores, placed_scores, peer_scores   plugins with their weights
    late_filters                              placed filters whose reasons come after those of peer filters
    preemption                                None where nobody is preempted
    bind_timeout_s                            how long a pod waits for its claims
    percentage                                of the nodes, how many that a pod fits on are scored; 0 for all
    """

    name: str
    node_filters: tuple[NodeFilter, ...]
    placed_filters: tuple[PlacedFilter, ...]
    node_scores: tuple[tuple[NodeScore, int], ...]
    placed_scores: tuple[tuple[PlacedScore, int], ...]
    peer_filters: tuple[PeerFilter, ...] = ()
    peer_scores: tuple[tuple[PeerScore, int], ...] = ()
    late_filters: tuple[PlacedFilter, ...] = ()
    preemption: PreemptionArgs | None = DEFAULT_PREEMPTION
    bind_timeout_s: float = SCHEDULER_VOLUMES_BOUND_S_MAX
    percentage: int = 0

    @property
    def wakers(self) -> dict[str, tuple[Waker, ...]]:
        """Return the filters by name, as the queue asks them; a plugin may consist of two."""
        filters: tuple[Waker, ...] = (*self.node_filters, *self.placed_filters, *self.peer_filters, *self.late_filters)
        return {each.name: tuple(plugin for plugin in filters if plugin.name == each.name) for each in filters}

    @property
    def peers(self) -> tuple[PeerFilter | PeerScore, ...]:
        """Return the plugins that look at pods elsewhere, each once."""
        return tuple(dict.fromkeys((*self.peer_filters, *(plugin for plugin, _ in self.peer_scores))))


DEFAULT: Final = Profile(
    name=DEFAULT_NAME,
    node_filters=(NodeName(), NodeUnschedulable(), _TAINT_TOLERATION, _NODE_AFFINITY),
    placed_filters=(
        NodePorts(),
        _NODE_RESOURCES_FIT,
        VolumeRestrictions(),
        NodeVolumeLimits(),
        _VOLUME_BINDING,
        VolumeZone(),
    ),
    node_scores=((_TAINT_TOLERATION, 3), (_NODE_AFFINITY, 2), (_DYNAMIC_RESOURCES, 2), (ImageLocality(), 1)),
    placed_scores=((_NODE_RESOURCES_FIT, 1), (_VOLUME_BINDING, 1), (NodeResourcesBalancedAllocation(), 1)),
    peer_filters=(_POD_TOPOLOGY_SPREAD, _INTER_POD_AFFINITY),
    peer_scores=((_POD_TOPOLOGY_SPREAD, 2), (_INTER_POD_AFFINITY, 2)),
    late_filters=(_DYNAMIC_RESOURCES,),
)
