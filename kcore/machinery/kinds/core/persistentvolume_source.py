"""The sources of a PersistentVolume and how their Go structs are printed.

Source: Kubernetes `pkg/apis/core/types.go` (names and order of fields).
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery.field_error import StructField

# In the order in which Kubernetes looks at them; the first is checked, others are too many.
SOURCES: Final = (
    "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte", "cephfs", "iscsi", "cinder",
    "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "scaleIO", "local",
    "storageos", "csi",
)

DEPRECATED_SOURCES: Final = {
    "cephfs": "deprecated in v1.28, non-functional in v1.31+", "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+", "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+", "rbd": "deprecated in v1.28, non-functional in v1.31+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+", "flocker": "deprecated in v1.22, non-functional in v1.25+",
}

_SECRET: Final = (StructField("Name", "name", ""), StructField("Namespace", "namespace", ""))
_GO_NAMES: Final = {"iqn": "IQN", "diskURI": "DataDiskURI", "sslEnabled": "SSLEnabled", "targetWWNs": "TargetWWNs", "wwids": "WWIDs"}


def _field(json_name: str, zero: Any = "", nested: tuple[StructField, ...] | None = None, go_name: str = "") -> StructField:
    shown = go_name or _GO_NAMES.get(json_name) or json_name[0].upper() + json_name[1:]
    return StructField(shown, json_name, zero, nested)


def _secrets(*json_names: str) -> tuple[StructField, ...]:
    return tuple(_field(name, None, _SECRET) for name in json_names)


_HOST_PATH: Final = (_field("path"), _field("type", None))
_NFS: Final = (_field("server"), _field("path"), _field("readOnly", False))
_LOCAL: Final = (_field("path"), _field("fsType", None, go_name="FSType"))
_RBD: Final = (
    _field("monitors", None, go_name="CephMonitors"), _field("image", go_name="RBDImage"), _field("fsType", go_name="FSType"),
    _field("pool", go_name="RBDPool"), _field("user", go_name="RadosUser"), _field("keyring"), *_secrets("secretRef"),
    _field("readOnly", False),
)
_ISCSI: Final = (
    _field("targetPortal"), _field("iqn"), _field("lun", 0), _field("iscsiInterface", go_name="ISCSIInterface"),
    _field("fsType", go_name="FSType"), _field("readOnly", False), _field("portals", None),
    _field("chapAuthDiscovery", False, go_name="DiscoveryCHAPAuth"),
    _field("chapAuthSession", False, go_name="SessionCHAPAuth"), *_secrets("secretRef"), _field("initiatorName", None),
)
_FC: Final = (
    _field("targetWWNs", None), _field("lun", None), _field("fsType", go_name="FSType"), _field("readOnly", False), _field("wwids", None),
)
_AZURE_DISK: Final = (
    _field("diskName"), _field("diskURI"), _field("cachingMode", None), _field("fsType", None, go_name="FSType"), _field("readOnly", None),
    _field("kind", None),
)
_SCALE_IO: Final = (
    _field("gateway"), _field("system"), *_secrets("secretRef"), _field("sslEnabled", False), _field("protectionDomain"),
    _field("storagePool"), _field("storageMode"), _field("volumeName"), _field("fsType", go_name="FSType"), _field("readOnly", False),
)
_CSI: Final = (
    _field("driver"), _field("volumeHandle"), _field("readOnly", False), _field("fsType", go_name="FSType"),
    _field("volumeAttributes", None),
    *_secrets(
        "controllerPublishSecretRef", "nodeStageSecretRef", "nodePublishSecretRef", "controllerExpandSecretRef", "nodeExpandSecretRef",
    ),
)

SOURCE_FIELDS: Final = (
    _field("gcePersistentDisk", None, go_name="GCEPersistentDisk"), _field("awsElasticBlockStore", None, go_name="AWSElasticBlockStore"),
    _field("hostPath", None, _HOST_PATH), _field("glusterfs", None), _field("nfs", None, _NFS, "NFS"), _field("rbd", None, _RBD, "RBD"),
    _field("quobyte", None), _field("iscsi", None, _ISCSI, "ISCSI"), _field("flexVolume", None), _field("cinder", None),
    _field("cephfs", None, go_name="CephFS"), _field("fc", None, _FC, "FC"), _field("flocker", None), _field("azureFile", None),
    _field("vsphereVolume", None), _field("azureDisk", None, _AZURE_DISK), _field("photonPersistentDisk", None),
    _field("portworxVolume", None), _field("scaleIO", None, _SCALE_IO), _field("local", None, _LOCAL),
    _field("storageos", None, go_name="StorageOS"), _field("csi", None, _CSI, "CSI"),
)
