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
from kcore.machinery.kinds.core.container_paths import validate_no_backsteps
from kcore.machinery.kinds.core.persistentvolume_source import BETA_LABELS, DEPRECATED_SOURCES, SOURCES
from kcore.machinery.kinds.core.pod_printed import diff, printed, same
from kcore.machinery.kinds.core.volume_claim import ACCESS_MODES, VOLUME_MODES
from kcore.machinery.kinds.rules import KindRules, Object, keep_status
from kcore.machinery.kinds.values import GREATER_THAN_ZERO, validate_immutable

PENDING: Final = "Pending"
PHASE_TIME: Final = "lastPhaseTransitionTime"
ONCE: Final = "ReadWriteOncePod"

_RECLAIM_POLICIES: Final = ("Delete", "Recycle", "Retain")
_EXPAND_SECRET: Final = "controllerExpandSecretRef"  # may be given later
_SOURCE_IMMUTABLE: Final = "spec.persistentvolumesource is immutable after creation"
# Where errors name a source by another word than its field: inside it, and when it is one too many.
_PATH_NAMES: Final = {"gcePersistentDisk": "persistentDisk"}
_REPEATED_NAMES: Final = {"cephfs": "cephFS"}

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
    _validate_sources(spec, meta.metadata(value).get("name") or "", errors)
    root = posixpath.normpath((spec.get("hostPath") or {}).get("path") or ".") == "/"
    if root and policy == "Recycle":
        errors.append(fe.forbidden("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'"))
    name = spec.get("storageClassName") or ""
    errors.extend(fe.invalid("spec.storageClassName", name, sentence) for sentence in (names.dns1123_subdomain(name) if name else ()))
    if spec.get("volumeMode") is not None and spec["volumeMode"] not in VOLUME_MODES:
        errors.append(fe.not_supported("spec.volumeMode", spec["volumeMode"], VOLUME_MODES))
    _validate_attributes_class(spec, errors)
    return errors


def _validate_attributes_class(spec: Spec, errors: list[FieldError]) -> None:
    name, path = spec.get("volumeAttributesClassName"), "spec.volumeAttributesClassName"
    if name is None:
        return
    if not name:
        errors.append(fe.required(path, "an empty string is disallowed"))
    else:
        errors.extend(fe.invalid(path, name, sentence) for sentence in names.dns1123_subdomain(name))
    if spec.get("csi") is None:
        errors.append(fe.required("spec.csi", "has to be specified when using volumeAttributesClassName"))


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
        whole = quantity.parse(amount).value()
        if whole < 0:
            errors.append(fe.invalid(path, whole, "must be a valid resource quantity"))
        if quantity.parse(amount).nano <= 0:
            errors.append(fe.invalid(path, quantity.canonical(amount), GREATER_THAN_ZERO))


def _validate_node_affinity(affinity: dict[str, Any] | None, errors: list[FieldError]) -> None:
    if affinity is None:
        return
    if affinity.get("required") is None:
        errors.append(fe.required("spec.nodeAffinity.required", "must specify required node constraints"))
    else:
        validate_node_selector(affinity["required"], "spec.nodeAffinity.required", errors)


def _validate_sources(spec: Spec, volume_name: str, errors: list[FieldError]) -> None:
    found = [name for name in SOURCES if spec.get(name) is not None]
    for index, name in enumerate(found):
        if index and name != "flexVolume":
            errors.append(fe.forbidden(f"spec.{_REPEATED_NAMES.get(name, name)}", "may not specify more than 1 volume type"))
        else:
            _validate_source(name, spec, volume_name, errors)
    if not found:
        errors.append(fe.required("spec", "must specify a volume type"))


def _validate_source(name: str, spec: Spec, volume_name: str, errors: list[FieldError]) -> None:
    source, path = spec[name], f"spec.{_PATH_NAMES.get(name, name)}"
    if name == "local":
        _validate_local(source, spec, path, errors)
    elif name == "csi":
        _validate_csi(source, path, errors)
    elif name == "iscsi":
        _validate_iscsi(source, volume_name, path, errors)
    else:
        _CHECKS[name](source, path, errors)


def _validate_local(source: dict[str, Any], spec: Spec, path: str, errors: list[FieldError]) -> None:
    where = source.get("path") or ""
    if not where:
        errors.append(fe.required(f"{path}.path"))
    else:
        validate_no_backsteps(where, f"{path}.path", errors)
    if spec.get("nodeAffinity") is None:
        errors.append(fe.required("spec.nodeAffinity", "Local volume requires node affinity"))


def _validate_csi(source: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    volume_remote.validate_csi_driver_name(source.get("driver") or "", f"{path}.driver", errors)
    if not source.get("volumeHandle"):
        errors.append(fe.required(f"{path}.volumeHandle"))
    for field in ("controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef"):
        if source.get(field) is None:
            continue
        for part, rule in (("name", names.dns1123_subdomain), ("namespace", names.dns1123_label)):
            text = source[field].get(part) or ""
            if not text:
                errors.append(fe.required(f"{path}.{field}.{part}"))
            else:
                errors.extend(fe.invalid(f"{path}.{field}.{part}", text, sentence) for sentence in rule(text))


def _validate_secret_place(source: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    secret = source.get("secretRef")
    if secret is not None and not secret.get("namespace"):
        errors.append(fe.required(f"{path}.secretRef.namespace"))


def _validate_glusterfs(source: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    volume_remote.validate_glusterfs(source, path, errors)
    namespace = source.get("endpointsNamespace")
    if namespace == "":
        detail = "if the endpointnamespace is set, it must be a valid namespace name"
        errors.append(fe.invalid(f"{path}.endpointsNamespace", namespace, detail))
    elif namespace is not None:
        errors.extend(fe.invalid(f"{path}.endpointsNamespace", namespace, sentence) for sentence in names.dns1123_label(namespace))


def _validate_cinder(source: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    volume_remote.validate_cinder(source, path, errors)
    _validate_secret_place(source, path, errors)


def _validate_storage_os(source: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    volume_remote.validate_storage_os(source, path, errors)
    _validate_secret_place(source, path, errors)


def _validate_azure_file(source: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    volume_remote.validate_azure_file(source, path, errors)
    if source.get("secretNamespace") == "":
        errors.append(fe.required(f"{path}.secretNamespace"))


def _validate_iscsi(source: dict[str, Any], volume_name: str, path: str, errors: list[FieldError]) -> None:
    own: list[FieldError] = []
    volume_remote.validate_iscsi(source, path, own, volume_remote.ISCSI_FORM)
    portal, secret = source.get("targetPortal") or "", source.get("secretRef")
    if source.get("initiatorName") is not None and len(f"{volume_name}:{portal}".encode()) > volume_remote.ISCSI_NAME_SIZE_MAX:
        own.insert(0 if portal else 1, fe.invalid(f"{path}.targetportal", portal, volume_remote.ISCSI_NAME_SENTENCE))
    if secret is not None and not secret.get("name"):
        initiator = sum(error.field == f"{path}.initiatorname" for error in own)
        own.insert(len(own) - initiator, fe.required(f"{path}.secretRef.name"))
    errors += own


_CHECKS: Final = {
    "hostPath": volume.validate_host_path, "gcePersistentDisk": volume_remote.validate_gce_disk,
    "awsElasticBlockStore": volume_remote.validate_aws_disk, "glusterfs": _validate_glusterfs,
    "flocker": volume_remote.validate_flocker, "nfs": volume_remote.validate_nfs, "rbd": volume_remote.validate_rbd,
    "quobyte": volume_remote.validate_quobyte, "cephfs": volume_remote.validate_cephfs,
    "cinder": _validate_cinder, "fc": volume_remote.validate_fibre_channel, "flexVolume": volume_remote.validate_flex,
    "azureFile": _validate_azure_file, "vsphereVolume": volume_remote.validate_vsphere,
    "photonPersistentDisk": volume_remote.validate_photon, "portworxVolume": volume_remote.validate_portworx,
    "azureDisk": volume_remote.validate_azure_disk, "scaleIO": volume_remote.validate_scale_io,
    "storageos": _validate_storage_os,
}


def validate_volume_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; source and mode stay."""
    errors = validate_volume(new)
    fresh, stored = new.get("spec") or {}, old.get("spec") or {}
    if fresh.get("csi") and stored.get("csi") and stored["csi"].get(_EXPAND_SECRET) is None:
        fresh = {**fresh, "csi": {name: value for name, value in fresh["csi"].items() if name != _EXPAND_SECRET}}
    if not same("PersistentVolumeSource", stored, fresh):
        changes = diff("PersistentVolumeSource", stored, fresh)
        errors.append(fe.forbidden("spec.persistentvolumesource", f"{_SOURCE_IMMUTABLE}\n{changes}"))
    validate_immutable(fresh.get("volumeMode"), stored.get("volumeMode"), "volumeMode", errors)
    _validate_same_nodes(fresh.get("nodeAffinity"), stored.get("nodeAffinity"), errors)
    if stored.get("volumeAttributesClassName") is not None and fresh.get("volumeAttributesClassName") is None:
        errors.append(fe.forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden"))
    return errors


def _validate_same_nodes(new: dict[str, Any] | None, old: dict[str, Any] | None, errors: list[FieldError]) -> None:
    """Refuse other nodes; the labels by which they are selected may get the names that they have today."""
    if old is not None and not same("VolumeNodeAffinity", old, new or {}) and not same("VolumeNodeAffinity", _renewed(old), new or {}):
        detail = f"{fe.IMMUTABLE}, except for updating from beta label to GA"
        errors.append(fe.invalid("nodeAffinity", printed("VolumeNodeAffinity", new), detail))


def _renewed(affinity: dict[str, Any]) -> dict[str, Any]:
    terms = [
        {**term, "matchExpressions": [
            {**each, "key": BETA_LABELS.get(each.get("key") or "", each.get("key"))} for each in term.get("matchExpressions") or ()
        ]}
        for term in (affinity.get("required") or {}).get("nodeSelectorTerms") or ()
    ]
    return {**affinity, "required": {"nodeSelectorTerms": terms}}


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
