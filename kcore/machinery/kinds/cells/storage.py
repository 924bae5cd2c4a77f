"""Cells of volumes, their claims, classes and drivers.

Source: Kubernetes `pkg/printers/internalversion/printers.go`, recorded tables of 1.37.
"""

from __future__ import annotations

from typing import Final

from kcore.machinery.kinds.cells.forms import UNSET, Cell, Cells, Object, at, count, joined, part, plain

ACCESS_MODES: Final = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
CLASS_ANNOTATION: Final = "volume.beta.kubernetes.io/storage-class"


def modes(path: str) -> Cell:
    """`RWO,ROX`."""

    def compute(obj: Object) -> str:
        found = part(obj, path) or ()
        return ",".join(short for name, short in ACCESS_MODES.items() if name in found)

    return plain(compute)


def claimed_modes(obj: Object, now: float) -> str:
    """Access modes of a claim that has a volume."""
    return str(modes("status.accessModes")(obj, now)) if part(obj, "spec.volumeName") else ""


def claimed_capacity(obj: Object) -> str:
    """Size of the volume of a claim that has one."""
    return str(part(obj, "status.capacity.storage") or "0") if part(obj, "spec.volumeName") else ""


def storage_class(obj: Object) -> str:
    """Storage class of a volume or claim."""
    return str((obj["metadata"].get("annotations") or {}).get(CLASS_ANNOTATION) or part(obj, "spec.storageClassName") or "")


def phase(obj: Object) -> str:
    """The phase of a volume or claim, or that it is to go."""
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else part(obj, "status.phase") or ""


def claim(obj: Object) -> str:
    """Which claim has a volume."""
    found = part(obj, "spec.claimRef")
    return f"{found.get('namespace', '')}/{found.get('name', '')}" if found else ""


def audiences(obj: Object) -> str:
    """For whom a driver wants tokens."""
    requests = part(obj, "spec.tokenRequests")
    return ",".join(each.get("audience", "") for each in requests) if requests else UNSET


CELLS: Final[Cells] = {
    ("", "PersistentVolumeClaim", "Status"): plain(phase),
    ("", "PersistentVolume", "Status"): plain(phase),
    ("", "PersistentVolumeClaim", "Volume"): at("spec.volumeName", ""),
    ("", "PersistentVolumeClaim", "Capacity"): plain(claimed_capacity),
    ("", "PersistentVolumeClaim", "Access Modes"): claimed_modes,
    ("", "PersistentVolumeClaim", "StorageClass"): plain(storage_class),
    ("", "PersistentVolumeClaim", "VolumeAttributesClass"): at("spec.volumeAttributesClassName", UNSET),
    ("", "PersistentVolume", "Access Modes"): modes("spec.accessModes"),
    ("", "PersistentVolume", "Claim"): plain(claim),
    ("", "PersistentVolume", "StorageClass"): plain(storage_class),
    ("", "PersistentVolume", "VolumeAttributesClass"): at("spec.volumeAttributesClassName", UNSET),
    ("", "PersistentVolume", "Reason"): at("status.reason", ""),
    ("storage.k8s.io", "StorageClass", "AllowVolumeExpansion"): at("allowVolumeExpansion", False),
    ("storage.k8s.io", "CSIDriver", "TokenRequests"): plain(audiences),
    ("storage.k8s.io", "CSIDriver", "Modes"): plain(lambda obj: joined(part(obj, "spec.volumeLifecycleModes") or ())),
    ("storage.k8s.io", "CSINode", "Drivers"): count("spec.drivers"),
}
