"""PersistentVolume: exactly one source, which stays; a capacity; where it can be reached from.

Source: Kubernetes `pkg/apis/core/validation`, `pkg/registry/core/persistentvolume`.
"""
from __future__ import annotations

import posixpath
from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import meta, names, quantity
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.core import volume, volume_remote
from kcore.machinery.kinds.core.affinity import validate_node_selector
from kcore.machinery.kinds.core.persistentvolume_source import DEPRECATED_SOURCES, SOURCE_FIELDS, SOURCES
from kcore.machinery.kinds.core.volume_claim import ACCESS_MODES, VOLUME_MODES
from kcore.machinery.kinds.rules import KindRules, Object, keep_status
from kcore.machinery.kinds.struct_diff import struct_diff
from kcore.machinery.kinds.values import GREATER_THAN_ZERO, validate_amount, validate_immutable

PENDING: Final = "Pending"
PHASE_TIME: Final = "lastPhaseTransitionTime"
ONCE: Final = "ReadWriteOncePod"

_RECLAIM_POLICIES: Final = ("Delete", "Recycle", "Retain")
_SOURCE_IMMUTABLE: Final = "spec.persistentvolumesource is immutable after creation"
_CHECKS: Final = {
    "hostPath": volume.validate_host_path, "gcePersistentDisk": volume_remote.validate_gce_disk,
    "awsElasticBlockStore": volume_remote.validate_aws_disk, "glusterfs": volume_remote.validate_glusterfs,
    "flocker": volume_remote.validate_flocker, "nfs": volume_remote.validate_nfs, "rbd": volume_remote.validate_rbd,
    "quobyte": volume_remote.validate_quobyte, "cephfs": volume_remote.validate_cephfs, "iscsi": volume_remote.validate_iscsi,
    "cinder": volume_remote.validate_cinder, "fc": volume_remote.validate_fibre_channel, "flexVolume": volume_remote.validate_flex,
    "azureFile": volume_remote.validate_azure_file, "vsphereVolume": volume_remote.validate_vsphere,
    "photonPersistentDisk": volume_remote.validate_photon, "portworxVolume": volume_remote.validate_portworx,
    "azureDisk": volume_remote.validate_azure_disk, "scaleIO": volume_remote.validate_scale_io,
    "storageos": volume_remote.validate_storage_os,
}

Spec = dict[str, Any]


def prepare_create(value: Object) -> None:
    """Start pending, since now."""
    value["status"] = {"phase": PENDING}
    if created := meta.metadata(value).get("creationTimestamp"):
        value["status"][PHASE_TIME] = created


def validate_volume(value: Object) -> list[FieldError]:
    """Check the spec."""
    errors: list[FieldError] = []
    spec = value.get("spec") or {}
    _validate_access_modes(spec.get("accessModes") or (), errors)
    _validate_capacity(spec.get("capacity"), errors)
    policy = spec.get("persistentVolumeReclaimPolicy") or ""
    if policy and policy not in _RECLAIM_POLICIES:
        errors.append(fe.not_supported("spec.persistentVolumeReclaimPolicy", policy, _RECLAIM_POLICIES))
    _validate_node_affinity(spec.get("nodeAffinity"), errors)
    _validate_sources(spec, errors)
    root = posixpath.normpath((spec.get("hostPath") or {}).get("path") or ".") == "/"
    if root and policy == "Recycle":
        errors.append(fe.forbidden("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'"))
    for field in ("storageClassName", "volumeAttributesClassName"):
        name = spec.get(field) or ""
        errors.extend(fe.invalid(f"spec.{field}", name, sentence) for sentence in (names.dns1123_subdomain(name) if name else ()))
        if field == "storageClassName" and spec.get("volumeMode") is not None and spec["volumeMode"] not in VOLUME_MODES:
            errors.append(fe.not_supported("spec.volumeMode", spec["volumeMode"], VOLUME_MODES))
    return errors


def _validate_access_modes(modes: Any, errors: list[FieldError]) -> None:
    if not modes:
        errors.append(fe.required("spec.accessModes"))
    errors.extend(fe.not_supported("spec.accessModes", mode, ACCESS_MODES) for mode in modes if mode not in ACCESS_MODES)
    if ONCE in modes and any(mode in ACCESS_MODES and mode != ONCE for mode in modes):
        errors.append(fe.forbidden("spec.accessModes", f"may not use {ONCE} with other access modes"))


def _validate_capacity(capacity: dict[str, str] | None, errors: list[FieldError]) -> None:
    if not capacity:
        errors.append(fe.required("spec.capacity"))
    if not capacity or "storage" not in capacity or len(capacity) > 1:
        errors.append(fe.not_supported("spec.capacity", capacity, ("storage",)))
    for name, amount in sorted((capacity or {}).items()):
        path = f"spec.capacity[{name}]"
        validate_amount(name, amount, path, errors)
        if quantity.parse(amount).nano <= 0:
            errors.append(fe.invalid(path, quantity.canonical(amount), GREATER_THAN_ZERO))


def _validate_node_affinity(affinity: dict[str, Any] | None, errors: list[FieldError]) -> None:
    if affinity is None:
        return
    if affinity.get("required") is None:
        errors.append(fe.required("spec.nodeAffinity.required", "must specify required node constraints"))
    else:
        validate_node_selector(affinity["required"], "spec.nodeAffinity.required", errors)


def _validate_sources(spec: Spec, errors: list[FieldError]) -> None:
    found = [name for name in SOURCES if spec.get(name) is not None]
    for index, name in enumerate(found):
        if index:
            errors.append(fe.forbidden(f"spec.{name}", "may not specify more than 1 volume type"))
        else:
            _validate_source(name, spec, errors)
    if not found:
        errors.append(fe.required("spec", "must specify a volume type"))


def _validate_source(name: str, spec: Spec, errors: list[FieldError]) -> None:
    source, path = spec[name], f"spec.{name}"
    if name == "local":
        _validate_local(source, spec, path, errors)
    elif name == "csi":
        _validate_csi(source, path, errors)
    else:
        _CHECKS[name](source, path, errors)


def _validate_local(source: dict[str, Any], spec: Spec, path: str, errors: list[FieldError]) -> None:
    where = source.get("path") or ""
    if not where:
        errors.append(fe.required(f"{path}.path"))
    elif ".." in where.split("/"):
        errors.append(fe.invalid(f"{path}.path", where, "must not contain '..'"))
    if spec.get("nodeAffinity") is None:
        errors.append(fe.required("spec.nodeAffinity", "Local volume requires node affinity"))


def _validate_csi(source: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    if source.get("driver"):
        volume_remote.validate_csi_driver_name(source["driver"], f"{path}.driver", errors)
    else:
        errors.append(fe.required(f"{path}.driver"))
    if not source.get("volumeHandle"):
        errors.append(fe.required(f"{path}.volumeHandle"))
    for field in ("controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef"):
        secret = source.get(field)
        for part in ("name", "namespace"):
            if secret is not None and not secret.get(part):
                errors.append(fe.required(f"{path}.{field}.{part}"))


def validate_volume_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; source and mode stay."""
    errors = validate_volume(new)
    fresh, stored = new.get("spec") or {}, old.get("spec") or {}
    changes = struct_diff(stored, fresh, SOURCE_FIELDS)
    if changes:
        errors.append(fe.forbidden("spec.persistentvolumesource", f"{_SOURCE_IMMUTABLE}\n{changes}"))
    validate_immutable(fresh.get("volumeMode"), stored.get("volumeMode"), "spec.volumeMode", errors)
    return errors


def warn_volume(new: Object, _old: Object | None) -> list[str]:
    """Warn of what is deprecated."""
    spec = new.get("spec") or {}
    warnings = []
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        warnings.append(
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. "
            "Instead, the recommended approach is to use dynamic provisioning."
        )
    warnings.extend(f"spec.{name}: {detail}" for name, detail in DEPRECATED_SOURCES.items() if spec.get(name) is not None)
    return warnings


RULES: Final = KindRules(
    validate=validate_volume, validate_update=validate_volume_update, prepare_create=prepare_create, prepare_update=keep_status,
    warnings=warn_volume, phase_time=PHASE_TIME, alone=frozenset(("phase",)),
)
