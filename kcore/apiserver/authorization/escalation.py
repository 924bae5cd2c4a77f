"""Nobody grants what he does not have: the check of roles and bindings on their way in.

Who may `escalate` the role, or `bind` the role that a binding names, may do it all the same; so may system:masters.

Source: Kubernetes `pkg/registry/rbac/*/policybased/storage.go`, `component-helpers/auth/rbac/validation`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kcore.apiserver.authorization import rules
from kcore.apiserver.authorization.attributes import Attributes
from kcore.apiserver.authorization.authorizer import MASTERS, Authorizer
from kcore.apiserver.authorization.rbac import GROUP, ROLE_RESOURCES
from kcore.apiserver.authorization.rules import Rule
from kcore.machinery import status
from kcore.machinery.field_error import quote

if TYPE_CHECKING:
    from kcore.apiserver.admission.cluster import Cluster
    from kcore.apiserver.registry import Write

Object = dict[str, Any]
EVERYTHING: Final[list[Rule]] = [
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
]
COLLECTED: Final = ("ownerReferences", "finalizers")
"""What the garbage collector changes of an object."""


def admit_role(write: Write, obj: Object, old: Object | None, cluster: Cluster) -> None:
    """Refuse a role with rules that its author does not have. Raises StatusError (403)."""
    authorizer = cluster.authorizer
    if authorizer is None or MASTERS in write.caller.groups or (old is not None and only_collected(obj, old)):
        return
    named = write.name if old is not None else ""
    asked = Attributes("escalate", GROUP, write.spec.resource, "", write.namespace, named)
    if authorizer.authorize(write.caller, asked).allowed:
        return
    if obj.get("aggregationRule") or (old or {}).get("aggregationRule"):
        if excess(authorizer, write, EVERYTHING):
            raise refused(write, obj, "must have cluster-admin privileges to use the aggregationRule")
    confirm(authorizer, write, obj, obj.get("rules") or [])


def admit_binding(write: Write, obj: Object, old: Object | None, cluster: Cluster) -> None:
    """Refuse a binding to a role with rules that its author does not have. Raises StatusError: 403, 404 where there is no such role."""
    authorizer = cluster.authorizer
    if authorizer is None or MASTERS in write.caller.groups or (old is not None and only_collected(obj, old)):
        return
    role = obj.get("roleRef") or {}
    kind, name = role.get("kind", ""), role.get("name", "")
    asked = Attributes("bind", GROUP, ROLE_RESOURCES.get(kind, ""), "", write.namespace, name)
    if authorizer.authorize(write.caller, asked).allowed:
        return
    wanted = authorizer.rbac.rules_of(kind, name, write.namespace)
    if kind in ROLE_RESOURCES and name:
        if wanted is None:
            raise status.not_found(write.spec.resource, GROUP, name)
        confirm(authorizer, write, obj, wanted)


def only_collected(obj: Object, old: Object) -> bool:
    """Whether an update does nothing but what the garbage collector does."""
    return without(obj) == without(old)


def without(obj: Object) -> Object:
    """An object without what the garbage collector, and the server, change of it."""
    dropped = (*COLLECTED, "managedFields", "resourceVersion")
    return {**obj, "metadata": {name: value for name, value in obj["metadata"].items() if name not in dropped}}


def excess(authorizer: Authorizer, write: Write, wanted: list[Rule]) -> list[Rule]:
    """What the caller would grant and does not have."""
    held, _ = authorizer.rules_for(write.caller, write.namespace)
    return rules.compact(rules.missing(held, wanted))


def confirm(authorizer: Authorizer, write: Write, obj: Object, wanted: list[Rule]) -> None:
    """Refuse to grant what the caller does not have. Raises StatusError (403)."""
    found = excess(authorizer, write, wanted)
    if not found:
        return
    user, shown = write.caller, "\n".join(sorted({rules.text(rule) for rule in found}))
    groups = f"[{' '.join(map(quote, user.groups))}]"
    sentence = f"user {quote(user.name)} (groups={groups}) is attempting to grant RBAC permissions not currently held:\n{shown}"
    _, errors = authorizer.rules_for(user, write.namespace)
    raise refused(write, obj, f"{sentence}; resolution errors: [{' '.join(errors)}]" if errors else sentence)


def refused(write: Write, obj: Object, sentence: str) -> status.StatusError:
    """The refusal of a role or binding."""
    return status.forbidden(write.spec.resource, GROUP, obj["metadata"].get("name", ""), sentence)
