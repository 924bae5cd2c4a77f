"""The garbage collector's graph and plans for scenario files.

see NAME [owner=[Kind/]NAME ...] [blocks] [namespace=NAME] [finalizer=NAME] [deleting]     a ConfigMap is new or changed
gone NAME                    it went
absent [Kind/]NAME           the API server has no such object in the default namespace
plan NAME                    what is done about it, as far as the graph knows its owners (one that was not seen counts as gone)

Every change prints what has to be looked at and what is reported.
"""

from typing import Any

from kcore.api.meta.v1 import meta_pb2
from kcore.client import kinds
from kcore.controllers import garbage_collector
from kcore.controllers.garbage_collector import STANDS, WAITS, WENT
from kcore.controllers.owner_graph import Identity, Node, OwnerGraph
from kcore.machinery.meta import FINALIZER_FOREGROUND, FINALIZER_ORPHAN
from tests.golden.controllers.notation import shown

CONFIGMAPS = kinds.resource("", "v1", "configmaps")


class OwnerStory:
    """A graph; the uid of each object is its name."""

    def __init__(self) -> None:
        self.graph = OwnerGraph()

    def run(self, line: str) -> list[str]:
        """Carry a command out and return its output."""
        word, *words = line.split()
        output: list[str] = getattr(self, f"do_{word}")(*words)
        return output

    def do_see(self, name: str, *words: str) -> list[str]:
        found = meta_pb2.ObjectMeta(uid=name, name=name, namespace="default", resourceVersion="7")
        for word in words:
            path, _, value = word.partition("=")
            if path == "owner":
                kind, _, owner = value.rpartition("/")
                blocks = "blocks" in words
                found.ownerReferences.add(
                    apiVersion="v1", kind=kind or "ConfigMap", name=owner, uid=owner, blockOwnerDeletion=blocks or None
                )
            elif path == "namespace":
                found.namespace = value
            elif path == "finalizer":
                found.finalizers.append(value)
            elif path == "deleting":
                found.deletionTimestamp.seconds = 1
        self.graph.observe("v1", "ConfigMap", found)
        return self.said()

    def do_gone(self, name: str) -> list[str]:
        self.graph.gone(name)
        return self.said()

    def do_absent(self, name: str) -> list[str]:
        kind, _, owner = name.rpartition("/")
        self.graph.absent(Identity(owner, "v1", kind or "ConfigMap", "default", owner))
        return self.said()

    def do_plan(self, name: str) -> list[str]:
        node = self.graph.nodes[name]
        if node.is_orphaning:
            wanted = [garbage_collector.without_owners(CONFIGMAPS, found, {name}) for found in node.dependents.values()]
            wanted.append(garbage_collector.without_finalizer(CONFIGMAPS, node, FINALIZER_ORPHAN))
        elif node.is_waiting:
            if node.blocking:
                return [f"waits for {' '.join(found.identity.name for found in node.blocking)}"]
            wanted = [garbage_collector.without_finalizer(CONFIGMAPS, node, FINALIZER_FOREGROUND)]
        else:
            states = {owner: self.state(self.graph.nodes.get(owner.uid)) for owner in node.owners}
            wanted = garbage_collector.plan(CONFIGMAPS, node, states)
        return [line for action in wanted for line in shown(action, None)] or ["nothing"]

    def state(self, owner: Node | None) -> str:
        if owner is None or not owner.is_observed:
            return WENT
        return WAITS if owner.is_waiting else STANDS

    def said(self) -> list[str]:
        """Return what is to be looked at and what is reported."""
        looks: list[Any] = self.graph.take_looks()
        reports = [line for found in self.graph.take_reports() for line in shown(garbage_collector.invalid_namespace(found), None)]
        return [*([f"look at {' '.join(sorted(looks))}"] if looks else []), *reports] or ["nothing to look at"]
