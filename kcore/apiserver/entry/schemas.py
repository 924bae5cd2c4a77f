"""FlowSchemas: which requests make a flow, and which priority level it belongs to. Pure.

A request belongs to the first schema, by precedence and then by name, one of whose rules has both its user and what it asks for. What the
schema distinguishes by (user, namespace, or nothing) makes flows of it.

Source: Kubernetes apiserver `pkg/util/flowcontrol/rule.go`, `pkg/util/shufflesharding/dealer.go`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from kcore.apiserver.authorization import rules
from kcore.apiserver.authorization.attributes import Attributes
from kcore.apiserver.authorization.rules import ALL
from kcore.machinery.request import User

Object = dict[str, Any]
ACCOUNT = "system:serviceaccount"


class Schema(NamedTuple):
    """A FlowSchema. Schemas are looked at in their order as tuples."""

    precedence: int
    name: str
    uid: str
    level: str
    method: str
    rules: list[Object]


def schema_of(obj: Object) -> Schema:
    """A FlowSchema's object as a Schema."""
    metadata, spec = obj["metadata"], obj.get("spec") or {}
    return Schema(
        spec.get("matchingPrecedence", 0),
        metadata["name"],
        metadata.get("uid", ""),
        (spec.get("priorityLevelConfiguration") or {}).get("name", ""),
        (spec.get("distinguisherMethod") or {}).get("type", ""),
        spec.get("rules") or [],
    )


def first(schemas: Iterable[Schema], user: User, asked: Attributes) -> Schema | None:
    """The schema of a request, None if none has it."""
    for schema in schemas:
        if any(takes_in(rule, user, asked) for rule in schema.rules):
            return schema
    return None


def takes_in(rule: Object, user: User, asked: Attributes) -> bool:
    """Whether a rule has both the user and what is asked for."""
    if not any(is_subject(subject, user) for subject in rule.get("subjects") or ()):
        return False
    if asked.path:
        return any(covers_path(each, asked) for each in rule.get("nonResourceRules") or ())
    return any(covers_resource(each, asked) for each in rule.get("resourceRules") or ())


def is_subject(subject: Object, user: User) -> bool:
    """Whether a subject means a user."""
    kind = subject.get("kind")
    if kind == "ServiceAccount":
        meant = subject.get("serviceAccount") or {}
        prefix, name = f"{ACCOUNT}:{meant.get('namespace', '')}:", meant.get("name", "")
        return user.name.startswith(prefix) if name == ALL else user.name == prefix + name
    if kind == "User":
        return (subject.get("user") or {}).get("name") in (ALL, user.name)
    name = (subject.get("group") or {}).get("name", "")
    return name == ALL or name in user.groups


def covers_path(rule: Object, asked: Attributes) -> bool:
    """Whether a rule has a method on a path that is no resource."""
    return rules.matches(rule.get("verbs"), asked.verb) and any(
        rules.path_covers(path, asked.path) for path in rule.get("nonResourceURLs") or ()
    )


def covers_resource(rule: Object, asked: Attributes) -> bool:
    """Whether a rule has a verb on a resource."""
    if not (
        rules.matches(rule.get("verbs"), asked.verb)
        and rules.matches(rule.get("apiGroups"), asked.group)
        and rules.matches(rule.get("resources"), asked.resource_path)
    ):
        return False
    return rules.matches(rule.get("namespaces"), asked.namespace) if asked.namespace else bool(rule.get("clusterScope"))


def distinguished(schema: Schema, user: User, asked: Attributes) -> str:
    """What tells a request's flow from others of its schema."""
    if schema.method == "ByUser":
        return user.name
    return asked.namespace if schema.method == "ByNamespace" else ""


def hand(schema: str, distinguisher: str, deck: int, size: int) -> tuple[int, ...]:
    """The lines, out of `deck`, in which a flow may wait: `size` different ones, so that two flows seldom share them all."""
    value = int.from_bytes(hashlib.sha256(f"{schema},{distinguisher}".encode()).digest()[:8], "big")
    left, found = list(range(deck)), []
    for _ in range(min(size, deck)):
        value, place = divmod(value, len(left))
        found.append(left.pop(place))
    return tuple(found)
