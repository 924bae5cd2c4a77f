"""Volumes that live outside the node: network file systems, disks of clouds, CSI drivers.

Source: Kubernetes `pkg/apis/core/validation`.
"""
from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from kcore.machinery import names
from kcore.machinery.field_error import FieldError, invalid, not_supported, required, too_long

Json = Mapping[str, Any]

LUN_MAX: Final = 255
PARTITION_MAX: Final = 255
CSI_DRIVER_SIZE_MAX: Final = 63
QUOBYTE_TENANT_SIZE_MAX: Final = 64
ISCSI_NAME_SIZE_MAX: Final = 64
ISCSI_NAME_SENTENCE: Final = (
    "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified."
)
ISCSI_FORM: Final = "must be valid format"
ISCSI_FOREIGN: Final = "must be valid format starting with iqn, eui, or naa"

_IQN: Final = re.compile(r"iqn\.\d{4}-\d{2}\.([a-zA-Z0-9.-]+)(:[^,;*&$|\s]+)$", re.ASCII)
_EUI: Final = re.compile(r"eui.[a-zA-Z0-9]{16}")
_NAA: Final = re.compile(r"naa.[a-zA-Z0-9]{32}")
_QUOBYTE_SENTENCE: Final = "must be a host:port pair or multiple pairs separated by commas"
_AZURE_CACHING: Final = ("None", "ReadOnly", "ReadWrite")
_AZURE_KINDS: Final = ("Dedicated", "Managed", "Shared")
_AZURE_MANAGED_URI: Final = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
_AZURE_BLOB_URI: Final = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"


def _require(source: Json, path: str, errors: list[FieldError], *fields: str) -> None:
    errors.extend(required(f"{path}.{field}") for field in fields if not source.get(field))


def _require_secret_name(source: Json, path: str, errors: list[FieldError]) -> None:
    reference = source.get("secretRef")
    if reference is not None and not reference.get("name"):
        errors.append(required(f"{path}.secretRef.name"))


def _validate_partition(source: Json, path: str, errors: list[FieldError]) -> None:
    partition = source.get("partition") or 0
    if not 0 <= partition <= PARTITION_MAX:
        errors.append(invalid(f"{path}.partition", partition, names.between(1, PARTITION_MAX)))


def validate_gce_disk(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a GCE persistent disk."""
    _require(source, path, errors, "pdName")
    _validate_partition(source, path, errors)


def validate_aws_disk(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check an AWS elastic block store."""
    _require(source, path, errors, "volumeID")
    _validate_partition(source, path, errors)


def validate_nfs(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check an NFS export."""
    _require(source, path, errors, "server", "path")
    value = source.get("path") or ""
    if not value.startswith("/"):
        errors.append(invalid(f"{path}.path", value, "must be an absolute path"))


def validate_iscsi(source: Json, path: str, errors: list[FieldError], foreign: str = ISCSI_FOREIGN) -> None:
    """Check an iSCSI disk; `foreign` is the sentence about a name of none of the known forms."""
    _require(source, path, errors, "targetPortal")
    name = source.get("iqn")
    if not name:
        errors.append(required(f"{path}.iqn"))
    else:
        _validate_iscsi_name(name, f"{path}.iqn", foreign, errors)
    lun = source.get("lun") or 0
    if not 0 <= lun <= LUN_MAX:
        errors.append(invalid(f"{path}.lun", lun, names.between(0, LUN_MAX)))
    if (source.get("chapAuthDiscovery") or source.get("chapAuthSession")) and source.get("secretRef") is None:
        errors.append(required(f"{path}.secretRef"))
    initiator = source.get("initiatorName")
    if initiator is not None:
        _validate_iscsi_name(initiator, f"{path}.initiatorname", foreign, errors)


def _validate_iscsi_name(name: str, path: str, foreign: str, errors: list[FieldError]) -> None:
    if not name.startswith(("iqn", "eui", "naa")):
        errors.append(invalid(path, name, foreign))
        return
    fits = _IQN.search(name) if name.startswith("iqn") else _EUI.fullmatch(name) if name.startswith("eui") else _NAA.fullmatch(name)
    if not fits:
        errors.append(invalid(path, name, ISCSI_FORM))


def validate_glusterfs(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a Glusterfs volume."""
    _require(source, path, errors, "endpoints", "path")


def validate_flocker(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a Flocker volume."""
    name, uid = source.get("datasetName") or "", source.get("datasetUUID")
    if not name and not uid:
        errors.append(required(path, "one of datasetName and datasetUUID is required"))
    if name and uid:
        errors.append(invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously"))
    if "/" in name:
        errors.append(invalid(f"{path}.datasetName", name, "must not contain '/'"))


def validate_rbd(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a Ceph block device."""
    _require(source, path, errors, "monitors", "image")


def validate_cinder(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a Cinder volume."""
    _require(source, path, errors, "volumeID")
    _require_secret_name(source, path, errors)


def validate_cephfs(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a Ceph file system."""
    _require(source, path, errors, "monitors")


def validate_quobyte(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a Quobyte volume."""
    registry = source.get("registry")
    if not registry:
        errors.append(required(f"{path}.registry", _QUOBYTE_SENTENCE))
    elif len((source.get("tenant") or "").encode()) > QUOBYTE_TENANT_SIZE_MAX:
        errors.append(required(f"{path}.tenant", "must be a UUID and may not exceed a length of 64 characters"))
    else:
        pairs = registry.split(",")
        errors.extend(invalid(f"{path}.registry", registry, _QUOBYTE_SENTENCE) for pair in pairs if not _is_host_port(pair))
    _require(source, path, errors, "volume")


def _is_host_port(text: str) -> bool:
    """Say whether Go's net.SplitHostPort takes a text: one colon, or an address in brackets before the last one."""
    host, colon, port = text.rpartition(":")
    if not colon or "[" in port or "]" in port:
        return False
    if host.startswith("["):
        return host.endswith("]") and "[" not in host[1:] and "]" not in host[1:-1]
    return not any(char in host for char in ":[]")


def validate_fibre_channel(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a Fibre Channel disk."""
    targets, wwids, lun = source.get("targetWWNs"), source.get("wwids"), source.get("lun")
    if not targets and not wwids:
        errors.append(required(f"{path}.targetWWNs", "must specify either targetWWNs or wwids, but not both"))
    if targets and wwids:
        errors.append(invalid(f"{path}.targetWWNs", targets, "targetWWNs and wwids can not be specified simultaneously"))
    if targets:
        if lun is None:
            errors.append(required(f"{path}.lun", "lun is required if targetWWNs is specified"))
        elif not 0 <= lun <= LUN_MAX:
            errors.append(invalid(f"{path}.lun", lun, names.between(0, LUN_MAX)))


def validate_flex(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a volume of a flex plugin, whose options may not look like Kubernetes'."""
    _require(source, path, errors, "driver")
    for key in source.get("options") or {}:
        namespace = "." + key.partition("/")[0].lower()
        if namespace.endswith((".kubernetes.io", ".k8s.io")):
            errors.append(invalid(f"{path}.options[{key}]", key, "kubernetes.io and k8s.io namespaces are reserved"))


def validate_azure_file(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check an Azure file share."""
    _require(source, path, errors, "secretName", "shareName")


def validate_vsphere(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a vSphere volume."""
    _require(source, path, errors, "volumePath")


def validate_photon(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a Photon disk."""
    _require(source, path, errors, "pdID")


def validate_portworx(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a Portworx volume."""
    _require(source, path, errors, "volumeID")


def validate_azure_disk(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check an Azure disk."""
    _require(source, path, errors, "diskName", "diskURI")
    caching, kind, uri = source.get("cachingMode"), source.get("kind"), source.get("diskURI") or ""
    if caching is not None and caching not in _AZURE_CACHING:
        errors.append(not_supported(f"{path}.cachingMode", caching, _AZURE_CACHING))
    if kind is None:
        return
    if kind not in _AZURE_KINDS:
        errors.append(not_supported(f"{path}.kind", kind, _AZURE_KINDS))
    if kind == "Managed" and not uri.startswith("/subscriptions/"):
        errors.append(not_supported(f"{path}.diskURI", uri, (_AZURE_MANAGED_URI,)))
    if kind != "Managed" and not uri.startswith("https://"):
        errors.append(not_supported(f"{path}.diskURI", uri, (_AZURE_BLOB_URI,)))


def validate_storage_os(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a StorageOS volume."""
    name, namespace = source.get("volumeName"), source.get("volumeNamespace")
    if not name:
        errors.append(required(f"{path}.volumeName"))
    else:
        errors.extend(invalid(f"{path}.volumeName", name, sentence) for sentence in names.dns1123_label(name))
    if namespace:
        errors.extend(invalid(f"{path}.volumeNamespace", namespace, sentence) for sentence in names.dns1123_label(namespace))
    _require_secret_name(source, path, errors)


def validate_scale_io(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a ScaleIO volume."""
    _require(source, path, errors, "gateway", "system", "volumeName")


def validate_csi_driver_name(name: str, path: str, errors: list[FieldError]) -> None:
    """Check the name of a CSI driver."""
    if not name:
        errors.append(required(path))
        return
    if len(name.encode()) > CSI_DRIVER_SIZE_MAX:
        errors.append(too_long(path, CSI_DRIVER_SIZE_MAX))
    errors.extend(invalid(path, name, sentence) for sentence in names.dns1123_subdomain(name.lower()))


def validate_csi(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check an inline volume of a CSI driver."""
    validate_csi_driver_name(source.get("driver") or "", f"{path}.driver", errors)
    reference = source.get("nodePublishSecretRef")
    if reference is not None:
        name = reference.get("name")
        if not name:
            errors.append(required(f"{path}.nodePublishSecretRef.name"))
        else:
            errors.extend(invalid(f"{path}.name", name, sentence) for sentence in names.dns1123_subdomain(name))
