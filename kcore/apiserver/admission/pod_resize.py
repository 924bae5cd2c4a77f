"""Pods are resized where they run: the node of a pod whose resources are to change must be there.

Source: Kubernetes `plugin/pkg/admission/nodedeclaredfeatures`; observed answers of 1.37.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcore.apiserver.admission.cluster import NODE, Cluster
from kcore.machinery import status

if TYPE_CHECKING:
    from kcore.apiserver.registry import Write

Object = dict[str, Any]


def admit(write: Write, obj: Object, old: Object | None, cluster: Cluster) -> None:
    """Refuse to resize a pod on a node that is gone."""
    node = (obj.get("spec") or {}).get("nodeName")
    if write.subresource != "resize" or old is None or not node or obj["spec"] == old["spec"]:
        return
    if cluster.get(NODE, "", node) is None:
        raise status.forbidden(write.spec.resource, write.spec.group, write.name, f'node "{node}" not found')
