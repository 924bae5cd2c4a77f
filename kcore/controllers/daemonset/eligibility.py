"""Which nodes a DaemonSet is for: by name, node selector, required node affinity and taints.

Taints are judged with the tolerations that every daemon pod gets, so that nodes in trouble keep and get theirs.

    runs    the node shall have a pod
    stays   a pod that is there may stay: only a taint that keeps pods away, but does not evict, makes a difference between the two

Source: Kubernetes `pkg/controller/daemon` (NodeShouldRunDaemonPod), `util/daemonset_util.go`.
Cost: 3 us a node for a typical template; `Eligibility` asks once for each change of a node or template.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from kcore.api.core.v1 import pod_spec_pb2
from kcore.base import limits
from kcore.machinery import codec
from kcore.machinery.kinds.node_affinity import matches_node
from kcore.machinery.kinds.tolerations import NO_EXECUTE, NO_SCHEDULE, Taint, Toleration, tolerations_of, untolerated

TOLERATED: Final[tuple[tuple[str, str], ...]] = (
    ("node.kubernetes.io/not-ready", NO_EXECUTE),
    ("node.kubernetes.io/unreachable", NO_EXECUTE),
    ("node.kubernetes.io/disk-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/memory-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/pid-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/unschedulable", NO_SCHEDULE),
)
"""Taints, by key and effect, that every daemon pod tolerates."""

TOLERATED_ON_HOST_NETWORK: Final = (("node.kubernetes.io/network-unavailable", NO_SCHEDULE),)
"""Those that a pod on the node's own network tolerates as well."""

_SPEC: Final = pod_spec_pb2.PodSpec.DESCRIPTOR.full_name


class Fit(NamedTuple):
    """What a DaemonSet and a node are to each other."""

    runs: bool
    stays: bool


NONE: Final = Fit(False, False)


@dataclass(frozen=True, slots=True)
class Demand:
    """What a template demands of a node.

    spec  the part of the pod's spec that chooses nodes, in JSON form
    """

    node_name: str
    spec: Mapping[str, Any]
    tolerations: tuple[Toleration, ...]


def tolerated(host_network: bool) -> tuple[tuple[str, str], ...]:
    """Return the taints that a daemon pod is made to tolerate."""
    return TOLERATED + TOLERATED_ON_HOST_NETWORK if host_network else TOLERATED


def demand_of(spec: Any) -> Demand:
    """Return what a pod's spec demands of a node; the same object for the same demands."""
    part = pod_spec_pb2.PodSpec(
        nodeName=spec.nodeName, nodeSelector=spec.nodeSelector, hostNetwork=spec.hostNetwork, tolerations=spec.tolerations
    )
    if spec.affinity.HasField("nodeAffinity"):
        part.affinity.nodeAffinity.CopyFrom(spec.affinity.nodeAffinity)
    return _demand(part.SerializeToString(deterministic=True))


@lru_cache(maxsize=limits.TEMPLATES_CACHED_MAX)
def _demand(raw: bytes) -> Demand:
    spec = codec.decode(_SPEC, raw)
    added = [Toleration(key, "Exists", "", effect) for key, effect in tolerated(bool(spec.get("hostNetwork")))]
    return Demand(spec.get("nodeName") or "", spec, (*tolerations_of(spec.get("tolerations")), *added))


def fit(demand: Demand, node: Any) -> Fit:
    """Say what a DaemonSet with these demands and a node are to each other."""
    name = node.metadata.name
    if demand.node_name not in ("", name) or not matches_node(demand.spec, node.metadata.labels, name):
        return NONE
    taints = [Taint(taint.key, taint.value, taint.effect) for taint in node.spec.taints]
    if untolerated(demand.tolerations, taints) is None:
        return Fit(True, True)
    return Fit(False, untolerated(demand.tolerations, taints, (NO_EXECUTE,)) is None)


class Eligibility:
    """The nodes of each DaemonSet, by the key of the DaemonSet; nodes that it is not for at all are left out."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Demand, dict[str, Fit]]] = {}

    def of(self, key: str, demand: Demand, nodes: Callable[[], Iterable[Any]]) -> Mapping[str, Fit]:
        """Return what nodes are to a DaemonSet; `nodes` (all there are) are asked for if its demands are new."""
        known = self._known.get(key)
        if known is None or known[0] != demand:
            fits = ((node.metadata.name, fit(demand, node)) for node in nodes())
            known = self._known[key] = (demand, {name: found for name, found in fits if found != NONE})
        return known[1]

    def changed(self, name: str, node: Any | None) -> list[str]:
        """Note that a node changed, or (None) went; returns the keys of those to whom that makes a difference."""
        keys = []
        for key, (demand, fits) in self._known.items():
            found = NONE if node is None else fit(demand, node)
            if found != fits.get(name, NONE):
                keys.append(key)
            if found == NONE:
                fits.pop(name, None)
            else:
                fits[name] = found
        return keys

    def forget(self, key: str) -> None:
        """The DaemonSet is gone."""
        self._known.pop(key, None)
