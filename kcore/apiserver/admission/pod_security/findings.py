"""What checks find in a pod, and how that is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

Object = dict[str, Any]
Json = Mapping[str, Any]


class Finding(NamedTuple):
    """Why a check forbids a pod, and what in it is to blame."""

    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


class Pod(NamedTuple):
    """What checks look at."""

    annotations: Mapping[str, str]
    spec: Json


class Check(NamedTuple):
    """A check as it is from a minor version on.

    replaces  the check of the baseline that need not be asked where this one is
    """

    name: str
    minor: int
    find: Callable[[Pod], Finding | None]
    replaces: str = ""


def containers(pod: Pod) -> Iterator[Json]:
    """All containers, those that run first first."""
    for field in ("initContainers", "containers", "ephemeralContainers"):
        yield from pod.spec.get(field) or ()


def security(container: Json) -> Json:
    """The security context of a container or of a pod's spec; empty if there is none."""
    found: Json = container.get("securityContext") or {}
    return found


def names(found: Iterable[Json]) -> list[str]:
    """The names of containers or volumes."""
    return [each.get("name", "") for each in found]


def quoted(words: Iterable[str]) -> str:
    """Words in quotes, with commas between."""
    return ", ".join(f'"{word}"' for word in words)


def plural(one: str, many: str, count: int) -> str:
    """The word for so many."""
    return one if count == 1 else many


def some(kind: str, found: list[str]) -> str:
    """`container "a"`, `containers "a", "b"`."""
    return f"{plural(kind, f'{kind}s', len(found))} {quoted(found)}"


def setters(pod_is: bool, found: list[str]) -> str:
    """Who sets something: the pod, containers, or both."""
    return " and ".join((*(("pod",) if pod_is else ()), *((some("container", found),) if found else ())))


def is_windows(pod: Pod) -> bool:
    """Whether the pod says that it is for Windows, which knows nothing of Linux' means."""
    return (pod.spec.get("os") or {}).get("name") == "windows"


def has_own_users(pod: Pod) -> bool:
    """Whether users of the pod are others than those of its node."""
    return pod.spec.get("hostUsers") is False


def reasons(findings: Iterable[Finding]) -> str:
    """What is forbidden, in short."""
    return ", ".join(finding.reason for finding in findings)


def details(findings: Iterable[Finding]) -> str:
    """What is forbidden and what is to blame."""
    return ", ".join(map(str, findings))
