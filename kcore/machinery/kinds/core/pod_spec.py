"""The spec of a pod, as pods and pod templates have it.

Source: Kubernetes `pkg/apis/core/validation`, observed answers of 1.37.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kcore.machinery import cidr, names
from kcore.machinery.field_error import FieldError, duplicate, forbidden, invalid, not_found, not_supported, required, too_long
from kcore.machinery.kinds.core import affinity
from kcore.machinery.kinds.core.container import (
    Surroundings,
    validate_containers,
    validate_ephemeral_containers,
    validate_init_containers,
)
from kcore.machinery.kinds.core.container_env import file_key_references
from kcore.machinery.kinds.core.container_resources import validate_overhead, validate_pod_resources
from kcore.machinery.kinds.core.container_security import OPERATING_SYSTEMS, validate_host_process, validate_pod_security, visit_containers
from kcore.machinery.kinds.core.pod_printed import printed
from kcore.machinery.kinds.core.volume import validate_volumes
from kcore.machinery.labels import validate_labels

Json = Mapping[str, Any]

NAMESERVERS_COUNT_MAX: Final = 3
SEARCHES_COUNT_MAX: Final = 32
SEARCH_LIST_SIZE_MAX: Final = 2048
HOSTNAME_OVERRIDE_SIZE_MAX: Final = 64
ACTIVE_DEADLINE_S_MAX: Final = 2**31 - 1
_OWN_USERS: Final = "when `hostUsers` is false"

RESTART_POLICIES: Final = ("Always", "OnFailure", "Never")
_DNS_POLICIES: Final = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_PREEMPTION_POLICIES: Final = ("PreemptLowerPriority", "Never")
_CLAIM_ONE_OF: Final = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
_CLAIM_BOTH: Final = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"


@dataclass(slots=True)
class Leniency:
    """What the rules still accept because the stored object already has it.

    Source: Kubernetes `pkg/api/pod` (validation options from the old pod).
    """

    label_values: bool = False
    spread_selectors: bool = False
    host_sysctls: bool = False
    stored_ips: frozenset[str] = frozenset()


STRICT: Final = Leniency()


def validate_pod_spec(
    spec: Json, path: str, errors: list[FieldError], *, pod_name: str = "", is_pod: bool = False, lenient: Leniency = STRICT,
) -> None:
    """Check the spec of a pod or template; the order of the rules is that of the answers.

    pod_name  the pod's name, empty in a template
    is_pod    rules that only a pod has to meet
    lenient   what is accepted since it is stored already
    """
    get = spec.get
    grace_period_s = get("terminationGracePeriodSeconds")
    if grace_period_s is None:
        errors.append(required(f"{path}.terminationGracePeriodSeconds"))
    volumes = validate_volumes(get("volumes"), pod_name, f"{path}.volumes", errors, is_pod=is_pod)
    claims = get("resourceClaims")
    claim_names = _validate_resource_claims(claims, f"{path}.resourceClaims", errors) if claims else ()
    pod = Surroundings(volumes, claim_names, get("restartPolicy") or "", grace_period_s, get("hostUsers") is not False)
    validate_containers(get("containers"), pod, f"{path}.containers", errors)
    if get("initContainers"):
        validate_init_containers(spec, pod, f"{path}.initContainers", errors)
    if get("ephemeralContainers"):
        validate_ephemeral_containers(spec, pod, f"{path}.ephemeralContainers", errors)
    _validate_file_key_volumes(spec, volumes, path, errors)
    if get("resources") is not None:
        validate_pod_resources(spec, claim_names, path, errors)
    if get("hostNetwork"):
        _validate_host_ports(spec, path, errors, is_pod)
    _validate_basics(spec, path, errors)
    if get("securityContext"):
        validate_pod_security(spec, path, errors, host_sysctls_allowed=lenient.host_sysctls)
    _validate_placement(spec, path, errors, lenient)
    _validate_identity(spec, path, errors)
    if get("tolerations"):
        affinity.validate_tolerations(spec["tolerations"], f"{path}.tolerations", errors)
    if get("hostAliases"):
        _validate_host_aliases(spec["hostAliases"], f"{path}.hostAliases", errors, lenient)
    _validate_classes(spec, path, errors)
    if get("os") is not None:
        _validate_operating_system(spec, path, errors)
    if get("schedulingGroup") is not None:
        _validate_scheduling_group(spec, f"{path}.schedulingGroup", errors)


def _validate_basics(spec: Json, path: str, errors: list[FieldError]) -> None:
    policy = spec.get("restartPolicy")
    if policy not in RESTART_POLICIES:
        errors.append(not_supported(f"{path}.restartPolicy", policy, RESTART_POLICIES) if policy else required(f"{path}.restartPolicy"))
    policy = spec.get("dnsPolicy")
    if policy not in _DNS_POLICIES:
        errors.append(not_supported(f"{path}.dnsPolicy", policy, _DNS_POLICIES) if policy else required(f"{path}.dnsPolicy"))
    if spec.get("nodeSelector"):
        validate_labels(spec["nodeSelector"], f"{path}.nodeSelector", errors)


def _validate_placement(spec: Json, path: str, errors: list[FieldError], lenient: Leniency) -> None:
    get = spec.get
    if get("affinity"):
        affinity.validate_affinity(spec["affinity"], f"{path}.affinity", errors, check_values=not lenient.label_values)
    if get("dnsConfig") is not None or get("dnsPolicy") == "None":
        _validate_dns_config(get("dnsConfig"), get("dnsPolicy"), f"{path}.dnsConfig", errors, lenient)
    for index, gate in enumerate(get("readinessGates") or ()):
        kind = gate.get("conditionType") or ""
        at = f"{path}.readinessGates[{index}].conditionType"
        errors.extend(invalid(at, kind, sentence) for sentence in names.qualified_name(kind))
    if get("schedulingGates"):
        _validate_scheduling_gates(spec["schedulingGates"], f"{path}.schedulingGates", errors)
    if get("topologySpreadConstraints"):
        at = f"{path}.topologySpreadConstraints"
        affinity.validate_topology_spread(spec["topologySpreadConstraints"], at, errors, check_selector=not lenient.spread_selectors)
    validate_host_process(spec, path, errors)
    if get("hostUsers") is False:
        for field, shown in (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")):
            if get(field):
                errors.append(forbidden(f"{path}.{shown}", _OWN_USERS))
        for container, at in visit_containers(spec, path):
            if container.get("volumeDevices"):
                errors.append(forbidden(f"{at}.volumeDevices", _OWN_USERS))


def _validate_identity(spec: Json, path: str, errors: list[FieldError]) -> None:
    for field in ("serviceAccountName", "nodeName"):
        name = spec.get(field)
        if name and not names.fits_dns1123_subdomain(name):
            errors.extend(invalid(f"{path}.{field}", name, sentence) for sentence in names.dns1123_subdomain(name))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= ACTIVE_DEADLINE_S_MAX:
        errors.append(invalid(f"{path}.activeDeadlineSeconds", deadline, names.between(1, ACTIVE_DEADLINE_S_MAX)))
    for field in ("hostname", "subdomain"):
        name = spec.get(field)
        if name:
            errors.extend(invalid(f"{path}.{field}", name, sentence) for sentence in names.dns1123_label(name))
    override = spec.get("hostnameOverride")
    if override is not None:
        _validate_hostname_override(spec, override, path, errors)


def _validate_classes(spec: Json, path: str, errors: list[FieldError]) -> None:
    name = spec.get("priorityClassName")
    if name:
        errors.extend(invalid(f"{path}.priorityClassName", name, sentence) for sentence in names.dns1123_subdomain(name))
    name = spec.get("runtimeClassName")
    if name is not None:
        errors.extend(invalid(f"{path}.runtimeClassName", name, sentence) for sentence in names.dns1123_subdomain(name))
    policy = spec.get("preemptionPolicy")
    if policy is not None and policy not in _PREEMPTION_POLICIES:
        at = f"{path}.preemptionPolicy"
        errors.append(not_supported(at, policy, _PREEMPTION_POLICIES) if policy else required(at))
    if spec.get("overhead"):
        validate_overhead(spec["overhead"], f"{path}.overhead", errors)


def _validate_scheduling_group(spec: Json, path: str, errors: list[FieldError]) -> None:
    name = spec["schedulingGroup"].get("podGroupName")
    if name is None:
        errors.append(invalid(f"{path}.podGroupName", None, "must specify one of: `podGroupName`"))
    else:
        errors.extend(invalid(f"{path}.podGroupName", name, sentence) for sentence in names.dns1123_subdomain(name))
    if spec.get("evictionResponders"):
        errors.append(forbidden(path, "may not be set when evictionResponders is set"))


def _validate_hostname_override(spec: Json, override: str, path: str, errors: list[FieldError]) -> None:
    at = f"{path}.hostnameOverride"
    set_elsewhere = [field for field in ("setHostnameAsFQDN", "hostNetwork") if spec.get(field)]
    errors.extend(forbidden(at, f"may not be specified when {field} is true") for field in set_elsewhere)
    if len(override.encode()) > HOSTNAME_OVERRIDE_SIZE_MAX:
        errors.append(too_long(at, HOSTNAME_OVERRIDE_SIZE_MAX))
    errors.extend(invalid(at, override, sentence) for sentence in names.dns1123_subdomain(override))


def _validate_operating_system(spec: Json, path: str, errors: list[FieldError]) -> None:
    name = spec["os"].get("name")
    if not name:
        errors.append(required(f"{path}.os.name"))
    elif name not in OPERATING_SYSTEMS:
        errors.append(not_supported(f"{path}.os", name, sorted(OPERATING_SYSTEMS)))
    else:
        OPERATING_SYSTEMS[name](spec, path, errors)


def _validate_resource_claims(claims: list[Any], path: str, errors: list[FieldError]) -> set[str]:
    seen: set[str] = set()
    for index, claim in enumerate(claims):
        at = f"{path}[{index}]"
        name, direct, template = claim.get("name") or "", claim.get("resourceClaimName"), claim.get("resourceClaimTemplateName")
        if not name:
            errors.append(required(f"{at}.name"))
        elif name in seen:
            errors.append(duplicate(f"{at}.name", name))
        else:
            errors.extend(invalid(f"{at}.name", name, sentence) for sentence in names.dns1123_label(name))
            seen.add(name)
        if (direct is None) == (template is None):
            errors.append(invalid(at, printed("PodResourceClaim", claim), _CLAIM_ONE_OF if direct is None else _CLAIM_BOTH))
        for field, value in (("resourceClaimName", direct), ("resourceClaimTemplateName", template)):
            if value is not None:
                errors.extend(invalid(f"{at}.{field}", value, sentence) for sentence in names.dns1123_subdomain(value))
    return seen


def _validate_file_key_volumes(spec: Json, volumes: Mapping[str, Json], path: str, errors: list[FieldError]) -> None:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(kind) or ()):
            if not container.get("env"):
                continue
            for place, selector in file_key_references(container["env"]):
                name = selector.get("volumeName") or ""
                at = f"{path}.{kind}[{index}].env[{place}].valueFrom.fileKeyRef.volumeName"
                if name not in volumes:
                    errors.append(not_found(at, name))
                elif volumes[name].get("emptyDir") is None:
                    errors.append(invalid(at, name, "referenced volume must be of type emptyDir"))


def _validate_host_ports(spec: Json, path: str, errors: list[FieldError], is_pod: bool) -> None:
    """With the host's network a container port is a host port; a template may leave that to the pod's defaults."""
    for index, container in enumerate(spec.get("containers") or ()):
        for place, port in enumerate(container.get("ports") or ()):
            host, own = port.get("hostPort") or 0, port.get("containerPort") or 0
            if host != own and (is_pod or host):
                at = f"{path}.containers[{index}].ports[{place}].hostPort"
                errors.append(invalid(at, host, "must match `containerPort` when `hostNetwork` is true"))


def _validate_scheduling_gates(gates: list[Any], path: str, errors: list[FieldError]) -> None:
    seen: set[str] = set()
    for index, gate in enumerate(gates):
        name = gate.get("name") or ""
        errors.extend(invalid(f"{path}[{index}]", name, sentence) for sentence in names.qualified_name(name))
        if name in seen:
            errors.append(duplicate(f"{path}[{index}]", name))
        seen.add(name)


def _validate_dns_config(config: Json | None, policy: str | None, path: str, errors: list[FieldError], lenient: Leniency) -> None:
    if policy == "None":
        if config is None:
            errors.append(required(path, "must provide `dnsConfig` when `dnsPolicy` is None"))
            return
        if not config.get("nameservers"):
            errors.append(required(f"{path}.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None"))
            return
    if config is None:
        return
    servers, searches = config.get("nameservers") or [], config.get("searches") or []
    if len(servers) > NAMESERVERS_COUNT_MAX:
        errors.append(invalid(f"{path}.nameservers", servers, f"must not have more than {NAMESERVERS_COUNT_MAX} nameservers"))
    for index, server in enumerate(servers):
        cidr.validate_ip(server, f"{path}.nameservers[{index}]", errors, lenient.stored_ips)
    if len(searches) > SEARCHES_COUNT_MAX:
        errors.append(invalid(f"{path}.searches", searches, f"must not have more than {SEARCHES_COUNT_MAX} search paths"))
    if len(" ".join(searches).encode()) > SEARCH_LIST_SIZE_MAX:
        detail = f"must not have more than {SEARCH_LIST_SIZE_MAX} characters (including spaces) in the search list"
        errors.append(invalid(f"{path}.searches", searches, detail))
    for index, search in enumerate(searches):
        if search != ".":
            domain = search.removesuffix(".")
            for sentence in names.dns1123_subdomain_with_underscore(domain):
                errors.append(invalid(f"{path}.searches[{index}]", domain, sentence))
    for index, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            errors.append(required(f"{path}.options[{index}]", "must not be empty"))


def _validate_host_aliases(aliases: list[Any], path: str, errors: list[FieldError], lenient: Leniency) -> None:
    for index, alias in enumerate(aliases):
        cidr.validate_ip(alias.get("ip") or "", f"{path}[{index}].ip", errors, lenient.stored_ips)
        for place, hostname in enumerate(alias.get("hostnames") or ()):
            at = f"{path}[{index}].hostnames[{place}]"
            errors.extend(invalid(at, hostname, sentence) for sentence in names.dns1123_subdomain(hostname))
