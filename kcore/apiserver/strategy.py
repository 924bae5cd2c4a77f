"""What a write may touch: the halves of an object, generations, deletions. Pure: values in, values out.

An object with a status subresource has two halves. A main write keeps the old status, a status write keeps everything else; generation
counts changes of the main half. How a kind differs stands in its KindRules.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kcore.apiserver.objects import encode
from kcore.base import limits
from kcore.machinery import defaults, meta, status, timestamp
from kcore.machinery.kinds.rules import KindRules
from kcore.machinery.scheme import KindSpec

Object = dict[str, Any]
Refused = Callable[[str, str, str], status.StatusError]
DONE = ("Succeeded", "Failed")
GRACE_DEFAULT_S = 30
# Kinds that count by rules of their own, in `prepare_update`, or never.
NOT_COLLECTED = frozenset((("", "Event"), ("events.k8s.io", "Event")))
"""Kinds whose objects own nothing, so that no propagation policy holds them."""

RETURNS_DELETED = frozenset((
    "csidrivers", "csinodes", "deviceclasses", "persistentvolumeclaims", "persistentvolumes", "pods", "podtemplates", "resourceclaims",
    "resourceclaimtemplates", "resourcequotas", "resourceslices", "serviceaccounts", "services", "storageclasses", "volumeattachments",
    "volumeattributesclasses",
))  # fmt: skip
"""Resources of which a deletion answers with the object that is gone, not with a Status."""

OWN_GENERATION = frozenset((("", "Pod"), ("", "PodTemplate"), ("scheduling.k8s.io", "PriorityClass")))
COUNTED_METADATA = {("apps", "Deployment"): meta.annotations, ("discovery.k8s.io", "EndpointSlice"): meta.labels}
"""What of the metadata counts as a change: a Deployment's annotations go to its replica sets, an EndpointSlice's labels say whose it is."""


def prepare_default(spec: KindSpec, rules: KindRules, obj: Object) -> None:
    """Fill in the defaults: those that options state, then those of the kind."""
    defaults.apply(spec.message, obj)
    rules.default(obj)


def prepare_large(spec: KindSpec, rules: KindRules, obj: Object) -> None:
    """Fill in the defaults of a large object; one that grew to more than a request may have is not looked at. Raises StatusError (413)."""
    prepare_default(spec, rules, obj)
    if len(encode(spec, obj)) > limits.REQUEST_BODY_BYTES_MAX:
        raise status.body_too_large(limits.REQUEST_BODY_BYTES_MAX)


def prepare_create(spec: KindSpec, rules: KindRules, obj: Object) -> None:
    """Drop what a client may not set and start the generation."""
    metadata = obj["metadata"]
    if spec.generation:
        metadata["generation"] = 1
    rules.prepare_create(obj)


def main_half(obj: Object) -> Object:
    """What generation counts the changes of."""
    return {name: value for name, value in obj.items() if name not in ("metadata", "status", "apiVersion", "kind")}


def raise_generation(spec: KindSpec, new: Object, old: Object, subresource: str = "") -> None:
    """Count a change of the main half, and of the metadata that a kind counts too."""
    if not spec.generation or (spec.group, spec.kind) in OWN_GENERATION:
        return
    before = old["metadata"].get("generation", 0)
    changed = main_half(new) != main_half(old)
    counted = COUNTED_METADATA.get((spec.group, spec.kind))
    if counted is not None and not subresource:
        changed = changed or counted(new) != counted(old)
    new["metadata"]["generation"] = before + 1 if changed else before


def stamp_phase(new: Object, old: Object, field: str, now: str) -> None:
    """Note the time of a change of the phase, unless the client says when it was."""
    fresh, stored = new.get("status") or {}, old.get("status") or {}
    if fresh.get("phase") != stored.get("phase") and fresh.get(field) in (None, stored.get(field)):
        fresh[field] = now


def finished(spec: KindSpec, obj: Object) -> bool:
    """Whether a terminating object is held by nothing any more."""
    metadata = obj["metadata"]
    if not metadata.get("deletionTimestamp") or metadata.get("finalizers"):
        return False
    if is_namespace(spec):
        return not obj.get("spec", {}).get("finalizers")
    grace: int = metadata.get("deletionGracePeriodSeconds", 0)
    return grace == 0


def is_namespace(spec: KindSpec) -> bool:
    """Whether the kind is that whose objects hold others."""
    return spec.kind == "Namespace" and not spec.group


def check_preconditions(spec: KindSpec, obj: Object, wanted: Object, refused: Refused | None = None) -> None:
    """Refuse a deletion that means another object, or another state of this one.

    refused  builds the answer from (what, wanted, found); without it that to a deletion
    """
    metadata = obj["metadata"]
    for field, title in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        want, have = wanted.get(field), metadata.get(field, "")
        if want is not None and want != have:
            if refused is not None:
                raise refused(title, want, have)
            raise status.deletion_precondition_failed(spec.kind, spec.group, metadata["name"], title, want, have)


@dataclass(frozen=True, slots=True)
class Deletion:
    """What becomes of a deleted object: removed, or kept as `obj` with a deletionTimestamp."""

    remove: bool
    obj: Object


def grace_period_s(rules: KindRules, obj: Object, options: Object) -> int:
    """How long a deletion may take: nothing for what is not running."""
    if not rules.graceful:
        return 0
    spec: Object = obj.get("spec") or {}
    if not spec.get("nodeName") or (obj.get("status") or {}).get("phase") in DONE:
        return 0
    asked = options.get("gracePeriodSeconds")
    wanted: int = spec.get("terminationGracePeriodSeconds", GRACE_DEFAULT_S) if asked is None else asked
    return 1 if wanted < 0 else wanted


def plan_deletion(spec: KindSpec, rules: KindRules, old: Object, options: Object, now: float) -> Deletion | None:
    """Decide what a delete request does to an object; None: it is terminating already and nothing changes."""
    grace = grace_period_s(rules, old, options)
    obj = copy.copy(old)
    metadata = obj["metadata"] = dict(old["metadata"])
    before = metadata.get("finalizers", [])
    finalizers = deletion_finalizers(before, {} if (spec.group, spec.kind) in NOT_COLLECTED else options, rules.orphans)
    if finalizers:
        metadata["finalizers"] = finalizers
    else:
        metadata.pop("finalizers", None)
    held = is_namespace(spec) and bool(obj.get("spec", {}).get("finalizers"))
    if not grace and not finalizers and not held:
        if rules.graceful and metadata.get("deletionTimestamp"):
            shorten(metadata, 0)
        elif rules.graceful:
            mark_terminating(obj, 0, now)
        return Deletion(True, obj)
    if not metadata.get("deletionTimestamp"):
        mark_terminating(obj, grace, now)
    else:
        left: int = metadata.get("deletionGracePeriodSeconds", 0)
        if grace >= left:
            return None if finalizers == before else Deletion(False, obj)
        shorten(metadata, grace)
    if is_namespace(spec):
        metadata.pop("deletionGracePeriodSeconds")
        obj["status"] = {**obj.get("status", {}), "phase": "Terminating"}
    return Deletion(False, obj)


def shorten(metadata: Object, grace_s: int) -> None:
    """Bring the end of a terminating object forward, counted from the first request."""
    started = timestamp.parse_time(metadata["deletionTimestamp"]) - metadata.get("deletionGracePeriodSeconds", 0)
    metadata["deletionTimestamp"] = timestamp.format_time(started + grace_s)
    metadata["deletionGracePeriodSeconds"] = grace_s


def mark_terminating(obj: Object, grace_s: int, now: float) -> None:
    """Set when the object is to be gone; a kind with a generation counts it as a change."""
    metadata = obj["metadata"]
    metadata["deletionTimestamp"] = timestamp.format_time(now + grace_s)
    metadata["deletionGracePeriodSeconds"] = grace_s
    if metadata.get("generation"):
        metadata["generation"] += 1


def says_what_becomes_of_dependents(options: Object) -> bool:
    """Tell whether the options of a deletion do not leave that to the kind."""
    return bool(options.get("propagationPolicy")) or options.get("orphanDependents") is not None


def deletion_finalizers(present: list[str], options: Object, orphans: bool = False) -> list[str]:
    """The finalizers of an object that the wanted propagation leaves or puts on it.

    orphans  dependents are left if neither the options nor the finalizers say what becomes of them
    """
    policy = options.get("propagationPolicy")
    if options.get("orphanDependents") is not None:
        policy = "Orphan" if options["orphanDependents"] else "Background"
    others = [name for name in present if name not in (meta.FINALIZER_ORPHAN, meta.FINALIZER_FOREGROUND)]
    if orphans and not policy and len(others) == len(present):
        policy = "Orphan"
    if policy == "Orphan":
        return [*others, meta.FINALIZER_ORPHAN]
    if policy == "Foreground":
        return [*others, meta.FINALIZER_FOREGROUND]
    return others if policy == "Background" else list(present)
