"""Namespace: what is in one that is being deleted goes with it, pods first; then it goes itself.

    Active --delete--> Terminating: delete all content ... nothing left --finalize--> gone

`plan` decides from what is left of each resource whether to go on, to come back later, or to finalize, and what the conditions say. The
acting half lists every namespaced resource (metadata only), deletes what it finds as a collection and lists again.

Source: Kubernetes `pkg/controller/namespace/deletion`, KEP-5080 (pods first). Differs from upstream: no pause of 5 s before the first look,
since there is one API server; a namespace is looked at again when something in it went, not only by the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kcore.api.core.v1.namespace_pb2 import Namespace
from kcore.controllers import conditions
from kcore.controllers.pod_state import set_seconds

TERMINATING: Final = "Terminating"
FINALIZER: Final = "kubernetes"

DISCOVERY_FAILURE: Final = "NamespaceDeletionDiscoveryFailure"
PARSING_FAILURE: Final = "NamespaceDeletionGroupVersionParsingFailure"
CONTENT_FAILURE: Final = "NamespaceDeletionContentFailure"
CONTENT_REMAINING: Final = "NamespaceContentRemaining"
FINALIZERS_REMAINING: Final = "NamespaceFinalizersRemaining"

_FINE: Final = {
    DISCOVERY_FAILURE: ("ResourcesDiscovered", "All resources successfully discovered"),
    PARSING_FAILURE: ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
    CONTENT_FAILURE: ("ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
    CONTENT_REMAINING: ("ContentRemoved", "All content successfully removed"),
    FINALIZERS_REMAINING: ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
}
"""By type, in order: reason and message when nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of one resource after everything was asked to go.

    finalizers  by name, the number of objects that have it
    estimate_s  how long what is left may take by itself; 0 if it should be gone
    error       why the resource could not be emptied; empty if it could
    """

    group: str
    version: str
    resource: str
    count: int = 0
    finalizers: tuple[tuple[str, int], ...] = ()
    estimate_s: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with a namespace that is being deleted.

    status           the namespace with its new status; None if that is the same
    finalize         everything is gone: take the finalizer away
    requeue_after_s  when to look again; None if nothing is left, or something failed
    error            what failed; the look is repeated with backoff
    """

    status: Any | None
    finalize: bool
    requeue_after_s: float | None
    error: str


def left_of(resource: tuple[str, str, str], objects: Iterable[Any], namespace: str, estimate_s: int, default_estimate_s: int) -> Remaining:
    """Judge what is left of a resource.

    resource            group, version, plural
    objects             what is left, as far as metadata
    estimate_s          how long graceful deletions may still take
    default_estimate_s  how long finalizers of others may take
    """
    finalizers: Counter[str] = Counter()
    count = 0
    for found in objects:
        count += 1
        finalizers.update(found.metadata.finalizers)
    if not count:
        return Remaining(*resource)
    named = tuple(sorted(finalizers.items()))
    estimate_s = estimate_s or (default_estimate_s if finalizers else 0)
    group, version, plural = resource
    error = ""
    if not estimate_s:
        written = f"{group}/{version}, Resource={plural}" if group else f"/{version}, Resource={plural}"
        error = f"unexpected items still remain in namespace: {namespace} for gvr: {written}"
    return Remaining(group, version, plural, count, named, estimate_s, error)


def graceful_estimate_s(pods: Iterable[Any], deleted_for_s: float) -> int:
    """Return how long pods may take to end, at most; 0 when the namespace is being deleted for longer than that."""
    estimate_s = max(
        (pod.spec.terminationGracePeriodSeconds for pod in pods if pod.status.phase not in ("Succeeded", "Failed")), default=0
    )
    return 0 if deleted_for_s >= estimate_s else estimate_s


def plan(namespace: Any, remaining: Sequence[Remaining], now: float) -> Plan:
    """Decide what follows from what is left."""
    updated = Namespace()
    updated.CopyFrom(namespace)
    updated.status.phase = TERMINATING
    errors = [found.error for found in remaining if found.error]
    said = verdicts(remaining, errors)
    for type_, (reason, message) in _FINE.items():
        value, reason, message = ("True", *said[type_]) if type_ in said else ("False", reason, message)
        present = conditions.find(updated.status.conditions, type_)
        if present is None:
            conditions.put(updated.status.conditions, type_, value, reason, message, now)
        elif (present.status, present.reason, present.message) != (value, reason, message):
            if present.status != value:
                set_seconds(present.lastTransitionTime, now)
            present.status, present.reason, present.message = value, reason, message
    is_same = namespace.status.phase == TERMINATING and conditions.same(namespace.status.conditions, updated.status.conditions)
    estimate_s = max((found.estimate_s for found in remaining), default=0)
    is_empty = not errors and not any(found.count for found in remaining)
    wait_s = estimate_s / 2 + 1.0 if estimate_s and not errors else None
    status = None if is_same or is_empty else updated
    return Plan(status, is_empty, wait_s, _aggregate(errors))


def verdicts(remaining: Sequence[Remaining], errors: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return reason and message of the conditions that are True."""
    said = {}
    if errors:
        message = f"Failed to delete all resource types, {len(errors)} remaining: {_aggregate(errors)}"
        said[CONTENT_FAILURE] = ("ContentDeletionFailed", message)
    counts = sorted(f"{found.resource}.{found.group} has {found.count} resource instances" for found in remaining if found.count)
    if counts:
        said[CONTENT_REMAINING] = ("SomeResourcesRemain", f"Some resources are remaining: {', '.join(counts)}")
    finalizers: Counter[str] = Counter()
    for found in remaining:
        finalizers.update(dict(found.finalizers))
    if finalizers:
        counts = sorted(f"{name} in {count} resource instances" for name, count in finalizers.items())
        said[FINALIZERS_REMAINING] = (
            "SomeFinalizersRemain",
            f"Some content in the namespace has finalizers remaining: {', '.join(counts)}",
        )
    return said


def finalized(namespace: Any) -> Any:
    """Return a namespace without the finalizer that holds its content."""
    updated = Namespace()
    updated.CopyFrom(namespace)
    kept = [name for name in updated.spec.finalizers if name != FINALIZER]
    del updated.spec.finalizers[:]
    updated.spec.finalizers.extend(kept)
    return updated


def _aggregate(errors: Sequence[str]) -> str:
    """Join errors as Kubernetes does."""
    unique = list(dict.fromkeys(errors))
    return unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]" if unique else ""
