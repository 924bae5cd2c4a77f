"""A pod runs as a service account and finds its token in a projected volume. Source: Kubernetes admission plugin ServiceAccount."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kcore.apiserver.admission.cluster import SERVICE_ACCOUNT, Cluster
from kcore.machinery import names, status

if TYPE_CHECKING:
    from kcore.apiserver.registry import Write

MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
VOLUME_PREFIX = "kube-api-access-"
EXPIRATION_S = 3607
FILE_MODE = 0o644
MIRROR = "kubernetes.io/config.mirror"
ENFORCED = "kubernetes.io/enforce-mountable-secrets"
TRUE = ("1", "t", "T", "true", "TRUE", "True")
ALL = (("initContainers", "init container"), ("containers", "container"), ("ephemeralContainers", "ephemeral container"))
Object = dict[str, Any]


def admit(write: Write, obj: dict[str, Any], _old: dict[str, Any] | None, cluster: Cluster) -> None:
    """Name the account of a new pod, which must exist, and mount its token where it is wanted."""
    if write.operation != "CREATE":
        return
    spec, metadata = obj["spec"], obj["metadata"]
    if MIRROR in (metadata.get("annotations") or {}):
        return  # a node made it, which would not know it again
    name = spec.get("serviceAccountName") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    account = account_of(write, obj, cluster)
    wanted = spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken", True))
    if wanted:
        mount_token(spec, write)
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [dict(secret) for secret in account["imagePullSecrets"]]
    limit_secrets(write, spec, account)


def account_of(write: Write, pod: Object, cluster: Cluster) -> Object:
    """The account that a pod names."""
    name = pod["spec"]["serviceAccountName"]
    if wrong := names.path_segment(name):
        why = f'error looking up service account {write.namespace}/{name}: invalid resource name "{name}": [{" ".join(wrong)}]'
        raise status.forbidden("pods", "", write.name, why)
    account = cluster.get(SERVICE_ACCOUNT, write.namespace, name)
    if account is None:
        why = f'error looking up service account {write.namespace}/{name}: serviceaccount "{name}" not found'
        raise status.forbidden("pods", "", write.name, why)
    return account


def validate(write: Write, obj: Object, _old: Object | None, cluster: Cluster) -> None:
    """Refuse a pod that uses secrets which are not for it: a mirror of a node's pod, or one whose account limits them."""
    if write.operation == "CREATE" and MIRROR in (obj["metadata"].get("annotations") or {}):
        if why := mirror_error(obj):
            raise status.forbidden("pods", "", write.name, why)
    elif write.subresource == "ephemeralcontainers":
        limit_secrets(write, obj["spec"], account_of(write, obj, cluster))


def limit_secrets(write: Write, spec: Object, account: Object) -> None:
    """Refuse secrets that the pod's account does not list, if it says that only these may be used."""
    limited = (account["metadata"].get("annotations") or {}).get(ENFORCED) in TRUE
    if limited and (why := secret_error(spec, account, write.operation == "CREATE")):
        raise status.forbidden("pods", "", write.name, why)


def mirror_error(pod: Object) -> str:
    """What is wrong with a pod that mirrors one which its node has from elsewhere."""
    spec = pod["spec"]
    if spec.get("serviceAccountName"):
        return "a mirror pod may not reference service accounts"
    volumes = spec.get("volumes") or ()
    sources = [source for volume in volumes for source in (volume.get("projected") or {}).get("sources") or ()]
    named = any("secret" in part for part in (*volumes, *sources)) or spec.get("imagePullSecrets")
    if named or any(reads_secrets(container) for _, container in containers(spec, ALL)):
        return "a mirror pod may not reference secrets"
    if any("serviceAccountToken" in source for source in sources):
        return "a mirror pod may not use ServiceAccountToken volume projections"
    return ""


def reads_secrets(container: Object) -> bool:
    """Whether a container takes its environment from secrets."""
    return any("secretRef" in source for source in container.get("envFrom") or ()) or any(
        "secretKeyRef" in (env.get("valueFrom") or {}) for env in container.get("env") or ()
    )


def secret_error(spec: Object, account: Object, is_new: bool) -> str:
    """What secret a pod uses that its account does not list; of a pod that is there only ephemeral containers are looked at."""
    name, mountable = account["metadata"]["name"], {secret.get("name") for secret in account.get("secrets") or ()}
    unlisted = f"is not allowed because service account {name} does not reference that"
    for volume in (spec.get("volumes") or ()) if is_new else ():
        secret = (volume.get("secret") or {}).get("secretName", "")
        if "secret" in volume and secret not in mountable:
            return f'volume with secret.secretName="{secret}" {unlisted} secret'
    for title, container in containers(spec, ALL[:2] if is_new else ALL[2:]):
        for env in container.get("env") or ():
            reference = (env.get("valueFrom") or {}).get("secretKeyRef")
            if reference is not None and reference.get("name") not in mountable:
                secret = f'secret.secretName="{reference.get("name", "")}"'
                return f"{title} {container['name']} with envVar {env['name']} referencing {secret} {unlisted} secret"
    pullable = {secret.get("name") for secret in account.get("imagePullSecrets") or ()}
    for i, secret in enumerate((spec.get("imagePullSecrets") or ()) if is_new else ()):
        if secret.get("name") not in pullable:
            return f'imagePullSecrets[{i}].name="{secret.get("name", "")}" {unlisted} imagePullSecret'
    return ""


def containers(spec: Object, kinds: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, Object]]:
    """Containers of some kinds, with what these are called."""
    return ((title, container) for field, title in kinds for container in spec.get(field) or ())


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
