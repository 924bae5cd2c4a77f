"""ReplicaSet: as many pods as asked for.

`plan` claims pods, then creates what is missing or deletes what is too many; `plan_status` says what became of it. Pods are created in
bulk, in batches of 1, 2, 4 ... (as long as none fails, the next time begins where this one ended), under names that follow from the set
(``pod_names``), and deleted in the order of ``pod_ranking``. While creations or deletions are not seen yet (``expectations``), nothing is
scaled; writes whose answers were lost are verified first (``unsure``), and so is what a process before this one may have left under way.

Source: Kubernetes `pkg/controller/replicaset`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kcore.api.apps.v1.replica_set_pb2 import ReplicaSet
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.base import limits
from kcore.client import kinds
from kcore.client.wire import split_key
from kcore.controllers import actions, adoption, conditions, live, pod_ranking
from kcore.controllers.actions import Action, Create, Delete, Event, Outcome, UpdateStatus, Write
from kcore.controllers.controller import Context, Controller, Result, Source, key_of, own_keys
from kcore.controllers.expectations import Expectations
from kcore.controllers.pace import Pace
from kcore.controllers.pod_names import free_names, prefix_of
from kcore.controllers.pod_state import available_in_s, is_active, is_terminating, ready_since
from kcore.controllers.unsure import UNSURE_REASONS, UnsureWrites, name_of, uid_of
from kcore.machinery.status import StatusError

KIND: Final = "ReplicaSet"
PODS: Final = kinds.resource("", "v1", "pods")
POD_READS: Final = (*adoption.OWNERSHIP, adoption.DELETING, "status.phase", "status.conditions[]@raw")
"""What decides in a pod whether its set is looked at; what else a reconciliation reads, it reads when it comes."""

REPLICASETS: Final = kinds.resource("apps", "v1", "replicasets")

REPLICA_FAILURE: Final = "ReplicaFailure"


@dataclass(frozen=True, slots=True)
class Observed:
    """A set and the pods that it may claim.

    candidates  the pods it controls, and orphans, some of which may match
    related     pods of all sets of the same owner, to spread deletions
    settled     whether all that was asked for before is seen
    now         unix seconds
    """

    replicaset: Any
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
    owner = observed.replicaset
    selector = adoption.selector_of(owner.spec.selector)
    active = adoption.claim(owner, selector, filter(is_active, observed.candidates))
    pods = active.owned + active.adopt
    claims: list[Action] = [adoption.adoption(PODS, pod, owner, REPLICASETS) for pod in active.adopt]
    claims += [adoption.release(PODS, pod, owner) for pod in active.release]
    terminating = sum(
        pod_is_claimed(owner, selector, pod) for pod in observed.candidates if is_terminating(pod)
    )
    missing = owner.spec.replicas - len(pods)
    creates: list[Create] = []
    deletes: list[Delete] = []
    if observed.settled and not adoption.is_deleting(owner):
        if missing > 0:
            creates = [create(owner, next(names)) for _ in range(min(missing, limits.REPLICAS_BURST_MAX))]
        elif missing < 0:
            count = min(-missing, limits.REPLICAS_BURST_MAX)
            deletes = [delete(owner, pod) for pod in pod_ranking.pods_to_delete(pods, observed.related, count, observed.now)]
    return Plan(claims, creates, deletes, pods, terminating)


def pod_is_claimed(owner: Any, selector: Any, pod: Any) -> bool:
    """Tell whether a pod on its way out belongs to a set."""
    reference = adoption.controller_of(pod)
    return reference is not None and reference.uid == owner.metadata.uid and selector.matches(pod.metadata.labels)


def create(owner: Any, name: str) -> Create:
    """Create a pod from a set's template."""
    return Create(
        new_pod(owner, name),
        done=(Event(owner, actions.NORMAL, "SuccessfulCreate", f"Created pod: {name}"),),
        failed=Event(owner, actions.WARNING, "FailedCreate", "Error creating: "),
    )


def delete(owner: Any, pod: Any) -> Delete:
    """Delete a pod that is too many."""
    meta = pod.metadata
    return Delete(
        PODS,
        meta.namespace,
        meta.name,
        uid=meta.uid,
        done=(Event(owner, actions.NORMAL, "SuccessfulDelete", f"Deleted pod: {meta.name}"),),
        failed=Event(owner, actions.WARNING, "FailedDelete", "Error deleting: "),
    )


def new_pod(owner: Any, name: str) -> Pod:
    """Build a pod from a set's template."""
    template = owner.spec.template
    pod = Pod(spec=template.spec)
    meta = pod.metadata
    meta.name, meta.namespace, meta.generateName = name, owner.metadata.namespace, prefix_of(owner.metadata.name)
    meta.labels.update(template.metadata.labels)
    meta.annotations.update(template.metadata.annotations)
    meta.finalizers.extend(template.metadata.finalizers)
    adoption.set_controller(pod, owner, REPLICASETS)
    return pod


def plan_status(observed: Observed, planned: Plan, error: str) -> UpdateStatus | None:
    """Write what a set has; None if its status says so already.

    error  why pods could not be created or deleted; empty if nothing failed
    """
    owner = observed.replicaset
    updated = ReplicaSet()
    updated.CopyFrom(owner)
    status = updated.status
    count_pods(status, owner, planned.pods, observed.now)
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


def next_available_s(observed: Observed, pods: Iterable[Any]) -> float | None:
    """Return after how many seconds the next pod becomes available by mere waiting; None if there is no such pod."""
    min_ready_s = observed.replicaset.spec.minReadySeconds
    if min_ready_s <= 0:
        return None
    waits = (available_in_s(ready_since(pod), min_ready_s, observed.now) for pod in pods)
    return min((wait for wait in waits if wait), default=None)


def _same_status(old: Any, new: Any) -> bool:
    counts = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration")
    if any(getattr(old, name) != getattr(new, name) for name in counts):
        return False
    if not old.HasField("terminatingReplicas") or old.terminatingReplicas != new.terminatingReplicas:
        return False
    return conditions.same(old.conditions, new.conditions)


class Reconciler:
    """Carries plans out."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._sets = context.informer(REPLICASETS).lister
        self._pods = context.informer(PODS).lister
        self._expectations = Expectations()
        self._unsure = UnsureWrites()
        self._known: set[str] = set()
        self._started_at = context.clock.monotonic()
        self._taken: dict[str, set[str]] = {}
        self._trust: dict[str, int] = {}
        self._pace = Pace(limits.LOOK_PAUSE_PER_POD_S)
        adoption.index_owned(context.informer(PODS))
        adoption.index_owned(context.informer(REPLICASETS))
        adoption.index_selectors(context.informer(REPLICASETS))

    async def reconcile(self, key: str) -> Result | None:
        """Look at a set."""
        namespace, name = split_key(key)
        found = self._sets.get(name, namespace=namespace)
        if found is None:
            self._forget(key)
            return None
        early_s = self._pace.early_s(key, self._now())
        if early_s > 0:
            return Result(requeue_after_s=early_s)
        wait_s = await self._verify(key, found)
        if wait_s is not None:
            return Result(requeue_after_s=wait_s)
        observed = self._observe(found, key)
        planned = plan(observed, self._names(found, key))
        if planned.creates and self._had_predecessor(key, found):
            return Result(requeue_after_s=0.0)
        await self._claim(observed, planned)
        error, again = await self._scale(key, observed, planned)
        status = plan_status(observed, planned, error.message if error else "")
        self._pace.looked(key, 0 if planned.creates or planned.deletes else len(planned.pods), self._now())
        actions.raise_first(await self._apply([status] if status else []), harmless=("NotFound",))
        if error is not None:
            raise error
        waits = [next_available_s(observed, planned.pods), self._expectations.remaining_s(key, self._now())]
        if again:
            waits.append(limits.STALE_VIEW_PAUSE_S)
        return Result(requeue_after_s=min((wait for wait in waits if wait is not None), default=None))

    def pod_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Note what was expected, and look at the sets that the pod belongs to, belonged to, or may belong to."""
        pod = old if new is None else new
        owner = adoption.resolve(self._sets, pod, KIND)
        if owner is not None:
            self._note(key_of(owner), pod, gone=new is None)
        return self._sets_of(old, new, owner)

    def _sets_of(self, old: Any, new: Any, owner: Any) -> set[str]:
        keys = {key_of(owner)} if owner is not None else set()
        if old is not None and new is not None:
            former = adoption.resolve(self._sets, old, KIND)
            if former is not None:
                keys.add(key_of(former))
        if new is not None and adoption.controller_of(new) is None and not adoption.is_deleting(new):
            moved = old is None or adoption.controller_of(old) is not None or adoption.labels_of(old) != adoption.labels_of(new)
            if moved:
                keys.update(key_of(found) for found in adoption.matching(self._sets, new))
        return keys

    def _note(self, key: str, pod: Any, gone: bool) -> None:
        self._expectations.created(key, pod.metadata.name)
        if gone or adoption.is_deleting(pod):
            self._expectations.deleted(key, pod.metadata.uid)

    def _observe(self, found: Any, key: str) -> Observed:
        selector = adoption.selector_of(found.spec.selector)
        settled = self._expectations.satisfied(key, self._now())
        candidates = adoption.candidates(self._pods, found, selector)
        return Observed(found, candidates, self._related(found, candidates), settled, self._context.clock.now())

    def _related(self, found: Any, candidates: Sequence[Any]) -> Sequence[Any]:
        """Return the pods of all sets of the same owner; only one that is to be made smaller needs them."""
        reference = adoption.controller_of(found)
        if reference is None or len(candidates) <= found.spec.replicas:
            return ()
        family = self._sets.by_index(adoption.CONTROLLER, reference.uid)
        return [pod for member in family for pod in self._pods.by_index(adoption.CONTROLLER, member.metadata.uid)]

    def _names(self, found: Any, key: str) -> Iterator[str]:
        namespace, taken = found.metadata.namespace, self._taken.get(key, ())
        return free_names(found, lambda name: name in taken or self._pods.get(name, namespace=namespace) is not None)

    async def _claim(self, observed: Observed, planned: Plan) -> None:
        """Adopt and release. Adopting looks at the set live first, since the one that is known may be a predecessor of the same name."""
        if planned.adopts:
            await live.require(self._context.api, REPLICASETS, observed.replicaset)
        actions.raise_first(await self._apply(planned.claims), harmless=("NotFound",))

    async def _scale(self, key: str, observed: Observed, planned: Plan) -> tuple[StatusError | None, bool]:
        """Create and delete; what failed for sure is not expected any more, what may have happened is verified before the next scaling.

        Returns the first error, and whether something was met that the listers do not show
        """
        wanted: list[Write] = [*planned.creates, *planned.deletes]
        if not wanted:
            return None, False
        self._expectations.expect(key, self._now(), creations=map(name_of, planned.creates), deletions=map(uid_of, planned.deletes))
        try:
            first = self._trust.pop(key, 1)
            outcomes = await actions.apply_slowly(planned.creates, self._context.api.bulk, self._context.recorder, first)
            outcomes += await self._apply(planned.deletes)
        except StatusError as error:
            self._unsure.note(key, wanted, self._now())
            return error, False
        unsure = [outcome.action for outcome in outcomes if outcome.error and outcome.error.reason in UNSURE_REASONS]
        if unsure:
            self._unsure.note(key, unsure, self._now())
        if not any(outcome.error for outcome in outcomes):
            self._trust[key] = max(first, len(planned.creates))
        expected = {id(outcome.action) for outcome in outcomes if outcome.error is None}.union(map(id, unsure))
        self._never(key, [write for write in wanted if id(write) not in expected])
        outcomes = actions.undisturbed(outcomes)
        unseen = await self._learn_taken(key, observed.replicaset, outcomes)
        return actions.first_error(outcomes, harmless=("NotFound", "AlreadyExists", "Conflict")), unseen

    def _had_predecessor(self, key: str, found: Any) -> bool:
        """Tell, once, whether another process worked for a set before this one: what it sent last may arrive yet.

        Of a set in its first state, names are enough: whoever makes its first pods gives them the same ones.
        """
        if key in self._known:
            return False
        self._known.add(key)
        if found.metadata.generation <= 1 and not found.status.observedGeneration:
            return False
        self._unsure.note(key, (), self._started_at)
        return True

    async def _verify(self, key: str, found: Any) -> float | None:
        """Ask which of the writes happened whose answers were lost; returns how long to wait before going on, None if all is known."""
        unsure = self._unsure.of(key)
        if unsure is None:
            return None
        left_s = unsure.since + limits.LOST_ANSWER_PAUSE_S - self._now()
        if left_s > 0:
            return left_s
        namespace, selector = found.metadata.namespace, str(adoption.selector_of(found.spec.selector))
        present = await self._context.api.resource(PODS).list(namespace=namespace, label_selector=selector, metadata_only=True)
        if any(self._pods.get(pod.metadata.name, namespace=namespace) is None for pod in present.items):
            return limits.STALE_VIEW_PAUSE_S
        self._never(key, unsure.never_happened(present.items))
        self._unsure.forget(key)
        return None

    def _never(self, key: str, writes: Iterable[Write]) -> None:
        """Do not expect what did not happen."""
        for write in writes:
            if isinstance(write, Create):
                self._expectations.created(key, name_of(write))
            elif isinstance(write, Delete):
                self._expectations.deleted(key, write.uid)

    def _now(self) -> float:
        return self._context.clock.monotonic()

    async def _learn_taken(self, key: str, owner: Any, outcomes: Iterable[Outcome]) -> bool:
        """Look at pods whose names were taken: one that is not the set's has the name for good, the watch will show the others."""
        taken = [outcome.action for outcome in outcomes if outcome.error and outcome.error.reason == "AlreadyExists"]
        for create in taken:
            meta = create.object.metadata  # type: ignore[union-attr]
            found = await live.find(self._context.api, PODS, meta.namespace, meta.name, metadata_only=True)
            reference = adoption.controller_of(found) if found is not None else None
            if found is not None and (reference is None or reference.uid != owner.metadata.uid):
                self._taken.setdefault(key, set()).add(meta.name)
        return bool(taken)

    async def _apply(self, wanted: Iterable[Action]) -> list[Outcome]:
        return await actions.apply(wanted, self._context.api.bulk, self._context.recorder)

    def _forget(self, key: str) -> None:
        self._expectations.forget(key)
        self._unsure.forget(key)
        self._known.discard(key)
        self._pace.forget(key)
        self._taken.pop(key, None)
        self._trust.pop(key, None)


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = (Source(REPLICASETS, own_keys), Source(PODS, reconciler.pod_changed, reads=POD_READS))
    return Controller("replicaset", context.queue("replicaset"), reconciler.reconcile, sources)
