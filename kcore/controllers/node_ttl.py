"""Node TTL: an annotation on each node says how long its kubelet may use a Secret or ConfigMap it read: longer in large clusters.

The steps overlap, so that a cluster whose size sways about a bound does not write all its nodes again and again.

Source: Kubernetes `pkg/controller/ttl`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from kcore.client import kinds
from kcore.controllers import actions
from kcore.controllers.actions import Action, Patch
from kcore.controllers.controller import Context, Controller, Source, own_keys

NODES: Final = kinds.resource("", "v1", "nodes")
NAME: Final = "ttl"
ANNOTATION: Final = "node.alpha.kubernetes.io/ttl"


class Step(NamedTuple):
    """Sizes of a cluster, and the seconds that go with them."""

    nodes_min: int
    nodes_max: float
    ttl_s: int


STEPS: Final = (Step(0, 100, 0), Step(90, 500, 15), Step(450, 1000, 30), Step(900, 2000, 60), Step(1800, float("inf"), 300))


def step_of(count: int, now: int) -> int:
    """The step of a cluster of so many nodes that is at another one now."""
    while count > STEPS[now].nodes_max:
        now += 1
    while count < STEPS[now].nodes_min:
        now -= 1
    return now


def plan(node: Any, step: int) -> list[Action]:
    """Write the seconds on a node that says something else."""
    wanted = str(STEPS[step].ttl_s)
    if node.metadata.annotations.get(ANNOTATION) == wanted:
        return []
    return [Patch(NODES, "", node.metadata.name, {"metadata": {"uid": node.metadata.uid, "annotations": {ANNOTATION: wanted}}})]


class Reconciler:
    """Counts the nodes, and writes on those that say something else."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.nodes = context.metadata_of(NODES).lister
        self.names: set[str] = set()
        self.step = 0

    def changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at a node that came or whose annotations changed, and at all when their number is another step."""
        if new is not None:
            self.names.add(new.metadata.name)
        else:
            self.names.discard(old.metadata.name)
        before, self.step = self.step, step_of(len(self.names), self.step)
        return tuple(self.names) if self.step != before else own_keys(old, new)

    async def reconcile(self, key: str) -> None:
        """Look at a node."""
        node = self.nodes.get(key)
        if node is not None:
            outcomes = await actions.apply(plan(node, self.step), self.context.api.bulk, self.context.recorder)
            actions.raise_first(outcomes, harmless=("NotFound", "Conflict"))


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = (Source(NODES, reconciler.changed, metadata_only=True, reads=("metadata.annotations",)),)
    return Controller(NAME, context.queue(NAME), reconciler.reconcile, sources)
