"""RBAC: roles, and the bindings that give them to users, groups and service accounts, kept as the store has them.

    bindings by (subject, namespace) --> role --> rules --> `rules.lets_through`

A binding is read when it is committed, a role when somebody who has it is asked about for the first time.

Source: Kubernetes `plugin/pkg/auth/authorizer/rbac`, `component-helpers/auth/rbac/validation/rule.go`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from kcore.apiserver.authorization import rules
from kcore.apiserver.authorization.attributes import Attributes
from kcore.apiserver.authorization.decision import Decision
from kcore.apiserver.authorization.rules import Rule
from kcore.apiserver.objects import open_value
from kcore.machinery import codec
from kcore.machinery.field_error import quote
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.request import User
from kcore.machinery.scheme import KindSpec, Scheme
from kcore.store.storage import Storage

Object = dict[str, Any]
GROUP: Final = "rbac.authorization.k8s.io"
ROLES: Final = ("Role", "ClusterRole")
BINDINGS: Final = ("RoleBinding", "ClusterRoleBinding")
ACCOUNT: Final = "system:serviceaccount:"
ROLE_RESOURCES: Final = {"Role": "roles", "ClusterRole": "clusterroles"}

Subject = tuple[str, str]
"""(kind, name): a service account stands here as the user of its name."""


class Binding(NamedTuple):
    """One binding, as far as one of its subjects goes. `subject` is how a reason writes it."""

    namespace: str
    name: str
    role_kind: str
    role_name: str
    subject: str

    def reason(self) -> str:
        """Why it lets something through."""
        if self.namespace:
            of = f"RoleBinding {quote(f'{self.name}/{self.namespace}')}"
        else:
            of = f"ClusterRoleBinding {quote(self.name)}"
        return f"RBAC: allowed by {of} of {self.role_kind} {quote(self.role_name)} to {self.subject}"


class Grant(NamedTuple):
    """The rules that a binding gives; None if there is no such role."""

    binding: Binding
    rules: list[Rule] | None


def subject_of(subject: Object, namespace: str) -> tuple[Subject, str]:
    """Whom a subject of a binding names, and how a reason writes it."""
    kind, name = subject.get("kind", ""), subject.get("name", "")
    if kind != "ServiceAccount":
        return (kind, name), f"{kind} {quote(name)}"
    where = subject.get("namespace") or namespace
    return ("User", f"{ACCOUNT}{where}:{name}"), f"ServiceAccount {quote(f'{name}/{where}')}"


class Rbac:
    """The roles and bindings of one store. Thread: the event loop's."""

    def __init__(self, scheme: Scheme, storage: Storage) -> None:
        specs = {kind: scheme.kinds[GroupVersionKind(GROUP, "v1", kind)] for kind in (*ROLES, *BINDINGS)}
        self.by_prefix: dict[bytes, KindSpec] = {spec.prefix: spec for spec in specs.values()}
        self.prefixes = tuple(self.by_prefix)
        self.roles: dict[tuple[str, str, str], bytes | list[Rule]] = {}
        self.bindings: dict[bytes, list[tuple[Subject, Binding]]] = {}
        self.by_subject: dict[tuple[Subject, str], list[Binding]] = {}
        for spec in specs.values():
            for kv in storage.range(spec.prefix, spec.prefix[:-1] + b"0").kvs:
                self.changed(kv.key, kv.value)

    def changed(self, key: bytes, value: bytes | None) -> None:
        """Take a committed change of a role or binding in; `value` None is its deletion."""
        spec = self.by_prefix[key[: key.index(b"/", len("/registry/")) + 1]]
        *place, name = key[len(spec.prefix) :].decode().split("/")
        namespace = place[0] if place else ""
        if spec.kind in ROLES:
            if value is None:
                self.roles.pop((spec.kind, namespace, name), None)
            else:
                self.roles[spec.kind, namespace, name] = value
            return
        for subject, binding in self.bindings.pop(key, ()):
            held = self.by_subject[subject, namespace]
            held.remove(binding)
            if not held:
                del self.by_subject[subject, namespace]
        if value is not None:
            self.bind(key, decoded(spec, value), namespace, name)

    def bind(self, key: bytes, obj: Object, namespace: str, name: str) -> None:
        """Enter a binding under each of its subjects; where two are the same the first counts."""
        entries: dict[Subject, Binding] = {}
        role = obj.get("roleRef") or {}
        for item in obj.get("subjects") or ():
            subject, shown = subject_of(item, namespace)
            entries.setdefault(subject, Binding(namespace, name, role.get("kind", ""), role.get("name", ""), shown))
        self.bindings[key] = list(entries.items())
        for subject, binding in entries.items():
            self.by_subject.setdefault((subject, namespace), []).append(binding)

    def rules_of(self, kind: str, name: str, namespace: str) -> list[Rule] | None:
        """The rules of a role as a binding in `namespace` names it; None if there is none."""
        key = (kind, namespace if kind == "Role" else "", name)
        found = self.roles.get(key)
        if isinstance(found, bytes):
            spec = next(spec for spec in self.by_prefix.values() if spec.kind == kind)
            found = self.roles[key] = decoded(spec, found).get("rules") or []
        return found

    def grants(self, user: User, namespace: str) -> Iterator[Grant]:
        """What a user has, cluster-wide and then in a namespace, by the names of the bindings."""
        subjects: list[Subject] = [("User", user.name), *(("Group", group) for group in user.groups)]
        for where in ("", namespace) if namespace else ("",):
            held: dict[str, Binding] = {}
            for subject in subjects:
                for binding in self.by_subject.get((subject, where), ()):
                    held.setdefault(binding.name, binding)
            for name in sorted(held):
                yield Grant(held[name], self.rules_of(held[name].role_kind, held[name].role_name, where))

    def authorize(self, user: User, asked: Attributes) -> tuple[Decision, bool]:
        """Whether some rule lets a request through; -> the decision, and whether it holds for every name."""
        allowed: Decision | None = None
        errors: list[str] = []
        for binding, held in self.grants(user, asked.namespace):
            if held is None:
                errors.append(no_such_role(binding))
            for rule in held or ():
                if rules.lets_through(rule, asked):
                    if not rule.get("resourceNames"):
                        return allowed or Decision(True, binding.reason()), True
                    allowed = allowed or Decision(True, binding.reason())
        if allowed is not None:
            return allowed, False
        return Decision(False, f"RBAC: {aggregated(errors)}" if errors else ""), False

    def held_by(self, user: User, namespace: str) -> tuple[list[Rule], list[str]]:
        """All rules of a user in a namespace, and which roles were not found."""
        found: list[Rule] = []
        errors: list[str] = []
        for binding, held in self.grants(user, namespace):
            if held is None:
                errors.append(no_such_role(binding))
            found += held or ()
        return found, errors


def decoded(spec: KindSpec, value: bytes) -> Object:
    """An object from its stored value."""
    return codec.decode(spec.message, open_value(value), spec.api_version, spec.kind)


def no_such_role(binding: Binding) -> str:
    """What is said of a binding whose role is not there."""
    return f"{binding.role_kind.lower()}.{GROUP} {quote(binding.role_name)} not found"


def aggregated(errors: list[str]) -> str:
    """Several errors as one sentence, each once."""
    unique = list(dict.fromkeys(errors))
    return unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]"
