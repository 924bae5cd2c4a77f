"""What has to do with a node: its pods, and what these refer to.

    secret, configmap, service account, claim --> pod --> node        secret --> volume --> claim        attachment, slice --> node

The pods are indexed by node when a node asks for the first time, and followed from then on; where no node asks, this costs nothing.

Source: Kubernetes `plugin/pkg/auth/authorizer/node/graph.go`, `pkg/api/pod/util.go`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kcore.apiserver.objects import Stored
from kcore.machinery import codec
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.projection import Projection
from kcore.machinery.scheme import Scheme
from kcore.store.storage import Storage

Object = dict[str, Any]
Reference = tuple[str, str, str]
"""(resource, namespace, name)"""

POD: Final = GroupVersionKind("", "v1", "Pod")
KINDS: Final = {
    "persistentvolumes": GroupVersionKind("", "v1", "PersistentVolume"),
    "persistentvolumeclaims": GroupVersionKind("", "v1", "PersistentVolumeClaim"),
    "volumeattachments": GroupVersionKind("storage.k8s.io", "v1", "VolumeAttachment"),
    "resourceslices": GroupVersionKind("resource.k8s.io", "v1", "ResourceSlice"),
}
MIRROR: Final = "kubernetes.io/config.mirror"
SECRETS_OF_VOLUMES: Final = ("azureFile", "cephfs", "cinder", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos", "csi")
"""Sources of a PersistentVolume that name secrets."""


class NodeGraph:
    """Over one store. Thread: the event loop's."""

    def __init__(self, scheme: Scheme, storage: Storage) -> None:
        self.scheme, self.storage = scheme, storage
        self.pods = scheme.kinds[POD]
        self.read_node = Projection(self.pods.message, ["spec.nodeName"])
        self.node_of: dict[bytes, str] | None = None
        self.by_node: dict[str, dict[bytes, frozenset[Reference] | None]] = {}

    def changed(self, key: bytes, value: bytes | None) -> None:
        """Take a committed change of a pod in."""
        if self.node_of is None:
            return
        before = self.node_of.pop(key, "")
        if before:
            self.by_node[before].pop(key, None)
            if not self.by_node[before]:
                del self.by_node[before]
        if value is not None and (node := self.read_node(codec.open_envelope(value)[2])[0]):
            self.node_of[key] = node
            self.by_node.setdefault(node, {})[key] = None

    def index(self) -> None:
        """Begin to follow the pods."""
        self.node_of = {}
        for kv in self.storage.range(self.pods.prefix, self.pods.prefix[:-1] + b"0").kvs:
            self.changed(kv.key, kv.value)

    def is_related(self, node: str, resource: str, namespace: str, name: str) -> bool:
        """Whether an object has to do with a node."""
        if self.node_of is None:
            self.index()
        if resource == "pods":
            return self.node_of is not None and self.node_of.get(self.pods.key(namespace, name)) == node
        if resource in ("volumeattachments", "resourceslices"):
            found = self.find(resource, "", name)
            return found is not None and (found.get("spec") or {}).get("nodeName") == node
        if resource == "persistentvolumes":
            return any(self.volume_of(claim) == name for claim in self.claims(node))
        if (resource, namespace, name) in self.references(node):
            return True
        return resource == "secrets" and any((resource, namespace, name) in self.volume_secrets(claim) for claim in self.claims(node))

    def references(self, node: str) -> set[Reference]:
        """What the pods of a node refer to; read when it is asked for, and kept as long as the pod is as it is."""
        found: set[Reference] = set()
        pods = self.by_node.get(node, {})
        for key, known in pods.items():
            if known is None:
                stored = self.storage.get(key)
                known = pods[key] = frozenset() if stored is None else frozenset(references(Stored(self.pods, stored).obj()))
            found |= known
        return found

    def claims(self, node: str) -> list[Reference]:
        """The claims of a node's pods."""
        return [reference for reference in self.references(node) if reference[0] == "persistentvolumeclaims"]

    def volume_of(self, claim: Reference) -> str:
        """The volume that a claim is bound to, '' if there is none."""
        found = self.find("persistentvolumeclaims", claim[1], claim[2])
        volume: str = ((found or {}).get("spec") or {}).get("volumeName", "")
        return volume

    def volume_secrets(self, claim: Reference) -> list[Reference]:
        """The secrets that the volume of a claim needs."""
        volume = self.find("persistentvolumes", "", self.volume_of(claim))
        spec = (volume or {}).get("spec") or {}
        return [("secrets", *secret) for source in SECRETS_OF_VOLUMES for secret in secret_names(spec.get(source) or {}, claim[1])]

    def find(self, resource: str, namespace: str, name: str) -> Object | None:
        """An object as it is in the store."""
        spec = self.scheme.kinds[KINDS[resource]]
        found = self.storage.get(spec.key(namespace, name)) if name else None
        return None if found is None else Stored(spec, found).obj()


def secret_names(source: Object, namespace: str) -> Iterator[tuple[str, str]]:
    """(namespace, name) of the secrets that a volume's source names."""
    if name := source.get("secretName"):
        yield source.get("secretNamespace") or namespace, name
    for field, value in source.items():
        if field.lower().endswith("secretref") and isinstance(value, dict) and value.get("name"):
            yield value.get("namespace") or namespace, value["name"]


def references(pod: Object) -> Iterator[Reference]:
    """What a pod refers to. A mirror pod is what its node says, and refers to nothing."""
    metadata, spec = pod["metadata"], pod.get("spec") or {}
    namespace = metadata["namespace"]
    if MIRROR in (metadata.get("annotations") or {}):
        return
    if account := spec.get("serviceAccountName"):
        yield "serviceaccounts", namespace, account
    for secret in spec.get("imagePullSecrets") or ():
        yield "secrets", namespace, secret.get("name", "")
    for containers in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(containers) or ():
            yield from container_references(container, namespace)
    for volume in spec.get("volumes") or ():
        yield from volume_references(volume, namespace, metadata["name"])
    by_name = {status["name"]: status for status in (pod.get("status") or {}).get("resourceClaimStatuses") or ()}
    for claim in spec.get("resourceClaims") or ():
        if name := claim.get("resourceClaimName") or by_name.get(claim["name"], {}).get("resourceClaimName"):
            yield "resourceclaims", namespace, name


def container_references(container: Object, namespace: str) -> Iterator[Reference]:
    """What the environment of a container refers to."""
    for source in container.get("envFrom") or ():
        for field, resource in (("secretRef", "secrets"), ("configMapRef", "configmaps")):
            if source.get(field):
                yield resource, namespace, source[field].get("name", "")
    for variable in container.get("env") or ():
        for field, resource in (("secretKeyRef", "secrets"), ("configMapKeyRef", "configmaps")):
            if reference := (variable.get("valueFrom") or {}).get(field):
                yield resource, namespace, reference.get("name", "")


def volume_references(volume: Object, namespace: str, pod: str) -> Iterator[Reference]:
    """What a volume of a pod refers to."""
    if secret := volume.get("secret"):
        yield "secrets", namespace, secret.get("secretName", "")
    if config := volume.get("configMap"):
        yield "configmaps", namespace, config.get("name", "")
    if claim := volume.get("persistentVolumeClaim"):
        yield "persistentvolumeclaims", namespace, claim.get("claimName", "")
    if volume.get("ephemeral"):
        yield "persistentvolumeclaims", namespace, f"{pod}-{volume['name']}"
    for source in (volume.get("projected") or {}).get("sources") or ():
        for field, resource in (("secret", "secrets"), ("configMap", "configmaps")):
            if source.get(field):
                yield resource, namespace, source[field].get("name", "")
    for field, source in volume.items():
        if isinstance(source, dict) and field not in ("secret", "configMap", "projected"):
            yield from (("secrets", namespace, name) for _, name in secret_names(source, namespace))
