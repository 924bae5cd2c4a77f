"""StatefulSet: pods with ordinals, each with claims of its own, and a history of the templates they came from.

A look first finds the revision of the set's template, and makes or renumbers it if need be (``history``); with that `plan` says what to do
about pods and claims (``stateful_plan``), and `plan_status` what became of it. Old revisions that no pod has are dropped at the end.

No pod is doubled, since its name follows from its ordinal. What was asked for is waited for all the same (``pod_writes``), so that no step
is taken on a view that lacks the one before.

Source: Kubernetes `pkg/controller/statefulset`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from kcore.api.apps.v1.stateful_set_pb2 import StatefulSet
from kcore.base import limits
from kcore.client.wire import split_key
from kcore.controllers import actions, adoption, history, live, stateful_claims
from kcore.controllers.actions import Action, Create, Delete, Event, Outcome, Update, UpdateStatus
from kcore.controllers.controller import Claimant, Context, Controller, Result, Source, key_of, own_keys
from kcore.controllers.history import REVISIONS
from kcore.controllers.pace import Pace
from kcore.controllers.pod_state import next_available_s
from kcore.controllers.pod_writes import PODS, PodWrites
from kcore.controllers.replicaset import POD_READS
from kcore.controllers.stateful_claims import CLAIMS
from kcore.controllers.stateful_plan import Observed, Plan, failure, is_available, is_running, plan
from kcore.controllers.stateful_pods import NO_ORDINAL, STATEFULSETS, ordinal_of, ordinals, revision_of
from kcore.machinery.status import StatusError

HASH_LABEL: Final = "controller.kubernetes.io/hash"
ROLLING_UPDATE: Final = "RollingUpdate"
CLAIM: Final = "claim"
"""Index of sets by what the names of their claims begin with: `namespace/TEMPLATE-SET`."""


def find_update(owner: Any, revisions: Sequence[Any]) -> tuple[Any | None, Update | None]:
    """Find the revision of a set's template.

    revisions  from the lowest number to the highest
    Returns    the revision, None if there is none; and the write that gives it the highest number, if it has not
    """
    same = history.with_data(revisions, history.data_of(owner.spec.template))
    if not same:
        return None, None
    if same[-1] is revisions[-1]:
        return same[-1], None
    return same[-1], history.renumber(same[-1], history.next_number(revisions))


def plan_status(observed: Observed, pods: Iterable[Any]) -> UpdateStatus | None:
    """Write what a set has; None if its status says so already."""
    owner, updated = observed.owner, StatefulSet()
    updated.CopyFrom(owner)
    status, current, update = updated.status, observed.current.metadata.name, observed.update.metadata.name
    status.observedGeneration = owner.metadata.generation
    status.currentRevision, status.updateRevision, status.collisionCount = current, update, observed.collisions
    count_pods(status, observed, pods)
    if owner.spec.updateStrategy.type == ROLLING_UPDATE:
        if status.updatedReplicas == status.readyReplicas == status.replicas == owner.spec.replicas:
            status.currentRevision, status.currentReplicas = update, status.updatedReplicas
    return None if owner.status == status else UpdateStatus(updated)


def count_pods(status: Any, observed: Observed, pods: Iterable[Any]) -> None:
    """Count pods: all, ready, available, of the current and of the update revision."""
    total = ready = available = current = updated = 0
    for pod in pods:
        total += 1
        if is_running(pod):
            ready += 1
            available += is_available(pod, observed.owner, observed.now)
        if not adoption.is_deleting(pod):
            current += revision_of(pod) == observed.current.metadata.name
            updated += revision_of(pod) == observed.update.metadata.name
    status.replicas, status.readyReplicas, status.availableReplicas = total, ready, available
    status.currentReplicas, status.updatedReplicas = current, updated


def plan_history(observed: Observed, revisions: Iterable[Any], pods: Iterable[Any]) -> list[Delete]:
    """Drop the oldest revisions that nobody has, as many as there are more than the set keeps."""
    used = {observed.current.metadata.name, observed.update.metadata.name, *map(revision_of, pods)}
    unused = [found for found in revisions if found.metadata.name not in used]
    limit = observed.owner.spec.revisionHistoryLimit
    dropped = history.beyond(unused, limit, lambda _: False) if limit >= 0 else []
    return [Delete(REVISIONS, found.metadata.namespace, found.metadata.name, uid=found.metadata.uid) for found in dropped]


def claim_failures(owner: Any, outcomes: Iterable[Outcome]) -> list[Event]:
    """Say of which pods claims could not be made."""
    said = []
    for outcome in outcomes:
        if outcome.error is None or outcome.error.reason == "AlreadyExists" or not isinstance(outcome.action, Create):
            continue
        claim = outcome.action.object.metadata.name
        pod = f"{owner.metadata.name}-{claim.rpartition('-')[2]}"
        said.append(failure(owner, pod, "Create", f"failed to create PVC {claim}: {outcome.error.message}"))
    return said


class Reconciler:
    """Carries plans out."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._sets = context.informer(STATEFULSETS).lister
        self._pods = context.informer(PODS).lister
        self._revisions = context.informer(REVISIONS).lister
        self._claims = context.informer(CLAIMS).lister
        self._writes = PodWrites(context)
        self._pace = Pace(limits.LOOK_PAUSE_PER_POD_S)
        adoption.index_owned(context.informer(PODS))
        adoption.index_owned(context.informer(REVISIONS))
        adoption.index_selectors(context.informer(STATEFULSETS))
        context.informer(STATEFULSETS).add_index(CLAIM, by_claim)

    async def reconcile(self, key: str) -> Result | None:
        """Look at a set."""
        namespace, name = split_key(key)
        found = self._sets.get(name, namespace=namespace)
        if found is None:
            self._writes.forget(key)
            self._pace.forget(key)
            return None
        wait_s = self._pace.early_s(key, self._now()) or await self._writes.verify(key, found)
        if wait_s:
            return Result(requeue_after_s=wait_s)
        revisions = await self._own_revisions(found)
        update, collisions = await self._update_revision(found, revisions)
        if update is None:
            return None
        observed = self._observe(found, key, revisions, update, collisions)
        planned = plan(observed)
        if (planned.creates or planned.deletes) and self._writes.had_predecessor(key, _is_untouched(found)):
            return Result(requeue_after_s=0.0)
        error = await self._carry_out(key, observed, planned)
        self._pace.looked(key, 0 if planned.creates or planned.deletes else len(planned.pods), self._now())
        status = plan_status(observed, planned.pods)
        dropped = [] if adoption.is_deleting(found) else plan_history(observed, revisions, planned.pods)
        actions.raise_first(await self._apply([*([status] if status else []), *dropped]), harmless=("NotFound",))
        if error is not None:
            raise error
        waits = (next_available_s(planned.pods, found.spec.minReadySeconds, observed.now), self._writes.remaining_s(key))
        return Result(requeue_after_s=min((wait for wait in waits if wait is not None), default=None))

    @property
    def claimant(self) -> Claimant:
        """Who may own pods."""
        return Claimant(STATEFULSETS.kind, self._sets, self._writes.seen)

    def claim_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the set that may wait for a claim to be gone."""
        if new is not None:
            return ()
        prefix, _, ordinal = old.metadata.name.rpartition("-")
        if not ordinal.isdigit():
            return ()
        return [key_of(owner) for owner in self._sets.by_index(CLAIM, f"{old.metadata.namespace}/{prefix}")]

    async def _own_revisions(self, found: Any) -> list[Any]:
        """Return the set's revisions, from the lowest number to the highest; orphans are adopted."""
        selector = adoption.selector_of(found.spec.selector)
        claim = adoption.claim(found, selector, adoption.candidates(self._revisions, found, selector))
        if claim.adopt:
            await live.require(self._context.api, STATEFULSETS, found)
            adoptions = [adoption.adoption(REVISIONS, revision, found, STATEFULSETS) for revision in claim.adopt]
            actions.raise_first(await self._apply(adoptions), harmless=("NotFound",))
        return history.by_number(claim.owned + claim.adopt)

    async def _update_revision(self, found: Any, revisions: Sequence[Any]) -> tuple[Any | None, int]:
        """Return the revision of the set's template, made or renumbered if need be, and how often its name was taken.

        A set that is being deleted, or whose namespace is, gets no new one.
        """
        update, renumbered = find_update(found, revisions)
        collisions: int = found.status.collisionCount
        if adoption.is_deleting(found):
            return update, collisions
        if renumbered is not None:
            actions.raise_first(await self._apply([renumbered]))
        if update is not None:
            return update, collisions
        number = history.next_number(revisions)

        def make(collision_count: int) -> Any:
            return history.new_revision(found, STATEFULSETS, HASH_LABEL, number, collision_count)

        try:
            return await history.create(self._context.api, self._context.recorder, make, collisions)
        except StatusError as error:
            if actions.is_namespace_terminating(error):
                return None, collisions
            raise

    def _observe(self, found: Any, key: str, revisions: Sequence[Any], update: Any, collisions: int) -> Observed:
        candidates = adoption.candidates(self._pods, found, adoption.selector_of(found.spec.selector))
        current = next((revision for revision in revisions if revision.metadata.name == found.status.currentRevision), update)
        return Observed(
            found, candidates, current, update, collisions, self._claims_of(found, candidates), self._writes.is_settled(key),
            self._context.clock.now(),
        )  # fmt: skip

    def _claims_of(self, found: Any, candidates: Iterable[Any]) -> dict[str, Any]:
        """Return what is known of the claims of pods that are there or should be, by name."""
        if not found.spec.volumeClaimTemplates:
            return {}
        numbers = {*ordinals(found), *(ordinal_of(found, pod) for pod in candidates)} - {NO_ORDINAL}
        names, namespace = stateful_claims.names(found, numbers), found.metadata.namespace
        return {name: claim for name in names if (claim := self._claims.get(name, namespace=namespace)) is not None}

    async def _carry_out(self, key: str, observed: Observed, planned: Plan) -> StatusError | None:
        """Do what is planned, and return what went wrong."""
        if planned.adopts:
            await live.require(self._context.api, STATEFULSETS, observed.owner)
        outcomes = actions.undisturbed(await self._apply([*planned.adoptions, *planned.claims]))
        error = actions.first_error(outcomes, harmless=("NotFound", "AlreadyExists"))
        await self._apply([*claim_failures(observed.owner, outcomes), *([] if error else planned.says)])
        error = error or actions.first_error(await self._apply([] if error else planned.updates), harmless=("NotFound",))
        if error is not None:
            return error
        sent = await self._writes.send(key, observed.owner, planned.creates, planned.deletes)
        return sent.error or actions.first_error(sent.outcomes, harmless=("NotFound", "Conflict"))

    async def _apply(self, wanted: Iterable[Action]) -> list[Outcome]:
        return await actions.apply(wanted, self._context.api.bulk, self._context.recorder)

    def _now(self) -> float:
        return self._context.clock.monotonic()


def _is_untouched(found: Any) -> bool:
    """Tell whether a set is in its first state, in which there is nothing to take away and names of pods are enough."""
    return found.metadata.generation <= 1 and not found.status.observedGeneration


def by_claim(owner: Any) -> Iterable[str]:
    """Index values: what the names of a set's claims begin with."""
    meta = owner.metadata
    return [f"{meta.namespace}/{template.metadata.name}-{meta.name}" for template in owner.spec.volumeClaimTemplates]


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = (
        Source(STATEFULSETS, own_keys),
        Source(PODS, reconciler.claimant, reads_if_owned=POD_READS),
        Source(CLAIMS, reconciler.claim_changed),
    )
    return Controller("statefulset", context.queue("statefulset"), reconciler.reconcile, sources)
