"""Which free volume a claim gets that does not wait for a consumer: the smallest that fits.

Source: Kubernetes `component-helpers/storage/volume`, FindMatchingVolume.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from kcore.machinery import labels, quantity

CLASS_ANNOTATION: Final = "volume.beta.kubernetes.io/storage-class"
STORAGE: Final = "storage"
FILESYSTEM: Final = "Filesystem"
AVAILABLE: Final = "Available"


def class_of(found: Any) -> str:
    """Return the name of the class of a claim or a volume."""
    annotated: str = found.metadata.annotations.get(CLASS_ANNOTATION, "")
    return annotated or str(found.spec.storageClassName)


def size_of(amounts: Any) -> int:
    """Return an amount of storage in billionths of a byte."""
    return quantity.parse(amounts[STORAGE].string).nano if STORAGE in amounts else 0


def names(volume: Any, claim: Any) -> bool:
    """Tell whether a volume names a claim, in this life of it or in none yet."""
    reference, meta = volume.spec.claimRef, claim.metadata
    return (reference.namespace, reference.name) == (meta.namespace, meta.name) and reference.uid in ("", meta.uid)


def best(claim: Any, volumes: Iterable[Any]) -> Any | None:
    """Return the volume that a claim gets, or None."""
    fitting = [volume for volume in volumes if fits(claim, volume)]
    return min(fitting, key=lambda volume: (not names(volume, claim), size_of(volume.spec.capacity), volume.metadata.name), default=None)


def fits(claim: Any, volume: Any) -> bool:
    """Tell whether a claim can have a volume: one that names it, or one that is free and is what it asks for."""
    spec, offered = claim.spec, volume.spec
    if volume.metadata.HasField("deletionTimestamp") or size_of(offered.capacity) < size_of(spec.resources.requests):
        return False
    if (spec.volumeMode or FILESYSTEM) != (offered.volumeMode or FILESYSTEM):
        return False
    if names(volume, claim):
        return True
    if offered.claimRef.name or volume.status.phase != AVAILABLE or class_of(volume) != class_of(claim):
        return False
    return set(spec.accessModes) <= set(offered.accessModes) and _is_selected(claim, volume)


def _is_selected(claim: Any, volume: Any) -> bool:
    if not claim.spec.HasField("selector"):
        return True
    selector = claim.spec.selector
    expressions = [{"key": each.key, "operator": each.operator, "values": list(each.values)} for each in selector.matchExpressions]
    wanted = labels.from_message({"matchLabels": dict(selector.matchLabels), "matchExpressions": expressions})
    return wanted.matches(volume.metadata.labels)
