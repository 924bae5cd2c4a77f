"""node-ipam: a pod subnet for each node, from the cluster CIDRs.

The subnets in use are read from the nodes at the first look, and followed from there, so that a restart forgets nothing and gives nothing
twice.

Source: Kubernetes `pkg/controller/nodeipam`; `kcore.network.subnet` has the allocation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

from kcore.client import kinds
from kcore.controllers import actions
from kcore.controllers.actions import Action, Event, Patch
from kcore.controllers.controller import DONE, Context, Controller, Result, Source, own_keys

NODES: Final = kinds.resource("", "v1", "nodes")
NAME: Final = "node-ipam-controller"


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


def plan(node: Any, given: Sequence[str] | str) -> list[Action]:
    """Write a node's subnets, or say why it gets none.

    given  the subnets, or the sentence that explains that none are left
    """
    if isinstance(given, str):
        return [Event(node, actions.NORMAL, "CIDRNotAvailable", f"Node {node.metadata.name} status is now: CIDRNotAvailable: {given}")]
    body = {"metadata": {"uid": node.metadata.uid}, "spec": {"podCIDR": given[0], "podCIDRs": list(given)}}
    return [Patch(NODES, "", node.metadata.name, body)]


class Reconciler:
    """Keeps the subnets in step with the nodes. One worker: subnets are given one after the other."""

    def __init__(self, context: Context, subnets: Subnets) -> None:
        self.context, self.subnets = context, subnets
        self.nodes = context.informer(NODES).lister
        self.is_loaded = False

    def load(self) -> None:
        """Take over what the nodes have."""
        for node in self.nodes.list():
            if node.spec.podCIDRs:
                self.subnets.adopt(node.metadata.name, list(node.spec.podCIDRs))
        self.is_loaded = True

    async def reconcile(self, key: str) -> Result:
        """Give a node its subnets, or take them back."""
        if not self.is_loaded:
            self.load()
        node = self.nodes.get(key)
        if node is None:
            self.subnets.release(key)
            return DONE
        if node.spec.podCIDRs:
            self.subnets.adopt(key, list(node.spec.podCIDRs))
            return DONE
        given = self.subnets.allocate(key)
        outcomes = await actions.apply(
            plan(node, given if isinstance(given, tuple) else given.message), self.context.api.bulk, self.context.recorder
        )
        actions.raise_first(outcomes, harmless=("NotFound",))
        return DONE


def changed(old: Any, new: Any) -> Iterable[str]:
    """Look at nodes that came, went, or have no subnet."""
    if old is None or new is None or not new.spec.podCIDRs:
        return own_keys(old, new)
    return ()


def make(context: Context, subnets: Subnets) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context, subnets)
    return Controller(NAME, context.queue(NAME), reconciler.reconcile, (Source(NODES, changed),), workers=1)
