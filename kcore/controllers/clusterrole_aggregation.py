"""ClusterRoles that are made of others: their rules are those of all ClusterRoles that their selectors match, each rule once.

They are patched, not replaced: whoever replaces a role that is gone by then makes a new one.

Source: Kubernetes `pkg/controller/clusterroleaggregation`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from kcore.api.rbac.v1.cluster_role_pb2 import ClusterRole
from kcore.client import kinds
from kcore.controllers import actions
from kcore.controllers.actions import Action, Patch
from kcore.controllers.adoption import selector_of
from kcore.controllers.controller import Context, Controller, Source
from kcore.machinery import codec

NAME: Final = "clusterrole-aggregation"
CLUSTERROLES: Final = kinds.resource("rbac.authorization.k8s.io", "v1", "clusterroles")


def plan(role: Any, roles: Sequence[Any]) -> list[Action]:
    """Decide what the rules of an aggregated role must be.

    roles  all roles there are
    """
    wanted: dict[bytes, Any] = {}
    for selector in map(selector_of, role.aggregationRule.clusterRoleSelectors):
        for other in sorted(roles, key=lambda each: str(each.metadata.name)):
            if other.metadata.name != role.metadata.name and selector.matches(other.metadata.labels):
                wanted |= {key: rule for rule in other.rules if (key := rule.SerializeToString(deterministic=True)) not in wanted}
    if list(wanted) == [rule.SerializeToString(deterministic=True) for rule in role.rules]:
        return []
    body = {"metadata": {"resourceVersion": role.metadata.resourceVersion}, "rules": in_json(wanted.values())}
    return [Patch(CLUSTERROLES, "", role.metadata.name, body)]


def in_json(rules: Iterable[Any]) -> list[Any] | None:
    """Rules as a patch has them; None, which removes them, if there are none."""
    raw = ClusterRole(rules=rules).SerializeToString()
    found: list[Any] | None = codec.decode(ClusterRole.DESCRIPTOR.full_name, raw, CLUSTERROLES.api_version, CLUSTERROLES.kind).get("rules")
    return found or None


class Reconciler:
    """Carries plans out."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._roles = context.informer(CLUSTERROLES).lister

    async def reconcile(self, key: str) -> None:
        """Look at a role."""
        role = self._roles.get(key)
        if role is None or not role.HasField("aggregationRule"):
            return
        outcomes = await actions.apply(plan(role, self._roles.list()), self._context.api.bulk, self._context.recorder)
        actions.raise_first(outcomes, harmless=("NotFound",))

    def role_changed(self, _old: Any, _new: Any) -> Iterable[str]:
        """Look at all roles that are made of others: there are few."""
        return [role.metadata.name for role in self._roles.list() if role.HasField("aggregationRule")]


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    return Controller(NAME, context.queue(NAME), reconciler.reconcile, (Source(CLUSTERROLES, reconciler.role_changed),))
