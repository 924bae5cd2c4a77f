"""node-ipam: a pod subnet for each node, from the cluster CIDRs.

The subnets in use are read from the nodes at the first look, and followed from there, so that a restart forgets nothing and gives nothing
twice. Nodes for which none is left wait until one is given back.

Source: Kubernetes `pkg/controller/nodeipam`; `kcore.network.subnet` has the allocation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

from kcore.base import limits, log
from kcore.client import kinds
from kcore.client.workqueue import WorkQueue
from kcore.controllers import actions
from kcore.controllers.actions import Action, Event, Patch
from kcore.controllers.controller import DONE, Context, Controller, Result, Source, own_keys

NODES: Final = kinds.resource("", "v1", "nodes")
NAME: Final = "node-ipam-controller"

_LOG = log.get("controllers.node-ipam")


class Subnets(Protocol):
    """What holds the subnets: `kcore.network.SubnetAllocator`; `kcore.serve` hands it in."""

    def allocate(self, node: str) -> Any:
        """Give a node its subnets; a value without subnets (it has a `message`) when there are none left."""
        ...

    def adopt(self, node: str, cidrs: Sequence[str]) -> Sequence[Any]:
        """Take over what a node has."""
        ...

    def release(self, node: str) -> tuple[str, ...]:
        """Free what a node had."""
        ...


def plan(node: Any, given: Sequence[str]) -> list[Action]:
    """Write a node's subnets; an Event says that there are none left."""
    if not given:
        return [Event(node, actions.NORMAL, "CIDRNotAvailable", f"Node {node.metadata.name} status is now: CIDRNotAvailable")]
    body = {"metadata": {"uid": node.metadata.uid}, "spec": {"podCIDR": given[0], "podCIDRs": list(given)}}
    return [Patch(NODES, "", node.metadata.name, body)]


class Reconciler:
    """Keeps the subnets in step with the nodes. One worker: subnets are given one after the other."""

    def __init__(self, context: Context, subnets: Subnets, queue: WorkQueue[str]) -> None:
        self.context, self.subnets, self.queue = context, subnets, queue
        self.nodes = context.informer(NODES).lister
        self.waiting: set[str] = set()
        self.is_loaded = False

    def load(self) -> None:
        """Take over what the nodes have."""
        for node in self.nodes.list():
            if node.spec.podCIDRs:
                self.adopt(node)
        self.is_loaded = True

    def adopt(self, node: Any) -> None:
        """Take over what one node has."""
        for problem in self.subnets.adopt(node.metadata.name, list(node.spec.podCIDRs)):
            _LOG.warning("odd subnet", node=node.metadata.name, problem=problem.message)

    async def reconcile(self, key: str) -> Result:
        """Give a node its subnets, or take them back."""
        if not self.is_loaded:
            self.load()
        node = self.nodes.get(key)
        if node is None:
            self.release(key)
        elif node.spec.podCIDRs:
            self.waiting.discard(key)
            self.adopt(node)
        else:
            await self.give(key, node)
        return DONE

    def release(self, key: str) -> None:
        """Take back what a node had; those that wait are looked at again."""
        self.waiting.discard(key)
        if self.subnets.release(key):
            for name in sorted(self.waiting):
                self.queue.add(name)

    async def give(self, key: str, node: Any) -> None:
        """Give a node its subnets; the same ones if it was given some that it does not show yet."""
        given = self.subnets.allocate(key)
        if isinstance(given, tuple):
            self.waiting.discard(key)
        else:
            _LOG.warning("no subnet", node=key, problem=given.message)
            self.waiting.add(key)
        wanted = plan(node, given if isinstance(given, tuple) else ())
        actions.raise_first(await actions.apply(wanted, self.context.api.bulk, self.context.recorder), harmless=("NotFound",))


def changed(old: Any, new: Any) -> Iterable[str]:
    """Look at nodes that came, went, or whose subnets changed."""
    return own_keys(old, new) if old is None or new is None or old.spec.podCIDRs != new.spec.podCIDRs else ()


def make(context: Context, subnets: Subnets) -> Controller:
    """Make the controller."""
    queue = context.queue(NAME)
    reconciler = Reconciler(context, subnets, queue)
    return Controller(NAME, queue, reconciler.reconcile, (Source(NODES, changed),), workers=limits.NODE_WORKERS)
