"""Carries out what is decided about DaemonSets, and keeps the revisions of their templates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from kcore.base import limits
from kcore.client.kinds import Resource
from kcore.client.wire import split_key
from kcore.controllers import actions, adoption, history, live, pod_template
from kcore.controllers.actions import Action, Create, Delete, Outcome, Patch
from kcore.controllers.controller import Claimant, Context, Controller, Result, Source, own_keys, unseen
from kcore.controllers.daemonset import counts, placement, rolling_update
from kcore.controllers.daemonset.eligibility import Eligibility, demand_of
from kcore.controllers.daemonset.placement import Observed, Pause, Plan
from kcore.controllers.daemonset.pods import DAEMONSETS, REVISION_LABEL, Revision, by_node, new_pod, revision_of, target_node
from kcore.controllers.history import REVISIONS
from kcore.controllers.node_taints import NODES
from kcore.controllers.pace import Pace
from kcore.controllers.pod_names import free_names
from kcore.controllers.pod_state import next_available_s
from kcore.controllers.pod_writes import PODS, PodWrites
from kcore.controllers.ports import Lister
from kcore.controllers.replicaset import POD_READS
from kcore.controllers.rollout import ROLLING_UPDATE
from kcore.machinery.status import StatusError

KIND: Final = "DaemonSet"
NODE_READS: Final = ("metadata.labels", "spec.taints[]@raw")


class Reconciler:
    """Looks at DaemonSets.

    eligibility  what nodes are to them
    pauses       by DaemonSet and node, after failed pods
    lives        by DaemonSet and node, how many of its pods went: the next one has another name
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._sets = context.informer(DAEMONSETS).lister
        self._pods = context.informer(PODS).lister
        self._nodes = context.informer(NODES).lister
        self._revisions = context.informer(REVISIONS).lister
        self._writes = PodWrites(context)
        self._pace = Pace(limits.LOOK_PAUSE_PER_POD_S)
        self._eligibility = Eligibility()
        self._pauses: dict[str, dict[str, Pause]] = {}
        self._lives: dict[str, dict[str, int]] = {}
        adoption.index_owned(context.informer(PODS))
        adoption.index_owned(context.informer(REVISIONS))
        adoption.index_selectors(context.informer(DAEMONSETS))

    async def reconcile(self, key: str) -> Result | None:
        """Look at a DaemonSet; one that is being deleted is left to the garbage collector."""
        namespace, name = split_key(key)
        found = self._sets.get(name, namespace=namespace)
        if found is None:
            self._forget(key)
            return None
        if adoption.is_deleting(found):
            return None
        wait_s = self._pace.early_s(key, self._now()) or await self._writes.verify(key, found)
        if wait_s:
            return Result(requeue_after_s=wait_s)
        try:
            newest, collision_count = await self._newest(found)
            return await self._look(key, found, newest, collision_count)
        except StatusError as error:
            if actions.is_namespace_terminating(error):
                return None
            raise

    async def _look(self, key: str, found: Any, newest: Any, collision_count: int) -> Result | None:
        """Look at the pods, all in one moment with what is expected of them, and act."""
        claim = self._candidates(found, self._pods)
        if claim.adopt or claim.release:
            await self._claim(found, PODS, claim)
            return None
        pods = claim.owned
        observed = self._observe(key, found, revision_of(found, newest), pods)
        is_settled = self._writes.is_settled(key)
        planned = self._plan(observed) if is_settled else Plan()
        if planned.creates and self._writes.had_predecessor(key, _is_untouched(found)):
            return Result(requeue_after_s=0.0)
        self._note_failed(key, planned, observed.now)
        creates, deletes = self._pod_writes(key, observed, planned)
        await self._apply(planned.events)
        sent = await self._writes.send(key, found, creates, deletes)
        if is_settled:
            await self._drop_old(found, newest, pods)
        status = counts.plan_status(observed, was_acted_on=is_settled, collision_count=collision_count)
        self._pace.looked(key, 0 if creates or deletes else len(observed.fits) + len(pods), self._now())
        actions.raise_first(await self._apply([status] if status else []), harmless=("NotFound",))
        if sent.error is not None:
            raise sent.error
        waits = [planned.wait_s, next_available_s(pods, found.spec.minReadySeconds, observed.now), self._writes.remaining_s(key)]
        waits += [limits.STALE_VIEW_PAUSE_S] if sent.unseen else []
        return Result(requeue_after_s=min((wait for wait in waits if wait is not None), default=None))

    def _observe(self, key: str, found: Any, revision: Revision, pods: Iterable[Any]) -> Observed:
        fits = self._eligibility.of(key, demand_of(found.spec.template.spec), self._nodes.list)
        here = by_node(pods)
        strangers = frozenset(name for name in here if name not in fits and self._nodes.get(name) is not None)
        return Observed(found, revision, fits, strangers, here, self._pauses.get(key, {}), self._context.clock.now())

    def _plan(self, observed: Observed) -> Plan:
        """Place pods; when all are in their places, go on with a rolling update."""
        planned = placement.plan(observed)
        if planned.creates or planned.deletes or observed.daemonset.spec.updateStrategy.type != ROLLING_UPDATE:
            return planned
        updated = rolling_update.plan(observed)
        updated.wait_s = planned.wait_s
        return updated

    def _pod_writes(self, key: str, observed: Observed, planned: Plan) -> tuple[list[Create], list[Delete]]:
        found = observed.daemonset
        creates = [
            pod_template.create(found, new_pod(found, observed.revision, node, self._name(key, observed, node)))
            for node in planned.creates[: limits.REPLICAS_BURST_MAX]
        ]
        return creates, [pod_template.delete(found, pod) for pod in planned.deletes[: limits.REPLICAS_BURST_MAX]]

    def _name(self, key: str, observed: Observed, node: str) -> str:
        """Return the name of a node's next pod."""
        found = observed.daemonset
        life = f"{observed.revision.hash}/{node}/{self._lives.get(key, {}).get(node, 0)}"
        return next(free_names(found, self._writes.in_use(key, found.metadata.namespace), life=life))

    def _note_failed(self, key: str, planned: Plan, now: float) -> None:
        """Leave the next failed pods of nodes for longer."""
        for node in planned.failed:
            pauses = self._pauses.setdefault(key, {})
            pauses[node] = placement.next_pause(pauses.get(node), now)

    async def _newest(self, found: Any) -> tuple[Any, int]:
        """Return the revision of the template, which has the highest number, and the collision count."""
        collision_count = found.status.collisionCount
        claim = self._candidates(found, self._revisions)
        await self._claim(found, REVISIONS, claim)
        revisions = claim.owned + claim.adopt
        same = history.with_data(revisions, history.data_of(found.spec.template))
        number = history.next_number(revision for revision in revisions if revision not in same)
        if not same:

            def make(collisions: int) -> Any:
                return history.new_revision(found, DAEMONSETS, REVISION_LABEL, number, collisions)

            return await history.create(self._context.api, self._context.recorder, make, collision_count)
        newest = same[-1]
        writes: list[Action] = []
        if len(same) > 1:
            writes += [_relabel(pod, newest) for pod in self._candidates(found, self._pods).owned if _is_of_any(pod, same[:-1])]
            writes += map(_drop, same[:-1])
        if newest.revision < number:
            writes.append(history.renumber(newest, number))
        actions.raise_first(await self._apply(writes), harmless=("NotFound",))
        return newest, collision_count

    async def _drop_old(self, found: Any, newest: Any, pods: Iterable[Any]) -> None:
        """Drop revisions beyond the limit that no pod is of."""
        old = [item for item in self._candidates(found, self._revisions).owned if item.metadata.uid != newest.metadata.uid]
        if len(old) <= found.spec.revisionHistoryLimit:
            return
        used = {pod.metadata.labels.get(REVISION_LABEL) for pod in pods}
        beyond = history.beyond(old, found.spec.revisionHistoryLimit, lambda item: item.metadata.labels.get(REVISION_LABEL) in used)
        actions.raise_first(await self._apply(map(_drop, beyond)), harmless=("NotFound",))

    def _candidates(self, found: Any, lister: Lister[Any]) -> adoption.Claim:
        """Return what becomes of pods, or of revisions, that a DaemonSet may claim."""
        selector = adoption.selector_of(found.spec.selector)
        return adoption.claim(found, selector, adoption.candidates(lister, found, selector))

    async def _claim(self, found: Any, resource: Resource, claim: adoption.Claim) -> None:
        """Adopt and release pods or revisions."""
        if claim.adopt:
            await live.require(self._context.api, DAEMONSETS, found)
        wanted: list[Action] = [adoption.adoption(resource, item, found, DAEMONSETS) for item in claim.adopt]
        wanted += [adoption.release(resource, item, found) for item in claim.release]
        actions.raise_first(await self._apply(wanted), harmless=("NotFound",))

    @property
    def claimant(self) -> Claimant:
        """Who may own pods."""
        return Claimant(KIND, self._sets, self._seen)

    def _seen(self, key: str, pod: Any, *, gone: bool) -> None:
        """Note that a pod of a DaemonSet is shown, and count those that went from its node."""
        self._writes.seen(key, pod, gone=gone)
        if gone:
            lives = self._lives.setdefault(key, {})
            lives[target_node(pod)] = lives.get(target_node(pod), 0) + 1

    def node_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the DaemonSets to which a change of a node makes a difference."""
        return self._eligibility.changed((old if new is None else new).metadata.name, new)

    async def _apply(self, wanted: Iterable[Action]) -> list[Outcome]:
        return await actions.apply(wanted, self._context.api.bulk, self._context.recorder)

    def _now(self) -> float:
        return self._context.clock.monotonic()

    def _forget(self, key: str) -> None:
        self._writes.forget(key)
        self._pace.forget(key)
        self._eligibility.forget(key)
        self._pauses.pop(key, None)
        self._lives.pop(key, None)


def _is_untouched(found: Any) -> bool:
    """Tell whether a DaemonSet is in its first state, in which nobody made other than its first pods."""
    return found.metadata.generation <= 1 and not found.status.observedGeneration


def _is_of_any(pod: Any, revisions: Iterable[Any]) -> bool:
    hash_ = pod.metadata.labels.get(REVISION_LABEL)
    return hash_ is not None and any(revision.metadata.labels.get(REVISION_LABEL) == hash_ for revision in revisions)


def _relabel(pod: Any, revision: Any) -> Patch:
    """Make a pod one of another revision, which has the same template."""
    labels = {REVISION_LABEL: revision.metadata.labels.get(REVISION_LABEL)}
    return Patch(PODS, pod.metadata.namespace, pod.metadata.name, {"metadata": {"uid": pod.metadata.uid, "labels": labels}})


def _drop(revision: Any) -> Delete:
    meta = revision.metadata
    return Delete(REVISIONS, meta.namespace, meta.name, uid=meta.uid, resource_version=meta.resourceVersion)


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = (
        Source(DAEMONSETS, own_keys),
        Source(PODS, reconciler.claimant, reads_if_owned=POD_READS),
        Source(NODES, reconciler.node_changed, reads=NODE_READS),
        Source(REVISIONS, replace(reconciler.claimant, seen=unseen, looks_at_new=False), reads_if_owned=("revision",)),
    )
    return Controller("daemonset", context.queue("daemonset"), reconciler.reconcile, sources)
