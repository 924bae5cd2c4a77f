"""Security contexts of pods and containers: users, seccomp, AppArmor, sysctls, Windows options, and what each operating system forbids.

Source: Kubernetes `pkg/apis/core/validation`, observed answers of 1.37.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from kcore.machinery import names
from kcore.machinery.field_error import FieldError, duplicate, forbidden, invalid, not_supported, required, too_long
from kcore.machinery.kinds.core.container_paths import validate_descending_path
from kcore.machinery.kinds.core.pod_printed import printed

Json = Mapping[str, Any]

ID_MAX: Final = 2**31 - 1
_PROFILE_TYPES: Final = ("Localhost", "RuntimeDefault", "Unconfined")
_PROFILE_PATH_SIZE_MAX: Final = 4095    # PATH_MAX without its terminating zero
_FS_GROUP_POLICIES: Final = ("Always", "OnRootMismatch")
_GROUP_POLICIES: Final = ("Merge", "Strict")
_SELINUX_POLICIES: Final = ("MountOption", "Recursive")
_PROC_MOUNTS: Final = ("Default", "Unmasked")

_SYSCTL_SIZE_MAX: Final = 253
_SYSCTL_FMT: Final = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
_SYSCTL: Final = re.compile(r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?")
# Sysctls of the IPC and network namespaces by name and prefix; a pod that shares the host's namespace may not set them.
_IPC_SYSCTLS: Final = ("kernel.sem",)
_IPC_SYSCTL_PREFIXES: Final = ("kernel.shm", "kernel.msg", "fs.mqueue.")
_NET_SYSCTL_PREFIX: Final = "net."

_GMSA_SPEC_SIZE_MAX_KIB: Final = 64
_DOMAIN_SIZE_MAX: Final = 256
_USER_SIZE_MAX: Final = 104
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NETBIOS: Final = re.compile(r'[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}')
_WINDOWS_LABEL: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_WINDOWS_DOMAIN: Final = re.compile(rf"{_WINDOWS_LABEL}(?:\.{_WINDOWS_LABEL})*")
_USER_DOTS: Final = re.compile(r"[. ]+")
_USER_CHARS: Final = re.compile(r'["/\\:;|=,+*?<>@\[\]]')

# Fields that a Windows pod may not set, in the order in which they are reported; those of the spec itself are marked by a leading dot.
_WINDOWS_POD_FORBIDS: Final = (
    "appArmorProfile", "seLinuxOptions", ".hostUsers", ".hostPID", ".hostIPC", "seccompProfile", "fsGroup", "fsGroupChangePolicy",
    "sysctls", ".shareProcessNamespace", "runAsUser", "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy", "seLinuxChangePolicy",
)
_WINDOWS_CONTAINER_FORBIDS: Final = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged",
    "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup",
)
# Among them, those that count as unset when they are false or empty.
_UNSET_WHEN_EMPTY: Final = frozenset((".hostPID", ".hostIPC", "sysctls"))


def visit_containers(spec: Json, path: str) -> Iterator[tuple[Json, str]]:
    """Yield every container of a pod with its path: init containers, containers, ephemeral containers."""
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(kind) or ()):
            yield container, f"{path}.{kind}[{index}]"


def validate_container_security(context: Json, path: str, errors: list[FieldError], *, host_users: bool) -> None:
    """Check the security context of a container; `host_users` is false in a pod with a user namespace of its own."""
    _validate_id(context.get("runAsUser"), f"{path}.runAsUser", errors)
    _validate_id(context.get("runAsGroup"), f"{path}.runAsGroup", errors)
    proc_mount = context.get("procMount")
    if proc_mount is not None:
        if proc_mount not in _PROC_MOUNTS:
            errors.append(not_supported(f"{path}.procMount", proc_mount, _PROC_MOUNTS))
        if host_users and proc_mount == "Unmasked":
            errors.append(invalid(f"{path}.procMount", proc_mount, "`hostUsers` must be false to use `Unmasked`"))
    _validate_seccomp(context.get("seccompProfile"), f"{path}.seccompProfile", errors)
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged"):
            detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            errors.append(invalid(path, printed("SecurityContext", context), detail))
        for capability in (context.get("capabilities") or {}).get("add") or ():
            if capability == "CAP_SYS_ADMIN":
                detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
                errors.append(invalid(path, printed("SecurityContext", context), detail))
    _validate_windows_options(context.get("windowsOptions"), f"{path}.windowsOptions", errors)
    validate_apparmor(context.get("appArmorProfile"), f"{path}.appArmorProfile", errors)


def validate_pod_security(spec: Json, path: str, errors: list[FieldError], *, host_sysctls_allowed: bool = False) -> None:
    """Check `spec.securityContext`; `path` is the spec's."""
    context = spec.get("securityContext")
    if not context:
        return
    at = f"{path}.securityContext"
    _validate_id(context.get("fsGroup"), f"{at}.fsGroup", errors)
    _validate_id(context.get("runAsUser"), f"{at}.runAsUser", errors)
    _validate_id(context.get("runAsGroup"), f"{at}.runAsGroup", errors)
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        _validate_id(group, f"{at}.supplementalGroups[{index}]", errors)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        errors.append(invalid(f"{at}.shareProcessNamespace", True, "ShareProcessNamespace and HostPID cannot both be enabled"))
    _validate_sysctls(spec, context.get("sysctls") or (), f"{at}.sysctls", errors, host_sysctls_allowed)
    _validate_choice(context.get("fsGroupChangePolicy"), _FS_GROUP_POLICIES, f"{at}.fsGroupChangePolicy", errors)
    _validate_seccomp(context.get("seccompProfile"), f"{at}.seccompProfile", errors)
    _validate_windows_options(context.get("windowsOptions"), f"{at}.windowsOptions", errors)
    validate_apparmor(context.get("appArmorProfile"), f"{at}.appArmorProfile", errors)
    _validate_choice(context.get("supplementalGroupsPolicy"), _GROUP_POLICIES, f"{at}.supplementalGroupsPolicy", errors)
    _validate_choice(context.get("seLinuxChangePolicy"), _SELINUX_POLICIES, f"{at}.seLinuxChangePolicy", errors)


def validate_apparmor(profile: Json | None, path: str, errors: list[FieldError]) -> None:
    """Check an AppArmor profile."""
    if profile is None:
        return
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    if kind == "Localhost":
        _validate_apparmor_path(local, f"{path}.localhostProfile", errors)
    elif kind in _PROFILE_TYPES:
        if local is not None:
            errors.append(invalid(f"{path}.localhostProfile", local, "can only be set when AppArmor type is Localhost"))
    elif not kind:
        errors.append(required(f"{path}.type", "type is required when appArmorProfile is set"))
    else:
        errors.append(not_supported(f"{path}.type", kind, _PROFILE_TYPES))


def validate_host_process(spec: Json, path: str, errors: list[FieldError]) -> None:
    """Check that containers which are processes of a Windows host are so all together, and with the host's network."""
    pod_wish = ((spec.get("securityContext") or {}).get("windowsOptions") or {}).get("hostProcess")
    count = host_count = 0
    for container, at in visit_containers(spec, path):
        count += 1
        wish = ((container.get("securityContext") or {}).get("windowsOptions") or {}).get("hostProcess")
        if pod_wish is not None and wish is not None and pod_wish != wish:
            detail = f"pod hostProcess value must be identical if both are specified, was {'true' if pod_wish else 'false'}"
            errors.append(invalid(f"{at}.securityContext.windowsOptions.hostProcess", wish, detail))
        if wish or (wish is None and pod_wish):
            host_count += 1
    if not host_count:
        return
    if host_count != count:
        errors.append(invalid(path, "", "If pod contains any hostProcess containers then all containers must be HostProcess containers"))
    if not spec.get("hostNetwork"):
        errors.append(invalid(f"{path}.hostNetwork", False, "hostNetwork must be true if pod contains any hostProcess containers"))


def validate_linux(spec: Json, path: str, errors: list[FieldError]) -> None:
    """Refuse what only a Windows pod may set."""
    detail = "windows options cannot be set for a linux pod"
    if (spec.get("securityContext") or {}).get("windowsOptions") is not None:
        errors.append(forbidden(f"{path}.securityContext.windowsOptions", detail))
    for container, at in visit_containers(spec, path):
        if (container.get("securityContext") or {}).get("windowsOptions") is not None:
            errors.append(forbidden(f"{at}.securityContext.windowsOptions", detail))


def validate_windows(spec: Json, path: str, errors: list[FieldError]) -> None:
    """Refuse what only a Linux pod may set."""
    detail = "cannot be set for a windows pod"
    context = spec.get("securityContext") or {}
    for name in _WINDOWS_POD_FORBIDS:
        value = spec.get(name[1:]) if name[0] == "." else context.get(name)
        if value is None or (not value and name in _UNSET_WHEN_EMPTY):
            continue
        errors.append(forbidden(f"{path}{name}" if name[0] == "." else f"{path}.securityContext.{name}", detail))
    for container, at in visit_containers(spec, path):
        own = container.get("securityContext") or {}
        for name in _WINDOWS_CONTAINER_FORBIDS:
            if own.get(name) is not None:
                errors.append(forbidden(f"{at}.securityContext.{name}", detail))


def _validate_id(value: int | None, path: str, errors: list[FieldError]) -> None:
    if value is not None and not 0 <= value <= ID_MAX:
        errors.append(invalid(path, value, names.between(0, ID_MAX)))


def _validate_choice(value: str | None, choices: tuple[str, ...], path: str, errors: list[FieldError]) -> None:
    if value is not None and value not in choices:
        errors.append(not_supported(path, value, choices))


def _validate_seccomp(profile: Json | None, path: str, errors: list[FieldError]) -> None:
    if profile is None:
        return
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    if not kind:
        errors.append(required(f"{path}.type", "type is required when seccompProfile is set"))
    elif kind not in _PROFILE_TYPES:
        errors.append(not_supported(f"{path}.type", kind, _PROFILE_TYPES))
    if kind == "Localhost":
        if local is None:
            errors.append(required(f"{path}.localhostProfile", "must be set when seccomp type is Localhost"))
        else:
            validate_descending_path(local, f"{path}.localhostProfile", errors)
    elif local is not None:
        detail = "can only be set when seccomp type is Localhost"
        errors.append(invalid(f"{path}.localhostProfile", printed("SeccompProfile", profile), detail))


def _validate_apparmor_path(local: str | None, path: str, errors: list[FieldError]) -> None:
    if local is None:
        errors.append(required(path, "must be set when AppArmor type is Localhost"))
        return
    if local.strip() != local:
        errors.append(invalid(path, local, "must not be padded with whitespace"))
    elif not local:
        errors.append(required(path, "must be set when AppArmor type is Localhost"))
    if len(local.encode()) > _PROFILE_PATH_SIZE_MAX:
        errors.append(too_long(path, _PROFILE_PATH_SIZE_MAX))


def _validate_sysctls(spec: Json, sysctls: Any, path: str, errors: list[FieldError], host_sysctls_allowed: bool) -> None:
    seen: set[str] = set()
    for index, sysctl in enumerate(sysctls):
        name, at = sysctl.get("name") or "", f"{path}[{index}].name"
        if not name:
            errors.append(required(at))
        elif len(name) > _SYSCTL_SIZE_MAX or not _SYSCTL.fullmatch(name):
            errors.append(invalid(at, name, f"must have at most {_SYSCTL_SIZE_MAX} characters and match regex {_SYSCTL_FMT}"))
        elif name in seen:
            errors.append(duplicate(at, name))
        if not host_sysctls_allowed:
            dotted = _dotted_sysctl(name)
            if spec.get("hostNetwork") and dotted.startswith(_NET_SYSCTL_PREFIX):
                errors.append(invalid(at, name, "may not be specified when 'hostNetwork' is true"))
            elif spec.get("hostIPC") and (dotted in _IPC_SYSCTLS or dotted.startswith(_IPC_SYSCTL_PREFIXES)):
                errors.append(invalid(at, name, "may not be specified when 'hostIPC' is true"))
        seen.add(name)


def _dotted_sysctl(name: str) -> str:
    """Write a sysctl with dots: where the first separator is a slash, slashes separate and dots are part of a name."""
    slash, dot = name.find("/"), name.find(".")
    if slash < 0 or (0 <= dot < slash):
        return name
    return name.translate(str.maketrans("./", "/."))


def _validate_windows_options(options: Json | None, path: str, errors: list[FieldError]) -> None:
    if options is None:
        return
    name = options.get("gmsaCredentialSpecName")
    if name is not None:
        for sentence in names.dns1123_subdomain(name):
            errors.append(invalid(f"{path}.gmsaCredentialSpecName", name, sentence))
    spec = options.get("gmsaCredentialSpec")
    if spec is not None:
        if not spec:
            errors.append(invalid(f"{path}.gmsaCredentialSpec", spec, "gmsaCredentialSpec cannot be an empty string"))
        elif len(spec.encode()) > _GMSA_SPEC_SIZE_MAX_KIB * 1024:
            detail = f"gmsaCredentialSpec size must be under {_GMSA_SPEC_SIZE_MAX_KIB} KiB"
            errors.append(invalid(f"{path}.gmsaCredentialSpec", spec, detail))
    user_name = options.get("runAsUserName")
    if user_name is not None:
        for detail in _user_name_problems(user_name):
            errors.append(invalid(f"{path}.runAsUserName", user_name, detail))


def _user_name_problems(user_name: str) -> list[str]:
    if not user_name:
        return ["runAsUserName cannot be an empty string"]
    if _CONTROL.search(user_name):
        return ["runAsUserName cannot contain control characters"]
    if user_name.count("\\") > 1:
        return ["runAsUserName cannot contain more than one backslash"]
    domain, backslash, user = user_name.rpartition("\\")
    problems = []
    if len(domain.encode()) >= _DOMAIN_SIZE_MAX:
        problems.append(f"runAsUserName's Domain length must be under {_DOMAIN_SIZE_MAX} characters")
    if backslash and not (_NETBIOS.fullmatch(domain) or _WINDOWS_DOMAIN.fullmatch(domain)):
        problems.append("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
    if not user:
        problems.append("runAsUserName's User cannot be empty")
    elif len(user.encode()) > _USER_SIZE_MAX:
        problems.append(f"runAsUserName's User length must not be longer than {_USER_SIZE_MAX} characters")
    if _USER_DOTS.fullmatch(user):
        problems.append("runAsUserName's User cannot contain only periods or spaces")
    if _USER_CHARS.search(user):
        problems.append('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]')
    return problems


Validator = Callable[[Json, str, list[FieldError]], None]
OPERATING_SYSTEMS: Final[Mapping[str, Validator]] = {"linux": validate_linux, "windows": validate_windows}
