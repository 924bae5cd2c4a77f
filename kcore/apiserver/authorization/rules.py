"""Rules of roles: what they let through, whether some cover others, and how they are written where they are refused.

Pure; a rule is a dict in JSON form. Source: Kubernetes `pkg/apis/rbac/v1/evaluation_helpers.go`, `plugin/pkg/auth/authorizer/rbac`,
`component-helpers/auth/rbac/validation/policy_comparator.go`, `pkg/registry/rbac/validation/policy_compact.go`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from kcore.apiserver.authorization.attributes import Attributes
from kcore.machinery.field_error import quote

Rule = dict[str, Any]
ALL: Final = "*"
SHOWN: Final = (
    ("APIGroups", "apiGroups"),
    ("Resources", "resources"),
    ("NonResourceURLs", "nonResourceURLs"),
    ("ResourceNames", "resourceNames"),
    ("Verbs", "verbs"),
)
LISTS: Final = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")


def lets_through(rule: Rule, asked: Attributes) -> bool:
    """Whether a rule allows what is asked."""
    if not matches(rule.get("verbs"), asked.verb):
        return False
    if asked.path:
        return any(path_covers(path, asked.path) for path in rule.get("nonResourceURLs") or ())
    if not matches(rule.get("apiGroups"), asked.group) or not resource_matches(rule.get("resources"), asked):
        return False
    names = rule.get("resourceNames")
    return not names or asked.name in names


def matches(given: Iterable[str] | None, wanted: str) -> bool:
    """Whether a list has a word, or the star."""
    return bool(given) and (wanted in given or ALL in given)  # type: ignore[operator]


def resource_matches(given: list[str] | None, asked: Attributes) -> bool:
    """Whether a list of resources has the one asked for; `*/log` is that part of every resource."""
    if not given:
        return False
    return ALL in given or asked.resource_path in given or (bool(asked.subresource) and f"*/{asked.subresource}" in given)


def path_covers(pattern: str, path: str) -> bool:
    """Whether a path, or a pattern that ends in a star, takes in another."""
    return pattern in (ALL, path) or (pattern.endswith(ALL) and path.startswith(pattern.rstrip(ALL)))


# what one holds, and what one would give


def missing(held: list[Rule], wanted: Iterable[Rule]) -> list[Rule]:
    """The single permissions of `wanted` that no rule of `held` covers."""
    return [single for rule in wanted for single in singles(rule) if not any(covers(own, single) for own in held)]


def singles(rule: Rule) -> list[Rule]:
    """A rule as permissions of one verb on one thing each."""
    found: list[Rule] = []
    verbs = rule.get("verbs") or ()
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in verbs:
                plain: Rule = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
                names = rule.get("resourceNames")
                found += [{**plain, "resourceNames": [name]} for name in names] if names else [plain]
    found += [{"nonResourceURLs": [path], "verbs": [verb]} for path in rule.get("nonResourceURLs") or () for verb in verbs]
    return found


def covers(own: Rule, single: Rule) -> bool:
    """Whether a rule holds a single permission."""
    if not matches(own.get("verbs"), single["verbs"][0]):
        return False
    if "nonResourceURLs" in single:
        path = single["nonResourceURLs"][0]
        return any(path_covers(given, path) for given in own.get("nonResourceURLs") or ())
    resource, given = single["resources"][0], own.get("resources") or ()
    if not matches(own.get("apiGroups"), single["apiGroups"][0]):
        return False
    if not (ALL in given or resource in given or ("/" in resource and f"*/{resource.partition('/')[2]}" in given)):
        return False
    names = own.get("resourceNames")
    return not names or single.get("resourceNames", [None])[0] in names


def compact(rules: Iterable[Rule]) -> list[Rule]:
    """Put permissions on the same thing together: their verbs add up, in the order in which they come."""
    found: list[Rule] = []
    simple: dict[tuple[str, str, str | None], Rule] = {}
    for rule in rules:
        names = rule.get("resourceNames") or ()
        if rule.get("nonResourceURLs") or len(names) > 1 or len(rule["apiGroups"]) != 1 or len(rule["resources"]) != 1:
            found.append(rule)
            continue
        key = (rule["apiGroups"][0], rule["resources"][0], names[0] if names else None)
        kept = simple.setdefault(key, {**rule, "verbs": []})
        kept["verbs"] += [verb for verb in rule["verbs"] if verb not in kept["verbs"]]
    return found + list(simple.values())


def text(rule: Rule) -> str:
    """A rule as refusals write it."""
    parts = [f"{name}:[{' '.join(quote(word) for word in rule[field])}]" for name, field in SHOWN if rule.get(field)]
    return "{" + ", ".join(parts) + "}"
