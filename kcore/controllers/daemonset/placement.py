"""Pods to create and delete so that each node of a DaemonSet has its one, and no other node has any.

    node shall have one, has none               create (one that is on its way out still counts: its ports and volumes are taken)
    has one that ended                          delete; one that failed again soon is left for a while, longer each time
    has several                                 keep the oldest; while surging, the oldest of the old and of the new template
    a pod may not stay, or its node is gone     delete

Source: Kubernetes `pkg/controller/daemon` (podsShouldBeOnNode, manage).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kcore.base import limits
from kcore.controllers import actions
from kcore.controllers.actions import Event
from kcore.controllers.daemonset.eligibility import NONE, Fit
from kcore.controllers.daemonset.pods import Revision, age_order, is_available
from kcore.controllers.pod_state import is_ready
from kcore.controllers.rollout import ROLLING_UPDATE, share
from kcore.machinery.kinds.readiness import FAILED, SUCCEEDED


class Pause(NamedTuple):
    """When the last failed pod of a node was deleted (unix seconds), and how long the next one is left."""

    since: float
    pause_s: float


@dataclass(frozen=True, slots=True)
class Observed:
    """A DaemonSet, its nodes and its pods.

    fits       what nodes are to it, by name, less those that are nothing to it
    strangers  of those, the ones that have pods of it
    pods       by the node that they are on or for; the node may be gone
    pauses     by node, of pods that failed
    now        unix seconds
    """

    daemonset: Any
    revision: Revision
    fits: Mapping[str, Fit]
    strangers: frozenset[str]
    pods: Mapping[str, Sequence[Any]]
    pauses: Mapping[str, Pause]
    now: float

    @property
    def desired(self) -> int:
        """How many nodes shall have a pod."""
        return sum(found.runs for found in self.fits.values())


@dataclass(slots=True)
class Plan:
    """What to do.

    creates  names of nodes that get a pod
    deletes  pods
    events   about pods that ended
    failed   nodes whose failed pod is deleted
    wait_s   how long a failed pod is left yet
    """

    creates: list[str] = field(default_factory=list)
    deletes: list[Any] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    wait_s: float | None = None


def plan(observed: Observed) -> Plan:
    """Decide where pods are missing and which are too many."""
    planned = Plan()
    surges = allows_surge(observed.daemonset)
    for name in {**observed.fits, **observed.pods}:
        found, pods = observed.fits.get(name, NONE), observed.pods.get(name, ())
        if found.runs and not pods:
            planned.creates.append(name)
        elif found.stays:
            running = _without_ended(observed, planned, name, pods)
            if len(running) > 1:
                planned.deletes += _surging_excess(observed, running) if surges else sorted(running, key=age_order)[1:]
        elif name in observed.strangers:
            planned.deletes += _standing(pods)
        else:
            planned.deletes += [pod for pod in _standing(pods) if not pod.spec.nodeName]
    return planned


def _standing(pods: Iterable[Any]) -> list[Any]:
    """Return the pods that nobody has deleted."""
    return [pod for pod in pods if not pod.metadata.HasField("deletionTimestamp")]


def _without_ended(observed: Observed, planned: Plan, name: str, pods: Iterable[Any]) -> list[Any]:
    """Return the pods of a node that run or will; those that ended are deleted, failed ones no sooner than they may."""
    running = []
    for pod in _standing(pods):
        if pod.status.phase == FAILED:
            left_s = pause_left_s(observed.pauses.get(name), observed.now)
            if left_s:
                planned.wait_s = left_s if planned.wait_s is None else min(planned.wait_s, left_s)
                continue
            planned.failed.append(name)
            planned.deletes.append(pod)
            planned.events.append(_event(observed, pod, actions.WARNING, "Failed", name, "kill"))
        elif pod.status.phase == SUCCEEDED:
            planned.deletes.append(pod)
            planned.events.append(_event(observed, pod, actions.NORMAL, "Succeeded", name, "delete"))
        else:
            running.append(pod)
    return running


def _event(observed: Observed, pod: Any, type_: str, how: str, node: str, verb: str) -> Event:
    message = f"Found {how.lower()} daemon pod {pod.metadata.namespace}/{pod.metadata.name} on node {node}, will try to {verb} it"
    return Event(observed.daemonset, type_, f"{how}DaemonPod", message)


def _surging_excess(observed: Observed, running: Iterable[Any]) -> list[Any]:
    """Return what is more than the oldest pod of the old and of the new template, and the old one when it is needed no more."""
    oldest: dict[bool, Any] = {}
    excess = [pod for pod in sorted(running, key=age_order) if oldest.setdefault(observed.revision.is_of(pod), pod) is not pod]
    if len(oldest) == 2 and (not is_ready(oldest[False]) or is_available(oldest[True], observed.daemonset, observed.now)):
        excess.append(oldest[False])
    return excess


def allows_surge(daemonset: Any) -> bool:
    """Tell whether a node may have a pod of the old and one of the new template."""
    strategy = daemonset.spec.updateStrategy
    return strategy.type == ROLLING_UPDATE and share(strategy.rollingUpdate.maxSurge, 1, up=True) > 0


def pause_left_s(pause: Pause | None, now: float) -> float:
    """Return how long a failed pod is left yet; 0.0 if it may be deleted."""
    return 0.0 if pause is None else max(0.0, pause.since + pause.pause_s - now)


def next_pause(pause: Pause | None, now: float) -> Pause:
    """Return the pause after a failed pod is deleted."""
    if pause is None or now - pause.since > 2 * limits.DAEMON_BACKOFF_S_MAX:
        return Pause(now, limits.DAEMON_BACKOFF_S)
    return Pause(now, min(2 * pause.pause_s, limits.DAEMON_BACKOFF_S_MAX))


def node_names(fits: Mapping[str, Fit]) -> Iterator[str]:
    """Yield the nodes that shall have a pod."""
    return (name for name, found in fits.items() if found.runs)
