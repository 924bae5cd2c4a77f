"""ReplicaSet, and ReplicationController, which differs in its message only: as many pods as asked for.

`plan` claims pods, then creates what is missing or deletes what is too many; `plan_status` says what became of it. Pods are created in
bulk, in batches of 1, 2, 4 ... (as long as none fails, the next time begins where this one ended), under names that follow from the set
(``pod_names``), and deleted in the order of ``pod_ranking``. While creations or deletions are not seen yet, nothing is scaled; writes whose
answers were lost are verified first, and so is what a process before this one may have left under way (``pod_writes``).

Source: Kubernetes `pkg/controller/replicaset`, `pkg/controller/replication` (which wraps it).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kcore.base import limits
from kcore.client import kinds
from kcore.client.kinds import Resource
from kcore.client.wire import split_key
from kcore.controllers import actions, adoption, conditions, live, pod_ranking, pod_template
from kcore.controllers.actions import Action, Create, Delete, Outcome, UpdateStatus
from kcore.controllers.controller import Claimant, Context, Controller, Result, Source, own_keys
from kcore.controllers.pace import Pace
from kcore.controllers.pod_names import free_names
from kcore.controllers.pod_state import available_in_s, is_active, is_terminating, next_available_s, ready_since
from kcore.controllers.pod_writes import PODS, PodWrites

POD_READS: Final = (adoption.DELETING, "status.phase", "status.conditions[]@raw")
"""What matters of the pods of a workload, besides to whom they belong."""
"""What decides in a pod whether its set is looked at; what else a reconciliation reads, it reads when it comes."""

REPLICASETS: Final = kinds.resource("apps", "v1", "replicasets")

REPLICA_FAILURE: Final = "ReplicaFailure"


@dataclass(frozen=True, slots=True)
class Observed:
    """A set and the pods that it may claim.

    owner       a ReplicaSet, or a ReplicationController
    candidates  the pods it controls, and orphans, some of which may match
    related     pods of all sets of the same owner, to spread deletions
    settled     whether all that was asked for before is seen
    now         unix seconds
    """

    owner: Any
    candidates: Sequence[Any]
    related: Sequence[Any]
    settled: bool
    now: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in this order.

    claims   adoptions and releases; if one fails, nothing else is done
    creates  in slow batches
    pods     active pods that the set owns, as its status counts them
    """

    claims: list[Action]
    creates: list[Create]
    deletes: list[Delete]
    pods: list[Any]
    terminating: int

    @property
    def adopts(self) -> bool:
        """Whether pods are adopted, before which the set is looked at live."""
        return any(isinstance(action, actions.Patch) and action.body["metadata"]["ownerReferences"] for action in self.claims)


def plan(observed: Observed, names: Iterator[str]) -> Plan:
    """Decide what a set needs.

    names  free names for pods, as many as are taken from it
    """
    owner, resource = observed.owner, kinds.of_message(observed.owner)
    selector = adoption.selector_of(owner.spec.selector)
    active = adoption.claim(owner, selector, filter(is_active, observed.candidates))
    pods = active.owned + active.adopt
    claims: list[Action] = [adoption.adoption(PODS, pod, owner, resource) for pod in active.adopt]
    claims += [adoption.release(PODS, pod, owner) for pod in active.release]
    terminating = sum(
        pod_is_claimed(owner, selector, pod) for pod in observed.candidates if is_terminating(pod)
    )
    missing = owner.spec.replicas - len(pods)
    creates: list[Create] = []
    deletes: list[Delete] = []
    if observed.settled and not adoption.is_deleting(owner):
        if missing > 0:
            count = min(missing, limits.REPLICAS_BURST_MAX)
            creates = [pod_template.create(owner, pod_template.new_pod(owner, resource, next(names))) for _ in range(count)]
        elif missing < 0:
            count = min(-missing, limits.REPLICAS_BURST_MAX)
            surplus = pod_ranking.pods_to_delete(pods, observed.related, count, observed.now)
            deletes = [pod_template.delete(owner, pod) for pod in surplus]
    return Plan(claims, creates, deletes, pods, terminating)


def pod_is_claimed(owner: Any, selector: Any, pod: Any) -> bool:
    """Tell whether a pod on its way out belongs to a set."""
    reference = adoption.controller_of(pod)
    return reference is not None and reference.uid == owner.metadata.uid and selector.matches(pod.metadata.labels)


def plan_status(observed: Observed, planned: Plan, error: str) -> UpdateStatus | None:
    """Write what a set has; None if its status says so already.

    error  why pods could not be created or deleted; empty if nothing failed
    """
    owner = observed.owner
    updated = type(owner)()
    updated.CopyFrom(owner)
    status = updated.status
    count_pods(status, owner, planned.pods, observed.now)
    if _counts_terminating(status):
        status.terminatingReplicas = planned.terminating
    status.observedGeneration = owner.metadata.generation
    failure = conditions.find(status.conditions, REPLICA_FAILURE)
    if error and failure is None:
        reason = "FailedCreate" if len(planned.pods) < owner.spec.replicas else "FailedDelete"
        conditions.put(status.conditions, REPLICA_FAILURE, "True", reason, error, observed.now)
    elif not error and failure is not None:
        conditions.remove(status.conditions, REPLICA_FAILURE)
    return None if _same_status(owner.status, status) else UpdateStatus(updated)


def count_pods(status: Any, owner: Any, pods: Iterable[Any], now: float) -> None:
    """Count pods: all, with the template's labels, ready, available."""
    template = dict(owner.spec.template.metadata.labels)
    total = labeled = ready = available = 0
    for pod in pods:
        total += 1
        labels = pod.metadata.labels
        labeled += all(labels.get(key) == value for key, value in template.items())
        since = ready_since(pod)
        if since is not None:
            ready += 1
            available += available_in_s(since, owner.spec.minReadySeconds, now) == 0.0
    status.replicas, status.fullyLabeledReplicas, status.readyReplicas, status.availableReplicas = total, labeled, ready, available


def _same_status(old: Any, new: Any) -> bool:
    counts = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration")
    if any(getattr(old, name) != getattr(new, name) for name in counts):
        return False
    if _counts_terminating(new) and (not old.HasField("terminatingReplicas") or old.terminatingReplicas != new.terminatingReplicas):
        return False
    return conditions.same(old.conditions, new.conditions)


def _counts_terminating(status: Any) -> bool:
    """Tell whether a kind's status says how many pods are on their way out: that of a ReplicationController does not."""
    return "terminatingReplicas" in status.DESCRIPTOR.fields_by_name


class Reconciler:
    """Carries plans out, for the objects of one resource."""

    def __init__(self, context: Context, resource: Resource) -> None:
        self._context = context
        self._resource = resource
        self._owners = context.informer(resource).lister
        self._pods = context.informer(PODS).lister
        self._writes = PodWrites(context)
        self._pace = Pace(limits.LOOK_PAUSE_PER_POD_S)
        adoption.index_owned(context.informer(PODS))
        adoption.index_owned(context.informer(resource))
        adoption.index_selectors(context.informer(resource))

    async def reconcile(self, key: str) -> Result | None:
        """Look at a set."""
        namespace, name = split_key(key)
        found = self._owners.get(name, namespace=namespace)
        if found is None:
            self._forget(key)
            return None
        early_s = self._pace.early_s(key, self._now())
        if early_s > 0:
            return Result(requeue_after_s=early_s)
        wait_s = await self._writes.verify(key, found)
        if wait_s is not None:
            return Result(requeue_after_s=wait_s)
        observed = self._observe(found, key)
        planned = plan(observed, self._names(found, key))
        if planned.creates and self._writes.had_predecessor(key, _is_untouched(found)):
            return Result(requeue_after_s=0.0)
        await self._claim(observed, planned)
        sent = await self._writes.send(key, found, planned.creates, planned.deletes)
        status = plan_status(observed, planned, sent.error.message if sent.error else "")
        self._pace.looked(key, 0 if planned.creates or planned.deletes else len(planned.pods), self._now())
        actions.raise_first(await self._apply([status] if status else []), harmless=("NotFound",))
        if sent.error is not None:
            raise sent.error
        waits = [next_available_s(planned.pods, found.spec.minReadySeconds, observed.now), self._writes.remaining_s(key)]
        if sent.unseen:
            waits.append(limits.STALE_VIEW_PAUSE_S)
        return Result(requeue_after_s=min((wait for wait in waits if wait is not None), default=None))

    @property
    def claimant(self) -> Claimant:
        """Who may own pods."""
        return Claimant(self._resource.kind, self._owners, self._writes.seen)

    def _observe(self, found: Any, key: str) -> Observed:
        candidates = adoption.candidates(self._pods, found, adoption.selector_of(found.spec.selector))
        return Observed(found, candidates, self._related(found, candidates), self._writes.is_settled(key), self._context.clock.now())

    def _related(self, found: Any, candidates: Sequence[Any]) -> Sequence[Any]:
        """Return the pods of all sets of the same owner; only one that is to be made smaller needs them."""
        reference = adoption.controller_of(found)
        if reference is None or len(candidates) <= found.spec.replicas:
            return ()
        family = self._owners.by_index(adoption.CONTROLLER, reference.uid)
        return [pod for member in family for pod in self._pods.by_index(adoption.CONTROLLER, member.metadata.uid)]

    def _names(self, found: Any, key: str) -> Iterator[str]:
        return free_names(found, self._writes.in_use(key, found.metadata.namespace))

    async def _claim(self, observed: Observed, planned: Plan) -> None:
        """Adopt and release. Adopting looks at the set live first, since the one that is known may be a predecessor of the same name."""
        if planned.adopts:
            await live.require(self._context.api, self._resource, observed.owner)
        actions.raise_first(await self._apply(planned.claims), harmless=("NotFound",))

    async def _apply(self, wanted: Iterable[Action]) -> list[Outcome]:
        return await actions.apply(wanted, self._context.api.bulk, self._context.recorder)

    def _now(self) -> float:
        return self._context.clock.monotonic()

    def _forget(self, key: str) -> None:
        self._writes.forget(key)
        self._pace.forget(key)


def _is_untouched(found: Any) -> bool:
    """Tell whether a set is in its first state, in which nobody made pods for another size or template."""
    return found.metadata.generation <= 1 and not found.status.observedGeneration


def make(context: Context) -> Controller:
    """Make the controller of ReplicaSets."""
    return controller_of(context, "replicaset", REPLICASETS)


def controller_of(context: Context, name: str, resource: Resource) -> Controller:
    """Make the controller of a resource whose objects ask for a number of pods."""
    reconciler = Reconciler(context, resource)
    sources = (Source(resource, own_keys), Source(PODS, reconciler.claimant, reads_if_owned=POD_READS))
    return Controller(name, context.queue(name), reconciler.reconcile, sources)
