"""Which pods go first when a set is made smaller.

In this order: not assigned before assigned; pending before unknown before running; not ready before ready; lower deletion cost; more
pods of the same family on the node; shorter ready, then younger, both on a logarithmic scale; more restarts. The uid decides what is left,
so that whoever looks at the same pods chooses the same ones.

Source: Kubernetes `pkg/controller/controller_utils.go` (ActivePodsWithRanks), KEP-2185, KEP-2255.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cmp_to_key
from math import log2
from typing import Any, Final, NamedTuple

from kcore.controllers.pod_state import is_active, ready_since, seconds

DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"

_PHASES: Final = {"Pending": 0, "Unknown": 1, "Running": 2}


class Rank(NamedTuple):
    """A pod as the order sees it; `since` is since when it is ready, None if it is not."""

    first: tuple[bool, int, bool, int, int]
    since: float | None
    created: float
    restarts: int
    uid: str


def pods_to_delete(pods: Sequence[Any], related: Iterable[Any], count: int, now: float) -> list[Any]:
    """Return the `count` pods of a set that go first.

    related  pods that serve the same purpose (those of all sets of a Deployment): one of several on a node goes before a single one
    now      unix seconds
    Cost     O(n log n); none if all go
    """
    if count >= len(pods):
        return list(pods)
    on_node = Counter(pod.spec.nodeName for pod in related if is_active(pod))
    ranks = [rank(pod, on_node[pod.spec.nodeName]) for pod in pods]

    def order(left: int, right: int) -> int:
        return compare(ranks[left], ranks[right], now)

    return [pods[index] for index in sorted(range(len(pods)), key=cmp_to_key(order))[:count]]


def rank(pod: Any, on_node: int) -> Rank:
    """Read what the order needs of a pod."""
    since = ready_since(pod)
    first = (bool(pod.spec.nodeName), _PHASES.get(pod.status.phase, 0), since is not None, deletion_cost(pod), -on_node)
    return Rank(first, since, seconds(pod.metadata.creationTimestamp), restarts(pod), pod.metadata.uid)


def compare(left: Rank, right: Rank, now: float) -> int:
    """Return a negative number if the left pod goes before the right one."""
    if left.first != right.first:
        return -1 if left.first < right.first else 1
    if left.since is not None and right.since is not None and left.since != right.since:
        return _compare_age(left.since, right.since, now) or _compare_uid(left, right)
    if left.restarts != right.restarts:
        return -1 if left.restarts > right.restarts else 1
    if left.created != right.created:
        return _compare_age(left.created, right.created, now) or _compare_uid(left, right)
    return _compare_uid(left, right)


def deletion_cost(pod: Any) -> int:
    """Return the cost that a pod's annotation names; 0 if it has none or no valid one."""
    text: str = pod.metadata.annotations.get(DELETION_COST, "")
    return int(text) if text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() else 0


def restarts(pod: Any) -> int:
    """Return how often the container of a pod that restarted most did so."""
    statuses = [*pod.status.containerStatuses, *pod.status.initContainerStatuses]
    return max((status.restartCount for status in statuses), default=0)


def _compare_age(left: float, right: float, now: float) -> int:
    """Compare moments by the logarithm of how long ago they are; an unknown one (0.0) comes first."""
    if left == 0.0 or right == 0.0:
        return -1 if left == 0.0 else 1
    return _magnitude(now - left) - _magnitude(now - right)


def _magnitude(age_s: float) -> int:
    return int(log2(age_s * 1e9)) if age_s > 0 else -1


def _compare_uid(left: Rank, right: Rank) -> int:
    return (left.uid > right.uid) - (left.uid < right.uid)
