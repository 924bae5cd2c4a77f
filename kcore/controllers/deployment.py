"""Deployment: a ReplicaSet for each template it had, and the pods moved to the newest one step at a time.

`plan` decides one step from the sets as they are: adopt and release, make the new set, change sizes (``rollout``), drop old revisions, say
how it stands (``progress``). A set that is to be made ends the step; `plan_created` says what its creation, or its failure, means. The next
step comes when the informers show what this one did.

Source: Kubernetes `pkg/controller/deployment`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kcore.api.apps.v1.deployment_pb2 import Deployment
from kcore.api.apps.v1.replica_set_pb2 import ReplicaSet
from kcore.base import limits
from kcore.client import kinds
from kcore.client.wire import split_key
from kcore.controllers import actions, adoption, live, progress, revisions, rollout
from kcore.controllers.actions import Action, Create, Delete, Event, Outcome, Update, UpdateStatus
from kcore.controllers.controller import Context, Controller, Result, Source, key_of, own_keys
from kcore.controllers.pod_state import is_finished
from kcore.controllers.pod_writes import PODS
from kcore.controllers.replicaset import REPLICASETS
from kcore.controllers.rollout import Family
from kcore.machinery.status import StatusError

KIND: Final = "Deployment"
DEPLOYMENTS: Final = kinds.resource("apps", "v1", "deployments")


@dataclass(frozen=True, slots=True)
class Asked:
    """The revision that a set was last asked to have; the cache may not show it yet, and the answer may have been lost."""

    uid: str = ""
    name: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Observed:
    """A Deployment and the sets that it may claim.

    candidates  the sets it controls, and orphans, some of which may match
    occupied    uids of sets with pods that have not finished (only a Recreate looks at them)
    now         unix seconds
    asked       so that no revision is given to two sets
    """

    deployment: Any
    candidates: Sequence[Any]
    occupied: frozenset[str]
    now: float
    asked: Asked = Asked()


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do.

    claims           adoptions and releases; if there are any, there is nothing else
    writes           changed sets, dropped sets, and the status
    create           the set to be made; `plan_created` says what follows
    requeue_after_s  when time alone makes a difference
    """

    claims: list[Action] = field(default_factory=list)
    writes: list[Action] = field(default_factory=list)
    create: Create | None = None
    requeue_after_s: float | None = None

    @property
    def adopts(self) -> bool:
        """Whether sets are adopted, before which the Deployment is looked at live."""
        return any(isinstance(action, actions.Patch) and action.body["metadata"]["ownerReferences"] for action in self.claims)


def plan(observed: Observed) -> Plan:
    """Decide a Deployment's next step."""
    claim = _claim(observed)
    if claim.adopt or claim.release:
        adopted = [adoption.adoption(REPLICASETS, found, observed.deployment, DEPLOYMENTS) for found in claim.adopt]
        return Plan(claims=[*adopted, *(adoption.release(REPLICASETS, found, observed.deployment) for found in claim.release)])
    deployment = Deployment()
    deployment.CopyFrom(observed.deployment)
    family = Family(deployment, claim.owned)
    if not adoption.is_deleting(deployment):
        progress.note_pause(deployment, observed.now)
    _follow_revision(family, observed.now, observed.asked)
    if adoption.is_deleting(deployment):
        return _written(observed, family, progress.count(family, observed.now))
    if deployment.spec.paused or rollout.is_scaling(family):
        rollout.scale(family)
        if deployment.spec.paused:
            return _written(observed, family, progress.count(family, observed.now), rollout.to_clean_up(family))
        if family.changed:
            return _written(observed, family, progress.count(family, observed.now))
    return _roll_out(observed, family)


def _claim(observed: Observed) -> adoption.Claim:
    selector = adoption.selector_of(observed.deployment.spec.selector)
    return adoption.claim(observed.deployment, selector, observed.candidates)


def _roll_out(observed: Observed, family: Family) -> Plan:
    """Take the next step of the Deployment's strategy."""
    if family.deployment.spec.strategy.type == rollout.RECREATE:
        if rollout.shrink_all_old(family) or _is_occupied(observed, family):
            return _written(observed, family, progress.judge(family, observed.now))
        moved = family.new is not None and rollout.grow_new(family)
    else:
        moved = family.new is not None and rollout.roll(family)
    if family.new is None:
        return Plan(create=_new_set(family, observed.asked))
    is_complete = progress.is_complete(family.deployment, family.deployment.status)
    dropped = rollout.to_clean_up(family) if is_complete and not moved else []
    return _written(observed, family, progress.judge(family, observed.now), dropped)


def _is_occupied(observed: Observed, family: Family) -> bool:
    """Tell whether pods of old sets are still there."""
    return any(found.status.replicas > 0 or found.metadata.uid in observed.occupied for found in family.old)


def _follow_revision(family: Family, now: float, asked: Asked) -> None:
    """Bring the new set's annotations up to date, and the Deployment's revision in line with it."""
    new, deployment = family.new, family.deployment
    if new is None:
        return
    changed = revisions.copy_annotations(deployment, new)
    changed |= revisions.raise_revision(new, _next_revision(family, new, asked))
    if new.spec.minReadySeconds != deployment.spec.minReadySeconds:
        new.spec.minReadySeconds = deployment.spec.minReadySeconds
        changed = True
    if changed:
        family.touch(new)
    deployment.metadata.annotations[revisions.REVISION] = new.metadata.annotations.get(revisions.REVISION, "")
    if progress.has_deadline(deployment) and not any(item.type == progress.PROGRESSING for item in deployment.status.conditions):
        progress.note(deployment, "True", "FoundNewReplicaSet", f'Found new replica set "{new.metadata.name}"', now)


def _next_revision(family: Family, found: Any, asked: Asked) -> int:
    """The revision that the new set should have: above those of all others, seen or asked for."""
    wanted = revisions.max_revision(family.old) + 1
    if revisions.revision_of(found) >= wanted:
        return wanted
    return max(wanted, asked.revision + int(asked.name != found.metadata.name))


def _new_set(family: Family, asked: Asked) -> Create:
    """Build the set of a Deployment's template."""
    deployment = family.deployment
    hash_ = revisions.template_hash(deployment.spec.template, deployment.status.collisionCount)
    found = ReplicaSet()
    found.metadata.name, found.metadata.namespace = f"{deployment.metadata.name}-{hash_}", deployment.metadata.namespace
    spec = found.spec
    spec.selector.CopyFrom(deployment.spec.selector)
    spec.selector.matchLabels[revisions.TEMPLATE_HASH] = hash_
    spec.template.CopyFrom(deployment.spec.template)
    spec.template.metadata.labels[revisions.TEMPLATE_HASH] = hash_
    spec.minReadySeconds = deployment.spec.minReadySeconds
    spec.replicas = rollout.new_size(family, 0)
    found.metadata.labels.update(spec.template.metadata.labels)
    adoption.set_controller(found, deployment, DEPLOYMENTS)
    revisions.copy_annotations(deployment, found)
    revisions.raise_revision(found, _next_revision(family, found, asked))
    revisions.put_sizes(found, family.replicas, family.maximum)
    scaled = rollout.scaling_event(deployment, found.metadata.name, 0, spec.replicas)
    return Create(found, done=(scaled,) if spec.replicas > 0 else ())


def plan_created(observed: Observed, create: Create, error: StatusError | None, present: Any | None) -> list[Action]:
    """Decide what the creation of a set means.

    error    why it failed; None if it did not
    present  the set that has the name, if that was the reason
    """
    deployment, name = Deployment(), create.object.metadata.name
    deployment.CopyFrom(observed.deployment)
    progress.note_pause(deployment, observed.now)
    wanted: list[Action] = []
    if error is None:
        deployment.metadata.annotations[revisions.REVISION] = create.object.metadata.annotations[revisions.REVISION]
        if progress.has_deadline(deployment):
            progress.note(deployment, "True", "NewReplicaSetCreated", f'Created new replica set "{name}"', observed.now)
        deployment.status.CopyFrom(progress.judge(Family(deployment, [*_claim(observed).owned, create.object]), observed.now))
    elif error.reason == "AlreadyExists":
        if present is None or _is_wanted(deployment, present):
            return []
        deployment.status.collisionCount += 1
    elif actions.is_namespace_terminating(error):
        return []
    else:
        message = f'Failed to create new replica set "{name}": {error.message}'
        if progress.has_deadline(deployment):
            progress.note(deployment, "False", "ReplicaSetCreateError", message, observed.now)
        wanted.append(Event(observed.deployment, actions.WARNING, "ReplicaSetCreateError", message))
    return [*_status(observed, deployment), *wanted]


def _is_wanted(deployment: Any, present: Any) -> bool:
    """Tell whether a set that has the name is the one that was to be made: the informer was behind."""
    reference = adoption.controller_of(present)
    is_own = reference is not None and reference.uid == deployment.metadata.uid
    return is_own and revisions.same_template(present.spec.template, deployment.spec.template)


def _written(observed: Observed, family: Family, status: Any, dropped: Iterable[Any] = ()) -> Plan:
    """Write what differs from what was observed."""
    writes: list[Action] = [
        Update(found, done=tuple(family.changed[found.metadata.uid])) for found in family.all if found.metadata.uid in family.changed
    ]
    for found in dropped:
        meta = found.metadata
        writes.append(Delete(REPLICASETS, meta.namespace, meta.name, uid=meta.uid, resource_version=meta.resourceVersion))
    family.deployment.status.CopyFrom(status)
    writes += _status(observed, family.deployment)
    wait_s = None if adoption.is_deleting(family.deployment) else progress.stuck_in_s(family.deployment, observed.now)
    return Plan(writes=writes, requeue_after_s=wait_s)


def _status(observed: Observed, deployment: Any) -> list[Action]:
    """Write status and revision, which the status carries, if they changed."""
    old = observed.deployment
    same_revision = revisions.revision_of(old) == revisions.revision_of(deployment)
    return [] if same_revision and progress.same(old.status, deployment.status) else [UpdateStatus(deployment)]


class Reconciler:
    """Carries plans out."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._deployments = context.informer(DEPLOYMENTS).lister
        self._sets = context.informer(REPLICASETS).lister
        self._pods = context.informer(PODS).lister
        self._asked: dict[str, Asked] = {}
        self._unseen: dict[str, dict[str, Outcome]] = {}
        adoption.index_owned(context.informer(REPLICASETS))
        adoption.index_owned(context.informer(PODS))
        adoption.index_selectors(context.informer(DEPLOYMENTS))

    async def reconcile(self, key: str) -> Result | None:
        """Look at a Deployment."""
        namespace, name = split_key(key)
        found = self._deployments.get(name, namespace=namespace)
        if found is None:
            self._asked.pop(key, None)
            self._unseen.pop(key, None)
            return None
        if await self._is_behind(key, namespace):
            return Result(requeue_after_s=limits.STALE_VIEW_PAUSE_S)
        observed = self._observe(found)
        planned = plan(observed)
        if planned.adopts:
            await live.require(self._context.api, DEPLOYMENTS, found)
        for write in planned.writes:
            if isinstance(write, Update):
                self._ask(found, write.object)
        outcomes = await self._apply([*planned.claims, *planned.writes])
        self._expect(key, outcomes)
        actions.raise_first(outcomes, harmless=("NotFound",))
        if planned.create is not None:
            await self._create(observed, planned.create)
        return Result(requeue_after_s=planned.requeue_after_s)

    def set_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the Deployments that a set belongs to, belonged to, or may belong to."""
        keys = {key_of(owner) for found in (old, new) if found is not None and (owner := self._owner(found)) is not None}
        if new is not None and adoption.controller_of(new) is None and not adoption.is_deleting(new):
            keys.update(key_of(owner) for owner in adoption.matching(self._deployments, new))
        return keys

    def pod_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at a Deployment that waits for its old pods to be gone."""
        if new is not None and not (is_finished(new) and old is not None and not is_finished(old)):
            return ()
        found = adoption.resolve(self._sets, old if new is None else new, REPLICASETS.kind)
        owner = self._owner(found) if found is not None else None
        return (key_of(owner),) if owner is not None and owner.spec.strategy.type == rollout.RECREATE else ()

    def _owner(self, found: Any) -> Any | None:
        return adoption.resolve(self._deployments, found, KIND)

    def _observe(self, found: Any) -> Observed:
        selector = adoption.selector_of(found.spec.selector)
        sets = adoption.candidates(self._sets, found, selector)
        occupied: frozenset[str] = frozenset()
        if found.spec.strategy.type == rollout.RECREATE:
            occupied = frozenset(member.metadata.uid for member in sets if self._has_pods(member))
        asked = self._asked.get(key_of(found), Asked())
        return Observed(found, sets, occupied, self._context.clock.now(), asked if asked.uid == found.metadata.uid else Asked())

    def _ask(self, deployment: Any, found: Any) -> None:
        """Note the revision that a set is about to be given."""
        key, uid, revision = key_of(deployment), deployment.metadata.uid, revisions.revision_of(found)
        before = self._asked.get(key)
        if before is None or before.uid != uid or revision > before.revision:
            self._asked[key] = Asked(uid, found.metadata.name, revision)

    def _expect(self, key: str, outcomes: Iterable[Outcome]) -> None:
        """Note sets that were written; until the lister shows them so, their sizes are not known.

        Differs from upstream: kube-controller-manager decides again on the sizes before, and may make more pods than the surge allows.
        """
        written = [each for each in outcomes if each.error is None and isinstance(each.action, Create | Update)]
        self._unseen.setdefault(key, {}).update((each.uid, each) for each in written)

    async def _is_behind(self, key: str, namespace: str) -> bool:
        """Tell whether the lister does not show yet what was written; a new set that it does not show may be gone again."""
        unseen = self._unseen.get(key, {})
        for uid, outcome in list(unseen.items()):
            found = self._sets.get(outcome.name, namespace=namespace)
            if found is None and isinstance(outcome.action, Create):
                found = await live.find(self._context.api, REPLICASETS, namespace, outcome.name, metadata_only=True)
                if found is not None and found.metadata.uid == uid:
                    return True
            elif found is not None and found.metadata.uid == uid and int(found.metadata.resourceVersion) < int(outcome.resource_version):
                return True
            del unseen[uid]
        return False

    def _has_pods(self, found: Any) -> bool:
        return not all(map(is_finished, self._pods.by_index(adoption.CONTROLLER, found.metadata.uid)))

    async def _create(self, observed: Observed, create: Create) -> None:
        """Make the new set; one that was there before or could not be made fails the step, so that it is taken again."""
        self._ask(observed.deployment, create.object)
        (outcome,) = await self._apply([create])
        self._expect(key_of(observed.deployment), [outcome])
        present = None
        if outcome.error is not None and outcome.error.reason == "AlreadyExists":
            meta = create.object.metadata
            present = await live.find(self._context.api, REPLICASETS, meta.namespace, meta.name)
            self._asked[key_of(observed.deployment)] = observed.asked  # that one has a revision of its own
        follow = plan_created(observed, create, outcome.error, present)
        actions.raise_first(await self._apply(follow), harmless=("NotFound",))
        if outcome.error is not None and not actions.is_namespace_terminating(outcome.error):
            raise outcome.error

    async def _apply(self, wanted: Iterable[Action]) -> list[Outcome]:
        return await actions.apply(wanted, self._context.api.bulk, self._context.recorder)


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = (
        Source(DEPLOYMENTS, own_keys),
        Source(REPLICASETS, reconciler.set_changed),
        Source(PODS, reconciler.pod_changed, reads=("status.phase",)),
    )
    return Controller("deployment", context.queue("deployment"), reconciler.reconcile, sources)
