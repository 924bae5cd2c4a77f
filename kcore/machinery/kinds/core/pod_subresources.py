"""Subresources of a pod that write its spec: ephemeral containers and resize.

Each write keeps everything of the stored pod but its own part, then the part is checked.

Source: Kubernetes `pkg/registry/core/pod` (strategies, storage), `pkg/apis/core/validation`, KEP-277, KEP-1287.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kcore.machinery.field_error import FieldError, forbidden, invalid
from kcore.machinery.kinds.core.pod_annotations import MIRROR_POD
from kcore.machinery.kinds.core.pod_printed import diff, same
from kcore.machinery.kinds.qos import compute_qos_class, qos_class
from kcore.machinery.kinds.requests import is_sidecar

Json = Mapping[str, Any]
Object = dict[str, Any]

RESIZABLE: Final = ("cpu", "memory")
_KEPT_METADATA: Final = (
    "deletionTimestamp", "deletionGracePeriodSeconds", "ownerReferences", "finalizers", "labels", "annotations", "generation",
)


def keep_on_ephemeral_update(new: Object, old: Json) -> None:
    """Keep all of the stored pod but its ephemeral containers, in place."""
    ephemeral = (new.get("spec") or {}).get("ephemeralContainers")
    _keep_metadata(new, old)
    new["spec"] = {**(old.get("spec") or {})}
    new["status"] = old.get("status")
    if ephemeral is None:
        new["spec"].pop("ephemeralContainers", None)
    else:
        new["spec"]["ephemeralContainers"] = ephemeral


def validate_ephemeral_update(new: Json, old: Json, errors: list[FieldError]) -> None:
    """Check that ephemeral containers were only added."""
    if MIRROR_POD in ((old.get("metadata") or {}).get("annotations") or {}):
        errors[:] = [forbidden("", "static pods do not support ephemeral containers")]
        return
    path = "spec.ephemeralContainers"
    after = {container.get("name"): container for container in (new.get("spec") or {}).get("ephemeralContainers") or ()}
    for container in (old.get("spec") or {}).get("ephemeralContainers") or ():
        name = container.get("name") or ""
        if name not in after:
            errors.append(forbidden(path, f'existing ephemeral containers "{name}" may not be removed\n'))
        elif not same("EphemeralContainer", container, after[name]):
            changes = diff("EphemeralContainer", container, after[name])
            errors.append(forbidden(path, f'existing ephemeral containers "{name}" may not be changed\n{changes}'))


def keep_on_resize(new: Object, old: Json) -> None:
    """Keep all of the stored pod but resources and resize policies, in place; changes of the list of containers are left to the rules."""
    wished, stored = new.get("spec") or {}, old.get("spec") or {}
    lists = {}
    for kind in ("containers", "initContainers"):
        after, before = wished.get(kind) or [], stored.get(kind) or []
        if len(after) != len(before):
            return
        renamed = any(new_one.get("name") != old_one.get("name") for new_one, old_one in zip(after, before, strict=True))
        lists[kind] = after if renamed else [_with_resources(old_one, new_one) for new_one, old_one in zip(after, before, strict=True)]
    _keep_metadata(new, old)
    new["spec"] = {**stored}
    new["status"] = old.get("status")
    for kind, containers in lists.items():
        if containers:
            new["spec"][kind] = containers
    if wished.get("resources") is not None:
        new["spec"]["resources"] = wished["resources"]


def validate_resize(new: Json, old: Json, errors: list[FieldError]) -> None:
    """Check that only cpu and memory of containers that keep running were changed, and the QoS class was not."""
    spec, stored = new.get("spec") or {}, old.get("spec") or {}
    if MIRROR_POD in ((old.get("metadata") or {}).get("annotations") or {}):
        errors[:] = [forbidden("", "static pods cannot be resized")]
        return
    if (stored.get("os") or {}).get("name") == "windows":
        errors[:] = [forbidden("", "windows pods cannot be resized")]
        return
    if any(len(spec.get(kind) or ()) != len(stored.get(kind) or ()) for kind in ("containers", "initContainers")):
        errors.append(forbidden("spec", "containers may not be added or removed on resize"))
        return
    if qos_class(old) != compute_qos_class(spec):
        current = (new.get("status") or {}).get("qosClass") or ""
        errors.append(invalid("spec", current, "Pod QOS Class may not change as a result of resizing"))
    if not _supports_resize(old):
        errors.append(forbidden("spec", "Pod running on node without support for resize"))
    for kind, sidecars_only in (("initContainers", True), ("containers", False)):
        for index, (after, before) in enumerate(zip(spec.get(kind) or (), stored.get(kind) or (), strict=True)):
            if not sidecars_only or is_sidecar(before):
                _validate_none_removed(after, before, f"spec.{kind}[{index}].resources", errors)
    undone = _with_resize_undone(spec, stored, errors)
    if not errors and not same("PodSpec", undone, stored):
        errors.append(forbidden("spec", "only cpu and memory resources are mutable"))


def _keep_metadata(new: Object, old: Json) -> None:
    metadata, stored = new.setdefault("metadata", {}), old.get("metadata") or {}
    for field in _KEPT_METADATA:
        if stored.get(field) is not None:
            metadata[field] = stored[field]
        else:
            metadata.pop(field, None)


def _with_resources(container: Json, wished: Json) -> Object:
    merged = dict(container)
    for field in ("resources", "resizePolicy"):
        if wished.get(field) is None:
            merged.pop(field, None)
        else:
            merged[field] = wished[field]
    return merged


def _supports_resize(pod: Json) -> bool:
    """Say whether a pod's node knows resizing: the status of its first running container has resources."""
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        if (status.get("state") or {}).get("running") is not None:
            return status.get("resources") is not None
    return True


def _validate_none_removed(new: Json, old: Json, path: str, errors: list[FieldError]) -> None:
    after, before = new.get("resources") or {}, old.get("resources") or {}
    for field in ("requests", "limits"):
        if any(name not in (after.get(field) or ()) for name in before.get(field) or ()):
            errors.append(forbidden(f"{path}.{field}", f"resource {field} cannot be removed"))


def _with_resize_undone(spec: Json, stored: Json, errors: list[FieldError]) -> Object:
    undone = dict(spec)
    for kind, detail in (
        ("containers", "only cpu and memory resources are mutable"),
        ("initContainers", "only cpu and memory resources for sidecar containers are mutable"),
    ):
        containers = []
        for after, before in zip(spec.get(kind) or (), stored.get(kind) or (), strict=True):
            fixed = kind == "initContainers" and not is_sidecar(after)
            munged = after if fixed else {**after, "resources": _without_resizable(after, before)}
            if not same("Container", munged, before):
                errors.append(forbidden("spec", "resources for non-sidecar init containers are immutable" if fixed else detail))
            containers.append(munged)
        if containers:
            undone[kind] = containers
    return undone


def _without_resizable(new: Json, old: Json) -> Object:
    """Copy a container's resources with the old amounts of cpu and memory."""
    after, before = new.get("resources") or {}, old.get("resources") or {}
    merged: Object = {field: value for field, value in after.items() if field == "claims"}
    for field in ("limits", "requests"):
        kept = {name: text for name, text in (after.get(field) or {}).items() if name not in RESIZABLE}
        kept.update({name: text for name, text in (before.get(field) or {}).items() if name in RESIZABLE})
        if kept:
            merged[field] = kept
    return merged
