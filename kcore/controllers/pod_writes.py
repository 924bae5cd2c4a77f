"""Creations and deletions of pods that must not be doubled, whatever is late, lost or restarted.

    taken       a name whose creation was refused belongs to somebody else for good, or to a pod that the watch will show
    expected    what was sent and is not seen yet: until it is, nothing else is decided (``expectations``)
    unsure      what was sent and not answered, or may have been sent by a process before this one: waited for, then looked up (``unsure``)
    trusted     pods are created in batches of 1, 2, 4 ...; as long as none fails, the next time begins where this one ended

Everything is kept by the key of who owns the pods. Thread: the event loop's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kcore.base import limits
from kcore.client import kinds
from kcore.client.failures import UNSURE_REASONS
from kcore.controllers import actions, adoption, live
from kcore.controllers.actions import Create, Delete, Outcome, Write
from kcore.controllers.controller import Context
from kcore.controllers.expectations import Expectations
from kcore.controllers.unsure import UnsureWrites, name_of, uid_of
from kcore.machinery.status import StatusError

PODS: Final = kinds.resource("", "v1", "pods")


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of creations and deletions.

    outcomes  of those that were answered, less what a namespace on its way out refused
    error     the first that matters
    unseen    something was met that the lister does not show
    """

    outcomes: list[Outcome] = field(default_factory=list)
    error: StatusError | None = None
    unseen: bool = False


class PodWrites:
    """The pod writes of one controller."""

    def __init__(self, context: Context) -> None:
        self._api, self._recorder, self._clock = context.api, context.recorder, context.clock
        self._pods = context.informer(PODS).lister
        self._expectations = Expectations()
        self._unsure = UnsureWrites()
        self._known: set[str] = set()
        self._started_at = context.clock.monotonic()
        self._taken: dict[str, set[str]] = {}
        self._trust: dict[str, int] = {}

    def seen(self, key: str, pod: Any, *, gone: bool) -> None:
        """Note that the lister shows a pod, or shows it no more."""
        self._expectations.created(key, pod.metadata.name)
        if gone or adoption.is_deleting(pod):
            self._expectations.deleted(key, pod.metadata.uid)

    def is_settled(self, key: str) -> bool:
        """Tell whether all that was asked for is seen."""
        return self._expectations.satisfied(key, self._now())

    def remaining_s(self, key: str) -> float | None:
        """Return after how many seconds what is not seen counts as settled; None if there is nothing."""
        return self._expectations.remaining_s(key, self._now())

    def in_use(self, key: str, namespace: str) -> Callable[[str], bool]:
        """Return what tells whether a pod's name is somebody's."""
        taken = self._taken.get(key, ())
        return lambda name: name in taken or self._pods.get(name, namespace=namespace) is not None

    def had_predecessor(self, key: str, is_untouched: bool) -> bool:
        """Tell, once, whether another process worked for an owner before this one: what it sent last may arrive yet.

        is_untouched  the owner is in its first state: names are enough, since whoever makes its first pods gives them the same ones
        """
        if key in self._known:
            return False
        self._known.add(key)
        if is_untouched:
            return False
        self._unsure.note(key, (), self._started_at)
        return True

    async def verify(self, key: str, owner: Any) -> float | None:
        """Ask which of the writes happened whose answers were lost; returns how long to wait before going on, None if all is known."""
        unsure = self._unsure.of(key)
        if unsure is None:
            return None
        left_s = unsure.since + limits.LOST_ANSWER_PAUSE_S - self._now()
        if left_s > 0:
            return left_s
        namespace, selector = owner.metadata.namespace, str(adoption.selector_of(owner.spec.selector))
        present = await self._api.resource(PODS).list(namespace=namespace, label_selector=selector, metadata_only=True)
        if not self._shows(present.items, owner):
            return limits.STALE_VIEW_PAUSE_S
        self._never(key, unsure.never_happened(present.items))
        self._unsure.forget(key)
        return None

    def _shows(self, present: Sequence[Any], owner: Any) -> bool:
        """Tell whether the lister knows the pods that there are, as they are, and none of the owner's besides."""
        uids = set()
        for pod in present:
            uids.add(pod.metadata.uid)
            known = self._pods.get(pod.metadata.name, namespace=pod.metadata.namespace)
            if known is None or _standing(known) != _standing(pod):
                return False
        own = self._pods.by_index(adoption.CONTROLLER, owner.metadata.uid)
        selector = adoption.selector_of(owner.spec.selector)
        return all(pod.metadata.uid in uids for pod in own if selector.matches(pod.metadata.labels))

    async def send(self, key: str, owner: Any, creates: Sequence[Create], deletes: Sequence[Delete]) -> Sent:
        """Create and delete; what failed for sure is not expected any more, what may have happened is verified before the next look."""
        wanted: list[Write] = [*creates, *deletes]
        if not wanted:
            return Sent()
        self._expectations.expect(key, self._now(), creations=map(name_of, creates), deletions=map(uid_of, deletes))
        try:
            first = self._trust.pop(key, 1)
            outcomes = await actions.apply_slowly(creates, self._api.bulk, self._recorder, first)
            outcomes += await actions.apply(deletes, self._api.bulk, self._recorder)
        except StatusError as error:
            self._unsure.note(key, wanted, self._now())
            return Sent(error=error)
        unsure = [outcome.action for outcome in outcomes if outcome.error and outcome.error.reason in UNSURE_REASONS]
        if unsure:
            self._unsure.note(key, unsure, self._now())
        if not any(outcome.error for outcome in outcomes):
            self._trust[key] = max(first, len(creates))
        expected = {id(outcome.action) for outcome in outcomes if outcome.error is None}.union(map(id, unsure))
        self._never(key, [write for write in wanted if id(write) not in expected])
        outcomes = actions.undisturbed(outcomes)
        unseen = await self._learn_taken(key, owner, outcomes)
        serious = [outcome for outcome in outcomes if not (isinstance(outcome.action, Delete) and is_conflict(outcome))]
        return Sent(outcomes, actions.first_error(serious, harmless=("NotFound", "AlreadyExists")), unseen)

    async def _learn_taken(self, key: str, owner: Any, outcomes: Iterable[Outcome]) -> bool:
        """Look at pods whose names were taken: one that is not the owner's has the name for good, the watch will show the others."""
        taken = [outcome.action for outcome in outcomes if outcome.error and outcome.error.reason == "AlreadyExists"]
        for create in taken:
            meta = create.object.metadata  # type: ignore[union-attr]
            found = await live.find(self._api, PODS, meta.namespace, meta.name, metadata_only=True)
            reference = adoption.controller_of(found) if found is not None else None
            if found is not None and (reference is None or reference.uid != owner.metadata.uid):
                self._taken.setdefault(key, set()).add(meta.name)
        return bool(taken)

    def _never(self, key: str, writes: Iterable[Write]) -> None:
        """Do not expect what did not happen."""
        for write in writes:
            if isinstance(write, Create):
                self._expectations.created(key, name_of(write))
            elif isinstance(write, Delete):
                self._expectations.deleted(key, write.uid)

    def _now(self) -> float:
        return self._clock.monotonic()

    def forget(self, key: str) -> None:
        """The owner is gone."""
        self._expectations.forget(key)
        self._unsure.forget(key)
        self._known.discard(key)
        self._taken.pop(key, None)
        self._trust.pop(key, None)


def is_conflict(outcome: Outcome) -> bool:
    """Tell whether an object was not as the write took it to be: of a deletion the watch will tell, a creation has to be tried again."""
    return outcome.error is not None and outcome.error.reason == "Conflict"


def _standing(pod: Any) -> tuple[str, bool, list[str]]:
    """What of a pod's metadata decides how it counts."""
    meta = pod.metadata
    return meta.uid, adoption.is_deleting(pod), list(meta.finalizers)
