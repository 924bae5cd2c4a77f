"""The further checks of the level `restricted`: pods are hardened as far as is practised. In the order in which they are told."""

from __future__ import annotations

from kcore.apiserver.admission.pod_security.baseline import CHECKS as BASELINE_CHECKS
from kcore.apiserver.admission.pod_security.baseline import seccomp
from kcore.apiserver.admission.pod_security.findings import (
    Check,
    Finding,
    Pod,
    containers,
    has_own_users,
    is_windows,
    names,
    plural,
    quoted,
    security,
    setters,
    some,
)
from kcore.apiserver.admission.pod_security.policy import BASELINE, PRIVILEGED, Level

VOLUMES = ("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret")
KNOWN_VOLUMES = frozenset((
    "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "gitRepo", "nfs", "iscsi", "glusterfs", "rbd", "flexVolume", "cinder",
    "cephfs", "flocker", "fc", "azureFile", "vsphereVolume", "quobyte", "azureDisk", "photonPersistentDisk", "portworxVolume", "scaleIO",
    "storageos",
))  # fmt: skip


def privilege_escalation(pod: Pod) -> Finding | None:
    """Nobody gets more rights than whoever started the container."""
    bad = names(found for found in containers(pod) if security(found).get("allowPrivilegeEscalation") is not False)
    detail = f"{some('container', bad)} must set securityContext.allowPrivilegeEscalation=false"
    return Finding("allowPrivilegeEscalation != false", detail) if bad else None


def capabilities(pod: Pod) -> Finding | None:
    """All capabilities are dropped; one may be had back."""
    keeping: list[str] = []
    added: dict[str, set[str]] = {}
    for found in containers(pod):
        own, name = security(found).get("capabilities") or {}, found.get("name", "")
        if "ALL" not in (own.get("drop") or ()):
            keeping.append(name)
        more = set(own.get("add") or ()) - {"NET_BIND_SERVICE"}
        if more:
            added[name] = more
    details = [f'{some("container", keeping)} must set securityContext.capabilities.drop=["ALL"]'] if keeping else []
    if added:
        what = quoted(sorted(set().union(*added.values())))
        details.append(f"{some('container', list(added))} must not include {what} in securityContext.capabilities.add")
    return Finding("unrestricted capabilities", "; ".join(details)) if details else None


def volumes(pod: Pod) -> Finding | None:
    """No volumes but those of Kubernetes itself and claimed ones."""
    bad = [volume for volume in pod.spec.get("volumes") or () if not any(kind in volume for kind in VOLUMES)]
    if not bad:
        return None
    kinds = sorted({next((kind for kind in volume if kind in KNOWN_VOLUMES), "unknown") for volume in bad})
    what = plural("restricted volume type", "restricted volume types", len(kinds))
    return Finding("restricted volume types", f"{some('volume', names(bad))} {plural('uses', 'use', len(bad))} {what} {quoted(kinds)}")


def run_as_non_root(pod: Pod) -> Finding | None:
    """Nobody is root: the pod says so, or each container."""
    of_pod = security(pod.spec).get("runAsNonRoot")
    refusing = names(found for found in containers(pod) if security(found).get("runAsNonRoot") is False)
    if of_pod is False or refusing:
        return Finding("runAsNonRoot != true", f"{setters(of_pod is False, refusing)} must not set securityContext.runAsNonRoot=false")
    silent = [] if of_pod else names(found for found in containers(pod) if security(found).get("runAsNonRoot") is None)
    detail = f"pod or {some('container', silent)} must set securityContext.runAsNonRoot=true"
    return Finding("runAsNonRoot != true", detail) if silent else None


def run_as_user(pod: Pod) -> Finding | None:
    """Nobody is user 0."""
    pod_is = security(pod.spec).get("runAsUser") == 0
    bad = names(found for found in containers(pod) if security(found).get("runAsUser") == 0)
    return Finding("runAsUser=0", f"{setters(pod_is, bad)} must not set runAsUser=0") if pod_is or bad else None


def seccomp_required(pod: Pod) -> Finding | None:
    """A seccomp profile is named, by the pod or by each container."""
    if bad := seccomp(pod):
        return bad
    if security(pod.spec).get("seccompProfile") is not None:
        return None
    silent = names(found for found in containers(pod) if security(found).get("seccompProfile") is None)
    detail = f'pod or {some("container", silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Finding("seccompProfile", detail) if silent else None


CHECKS = (
    Check("allowPrivilegeEscalation", 8, privilege_escalation),
    Check("allowPrivilegeEscalation", 25, lambda pod: None if is_windows(pod) else privilege_escalation(pod)),
    Check("capabilities_restricted", 22, capabilities, "capabilities_baseline"),
    Check("capabilities_restricted", 25, lambda pod: None if is_windows(pod) else capabilities(pod), "capabilities_baseline"),
    Check("restrictedVolumes", 0, volumes, "hostPathVolumes"),
    Check("runAsNonRoot", 0, run_as_non_root),
    Check("runAsNonRoot", 35, lambda pod: None if has_own_users(pod) else run_as_non_root(pod)),
    Check("runAsUser", 23, run_as_user),
    Check("runAsUser", 35, lambda pod: None if has_own_users(pod) else run_as_user(pod)),
    Check("seccompProfile_restricted", 19, seccomp_required, "seccompProfile_baseline"),
    Check("seccompProfile_restricted", 25, lambda pod: None if is_windows(pod) else seccomp_required(pod), "seccompProfile_baseline"),
)


def checks_of(level: Level) -> list[Check]:
    """The checks of a level in its version, in the order in which they are told."""
    if level.name == PRIVILEGED:
        return []
    baseline = newest(BASELINE_CHECKS, level.minor)
    if level.name == BASELINE:
        return baseline
    restricted = newest(CHECKS, level.minor)
    replaced = {check.replaces for check in restricted}
    return [check for check in baseline if check.name not in replaced] + restricted


def newest(checks: tuple[Check, ...], minor: int) -> list[Check]:
    """Of each check the newest form that a version has."""
    return list({check.name: check for check in checks if check.minor <= minor}.values())


def findings(level: Level, pod: Pod) -> list[Finding]:
    """What a level forbids in a pod."""
    return [found for check in checks_of(level) if (found := check.find(pod)) is not None]
