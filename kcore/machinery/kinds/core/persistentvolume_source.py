"""The sources of a PersistentVolume, and those whose time is over.

Source: Kubernetes `pkg/apis/core/types.go` (names and order of fields).
"""
from __future__ import annotations

from typing import Final

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

# Labels of nodes that have left their beta state, and what they are called since.
BETA_LABELS: Final = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "beta.kubernetes.io/os": "kubernetes.io/os", "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
}
