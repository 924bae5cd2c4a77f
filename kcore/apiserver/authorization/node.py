"""The Node authorizer: what the node of the user `system:node:NAME` may, as far as it has to do with its own pods.

Source: Kubernetes `plugin/pkg/auth/authorizer/node/node_authorizer.go`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kcore.apiserver.authorization import rules
from kcore.apiserver.authorization.attributes import Attributes
from kcore.apiserver.authorization.decision import ALLOWED, NO_OPINION, Decision
from kcore.apiserver.authorization.nodegraph import NodeGraph
from kcore.apiserver.authorization.rbac import Rbac
from kcore.machinery import fields
from kcore.machinery.field_error import quote
from kcore.machinery.request import User

PREFIX: Final = "system:node:"
NODES: Final = "system:nodes"
ROLE: Final = "system:node"
LEASES: Final = "kube-node-lease"
OWN_VERBS: Final = ("get", "create", "update", "patch", "delete")


def node_of(user: User) -> str | None:
    """The node that a user is, '' for one without name; None for who is none."""
    return user.name[len(PREFIX) :] if user.name.startswith(PREFIX) and NODES in user.groups else None


def denied(why: str) -> Decision:
    """No, for a reason."""
    return Decision(False, f"node: {why}")


class NodeAuthorizer:
    """Decides about nodes; whoever is none is left to the next. Thread: the event loop's."""

    def __init__(self, graph: NodeGraph, rbac: Rbac) -> None:
        self.graph, self.rbac = graph, rbac
        self.deciders: dict[tuple[str, str], Callable[[str, Attributes], Decision]] = {
            ("", "secrets"): self.read_one,
            ("", "configmaps"): self.read_one,
            ("", "persistentvolumeclaims"): self.claim,
            ("", "persistentvolumes"): self.get_one,
            ("resource.k8s.io", "resourceclaims"): self.get_one,
            ("storage.k8s.io", "volumeattachments"): self.get_one,
            ("", "serviceaccounts"): self.account,
            ("coordination.k8s.io", "leases"): self.lease,
            ("storage.k8s.io", "csinodes"): self.csi_node,
            ("resource.k8s.io", "resourceslices"): self.slice,
            ("", "nodes"): self.node,
            ("", "pods"): self.pod,
        }

    def authorize(self, user: User, asked: Attributes) -> Decision:
        """Decide about a request."""
        name = node_of(user)
        if name is None:
            return NO_OPINION
        if not name:
            return denied(f"unknown node for user {quote(user.name)}")
        decide = None if asked.path else self.deciders.get((asked.group, asked.resource))
        if decide is not None:
            return decide(name, asked)
        allowed = any(rules.lets_through(rule, asked) for rule in self.rbac.rules_of("ClusterRole", ROLE, "") or ())
        return ALLOWED if allowed else NO_OPINION

    def related(self, name: str, asked: Attributes) -> Decision:
        """Whether the object asked for has to do with the node."""
        if not asked.name:
            return denied("No Object name found")
        if self.graph.is_related(name, asked.resource, asked.namespace, asked.name):
            return ALLOWED
        return denied(f"no relationship found between node '{name}' and this object")

    def read_one(self, name: str, asked: Attributes) -> Decision:
        """What a node may read, by name, and no more."""
        if asked.verb not in ("get", "list", "watch"):
            return denied("can only read resources of this type")
        if asked.subresource:
            return denied("cannot read subresource")
        if not asked.namespace:
            return denied("can only read namespaced object of this type")
        return self.related(name, asked)

    def get_one(self, name: str, asked: Attributes) -> Decision:
        """What a node may get, and no more."""
        if asked.verb != "get":
            return denied("can only get individual resources of this type")
        if asked.subresource:
            return denied("cannot get subresource")
        return self.related(name, asked)

    def claim(self, name: str, asked: Attributes) -> Decision:
        """A claim is got, and its status written."""
        if asked.subresource != "status":
            return self.get_one(name, asked)
        if asked.verb not in ("update", "patch"):
            return denied("can only get/update/patch this type")
        return self.related(name, asked)

    def account(self, name: str, asked: Attributes) -> Decision:
        """A node makes tokens for the accounts of its pods, and reads them."""
        if asked.verb == "get" and not asked.subresource:
            return self.related(name, asked)
        if asked.verb != "create" or asked.subresource != "token" or not asked.name:
            return denied("can only create tokens for individual service accounts")
        return self.related(name, asked)

    def lease(self, name: str, asked: Attributes) -> Decision:
        """A node's own lease; what name a new one has is seen in admission."""
        if asked.verb not in OWN_VERBS:
            return denied("can only get, create, update, patch, or delete a node lease")
        if asked.namespace != LEASES:
            return denied(f"can only access leases in the {quote(LEASES)} system namespace")
        if asked.verb != "create" and asked.name != name:
            return denied("can only access node lease with the same name as the requesting node")
        return ALLOWED

    def csi_node(self, name: str, asked: Attributes) -> Decision:
        """A node's own CSINode."""
        if asked.verb not in OWN_VERBS:
            return denied("can only get, create, update, patch, or delete a CSINode")
        if asked.subresource:
            return denied("cannot authorize CSINode subresources")
        if asked.verb != "create" and asked.name != name:
            return denied("can only access CSINode with the same name as the requesting node")
        return ALLOWED

    def slice(self, name: str, asked: Attributes) -> Decision:
        """A node's own ResourceSlices."""
        if asked.subresource:
            return denied("cannot authorize ResourceSlice subresources")
        if asked.verb == "create":
            return ALLOWED
        if asked.verb in OWN_VERBS:
            return self.related(name, asked)
        if asked.verb not in ("list", "watch", "deletecollection"):
            verbs = "get, watch, list, create, update, patch, delete, deletecollection"
            return denied(f"only the following verbs are allowed for a ResourceSlice: {verbs}")
        if selects(asked, "spec.nodeName", name):
            return ALLOWED
        return denied("can only list/watch/deletecollection resourceslices with nodeName field selector")

    def node(self, name: str, asked: Attributes) -> Decision:
        """A node's own object; which one it writes is seen in admission."""
        if asked.subresource:
            return ALLOWED if asked.subresource == "status" and asked.verb in ("update", "patch") else NO_OPINION
        if asked.verb in ("create", "update", "patch"):
            return ALLOWED
        if asked.verb not in ("get", "list", "watch"):
            return NO_OPINION
        if asked.name == name:
            return ALLOWED
        if not asked.name:
            return denied(f"node '{name}' cannot read all nodes, only its own Node object")
        return denied(f"node '{name}' cannot read '{asked.name}', only its own Node object")

    def pod(self, name: str, asked: Attributes) -> Decision:
        """A node's own pods; which ones it writes is seen in admission."""
        if asked.subresource:
            verbs = {"status": ("update", "patch"), "eviction": ("create",)}.get(asked.subresource, ())
            return ALLOWED if asked.verb in verbs else NO_OPINION
        if asked.verb == "get":
            return self.get_one(name, asked)
        if asked.verb in ("create", "delete"):
            return ALLOWED
        if asked.verb not in ("list", "watch"):
            return NO_OPINION
        if selects(asked, "spec.nodeName", name):
            return ALLOWED
        if asked.name:
            return self.related(name, asked)
        return denied("can only list/watch pods with spec.nodeName field selector")


def selects(asked: Attributes, field: str, value: str) -> bool:
    """Whether a field selector demands a value."""
    try:
        return fields.parse(asked.field_selector).equalities().get(field) == value
    except fields.FieldSelectorError:
        return False
