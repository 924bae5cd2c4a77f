"""The roles and bindings of `roles.txt` as objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from kcore.base.features import NO_FEATURES, Features

Object = dict[str, Any]

FACTS: Final = Path(__file__).with_name("roles.txt")
GROUP: Final = "rbac.authorization.k8s.io"
API_VERSION: Final = f"{GROUP}/v1"
AUTOUPDATE: Final = "rbac.authorization.kubernetes.io/autoupdate"
LABELS: Final = {"kubernetes.io/bootstrapping": "rbac-defaults"}
AGGREGATE: Final = f"{GROUP}/aggregate-to-"
VERBS: Final = {
    "read": "get,list,watch",
    "write": "create,delete,deletecollection,patch,update",
    "full": "create,delete,deletecollection,get,list,patch,update,watch",
}
SUBJECTS: Final = {"user": "User", "group": "Group", "account": "ServiceAccount"}


def roles(features: Features = NO_FEATURES, text: str | None = None) -> list[Object]:
    """All roles, each followed by its bindings, as they are with these features on."""
    found: list[Object] = []
    role: Object = {}
    for line in lines(FACTS.read_text() if text is None else text, features):
        words = line.split()
        if not line.startswith(" "):
            role = role_of(words)
            found.append(role)
        elif words[0] == "to":
            found.append(binding_of(role, words[1], words[2:]))
        else:
            role["rules"].append(rule_of(words))
    return found


def lines(text: str, features: Features = NO_FEATURES) -> Iterator[str]:
    """The lines that say something; one that ends in a comma is joined with the next, one that begins with `?Feature` needs it."""
    begun = ""
    for line in text.splitlines():
        line = begun + (line.strip() if begun else line.rstrip())
        begun = line if line.endswith(",") else ""
        condition, _, rest = line.strip().partition(" ") if line.lstrip().startswith("?") else ("", "", "")
        if condition[1:] in features:
            line = line[: len(line) - len(line.lstrip())] + rest.lstrip()
        elif condition:
            continue
        if line and not begun and not line.startswith("#"):
            yield line


def role_of(words: list[str]) -> Object:
    """A role without rules, from its heading."""
    labels = LABELS | {f"{AGGREGATE}{word[1:]}": "true" for word in words if word[0] == "+"}
    metadata: Object = {"labels": labels, "annotations": {AUTOUPDATE: "true"}}
    role: Object = {"apiVersion": API_VERSION, "kind": "ClusterRole", "metadata": metadata, "rules": []}
    if words[0] == "role":
        role["kind"], metadata["namespace"], metadata["name"] = "Role", words[1], words[2]
        return role
    metadata["name"] = words[1]
    selectors = [{"matchLabels": {f"{AGGREGATE}{word[1:]}": "true"}} for word in words if word[0] == "*"]
    if selectors:
        role["aggregationRule"] = {"clusterRoleSelectors": selectors}
    return role


def rule_of(words: list[str]) -> Object:
    """A rule: of resources if it has three words or more, of paths if it has two."""
    verbs = VERBS.get(words[0], words[0]).split(",")
    if len(words) == 2:
        return {"verbs": verbs, "nonResourceURLs": words[1].split(",")}
    groups = ["" if group == "core" else group for group in words[1].split(",")]
    rule: Object = {"verbs": verbs, "apiGroups": groups, "resources": words[2].split(",")}
    return rule | {"resourceNames": words[3].split(",")} if len(words) > 3 else rule


def binding_of(role: Object, name: str, subjects: list[str]) -> Object:
    """A binding of a role to subjects."""
    metadata = {**role["metadata"], "name": role["metadata"]["name"] if name == "-" else name, "labels": dict(LABELS)}
    reference = {"apiGroup": GROUP, "kind": role["kind"], "name": role["metadata"]["name"]}
    kind = f"{role['kind']}Binding"
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "roleRef": reference, "subjects": [*map(subject_of, subjects)]}


def subject_of(word: str) -> Object:
    """A subject, from its word."""
    kind, _, name = word.partition(":")
    if kind == "account":
        namespace, _, name = name.partition("/")
        return {"kind": SUBJECTS[kind], "name": name, "namespace": namespace}
    return {"kind": SUBJECTS[kind], "apiGroup": GROUP, "name": name}
