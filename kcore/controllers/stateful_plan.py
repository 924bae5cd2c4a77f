"""What a StatefulSet does next: pods are made from the first to the last, taken away and replaced from the last to the first.

One look takes these steps. With OrderedReady it ends at the first pod that something is done about or that is not available yet; with
Parallel it does all that there is to do.

    pods that are asked for   ended ones are deleted (and come back), missing ones are made after their claims, labels and claims put right
    pods that are too many    are deleted, the last one first
    rolling update            pods of another revision, from the last one down to the partition, are deleted, as many as may be unavailable

A pod that is made anew has the current revision below the partition, else the update revision; when all pods have that, it is current.

Source: Kubernetes `pkg/controller/statefulset`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from kcore.api.apps.v1.stateful_set_pb2 import StatefulSet
from kcore.base import limits
from kcore.controllers import actions, adoption, history, stateful_claims
from kcore.controllers.actions import Action, Create, Delete, Event, Update
from kcore.controllers.pod_state import available_in_s, is_finished, is_ready, ready_since
from kcore.controllers.pod_writes import PODS
from kcore.controllers.rollout import share
from kcore.controllers.stateful_claims import Claims
from kcore.controllers.stateful_pods import (
    NO_ORDINAL,
    STATEFULSETS,
    has_identity,
    new_pod,
    ordinal_of,
    ordinals,
    pod_name,
    revision_of,
    with_identity,
)
from kcore.machinery.kinds.readiness import PENDING, RUNNING

PARALLEL: Final = "Parallel"
ROLLING_UPDATE: Final = "RollingUpdate"
ON_DELETE: Final = "OnDelete"


@dataclass(frozen=True, slots=True)
class Observed:
    """A set and what it may claim.

    candidates  the pods it controls, and orphans, some of which may match
    current     the revision that all pods had when they last had the same one
    update      the revision of the set's template
    collisions  how often names of revisions were taken
    claims      those of its pods, by name
    settled     whether all that was asked for before is seen
    now         unix seconds
    """

    owner: Any
    candidates: Sequence[Any]
    current: Any
    update: Any
    collisions: int
    claims: Claims
    settled: bool
    now: float


@dataclass(slots=True)
class Plan:
    """What to do, in this order.

    adoptions  adoptions and releases; if there are any, there is nothing else
    claims     claims to be made or to change hands; if one fails, nothing else is done
    updates    pods that get their labels; if one fails, pods are left alone
    creates    in slow batches
    pods       that the set owns, as its status counts them
    says       what hinders
    """

    adoptions: list[Action] = field(default_factory=list)
    claims: list[Action] = field(default_factory=list)
    updates: list[Action] = field(default_factory=list)
    creates: list[Create] = field(default_factory=list)
    deletes: list[Delete] = field(default_factory=list)
    pods: list[Any] = field(default_factory=list)
    says: list[Event] = field(default_factory=list)

    @property
    def adopts(self) -> bool:
        """Whether pods are adopted, before which the set is looked at live."""
        return any(isinstance(action, actions.Patch) and action.body["metadata"]["ownerReferences"] for action in self.adoptions)


def plan(observed: Observed) -> Plan:
    """Decide a set's next step."""
    owner = observed.owner
    claim = _claim(observed)
    adoptions: list[Action] = [adoption.adoption(PODS, pod, owner, STATEFULSETS) for pod in claim.adopt]
    adoptions += [adoption.release(PODS, pod, owner) for pod in claim.release]
    planned = Plan(adoptions, pods=claim.owned)
    if not adoptions and observed.settled and not adoption.is_deleting(owner):
        _Walk(observed, planned).go()
    return planned


def _claim(observed: Observed) -> adoption.Claim:
    """Claim pods that match and are named as the set's pods are."""
    owner = observed.owner
    members = [pod for pod in observed.candidates if ordinal_of(owner, pod) != NO_ORDINAL]
    claim = adoption.claim(owner, adoption.selector_of(owner.spec.selector), members)
    if not adoption.is_deleting(owner):
        strangers = (pod for pod in observed.candidates if ordinal_of(owner, pod) == NO_ORDINAL)
        own = ((pod, adoption.controller_of(pod)) for pod in strangers)
        claim.release.extend(pod for pod, reference in own if reference is not None and reference.uid == owner.metadata.uid)
    return claim


class _Walk:
    """One look at the pods of a set."""

    def __init__(self, observed: Observed, planned: Plan) -> None:
        self._observed, self._planned, self._owner = observed, planned, observed.owner
        self._is_ordered = self._owner.spec.podManagementPolicy != PARALLEL
        self._wanted = ordinals(self._owner)
        self._pods = {ordinal_of(self._owner, pod): pod for pod in planned.pods}

    def go(self) -> None:
        """Take the steps, as far as they go."""
        if self._tend_wanted() and self._is_ordered:
            return
        if self._take_away() and self._is_ordered:
            return
        self._replace()

    def _tend_wanted(self) -> bool:
        """See to the pods that are asked for; returns whether one is waited for."""
        waits = False
        for ordinal in self._wanted:
            pod = self._pods.get(ordinal)
            if pod is None:
                self._make(ordinal)
            elif is_finished(pod):
                self._delete(pod)
            elif pod.status.phase == PENDING:
                self._make_claims(ordinal, pod)
            if pod is None or is_finished(pod) or self._is_unavailable(pod):
                waits = True
            if waits and self._is_ordered:
                return True
            if pod is not None and not is_finished(pod):
                self._identify(ordinal, pod)
        return waits

    def _make(self, ordinal: int) -> None:
        """Make a missing pod, after its claims."""
        observed, owner = self._observed, self._owner
        full = len(self._planned.creates) >= limits.REPLICAS_BURST_MAX
        if full or stateful_claims.is_stale(owner, ordinal, observed.claims) or not self._make_claims(ordinal, None):
            return
        was, revision = (self._before, observed.current) if ordinal < self._wanted.start + self._kept_count() else (owner, observed.update)
        self._planned.creates.append(_create(owner, new_pod(was, revision.metadata.name, ordinal)))

    @cached_property
    def _before(self) -> Any:
        """The set as it was at the current revision."""
        observed = self._observed
        is_same = observed.current.metadata.name == observed.update.metadata.name
        return observed.owner if is_same else at_revision(observed.owner, observed.current)

    def _kept_count(self) -> int:
        """How many of the first pods keep the current revision."""
        strategy = self._owner.spec.updateStrategy
        if strategy.HasField("rollingUpdate"):
            partition: int = strategy.rollingUpdate.partition
            return partition
        count: int = self._owner.status.currentReplicas
        return count if strategy.type == ROLLING_UPDATE else 0

    def _make_claims(self, ordinal: int, pod: Any | None) -> bool:
        """Make the claims of a pod that is not there or has not started; returns whether it has them then."""
        observed, owner = self._observed, self._owner
        ending = stateful_claims.ending(owner, ordinal, observed.claims)
        if ending:
            if pod is None:
                self._planned.says.append(failure(owner, pod_name(owner, ordinal), "Create", f"pvc {ending} is being deleted"))
            return False
        self._planned.claims += stateful_claims.missing(owner, ordinal, observed.claims)
        self._planned.claims += stateful_claims.corrections(owner, ordinal, pod, observed.claims)
        return True

    def _identify(self, ordinal: int, pod: Any) -> None:
        """Put labels and claims of a pod right."""
        owner, name = self._owner, pod.metadata.name
        done = _event(owner, name, "Update")
        if not has_identity(owner, pod, ordinal):
            self._planned.updates.append(
                Update(with_identity(owner, pod, ordinal), done=(done,), failed=failure(owner, name, "Update", ""))
            )
        elif pod.status.phase != PENDING:
            corrections = stateful_claims.corrections(owner, ordinal, pod, self._observed.claims)
            self._planned.claims += corrections
            self._planned.says += [done] if any(not isinstance(action, Event) for action in corrections) else []

    def _take_away(self) -> bool:
        """Delete the pods that are too many; returns whether one is waited for."""
        surplus = sorted((ordinal for ordinal in self._pods if ordinal not in self._wanted), reverse=True)
        for ordinal in surplus:
            self._planned.claims += stateful_claims.corrections(self._owner, ordinal, self._pods[ordinal], self._observed.claims)
        unavailable = [ordinal for ordinal in surplus if self._is_unavailable(self._pods[ordinal])]
        if self._is_ordered and unavailable and surplus[0] in unavailable[:-1]:
            return True  # it is not the only one that is not well: it may be what keeps the others
        for ordinal in surplus[:1] if self._is_ordered else surplus:
            self._delete(self._pods[ordinal])
        return bool(surplus)

    def _replace(self) -> None:
        """Delete pods of another revision than the template's."""
        strategy, update = self._owner.spec.updateStrategy, self._observed.update.metadata.name
        if strategy.type == ON_DELETE:
            return
        lowest = self._wanted.start + strategy.rollingUpdate.partition
        found = [(ordinal, self._pods.get(ordinal)) for ordinal in reversed(self._wanted)]
        unavailable = sum(pod is None or self._is_unavailable(pod) for _, pod in found)
        old = [pod for ordinal, pod in found if pod is not None and ordinal >= lowest and revision_of(pod) != update]
        allowed = max(0, self._max_unavailable() - unavailable)
        if self._is_ordered:
            chosen = old[:allowed]
        else:
            chosen = [pod for pod in old if self._is_unavailable(pod)]
            chosen += [pod for pod in old if not self._is_unavailable(pod)][:allowed]
        for pod in chosen:
            self._delete(pod)

    def _max_unavailable(self) -> int:
        rolling = self._owner.spec.updateStrategy.rollingUpdate
        if not rolling.HasField("maxUnavailable"):
            return 1
        return max(1, share(rolling.maxUnavailable, self._owner.spec.replicas, up=False))

    def _is_unavailable(self, pod: Any) -> bool:
        return adoption.is_deleting(pod) or not is_available(pod, self._owner, self._observed.now)

    def _delete(self, pod: Any) -> None:
        """Delete a pod, once."""
        deletes, meta = self._planned.deletes, pod.metadata
        if not adoption.is_deleting(pod) and all(delete.uid != meta.uid for delete in deletes):
            done, failed = _event(self._owner, meta.name, "Delete"), failure(self._owner, meta.name, "Delete", "")
            deletes.append(Delete(PODS, meta.namespace, meta.name, uid=meta.uid, done=(done,), failed=failed))


def is_available(pod: Any, owner: Any, now: float) -> bool:
    """Tell whether a pod runs and has been ready for as long as the set demands."""
    return is_running(pod) and available_in_s(ready_since(pod), owner.spec.minReadySeconds, now) == 0.0


def is_running(pod: Any) -> bool:
    """Tell whether a pod runs and is ready."""
    return pod.status.phase == RUNNING and is_ready(pod)


def at_revision(owner: Any, revision: Any) -> StatefulSet:
    """Return a set as it was at a revision."""
    was = StatefulSet()
    was.CopyFrom(owner)
    was.spec.template.CopyFrom(history.template_of(revision))
    return was


def failure(owner: Any, name: str, verb: str, error: str) -> Event:
    """Say that something could not be done with a pod."""
    text = f"{verb} Pod {name} in StatefulSet {owner.metadata.name} failed error: {error}"
    return Event(owner, actions.WARNING, f"Failed{verb}", text)


def _event(owner: Any, name: str, verb: str) -> Event:
    text = f"{verb} Pod {name} in StatefulSet {owner.metadata.name} successful"
    return Event(owner, actions.NORMAL, f"Successful{verb}", text)


def _create(owner: Any, pod: Any) -> Create:
    name = pod.metadata.name
    return Create(pod, done=(_event(owner, name, "Create"),), failed=failure(owner, name, "Create", ""))
