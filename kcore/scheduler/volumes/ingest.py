"""From the bytes of claims, volumes, classes and drivers to their rows.

Source: core/v1 and storage.k8s.io/v1; which fields matter is kube-scheduler's choice.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kcore.base.limits import SCHEDULER_STORAGE_MAX
from kcore.machinery import labels as selectors
from kcore.machinery import quantity
from kcore.machinery.projection import Projection
from kcore.scheduler.rows import Expression, Term
from kcore.scheduler.volumes.migration import Sources, driver_terms, migrated
from kcore.scheduler.volumes.rows import WAITS_FOR_CONSUMER, Attachment, Claim, Class, Driver, Limits, Room, Row, Volume

SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
BIND_COMPLETED: Final = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER: Final = "pv.kubernetes.io/bound-by-controller"
OLD_CLASS: Final = "volume.beta.kubernetes.io/storage-class"
MIGRATED_PLUGINS: Final = "storage.alpha.kubernetes.io/migrated-plugins"
STORAGE: Final = "storage"
FILESYSTEM: Final = "Filesystem"

SOURCE_PATHS: Final = tuple(
    f"spec.{path}"
    for path in (
        "gcePersistentDisk.pdName",
        "awsElasticBlockStore.volumeID",
        "azureDisk.diskURI",
        "azureDisk.kind",
        "cinder.volumeID",
        "portworxVolume.volumeID",
    )
)
_TERMS: Final = "spec.nodeAffinity.required.nodeSelectorTerms[]"
_CLAIM: Final = Projection(
    "kcore.api.core.v1.PersistentVolumeClaim",
    (
        "metadata.namespace",
        "metadata.name",
        "metadata.uid",
        "metadata.resourceVersion",
        "metadata.annotations",
        "metadata.deletionTimestamp@present",
        "metadata.ownerReferences[].uid",
        "metadata.ownerReferences[].controller",
        "spec.storageClassName",
        "spec.resources.requests",
        "spec.accessModes",
        "spec.volumeMode",
        "spec.volumeAttributesClassName",
        "spec.selector@present",
        "spec.selector",
        "spec.volumeName",
        "status.phase",
    ),
)
_VOLUME: Final = Projection(
    "kcore.api.core.v1.PersistentVolume",
    (
        "metadata.name",
        "metadata.resourceVersion",
        "metadata.labels",
        "metadata.annotations",
        "metadata.deletionTimestamp@present",
        "spec.storageClassName",
        "spec.capacity",
        "spec.accessModes",
        "spec.volumeMode",
        "spec.volumeAttributesClassName",
        "spec.claimRef.namespace",
        "spec.claimRef.name",
        "spec.claimRef.uid",
        "spec.csi.driver",
        "spec.csi.volumeHandle",
        *SOURCE_PATHS,
        "status.phase",
        "spec.nodeAffinity.required@present",
        *(f"{_TERMS}.{matches}[].{field}" for matches in ("matchExpressions", "matchFields") for field in ("key", "operator", "values")),
    ),
)
_CLASS: Final = Projection(
    "kcore.api.storage.v1.StorageClass",
    (
        "metadata.name",
        "provisioner",
        "volumeBindingMode",
        "allowedTopologies[].matchLabelExpressions[].key",
        "allowedTopologies[].matchLabelExpressions[].values",
    ),
)
_DRIVER: Final = Projection(
    "kcore.api.storage.v1.CSIDriver", ("metadata.name", "spec.storageCapacity", "spec.preventPodSchedulingIfMissing")
)
_ROOM: Final = Projection(
    "kcore.api.storage.v1.CSIStorageCapacity",
    ("metadata.namespace", "metadata.name", "storageClassName", "nodeTopology@present", "nodeTopology", "capacity", "maximumVolumeSize"),
)
_LIMITS: Final = Projection(
    "kcore.api.storage.v1.CSINode",
    ("metadata.name", "metadata.annotations", "spec.drivers[].name", "spec.drivers[].allocatable.count?"),
)
_ATTACHMENT: Final = Projection(
    "kcore.api.storage.v1.VolumeAttachment",
    ("metadata.name", "spec.attacher", "spec.nodeName", "spec.source.persistentVolumeName"),
)


def claim_row(raw: bytes) -> Claim:
    """Read a PersistentVolumeClaim.

    Raises  DecodeError
    """
    namespace, name, uid, version, annotations, terminating, owners, controls, class_name, requests, *more = _CLAIM(raw)
    modes, volume_mode, attributes_class, selects, selector, volume_name, phase = more
    return Claim(
        key=f"{namespace}/{name}",
        uid=uid,
        class_name=annotations.get(OLD_CLASS, class_name),
        request_bytes=_bytes(requests.get(STORAGE)) or 0,
        access_modes=modes,
        volume_mode=volume_mode or FILESYSTEM,
        attributes_class=attributes_class,
        selector=selectors.from_message(selector) if selects else None,
        volume_name=volume_name,
        complete=BIND_COMPLETED in annotations,
        selected=annotations.get(SELECTED_NODE, ""),
        owner=next((owner for owner, is_controller in zip(owners, controls, strict=True) if is_controller), ""),
        lost=phase == "Lost",
        terminating=terminating,
        resource_version=version,
    )


def volume_row(raw: bytes) -> Volume:
    """Read a PersistentVolume.

    Raises  DecodeError
    """
    name, version, labels, annotations, terminating, class_name, capacity, modes, volume_mode, attributes_class, *more = _VOLUME(raw)
    claim_namespace, claim_name, claim_uid, driver, handle, *sources, phase, has_affinity = more[:13]
    affinity = _terms(*more[13:]) if has_affinity else None
    disk = migrated(Sources(*sources), labels) if any(sources) else None
    return Volume(
        name=name,
        labels=tuple(sorted(labels.items())),
        class_name=annotations.get(OLD_CLASS, class_name),
        capacity_bytes=_bytes(capacity.get(STORAGE)) or 0,
        access_modes=modes,
        volume_mode=volume_mode or FILESYSTEM,
        attributes_class=attributes_class,
        affinity=affinity,
        claim=f"{claim_namespace}/{claim_name}" if claim_name else "",
        claim_uid=claim_uid,
        free=phase == "Available",
        terminating=terminating,
        driver=disk.plugin.driver if disk else driver,
        handle=disk.handle if disk else handle,
        plugin=disk.plugin.name if disk else "",
        moved=driver_terms(disk.plugin, affinity, labels) if disk else affinity,
        resource_version=version,
    )


def class_row(raw: bytes) -> Class:
    """Read a StorageClass.

    Raises  DecodeError
    """
    name, provisioner, mode, keys, values = _CLASS(raw)
    terms = [[Expression(key, "In", allowed) for key, allowed in zip(*term, strict=True)] for term in zip(keys, values, strict=True)]
    return Class(name, provisioner, mode == WAITS_FOR_CONSUMER, tuple(Term(tuple(expressions), ()) for expressions in terms))


def driver_row(raw: bytes) -> Driver:
    """Read a CSIDriver.

    Raises  DecodeError
    """
    return Driver(*_DRIVER(raw))


def room_row(raw: bytes) -> Room:
    """Read a CSIStorageCapacity.

    Raises  DecodeError
    """
    namespace, name, class_name, has_nodes, nodes, capacity, largest = _ROOM(raw)
    capacity_bytes, at = _bytes(capacity), _expressions(nodes) if has_nodes else None
    return Room(f"{namespace}/{name}", class_name, at, capacity_bytes, _bytes(largest) or capacity_bytes)


def limits_row(raw: bytes) -> Limits:
    """Read a CSINode.

    Raises  DecodeError
    """
    name, annotations, drivers, counts = _LIMITS(raw)
    limited = tuple((driver, count) for driver, count in zip(drivers, counts, strict=True) if count is not None)
    moved = annotations.get(MIGRATED_PLUGINS, "")
    return Limits(name, limited, drivers, tuple(moved.split(",")) if moved else ())


def attachment_row(raw: bytes) -> Attachment:
    """Read a VolumeAttachment.

    Raises  DecodeError
    """
    return Attachment(*_ATTACHMENT(raw))


STORAGE_KINDS: Final[dict[str, Callable[[bytes], Row]]] = {
    "PersistentVolumeClaim": claim_row,
    "PersistentVolume": volume_row,
    "StorageClass": class_row,
    "CSIDriver": driver_row,
    "CSIStorageCapacity": room_row,
    "CSINode": limits_row,
    "VolumeAttachment": attachment_row,
}
"""How each kind is read."""


def _bytes(text: str | None) -> int | None:
    return min(-(-quantity.parse(text).nano // quantity.NANO), SCHEDULER_STORAGE_MAX) if text else None


def _terms(*columns: Any) -> tuple[Term, ...]:
    """Put terms together from keys, operators and values of their expressions, and likewise of their fields."""
    return tuple(
        Term(tuple(map(Expression, *expressions)), tuple(map(Expression, *fields)))
        for expressions, fields in zip(zip(*columns[:3], strict=True), zip(*columns[3:], strict=True), strict=True)
    )


def _expressions(selector: dict[str, Any]) -> tuple[Expression, ...]:
    exact = [Expression(key, "In", (value,)) for key, value in sorted((selector.get("matchLabels") or {}).items())]
    others = selector.get("matchExpressions") or ()
    return (*exact, *(Expression(each["key"], each["operator"], tuple(each.get("values") or ())) for each in others))
