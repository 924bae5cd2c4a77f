"""Which old pods a rolling update replaces next.

    maxUnavailable   old pods that are not available go at once; of the others as many as leave no more nodes without an available pod
    maxSurge         new pods come beside old ones, at most so many at a time beside available ones; an old one goes when the new one is
                     available. A pod that its node shall have no more goes when enough others are available.

Source: Kubernetes `pkg/controller/daemon/update.go`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from kcore.controllers.daemonset.eligibility import NONE
from kcore.controllers.daemonset.placement import Observed, Plan, node_names
from kcore.controllers.daemonset.pods import is_available
from kcore.controllers.rollout import share


class _Pair(NamedTuple):
    """The pods of a node that nobody has deleted; `is_clear` unless there are several of one template."""

    new: Any | None
    old: Any | None
    is_clear: bool = True


def plan(observed: Observed) -> Plan:
    """Decide which pods are replaced now; nothing must be left to do for ``placement``."""
    surge, unavailable = fenceposts(observed)
    return _surge(observed, surge) if surge else _replace(observed, unavailable)


def fenceposts(observed: Observed) -> tuple[int, int]:
    """Return how many nodes may have two pods, and how many none that is available; never neither."""
    rolling, size = observed.daemonset.spec.updateStrategy.rollingUpdate, observed.desired
    surge, unavailable = share(rolling.maxSurge, size, up=True), share(rolling.maxUnavailable, size, up=True)
    return surge, unavailable if surge or unavailable or not size else 1


def _pair(observed: Observed, pods: Iterable[Any]) -> _Pair:
    found: dict[bool, Any] = {}
    for pod in pods:
        if pod.metadata.HasField("deletionTimestamp"):
            continue
        is_new = observed.revision.is_of(pod)
        if is_new in found:
            return _Pair(None, None, is_clear=False)
        found[is_new] = pod
    return _Pair(found.get(True), found.get(False))


def _pairs(observed: Observed) -> dict[str, _Pair]:
    """Return the pods of each node that has some or shall have one."""
    names = {**observed.pods, **dict.fromkeys(node_names(observed.fits), ())}
    return {name: _pair(observed, observed.pods.get(name, ())) for name in names}


def _replace(observed: Observed, limit: int) -> Plan:
    """Delete old pods; ``placement`` makes new ones."""
    unavailable, replaced, candidates = 0, [], []
    for pair in _pairs(observed).values():
        if pair.new is None and pair.old is not None:
            if _available(observed, pair.old):
                candidates.append(pair.old)
            else:
                replaced.append(pair.old)
                unavailable += 1
        elif pair.old is not None or not _available(observed, pair.new):
            unavailable += 1
    return Plan(deletes=replaced + candidates[: max(0, limit - unavailable)])


def _surge(observed: Observed, limit: int) -> Plan:
    """Create new pods beside old ones, and delete old ones that have a new one."""
    planned = Plan()
    surging = available = 0
    leaving: list[Any] = []
    candidates: list[str] = []
    for name, pair in _pairs(observed).items():
        if not pair.is_clear:
            surging += 1
            continue
        available += _available(observed, pair.old if pair.old is not None else pair.new)
        if pair.old is None:
            continue
        if pair.new is not None:
            if _available(observed, pair.new):
                planned.deletes.append(pair.old)
            else:
                surging += 1
        elif observed.fits.get(name, NONE).runs:
            (candidates if _available(observed, pair.old) else planned.creates).append(name)
        else:
            (leaving if _available(observed, pair.old) else planned.deletes).append(pair.old)
    planned.deletes += leaving[: max(0, available - observed.desired)]
    planned.creates += candidates[: max(0, limit - surging)]
    return planned


def _available(observed: Observed, pod: Any | None) -> bool:
    return pod is not None and is_available(pod, observed.daemonset, observed.now)
