"""Warnings about pods that are legal but doubtful: deprecated labels, annotations and volumes, duplicates, fractions of bytes.

Source: Kubernetes `pkg/api/pod/warnings.go`, `pkg/api/node/util.go`, observed answers of 1.37.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kcore.base import limits
from kcore.machinery import cidr, names, quantity
from kcore.machinery.field_error import quote
from kcore.machinery.kinds.core.affinity import PREFERRED, REQUIRED
from kcore.machinery.kinds.core.container_security import visit_containers
from kcore.machinery.kinds.core.pod_annotations import APPARMOR_PREFIX, SECCOMP_CONTAINER_PREFIX, SECCOMP_POD
from kcore.machinery.kinds.core.volume_claim import warn_claim_spec

Json = Mapping[str, Any]

_DEPRECATED_LABELS: Final = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
}
_DEPRECATED_ANNOTATIONS: Final = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
# Volume sources with the name they have in the warning.
_DEPRECATED_VOLUMES: Final = {
    "photonPersistentDisk": ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    "gitRepo": ("gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    "scaleIO": ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    "flocker": ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    "storageos": ("storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    "quobyte": ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    "glusterfs": ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    "cephfs": ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    "rbd": ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
}
_MAPPED_VOLUMES: Final = frozenset(("configMap", "secret", "downwardAPI", "projected"))
_CERTIFICATE_FILES: Final = (
    ("certificateChainPath", "chain"), ("keyPath", "key"), ("credentialBundlePath", "credential bundle"),
)
_BYTE_RESOURCES: Final = ("memory", "ephemeral-storage")
_MATCHES_NO_POD: Final = "a null labelSelector results in matching no pod"
_USE_SECCOMP_FIELD: Final = 'non-functional in v1.27+; use the "seccompProfile" field instead'


def pod_warnings(spec: Json, metadata: Json, prefix: str = "") -> list[str]:
    """List the warnings about a pod or template.

    prefix  path of the template with its dot, such as `spec.template.`; empty for a pod
    """
    found: list[str] = []
    annotations = metadata.get("annotations") or {}
    path = f"{prefix}spec"
    _warn_placement(spec, path, found)
    for key, text in _DEPRECATED_ANNOTATIONS.items():
        if key in annotations:
            found.append(f"{prefix}metadata.annotations[{key}]: {text}")
    if spec.get("volumes"):
        _warn_volumes(spec["volumes"], f"{path}.volumes", found)
    if len(spec.get("hostAliases") or ()) > 1:
        _warn_duplicates(spec["hostAliases"], "ip", f"{path}.hostAliases", found)
    _warn_pull_secrets(spec.get("imagePullSecrets") or (), f"{path}.imagePullSecrets", found)
    _warn_fractions(spec.get("overhead"), f"{path}.overhead", found)
    if annotations and SECCOMP_POD in annotations and not (spec.get("securityContext") or {}).get("seccompProfile"):
        found.append(f"{prefix}metadata.annotations[{SECCOMP_POD}]: {_USE_SECCOMP_FIELD}")
    for container, at in visit_containers(spec, path):
        _warn_container(container, at, spec, annotations, prefix, found)
    _warn_ports(spec, path, found)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        found.append(f"{path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1")
    if spec.get("affinity"):
        _warn_pod_affinity(spec["affinity"], f"{path}.affinity", found)
    _warn_addresses(spec, path, found)
    return found


def _warn_placement(spec: Json, path: str, found: list[str]) -> None:
    for key in sorted(spec.get("nodeSelector") or ()):
        if key in _DEPRECATED_LABELS:
            found.append(f"{path}.nodeSelector[{key}]: {_DEPRECATED_LABELS[key]}")
    node = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    at = f"{path}.affinity.nodeAffinity"
    for index, term in enumerate((node.get(REQUIRED) or {}).get("nodeSelectorTerms") or ()):
        _warn_node_term(term, f"{at}.{REQUIRED}.nodeSelectorTerms[{index}]", found)
    for index, item in enumerate(node.get(PREFERRED) or ()):
        _warn_node_term(item.get("preference") or {}, f"{at}.{PREFERRED}[{index}].preference", found, check_values=True)
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        key, here = constraint.get("topologyKey") or "", f"{path}.topologySpreadConstraints[{index}]"
        if key in _DEPRECATED_LABELS:
            found.append(f"{here}.topologyKey: {key} is {_DEPRECATED_LABELS[key]}")
        if constraint.get("labelSelector") is None:
            found.append(f"{here}.labelSelector: {_MATCHES_NO_POD}")


def _warn_node_term(term: Json, path: str, found: list[str], *, check_values: bool = False) -> None:
    for index, item in enumerate(term.get("matchExpressions") or ()):
        key = item.get("key")
        if key in _DEPRECATED_LABELS:
            found.append(f"{path}.matchExpressions[{index}].key: {key} is {_DEPRECATED_LABELS[key]}")
        for place, value in enumerate((item.get("values") or ()) if check_values else ()):
            at = f"{path}.matchExpressions[{index}].values[{place}]"
            found += (f"{at}: {value} is invalid, {sentence}" for sentence in names.label_value(value))


def _warn_volumes(volumes: Any, path: str, found: list[str]) -> None:
    for index, volume in enumerate(volumes):
        for kind in volume:
            if kind in _DEPRECATED_VOLUMES and volume[kind] is not None:
                name, text = _DEPRECATED_VOLUMES[kind]
                found.append(f"{path}[{index}].{name}: {text}")
        template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
        if template is not None:
            found += warn_claim_spec(template.get("spec") or {}, f"{path}[{index}].ephemeral.volumeClaimTemplate.spec")
    for volume in volumes:
        if volume.keys() & _MAPPED_VOLUMES:
            _warn_overlaps(volume, found)


def _warn_overlaps(volume: Json, found: list[str]) -> None:
    """Warn of files of one volume of which one hides another, and of projections of nothing."""
    name = quote(volume.get("name") or "")
    for kind, shown, field in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName"), ("downwardAPI", "DownwardAPI", "")):
        part = volume.get(kind)
        if part is not None and part.get("items"):
            noun = f"{shown} {quote(part.get(field) or '')}" if field else shown
            paths = [(item.get("path") or "", "") for item in part["items"]]
            found += (f"volume {name} ({noun}): overlapping paths: {overlap}" for overlap in _overlaps(paths))
    files: list[tuple[str, str]] = []
    for source in (volume.get("projected") or {}).get("sources") or ():
        if not any(part is not None for part in source.values()):
            found.append(f"volume {name} (Projected) has no sources provided")
            continue
        before = len(files)
        files += _projected_files(source)
        found += (f"volume {name} (Projected): overlapping paths: {overlap}" for overlap in _overlaps(files, before))


def _projected_files(source: Json) -> list[tuple[str, str]]:
    """List the files of a projection: (path, where it comes from)."""
    for kind, shown in (("configMap", "ConfigMap"), ("secret", "Secret")):
        part = source.get(kind)
        if part is not None and part.get("items"):
            return [(item.get("path") or "", f"{shown} {quote(part.get('name') or '')}") for item in part["items"]]
    if (source.get("downwardAPI") or {}).get("items"):
        return [(item.get("path") or "", "DownwardAPI") for item in source["downwardAPI"]["items"]]
    if source.get("serviceAccountToken") is not None:
        return [(source["serviceAccountToken"].get("path") or "", "ServiceAccountToken")]
    bundle, certificate = source.get("clusterTrustBundle"), source.get("podCertificate") or {}
    if bundle is not None:
        return [(bundle.get("path") or "", f"ClusterTrustBundle {quote(bundle.get('name') or bundle.get('signerName') or '')}")]
    return [(certificate[field], f"PodCertificate {noun}") for field, noun in _CERTIFICATE_FILES if certificate.get(field)]


def _overlaps(files: list[tuple[str, str]], start: int = 0) -> list[str]:
    """Describe each pair of paths that are equal or within one another, from the file `start` on."""
    paths = [(path.rstrip("/"), source) for path, source in files[: limits.PROJECTED_FILES_COMPARED_MAX]]
    found = []
    for index in range(start, len(paths)):
        path, source = paths[index]
        for other, other_source in paths[:index]:
            if path and other and (f"{other}/".startswith(f"{path}/") or f"{path}/".startswith(f"{other}/")):
                found.append(f"{_shown_file(path, source)} with {_shown_file(other, other_source)}")
    return found


def _shown_file(path: str, source: str) -> str:
    return f"{quote(path)} ({source})" if source else quote(path)


def _warn_duplicates(items: Iterable[Json], field: str, path: str, found: list[str]) -> None:
    seen: set[str] = set()
    for index, item in enumerate(items):
        value = item.get(field) or ""
        if value in seen:
            found.append(f'{path}[{index}].{field}: duplicate {field} "{value}"')
        seen.add(value)


def _warn_pull_secrets(secrets: Any, path: str, found: list[str]) -> None:
    if len(secrets) > 1:
        _warn_duplicates(secrets, "name", path, found)
    for index, secret in enumerate(secrets):
        if not secret.get("name"):
            found.append(f'{path}[{index}].name: invalid empty name ""')


def _warn_fractions(amounts: Mapping[str, Any] | None, path: str, found: list[str]) -> None:
    if not amounts:
        return
    for name in _BYTE_RESOURCES:
        text = amounts.get(name)
        if text is not None and quantity.parse(text).milli_value() % 1000:
            found.append(f'{path}[{name}]: fractional byte value "{quantity.canonical(text)}" is invalid, must be an integer')


def _warn_container(
    container: Json, path: str, spec: Json, annotations: Mapping[str, str], prefix: str, found: list[str],
) -> None:
    if annotations:
        context, pod_context = container.get("securityContext") or {}, spec.get("securityContext") or {}
        key = SECCOMP_CONTAINER_PREFIX + (container.get("name") or "")
        if key in annotations and not context.get("seccompProfile"):
            found.append(f"{prefix}metadata.annotations[{key}]: {_USE_SECCOMP_FIELD}")
        key = APPARMOR_PREFIX + (container.get("name") or "")
        # A pod's own field does not count: the annotation was copied to it.
        if key in annotations and not (prefix and context.get("appArmorProfile")) and not pod_context.get("appArmorProfile"):
            found.append(f'{prefix}metadata.annotations[{key}]: deprecated since v1.30; use the "appArmorProfile" field instead')
    resources = container.get("resources")
    if resources:
        # Memory of both kinds comes first, then storage of both.
        for name in _BYTE_RESOURCES:
            for kind in ("limits", "requests"):
                amounts = resources.get(kind)
                if amounts and name in amounts and quantity.parse(amounts[name]).milli_value() % 1000:
                    _warn_fractions({name: amounts[name]}, f"{path}.resources.{kind}", found)
    if len(container.get("env") or ()) > 1:
        _warn_env(container["env"], f"{path}.env", found)


def _warn_env(variables: Any, path: str, found: list[str]) -> None:
    seen: set[str] = set()
    for index, variable in enumerate(variables):
        name, value = variable.get("name") or "", variable.get("value") or ""
        if name in seen:
            reference = f"$({name})"
            if variable.get("valueFrom") is not None or value == reference or reference not in value:
                found.append(f'{path}[{index}]: hides previous definition of "{name}", which may be dropped when using apply')
        seen.add(name)


def _warn_ports(spec: Json, path: str, found: list[str]) -> None:
    ports = [
        (f"{at}.ports[{index}]", port)
        for container, at in visit_containers(spec, path) if container.get("ports") for index, port in enumerate(container["ports"])
    ]
    known: dict[tuple[int, str], list[tuple[str, str, int]]] = {}
    for here, port in ports:
        number, protocol = port.get("containerPort") or 0, port.get("protocol") or ""
        host_ip, host_port = port.get("hostIP") or "", port.get("hostPort") or 0
        if host_ip and not host_port:
            shown = f"{{Name:{port.get('name') or ''} HostPort:0 ContainerPort:{number} Protocol:{protocol} HostIP:{host_ip}}}"
            found.append(f"{here}: hostIP set without hostPort: {shown}")
        others = known.setdefault((number, protocol), [])
        for other, other_ip, other_port in others:
            if host_ip == other_ip and host_port == other_port:
                found.append(f"{here}: duplicate port definition with {other}")
            elif not host_port or not other_port:
                found.append(f"{here}: overlapping port definition with {other}")
            elif host_port == other_port and bool(host_ip) != bool(other_ip):
                found.append(f"{here}: dangerously ambiguous port definition with {other}")
        others.append((here, host_ip, host_port))
    first: dict[str, str] = {}
    for here, port in ports:
        name = port.get("name")
        if name and (earlier := first.setdefault(name, here)) != here:
            hint = f"services and probes that select ports by name will use {earlier}"
            found.append(f"{here}: duplicate port name {quote(name)} with {earlier}, {hint}")


def _warn_pod_affinity(affinity: Json, path: str, found: list[str]) -> None:
    for kind in ("podAffinity", "podAntiAffinity"):
        part = affinity.get(kind) or {}
        for index, term in enumerate(part.get(REQUIRED) or ()):
            if term.get("labelSelector") is None:
                found.append(f"{path}.{kind}.{REQUIRED}[{index}].labelSelector: {_MATCHES_NO_POD}")
        for index, item in enumerate(part.get(PREFERRED) or ()):
            if (item.get("podAffinityTerm") or {}).get("labelSelector") is None:
                found.append(f"{path}.{kind}.{PREFERRED}[{index}].podAffinityTerm.labelSelector: {_MATCHES_NO_POD}")


def _warn_addresses(spec: Json, path: str, found: list[str]) -> None:
    for index, server in enumerate((spec.get("dnsConfig") or {}).get("nameservers") or ()):
        found += cidr.warn_ip(server, f"{path}.dnsConfig.nameservers[{index}]")
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        found += cidr.warn_ip(alias.get("ip") or "", f"{path}.hostAliases[{index}].ip")
