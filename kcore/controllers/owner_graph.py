"""Who owns whom, over all resources: the garbage collector's picture of the cluster.

    deployments/web  <-  replicasets/web-1  <-  pods/web-1-a, pods/web-1-b          "<-" is an owner reference; nodes are found by uid

An owner that is referred to and not seen yet stands in as a *virtual* node, under the coordinates by which a dependent knows it; whether it
exists is asked of the API server. What has to be looked at is collected in `looks`, by uid, and what is wrong in `reports`:

    a change                                        is looked at
    an owner is referred to and not known           the virtual owner
    a reference does not fit what is known          the dependent
    an object begins to wait for its dependents     the object and its dependents
    an object begins to orphan its dependents       the object
    a reference that blocked its owner goes         the owner
    an object goes                                  its dependents, and its owners that wait for them

Pure: what is seen comes in, nothing goes out but those two lists. Source: Kubernetes `pkg/controller/garbagecollector/graph_builder.go`.
Thread: the event loop's. Cost: 3 us an object without change of references, 10 us otherwise.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, NamedTuple

from kcore.base import limits
from kcore.machinery.meta import FINALIZER_FOREGROUND, FINALIZER_ORPHAN


class Identity(NamedTuple):
    """Where an object is: what a reference and its dependent's namespace say, or what was seen."""

    uid: str
    api_version: str
    kind: str
    namespace: str
    name: str


class Reference(NamedTuple):
    """A reference to an owner; `blocks` holds up the owner's deletion in foreground."""

    uid: str
    api_version: str
    kind: str
    name: str
    blocks: bool

    def in_namespace(self, namespace: str) -> Identity:
        """Return where the owner is, as seen from a namespace."""
        return Identity(self.uid, self.api_version, self.kind, namespace, self.name)


class Report(NamedTuple):
    """A reference to an owner that is known to be in another namespace."""

    dependent: Identity
    owner: Identity


class Seen(NamedTuple):
    """What it takes to change or delete an object as it was seen; a message would hold on to all of the object.

    references  its owner references as bytes
    """

    resource_version: str
    finalizers: tuple[str, ...]
    references: tuple[bytes, ...]


class Node:
    """An object, or a virtual owner.

    seen  what is kept of the object; None of a virtual node
    """

    __slots__ = ("dependents", "identity", "is_deleting", "is_orphaning", "is_waiting", "owners", "seen")

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.seen: Seen | None = None
        self.owners: tuple[Reference, ...] = ()
        self.dependents: dict[str, Node] = {}
        self.is_deleting = False
        self.is_waiting = False
        self.is_orphaning = False

    def __repr__(self) -> str:
        return f"Node({self.identity.kind} {self.identity.namespace}/{self.identity.name}{'' if self.is_observed else ' virtual'})"

    @property
    def is_observed(self) -> bool:
        """Whether the object was seen."""
        return self.seen is not None

    @property
    def blocking(self) -> list[Node]:
        """The dependents that hold up its deletion in foreground."""
        uid = self.identity.uid
        return [found for found in self.dependents.values() if any(owner.uid == uid and owner.blocks for owner in found.owners)]


class OwnerGraph:
    """The nodes by uid."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.looks: dict[str, None] = {}
        self.reports: list[Report] = []
        self._absent: OrderedDict[Identity, None] = OrderedDict()

    def observe(self, api_version: str, kind: str, meta: Any) -> None:
        """Take in an object that is new or changed."""
        references = tuple([reference.SerializeToString() for reference in meta.ownerReferences])
        seen = Seen(meta.resourceVersion, tuple(meta.finalizers), references)
        node = self.nodes.get(meta.uid)
        if node is not None and node.seen is not None and node.seen[1:] == seen[1:] and node.is_deleting == is_deleting(meta):
            node.seen = seen  # what most changes are: nothing that matters here
            return
        identity = Identity(meta.uid, api_version, kind, meta.namespace, meta.name)
        if node is None:
            node = self.nodes[meta.uid] = Node(identity)
        elif not node.is_observed and node.identity != identity:
            self._correct(node, identity)
        node.seen = seen
        self._change_owners(node, references_of(meta))
        self._change_state(node, meta)

    def gone(self, uid: str) -> None:
        """Take in that an object went."""
        node = self.nodes.get(uid)
        if node is not None:
            self._remove(node, node.identity)

    def absent(self, identity: Identity) -> None:
        """Take in that the API server has no such object: nothing at these coordinates, or one with another uid."""
        node = self.nodes.get(identity.uid)
        if node is None:
            return
        fitting = [found for found in node.dependents.values() if _refers(found, identity)]
        if node.is_observed:
            if node.identity != identity and fitting:
                self._note_absent(identity)
                self._look(fitting)
            elif node.identity == identity:
                self._remove(node, identity)
            return
        others = [found for found in node.dependents.values() if not _refers(found, identity)]
        if not others:
            self._remove(node, identity)
            return
        if fitting:
            self._note_absent(identity)
            self._look(fitting)
        if node.identity == identity:
            node.identity = _other_identity(others, identity)
            self._look([node])

    def is_absent(self, identity: Identity) -> bool:
        """Tell whether the API server had no such object when it was asked, or it was seen going."""
        return identity in self._absent or identity._replace(namespace="") in self._absent

    def note_absent(self, identity: Identity) -> None:
        """Remember that the API server has no such object."""
        self._note_absent(identity)

    def take_looks(self) -> list[str]:
        """Return what has to be looked at since this was last asked, by uid."""
        taken = list(self.looks)
        self.looks.clear()
        return taken

    def take_reports(self) -> list[Report]:
        """Return what was found wrong since this was last asked."""
        taken, self.reports = self.reports, []
        return taken

    def _look(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            self.looks[node.identity.uid] = None

    def _note_absent(self, identity: Identity) -> None:
        self._absent[identity] = None
        self._absent.move_to_end(identity)
        if len(self._absent) > limits.ABSENT_OWNERS_CACHED_MAX:
            self._absent.popitem(last=False)

    def _correct(self, node: Node, identity: Identity) -> None:
        """A virtual owner was seen, elsewhere than some dependents say: these are looked at."""
        for dependent in node.dependents.values():
            if not _refers(dependent, identity):
                self._report_namespace(dependent, identity)
                self._look([dependent])
        node.identity = identity

    def _report_namespace(self, dependent: Node, owner: Identity) -> None:
        if owner.namespace and owner.namespace != dependent.identity.namespace:
            self.reports.append(Report(dependent.identity, owner))

    def _change_owners(self, node: Node, owners: tuple[Reference, ...]) -> None:
        if owners == node.owners:
            return
        old = {owner.uid: owner for owner in node.owners}
        new = {owner.uid: owner for owner in owners}
        for uid, owner in old.items():
            known = self.nodes.get(uid)
            if owner.blocks and known is not None and not (uid in new and new[uid].blocks):
                self._look([known])
        node.owners = owners
        self._add_dependent(node, [owner for uid, owner in new.items() if uid not in old])
        for uid in old.keys() - new.keys():
            self._drop_dependent(uid, node)

    def _add_dependent(self, node: Node, owners: Iterable[Reference]) -> None:
        for owner in owners:
            wanted = owner.in_namespace(node.identity.namespace)
            known = self.nodes.get(owner.uid)
            if known is None:
                known = self.nodes[owner.uid] = Node(wanted)
                self._look([known])
            elif not _refers_by(owner, node, known.identity):
                if known.is_observed:
                    self._report_namespace(node, known.identity)
                self._look([node])
            known.dependents[node.identity.uid] = node

    def _drop_dependent(self, owner_uid: str, node: Node) -> None:
        known = self.nodes.get(owner_uid)
        if known is None:
            return
        known.dependents.pop(node.identity.uid, None)
        if not known.is_observed and not known.dependents:
            del self.nodes[owner_uid]

    def _change_state(self, node: Node, meta: Any) -> None:
        node.is_deleting = is_deleting(meta)
        orphans = node.is_deleting and FINALIZER_ORPHAN in meta.finalizers
        waits = node.is_deleting and FINALIZER_FOREGROUND in meta.finalizers
        if orphans and not node.is_orphaning:
            self._look([node])
        elif waits and not node.is_waiting:
            self._look([*node.dependents.values(), node])
        node.is_orphaning, node.is_waiting = orphans, waits

    def _remove(self, node: Node, identity: Identity) -> None:
        """Take a node out; dependents that still refer to it keep no node but are looked at."""
        uid = node.identity.uid
        del self.nodes[uid]
        if node.dependents:
            self._note_absent(identity)
            self._look(node.dependents.values())
        for owner in node.owners:
            known = self.nodes.get(owner.uid)
            if known is not None and known.is_waiting:
                self._look([known])
            self._drop_dependent(owner.uid, node)


def is_deleting(meta: Any) -> bool:
    """Tell whether an object is on its way out."""
    deleting: bool = meta.HasField("deletionTimestamp")
    return deleting


def references_of(meta: Any) -> tuple[Reference, ...]:
    """Read the owner references of an object."""
    return tuple(
        Reference(found.uid, found.apiVersion, found.kind, found.name, found.blockOwnerDeletion) for found in meta.ownerReferences
    )


def _refers_by(reference: Reference, dependent: Node, owner: Identity) -> bool:
    """Tell whether a dependent's reference names this owner; one without namespace may be referred to from any."""
    if owner.namespace and owner.namespace != dependent.identity.namespace:
        return False
    return reference[:4] == (owner.uid, owner.api_version, owner.kind, owner.name)


def _refers(dependent: Node, owner: Identity) -> bool:
    return any(_refers_by(reference, dependent, owner) for reference in dependent.owners)


def _other_identity(dependents: Iterable[Node], known: Identity) -> Identity:
    """Return the least of the other coordinates by which dependents know an owner, beginning after `known`, so that all get their turn."""
    found = sorted(
        {
            reference.in_namespace(dependent.identity.namespace)
            for dependent in dependents
            for reference in dependent.owners
            if reference.uid == known.uid
        }
    )
    return next((identity for identity in found if identity > known), found[0])
