"""A pod runs as a service account and finds its token in a projected volume. Source: Kubernetes admission plugin ServiceAccount."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcore.apiserver.admission.cluster import SERVICE_ACCOUNT, Cluster
from kcore.machinery import status

if TYPE_CHECKING:
    from kcore.apiserver.registry import Write

MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
VOLUME_PREFIX = "kube-api-access-"
EXPIRATION_S = 3607
FILE_MODE = 0o644
MIRROR = "kubernetes.io/config.mirror"


def admit(write: Write, obj: dict[str, Any], _old: dict[str, Any] | None, cluster: Cluster) -> None:
    """Name the account of a new pod, which must exist, and mount its token where it is wanted."""
    if write.operation != "CREATE":
        return
    spec, metadata = obj["spec"], obj["metadata"]
    if MIRROR in (metadata.get("annotations") or {}):
        return
    name = spec.get("serviceAccountName") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    account = cluster.get(SERVICE_ACCOUNT, write.namespace, name)
    if account is None:
        raise status.forbidden(
            "pods",
            "",
            metadata.get("name", ""),
            f'error looking up service account {write.namespace}/{name}: serviceaccount "{name}" not found',
        )
    wanted = spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken", True))
    if wanted:
        mount_token(spec, write)
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [dict(secret) for secret in account["imagePullSecrets"]]


def mount_token(spec: dict[str, Any], write: Write) -> None:
    """Add the projected volume, and a mount in every container that has nothing at its path."""
    volumes = spec.get("volumes") or []
    name = next((v["name"] for v in volumes if v.get("name", "").startswith(VOLUME_PREFIX)), "")
    volume = name or VOLUME_PREFIX + write.suffix()
    mounted = False
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        mounts = container.get("volumeMounts") or []
        if not any(mount.get("mountPath") == MOUNT_PATH for mount in mounts):
            container["volumeMounts"] = [*mounts, {"name": volume, "readOnly": True, "mountPath": MOUNT_PATH}]
            mounted = True
    if mounted and not name:
        spec["volumes"] = [*volumes, token_volume(volume)]


def token_volume(name: str) -> dict[str, Any]:
    """The volume: a token, the cluster's CA and the pod's namespace."""
    ca = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    field = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": EXPIRATION_S, "path": "token"}},
        {"configMap": ca},
        {"downwardAPI": {"items": [field]}},
    ]
    return {"name": name, "projected": {"sources": sources, "defaultMode": FILE_MODE}}
