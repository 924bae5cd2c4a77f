"""What an explanation says beside reasons and scores: how much is missing, and what would help.

    node-7  NodeResourcesFit  Insufficient cpu      needs 4000 of cpu, 3200 are free
    NodeResourcesFit                                 a node comes or changes; a pod leaves its node, or asks for less
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from kcore.scheduler.columns import Columns
from kcore.scheduler.diagnosis import Rejection
from kcore.scheduler.dra.devices import DevicesChanged
from kcore.scheduler.events import ClusterEvent, NamespaceChanged, NodeChanged, NodeGone, PeerChanged, PodGone
from kcore.scheduler.profile import Profile
from kcore.scheduler.requests import PODS
from kcore.scheduler.rows import Ask
from kcore.scheduler.volumes.catalog import StorageChanged

EVENTS: Final[Mapping[type[ClusterEvent], str]] = {
    NodeChanged: "a node comes or changes",
    NodeGone: "a node goes",
    PodGone: "a pod leaves its node, or asks for less",
    PeerChanged: "a pod is placed, or its labels change",
    NamespaceChanged: "the labels of a namespace change",
    StorageChanged: "a claim, a volume, or what provides volumes changes",
    DevicesChanged: "a resource claim, or what provides devices changes",
}


class Shortfall(NamedTuple):
    """What a node has too little of: cpu in thousandths, others in bytes or ones; free may be below 0."""

    resource: str
    needs: int
    free: int


def shortfalls(ask: Ask, columns: Columns, rejected: Mapping[str, Rejection]) -> dict[str, tuple[Shortfall, ...]]:
    """Return per node that is rejected for amounts what of them is missing."""
    found = {}
    for node, why in rejected.items():
        if why.plugin == "NodeResourcesFit":
            free = columns.free(node)
            wanted = ((PODS, 1), *ask.amounts)
            found[node] = tuple(Shortfall(name, amount, free.get(name, 0)) for name, amount in wanted if free.get(name, 0) < amount)
    return found


def would_help(plugins: Iterable[str], profile: Profile) -> dict[str, tuple[str, ...]]:
    """Return per filter the sorts of events that may let a pod pass that it rejects."""
    wakers = profile.wakers
    return {
        plugin: tuple(dict.fromkeys(EVENTS[event] for waker in wakers.get(plugin, ()) for event in waker.hears))
        for plugin in dict.fromkeys(plugins)
    }
