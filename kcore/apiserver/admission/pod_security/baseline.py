"""The checks of the level `baseline`: no known way from a pod to its node. In the order in which they are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from kcore.apiserver.admission.pod_security.findings import (
    Check,
    Finding,
    Json,
    Pod,
    containers,
    has_own_users,
    names,
    plural,
    quoted,
    security,
    setters,
    some,
)

APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
PROFILES = ("RuntimeDefault", "Localhost")
CAPABILITIES = frozenset((
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP",
    "SETUID", "SYS_CHROOT",
))  # fmt: skip
HOST_NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")
SE_LINUX_TYPES = frozenset(("", "container_t", "container_init_t", "container_kvm_t"))
SYSCTLS = frozenset((
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
))  # fmt: skip
SYSCTLS_27 = SYSCTLS | {"net.ipv4.ip_local_reserved_ports"}
SYSCTLS_29 = SYSCTLS_27 | {f"net.ipv4.tcp_{name}" for name in ("keepalive_time", "fin_timeout", "keepalive_intvl", "keepalive_probes")}
SYSCTLS_32 = SYSCTLS_29 | {"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}


def app_armor(pod: Pod) -> Finding | None:
    """No AppArmor profile but the runtime's own or a local one."""
    bad = [found for found in containers(pod) if not has_app_armor(security(found))]
    pod_is = not has_app_armor(security(pod.spec))
    values = sorted({security(found)["appArmorProfile"]["type"] for found in (*bad, *((pod.spec,) if pod_is else ()))})
    who = setters(pod_is, names(bad))
    annotations = sorted(
        f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in pod.annotations.items()
        if key.startswith(APP_ARMOR) and value not in ("", "runtime/default") and not value.startswith("localhost/")
    )  # fmt: skip
    if annotations:
        who = " and ".join(filter(None, (who, plural("annotation", "annotations", len(annotations)))))
        values += annotations
    if not values:
        return None
    reason = plural("forbidden AppArmor profile", "forbidden AppArmor profiles", len(values))
    return Finding(reason, f"{who} must not set AppArmor profile type to {quoted(values)}")


def has_app_armor(context: Json) -> bool:
    """Whether a profile is a good one, or none is named."""
    profile = context.get("appArmorProfile")
    return profile is None or profile.get("type") in PROFILES


def capabilities(pod: Pod) -> Finding | None:
    """No capabilities but the usual ones."""
    added = {}
    for found in containers(pod):
        more = set((security(found).get("capabilities") or {}).get("add") or ()) - CAPABILITIES
        if more:
            added[found.get("name", "")] = more
    if not added:
        return None
    what = quoted(sorted(set().union(*added.values())))
    detail = f"{some('container', list(added))} must not include {what} in securityContext.capabilities.add"
    return Finding("non-default capabilities", detail)


def host_namespaces(pod: Pod) -> Finding | None:
    """No namespaces of the node."""
    bad = [f"{name}=true" for name in HOST_NAMESPACES if pod.spec.get(name)]
    return Finding("host namespaces", ", ".join(bad)) if bad else None


def host_path_volumes(pod: Pod) -> Finding | None:
    """No folders of the node."""
    bad = names(volume for volume in pod.spec.get("volumes") or () if "hostPath" in volume)
    return Finding("hostPath volumes", some("volume", bad)) if bad else None


def host_ports(pod: Pod) -> Finding | None:
    """No ports of the node."""
    taken = {}
    for found in containers(pod):
        taken[found.get("name", "")] = {str(port["hostPort"]) for port in found.get("ports") or () if port.get("hostPort")}
    bad = [name for name, ports in taken.items() if ports]
    if not bad:
        return None
    ports = sorted(set().union(*taken.values()))
    what = f"{plural('uses', 'use', len(bad))} {plural('hostPort', 'hostPorts', len(ports))} {', '.join(ports)}"
    return Finding("hostPort", f"{some('container', bad)} {what}")


def probe_hosts(pod: Pod) -> Finding | None:
    """No probes and hooks that ask others than the pod itself."""
    asked = {found.get("name", ""): set(hosts(found)) for found in containers(pod)}
    bad = sorted(name for name, found in asked.items() if found)
    if not bad:
        return None
    forbidden = sorted(set().union(*asked.values()))
    what = plural("probe or lifecycle host", "probe or lifecycle hosts", len(forbidden))
    return Finding("probe or lifecycle host", f"{some('container', bad)} {plural('uses', 'use', len(bad))} {what} {quoted(forbidden)}")


def hosts(container: Json) -> Iterator[str]:
    """The hosts that probes and hooks of a container name."""
    lifecycle = container.get("lifecycle") or {}
    handlers = [container.get(f"{name}Probe") for name in ("liveness", "readiness", "startup")]
    for handler in (*handlers, lifecycle.get("postStart"), lifecycle.get("preStop")):
        for way in ("httpGet", "tcpSocket"):
            host = ((handler or {}).get(way) or {}).get("host")
            if host:
                yield host


def privileged(pod: Pod) -> Finding | None:
    """No privileged containers."""
    bad = names(found for found in containers(pod) if security(found).get("privileged"))
    return Finding("privileged", f"{some('container', bad)} must not set securityContext.privileged=true") if bad else None


def proc_mount(pod: Pod) -> Finding | None:
    """Nothing of /proc that is usually hidden."""
    bad = [found for found in containers(pod) if security(found).get("procMount", "Default") != "Default"]
    if not bad:
        return None
    kinds = quoted(sorted({security(found)["procMount"] for found in bad}))
    return Finding("procMount", f"{some('container', names(bad))} must not set securityContext.procMount to {kinds}")


def proc_mount_unless_own_users(pod: Pod) -> Finding | None:
    """As before, but pods with users of their own may."""
    return None if has_own_users(pod) else proc_mount(pod)


def se_linux(pod: Pod, types: frozenset[str] = SE_LINUX_TYPES) -> Finding | None:
    """No SELinux user or role, and no type but those for containers."""
    options = {id(found): security(found).get("seLinuxOptions") or {} for found in (pod.spec, *containers(pod))}

    def is_bad(found: Json) -> bool:
        own = options[id(found)]
        return own.get("type", "") not in types or bool(own.get("user") or own.get("role"))

    pod_is, bad = is_bad(pod.spec), [found for found in containers(pod) if is_bad(found)]
    if not pod_is and not bad:
        return None
    wrong = sorted({own.get("type", "") for own in options.values()} - types)
    told = [f"{plural('type', 'types', len(wrong))} {quoted(wrong)}"] if wrong else []
    told += [f"{name} may not be set" for name in ("user", "role") if any(own.get(name) for own in options.values())]
    return Finding("seLinuxOptions", f"{setters(pod_is, names(bad))} set forbidden securityContext.seLinuxOptions: {'; '.join(told)}")


def seccomp_annotations(pod: Pod) -> Finding | None:
    """No seccomp profile but the runtime's own or a local one; these were annotations once."""
    keys = [SECCOMP_POD, *(SECCOMP_CONTAINER + name for name in names(containers(pod)))]
    given = {key: pod.annotations[key] for key in keys if key in pod.annotations}
    bad = sorted(
        f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in given.items()
        if value not in ("runtime/default", "docker/default") and not value.startswith("localhost/")
    )  # fmt: skip
    return Finding("seccompProfile", f"forbidden {plural('annotation', 'annotations', len(bad))} {', '.join(bad)}") if bad else None


def seccomp(pod: Pod) -> Finding | None:
    """No seccomp profile but the runtime's own or a local one."""
    pod_is, bad = is_bad_seccomp(pod.spec), [found for found in containers(pod) if is_bad_seccomp(found)]
    if not pod_is and not bad:
        return None
    kinds = sorted({security(found)["seccompProfile"].get("type", "") for found in (*bad, *((pod.spec,) if pod_is else ()))})
    return Finding("seccompProfile", f"{setters(pod_is, names(bad))} must not set securityContext.seccompProfile.type to {quoted(kinds)}")


def is_bad_seccomp(found: Json) -> bool:
    """Whether a container or pod names a forbidden profile."""
    profile = security(found).get("seccompProfile")
    return profile is not None and profile.get("type") not in PROFILES


def sysctls(pod: Pod, allowed: frozenset[str] = SYSCTLS) -> Finding | None:
    """No settings of the kernel but those that concern the pod alone."""
    bad = [name for name in names(security(pod.spec).get("sysctls") or ()) if name not in allowed]
    return Finding(plural("forbidden sysctl", "forbidden sysctls", len(bad)), ", ".join(bad)) if bad else None


def windows_host_process(pod: Pod) -> Finding | None:
    """No processes of a Windows node."""
    pod_is, bad = is_host_process(pod.spec), names(filter(is_host_process, containers(pod)))
    if not pod_is and not bad:
        return None
    return Finding("hostProcess", f"{setters(pod_is, bad)} must not set securityContext.windowsOptions.hostProcess=true")


def is_host_process(found: Json) -> bool:
    """Whether a container or pod wants to be one."""
    return bool((security(found).get("windowsOptions") or {}).get("hostProcess"))


CHECKS = (
    Check("appArmorProfile", 0, app_armor),
    Check("capabilities_baseline", 0, capabilities),
    Check("hostNamespaces", 0, host_namespaces),
    Check("hostPathVolumes", 0, host_path_volumes),
    Check("hostPorts", 0, host_ports),
    Check("hostProbesAndHostLifecycle", 34, probe_hosts),
    Check("privileged", 0, privileged),
    Check("procMount", 0, proc_mount),
    Check("procMount", 35, proc_mount_unless_own_users),
    Check("seLinuxOptions", 0, se_linux),
    Check("seLinuxOptions", 31, partial(se_linux, types=SE_LINUX_TYPES | {"container_engine_t"})),
    Check("seccompProfile_baseline", 0, seccomp_annotations),
    Check("seccompProfile_baseline", 19, seccomp),
    Check("sysctls", 0, sysctls),
    Check("sysctls", 27, partial(sysctls, allowed=SYSCTLS_27)),
    Check("sysctls", 29, partial(sysctls, allowed=SYSCTLS_29)),
    Check("sysctls", 32, partial(sysctls, allowed=SYSCTLS_32)),
    Check("windowsHostProcess", 0, windows_host_process),
)
