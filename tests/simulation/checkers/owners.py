"""What workload controllers promise about the pods that they own, while it happens.

A controller acts on what it has seen. How old that may be is written in its status: it never acts on a generation before
`observedGeneration`, so that every generation since then is one that it may be acting on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.simulation.history import Change, Checker, History

FINAL: Final = ("Succeeded", "Failed")
NEVER: Final = -1e9

STALE_S: Final = 12.0
"""For how long a controller may not know what has happened: a watch that is held, its reconnection, a write under way."""


def owner_of(found: Any) -> Any:
    """The reference to what controls an object; None if nothing does."""
    return next((reference for reference in found.metadata.ownerReferences if reference.controller), None)


def is_going(found: Any) -> bool:
    return bool(found.metadata.HasField("deletionTimestamp"))


def is_active(pod: Any) -> bool:
    return not is_going(pod) and pod.status.phase not in FINAL


def is_ready(pod: Any) -> bool:
    return any(each.type == "Ready" and each.status == "True" for each in pod.status.conditions)


def is_available(pod: Any) -> bool:
    return is_active(pod) and is_ready(pod)


class Asked:
    """What somebody asked for in each generation of an object."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self._read = read
        self._generations: dict[str, dict[int, Any]] = {}
        self._observed: dict[str, int] = {}

    def saw(self, found: Any) -> None:
        """Take a state of an object in."""
        uid = found.metadata.uid
        self._generations.setdefault(uid, {})[found.metadata.generation] = self._read(found)
        self._observed[uid] = max(self._observed.get(uid, 0), found.status.observedGeneration)

    def since(self, uid: str) -> list[Any]:
        """All that its controller may be acting on."""
        observed = self._observed.get(uid, 0)
        return [asked for generation, asked in sorted(self._generations.get(uid, {}).items()) if generation >= observed]

    def all(self, uid: str) -> list[Any]:
        """All that was ever asked for."""
        return list(self._generations.get(uid, {}).values())


class ReplicaSets(Checker):
    """A set never makes a pod above its replicas, and deletes none that it needs."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = Asked(lambda found: found.spec.replicas)
        self.lost_at: dict[str, list[float]] = {}
        self.by_hand: set[str] = set()

    def saw(self, change: Change, history: History) -> None:
        if change.kind == "ReplicaSet" and change.new is not None:
            self.asked.saw(change.new.message)
        elif change.kind == "Pod":
            self._pod(change, history)

    def _pod(self, change: Change, history: History) -> None:
        before, after = change.old and change.old.message, change.new and change.new.message
        pod = after or before
        reference = owner_of(pod)
        if reference is None or reference.kind != "ReplicaSet":
            return
        uid, sizes = reference.uid, self.asked.since(reference.uid)
        was, is_ = before is not None and is_active(before), after is not None and is_active(after)
        if before is None and sizes:
            count = active_count(history, uid)
            if count > max(sizes):
                self.wrong(change, f"{change.key} is pod {count} of {reference.name}, which asks for {max(sizes)}")
        if was and not is_:
            self._lost(change, history, pod, uid, sizes)

    def _lost(self, change: Change, history: History, pod: Any, uid: str, sizes: list[int]) -> None:
        """A pod no longer counts: because its set does not need it, or it was lost."""
        lost = [at for at in self.lost_at.get(uid, []) if change.time - at < STALE_S]
        if is_voluntary(pod, history, uid) and pod.metadata.uid not in self.by_hand:
            count = active_count(history, uid)
            if sizes and count + len(lost) < min(sizes):
                self.wrong(change, f"without {change.key} {count} pods are left of {min(sizes)}, {len(lost)} of them lost lately")
        else:
            self.lost_at[uid] = [*lost, change.time]


def active_count(history: History, uid: str) -> int:
    """How many active pods an owner has."""
    found = (pod for pod in history.all("Pod") if is_active(pod))
    return sum((reference := owner_of(pod)) is not None and reference.uid == uid for pod in found)


def is_voluntary(pod: Any, history: History, uid: str) -> bool:
    """Whether a pod that goes is deleted by its owner: the owner is there and stays, and nothing drives pods from its node."""
    if pod.status.phase in FINAL:
        return False
    owner = next((found for kind in OWNERS for found in history.all(kind) if found.metadata.uid == uid), None)
    if owner is None or is_going(owner):
        return False
    if not pod.spec.nodeName:
        return True
    version = history.present.get(f"/registry/minions/{pod.spec.nodeName}")
    if version is None or any(taint.effect == "NoExecute" for taint in version.message.spec.taints):
        return False
    return history.changed_at - history.driven_at.get(pod.spec.nodeName, NEVER) > STALE_S


OWNERS: Final = ("ReplicaSet", "StatefulSet", "Job", "DaemonSet", "ReplicationController")
