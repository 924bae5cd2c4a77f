"""Objects of small clusters in JSON form, for the tests of simulations."""

from __future__ import annotations

from typing import Any

from kcore.simulate.cluster import Cluster, of_objects
from kcore.simulate.templates import Template, template

Object = dict[str, Any]


def node(name: str, cpu: str = "4", taints: tuple[str, ...] = (), **labels: str) -> Object:
    """A node of so much cpu."""
    capacity = {"cpu": cpu, "memory": "8Gi", "pods": "10"}
    spec = {"taints": [{"key": key, "effect": "NoSchedule"} for key in taints]}
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec, "status": {"capacity": capacity}}


def pod(name: str, cpu: str = "1", on: str = "", owner: str = "", priority: int = 0, **more: Any) -> Object:
    """A pod, on a node or pending; more: fields of its metadata."""
    owners = [{"apiVersion": "apps/v1", "kind": owner, "name": "it", "uid": "it", "controller": True}] if owner else []
    containers = [{"name": "app", "image": "app", "resources": {"requests": {"cpu": cpu}}}]
    metadata = {"name": name, "namespace": "default", "uid": name, "ownerReferences": owners, **more}
    spec = {"containers": containers, "priority": priority, **({"nodeName": on} if on else {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": "Running" if on else "Pending"}}


def cluster(*objects: Object) -> Cluster:
    """A cluster of objects."""
    return of_objects(objects)


def pods_like(obj: Object) -> Template:
    """A template."""
    return template(obj)


def local_volume(name: str, on: str) -> tuple[Object, Object]:
    """A volume of one node, and the class of such volumes: bound when a pod wants one."""
    kind = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "local"}}
    spec: Object = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "local", "local": {"path": "/"}}
    where = {"key": "metadata.name", "operator": "In", "values": [on]}
    spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchFields": [where]}]}}
    volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec, "status": {"phase": "Available"}}
    return volume, {**kind, "provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer"}


def claiming(obj: Object, claim: str) -> tuple[Object, Object]:
    """A pod with a claim for a local volume, and the claim."""
    wanted = {"accessModes": ["ReadWriteOnce"], "storageClassName": "local", "resources": {"requests": {"storage": "1Gi"}}}
    obj["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    metadata = {"name": claim, "namespace": "default"}
    return obj, {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": wanted, "status": {"phase": "Pending"}}
