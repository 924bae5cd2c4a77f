"""The chain of authorizers over one store, and what is remembered of its decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kcore.apiserver.authorization.attributes import Attributes, of_request
from kcore.apiserver.authorization.decision import ALLOWED, Decision
from kcore.apiserver.authorization.node import NodeAuthorizer, node_of
from kcore.apiserver.authorization.nodegraph import NodeGraph
from kcore.apiserver.authorization.rbac import Rbac
from kcore.apiserver.authorization.rules import Rule
from kcore.base import limits
from kcore.machinery import status
from kcore.machinery.field_error import quote
from kcore.machinery.request import Request, User
from kcore.machinery.scheme import Scheme
from kcore.store.storage import Mutation, Storage

MASTERS: Final = "system:masters"
NOT_LISTED: Final = "node authorizer does not support user rule resolution"

Key = tuple[User, str, str, str, str, str]
"""What was allowed: to whom, and all that was asked but the name."""


class Authorizer:
    """Decides for every front door. Thread: the event loop's."""

    def __init__(self, scheme: Scheme, storage: Storage) -> None:
        self.rbac = Rbac(scheme, storage)
        self.graph = NodeGraph(scheme, storage)
        self.nodes = NodeAuthorizer(self.graph, self.rbac)
        self.remembered: set[Key] = set()
        storage.subscribe(self.follow)

    def follow(self, mutations: Sequence[Mutation], _revision: int) -> None:
        """Take in what was committed."""
        pods = self.graph.pods.prefix
        prefixes = self.rbac.prefixes if self.graph.node_of is None else (*self.rbac.prefixes, pods)
        for mutation in mutations:
            key = mutation.key
            if not key.startswith(prefixes):
                continue
            if key.startswith(pods):
                self.graph.changed(key, mutation.value)
            else:
                self.rbac.changed(key, mutation.value)
                self.remembered.clear()

    def authorize(self, user: User, asked: Attributes) -> Decision:
        """Decide about a request."""
        return self.decide(user, asked)[0]

    def decide(self, user: User, asked: Attributes) -> tuple[Decision, bool]:
        """The decision, and whether it holds for every name and until a role or binding changes."""
        if MASTERS in user.groups:
            return ALLOWED, True
        by_node = self.nodes.authorize(user, asked)
        if by_node.allowed:
            return by_node, False
        decision, lasting = self.rbac.authorize(user, asked)
        if by_node.reason and not decision.allowed:
            reasons = [reason for reason in (by_node.reason, decision.reason) if reason]
            return Decision(False, "\n".join(reasons)), False
        return decision, lasting

    def rules_for(self, user: User, namespace: str) -> tuple[list[Rule], list[str]]:
        """The rules that let a user do something in a namespace, and what keeps them from being all."""
        found, errors = self.rbac.held_by(user, namespace)
        return found, [NOT_LISTED, *errors] if node_of(user) is not None else errors

    def require(self, user: User, asked: Attributes) -> None:
        """Refuse what is not allowed. Raises StatusError (403)."""
        decision = self.authorize(user, asked)
        if not decision.allowed:
            raise forbidden(user, asked, decision.reason)

    def check(self, request: Request) -> None:
        """Refuse a request that its user may not make. Raises StatusError (403)."""
        user = request.user
        key = (user, request.verb, request.group, request.resource, request.subresource, request.namespace)
        if key in self.remembered:
            return
        asked = of_request(request)
        decision, lasting = self.decide(user, asked)
        if not decision.allowed:
            raise forbidden(user, asked, decision.reason)
        if lasting and asked.namespace == request.namespace:
            if len(self.remembered) >= limits.AUTHORIZATION_DECISIONS_MAX:
                self.remembered.clear()
            self.remembered.add(key)


def forbidden(user: User, asked: Attributes, reason: str = "") -> status.StatusError:
    """The refusal of a request."""
    sentence = f"User {quote(user.name)} cannot {asked.verb} "
    if asked.path:
        sentence += f"path {quote(asked.path)}"
    else:
        sentence += f"resource {quote(asked.resource_path)} in API group {quote(asked.group)} "
        sentence += f"in the namespace {quote(asked.namespace)}" if asked.namespace else "at the cluster scope"
    return status.forbidden(asked.resource, asked.group, asked.name, f"{sentence}: {reason}" if reason else sentence)
