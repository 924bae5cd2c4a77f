"""Status of a pod: what a new pod starts with, what a status update keeps, and what it may not say.

Source: Kubernetes `pkg/registry/core/pod` (strategy), `pkg/apis/core/validation`.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kcore.machinery import cidr, names
from kcore.machinery.field_error import FieldError, duplicate, forbidden, immutable, internal, invalid, not_supported, required
from kcore.machinery.kinds.core.container_security import ID_MAX
from kcore.machinery.kinds.core.pod_printed import printed_list
from kcore.machinery.kinds.qos import compute_qos_class
from kcore.machinery.kinds.readiness import INITIALIZED, POD_SCHEDULED, READY
from kcore.machinery.kinds.requests import is_sidecar

Json = Mapping[str, Any]
Object = dict[str, Any]

GATED_REASON: Final = "SchedulingGated"
GATED_MESSAGE: Final = "Scheduling is blocked due to non-empty scheduling gates"

_SYSTEM_CONDITIONS: Final = (POD_SCHEDULED, READY, INITIALIZED)
_HEALTH_VALUES: Final = ("Healthy", "Unhealthy", "Unknown")
_STATUS_LISTS: Final = (
    ("containerStatuses", "containers"), ("initContainerStatuses", "initContainers"), ("ephemeralContainerStatuses", ""),
)
_NO_GENERATION: Final = "must be a non-negative integer"
_MAPPED: Final = ("containerName", "resourceName", "requestName")
_NO_CONTAINER: Final = "must match the name of an entry in spec.initContainers.name or spec.containers.name"
_NO_RESOURCE: Final = (
    "must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests"
)
_CLAIM_SENTENCE: Final = (
    "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
)


def initial_status(pod: Json) -> Object:
    """Make the status of a pod that is created; a gated one says why it waits."""
    spec = pod.get("spec") or {}
    status: Object = {"phase": "Pending", "qosClass": compute_qos_class(spec)}
    if spec.get("schedulingGates"):
        condition = {"type": POD_SCHEDULED, "status": "False", "lastProbeTime": None, "reason": GATED_REASON, "message": GATED_MESSAGE}
        # The condition begins when the pod does: at the creation time that the registry has put into the metadata.
        since = (pod.get("metadata") or {}).get("creationTimestamp")
        condition["lastTransitionTime"] = since
        status["conditions"] = [condition]
    return status


def keep_on_status_update(new: Object, old: Json) -> None:
    """Keep what a status update may not change or forget, in place."""
    metadata, stored = new.setdefault("metadata", {}), old.get("metadata") or {}
    new["spec"] = old.get("spec")
    _keep(metadata, stored, "ownerReferences")
    status, before = new.get("status") or {}, old.get("status") or {}
    new["status"] = status
    first, listed = status.get("podIP"), status.get("podIPs")
    if first and (not listed or listed[0].get("ip") != first):
        status["podIPs"] = [{"ip": first}]  # the older field of the two is believed
    elif listed and not first:
        status["podIP"] = listed[0].get("ip") or ""
    for field in ("qosClass", "observedGeneration"):
        if not status.get(field) and before.get(field):
            status[field] = before[field]
    generations: dict[str, list[int]] = {}
    for condition in before.get("conditions") or ():
        generations.setdefault(condition.get("type") or "", []).append(condition.get("observedGeneration") or 0)
    for condition in status.get("conditions") or ():
        known = generations.get(condition.get("type") or "")
        generation = known.pop(0) if known else 0
        if generation and not condition.get("observedGeneration"):
            condition["observedGeneration"] = generation


def validate_status(new: Json, old: Json, errors: list[FieldError]) -> None:
    """Check the changes of a status update, but for those of metadata."""
    status, before = new.get("status") or {}, old.get("status") or {}
    spec, old_spec = new.get("spec") or {}, old.get("spec") or {}
    for index, condition in enumerate(status.get("conditions") or ()):
        kind = condition.get("type") or ""
        if (condition.get("observedGeneration") or 0) < 0:
            errors.append(invalid(f"status.conditions[{index}].observedGeneration", condition["observedGeneration"], _NO_GENERATION))
        if kind not in _SYSTEM_CONDITIONS:
            at = f"status.conditions[{index}].Type"
            errors.extend(invalid(at, kind, sentence) for sentence in names.qualified_name(kind))
    if (spec.get("nodeName") or "") != (old_spec.get("nodeName") or ""):
        errors.append(forbidden("status.nodeName", "may not be changed directly"))
    nominated = status.get("nominatedNodeName")
    if nominated and nominated != before.get("nominatedNodeName"):
        errors.extend(invalid("status.nominatedNodeName", nominated, sentence) for sentence in names.dns1123_subdomain(nominated))
    if (status.get("observedGeneration") or 0) < 0:
        errors.append(invalid("status.observedGeneration", status["observedGeneration"], _NO_GENERATION))
    if (status.get("qosClass") or "") != (before.get("qosClass") or ""):
        errors.append(immutable("status.qosClass", status.get("qosClass") or ""))
    _validate_transitions(status, before, old_spec, errors)
    if status.get("resourceClaimStatuses"):
        _validate_claim_statuses(status["resourceClaimStatuses"], spec, errors)
    if status.get("extendedResourceClaimStatus") is not None:
        _validate_extended_claim(status["extendedResourceClaimStatus"], spec, errors)
    _validate_pod_ips(status, before, errors)
    _validate_host_ips(status, before, errors)
    present = [(field, containers, status[field]) for field, containers in _STATUS_LISTS if status.get(field)]
    for field, _, statuses in present:
        _validate_users(statuses, f"status.{field}", spec, errors)
    for field, containers, statuses in present:
        _validate_allocations(statuses, f"status.{field}", spec.get(containers) or () if containers else None, errors)


def status_warnings(pod: Json) -> list[str]:
    """Warn of addresses in a form that other software may read in another way."""
    status = pod.get("status") or {}
    found = []
    for field in ("podIPs", "hostIPs"):
        for index, item in enumerate(status.get(field) or ()):
            found += cidr.warn_ip(item.get("ip") or "", f"status.{field}[{index}].ip")
    return found


def _keep(metadata: Object, stored: Json, field: str) -> None:
    if stored.get(field):
        metadata[field] = stored[field]
    else:
        metadata.pop(field, None)


def _validate_transitions(status: Json, before: Json, spec: Json, errors: list[FieldError]) -> None:
    """A container that has ended for good may not be running again."""
    if not any((item.get("state") or {}).get("terminated") for field, _ in _STATUS_LISTS for item in before.get(field) or ()):
        return
    policy = spec.get("restartPolicy")
    rules = {
        container.get("name"): container.get("restartPolicy") is not None or bool(container.get("restartPolicyRules"))
        for container in spec.get("containers") or ()
    }
    sidecars = {container.get("name") for container in spec.get("initContainers") or () if is_sidecar(container)}
    for field, restarts in (
        ("containerStatuses", policy), ("initContainerStatuses", policy), ("ephemeralContainerStatuses", "Never"),
    ):
        if restarts == "Always":
            continue
        after = {item.get("name"): item for item in status.get(field) or ()}
        for index, item in enumerate(before.get(field) or ()):
            terminated = (item.get("state") or {}).get("terminated")
            name = item.get("name")
            if terminated is None or (terminated.get("exitCode") and restarts == "OnFailure"):
                continue
            if (field == "initContainerStatuses" and name in sidecars) or (field == "containerStatuses" and rules.get(name)):
                continue
            if name in after and (after[name].get("state") or {}).get("terminated") is None:
                errors.append(forbidden(f"status.{field}[{index}].state", "may not be transitioned to non-terminated state"))


def _validate_claim_statuses(statuses: Any, spec: Json, errors: list[FieldError]) -> None:
    known = {claim.get("name") or "" for claim in spec.get("resourceClaims") or ()}
    seen: set[str] = set()
    for index, item in enumerate(statuses):
        at = f"status.resourceClaimStatuses[{index}].name"
        name, claim = item.get("name") or "", item.get("resourceClaimName")
        if name not in known:
            errors.append(invalid(at, name, "must match the name of an entry in `spec.resourceClaims`"))
        if name in seen:
            errors.append(duplicate(at, name))
        seen.add(name)
        if claim is not None:
            at = f"status.resourceClaimStatuses[{index}].resourceClaimName"
            errors.extend(invalid(at, claim, sentence) for sentence in names.dns1123_subdomain(claim))


def _validate_extended_claim(claim: Json, spec: Json, errors: list[FieldError]) -> None:
    """Check which extended resources of which containers the requests of a claim stand for."""
    path, mappings = "status.extendedResourceClaimStatus", claim.get("requestMappings") or ()
    requests = {
        container.get("name"): (container.get("resources") or {}).get("requests") or {}
        for kind in ("initContainers", "containers") for container in spec.get(kind) or ()
    }
    if not mappings:
        errors.append(required(f"{path}.requestMappings", "at least one request mapping is required"))
    seen: set[tuple[str, ...]] = set()
    for index, mapping in enumerate(mappings):
        told = container, resource, request = tuple(mapping.get(field) or "" for field in _MAPPED)
        at = f"{path}.requestMappings[{index}]"
        if container not in requests:
            errors.append(invalid(f"{at}.containerName", container, _NO_CONTAINER))
        elif resource not in requests[container]:
            errors.append(invalid(f"{at}.resourceName", resource, _NO_RESOURCE))
        errors.extend(invalid(f"{path}.requestName", request, sentence) for sentence in names.dns1123_label(request))
        if told in seen:
            errors.extend(duplicate(f"{at}.{field}", value) for field, value in zip(_MAPPED, told, strict=True))
        seen.add(told)
    name = claim.get("resourceClaimName") or ""
    if not name:
        errors.append(required(f"{path}.resourceClaimName"))
    else:
        errors.extend(invalid(f"{path}.resourceClaimName", name, sentence) for sentence in names.dns1123_subdomain(name))


def _addresses(status: Json, field: str) -> list[str]:
    return [item.get("ip") or "" for item in status.get(field) or ()]


def _validate_pod_ips(status: Json, before: Json, errors: list[FieldError]) -> None:
    ips, first = _addresses(status, "podIPs"), status.get("podIP") or ""
    stored = _addresses(before, "podIPs") if ips else ()
    for index, address in enumerate(ips):
        cidr.validate_ip(address, f"status.podIPs[{index}]", errors, stored)
    if len(ips) > 1:
        _validate_families(ips, "status.podIPs", errors)
    if bool(first) != bool(ips):
        shown = printed_list("PodIP", [{"ip": address} for address in ips])
        errors.append(invalid("status.podIPs", shown, "podIP and podIPs must either both be set or both be unset"))
    elif ips and first != ips[0]:
        errors.append(invalid("status.podIPs[0].ip", ips[0], "must be equal to `podIP`"))


def _validate_host_ips(status: Json, before: Json, errors: list[FieldError]) -> None:
    ips = _addresses(status, "hostIPs")
    if not ips:
        return
    if (status.get("hostIP") or "") != ips[0]:
        errors.append(invalid("status.hostIPs[0].ip", ips[0], "must be equal to `hostIP`"))
    for index, address in enumerate(ips):
        cidr.validate_ip(address, f"status.hostIPs[{index}]", errors, _addresses(before, "hostIPs"))
    if len(ips) > 1:
        _validate_families(ips, "status.hostIPs", errors)


def _validate_families(ips: list[str], path: str, errors: list[FieldError]) -> None:
    for index, address in enumerate(ips):
        if cidr.parse_ip_sloppy(address) is None:
            errors.append(internal(path, f"failed to check for dual stack with error:invalid IP[{index}]: {address}"))
            break
    if len(ips) > 2 or {cidr.family(address) for address in ips} != {cidr.IPV4, cidr.IPV6}:
        shown = printed_list("PodIP", [{"ip": address} for address in ips])
        errors.append(invalid(path, shown, "may specify no more than one IP for each IP family"))


def _validate_users(statuses: Any, path: str, spec: Json, errors: list[FieldError]) -> None:
    system = (spec.get("os") or {}).get("name") or "linux"
    for index, item in enumerate(statuses):
        linux = (item.get("user") or {}).get("linux")
        if linux is None:
            continue
        at = f"{path}[{index}].user.linux"
        if system == "windows":
            errors.append(forbidden(at, "cannot be set for a windows pod"))
            continue
        ids = [("uid", linux.get("uid") or 0), ("gid", linux.get("gid") or 0)]
        ids += [(f"supplementalGroups[{place}]", group) for place, group in enumerate(linux.get("supplementalGroups") or ())]
        errors.extend(invalid(f"{at}.{field}", value, names.between(0, ID_MAX)) for field, value in ids if not 0 <= value <= ID_MAX)


def _validate_allocations(statuses: Any, path: str, containers: Any, errors: list[FieldError]) -> None:
    """Check the health of allocated resources; `containers` is None where none may be allocated."""
    for index, item in enumerate(statuses):
        allocations = item.get("allocatedResourcesStatus")
        if not allocations:
            continue
        at = f"{path}[{index}].allocatedResourcesStatus"
        if containers is None:
            errors.append(forbidden(at, "must not be specified in container status"))
            continue
        container = next((each for each in containers if each.get("name") == item.get("name")), None)
        for place, allocation in enumerate(allocations):
            if container is not None:
                _validate_allocated_name(allocation.get("name") or "", container, f"{at}[{place}].name", errors)
            seen: set[str] = set()
            for number, resource in enumerate(allocation.get("resources") or ()):
                health, identity = resource.get("health") or "", resource.get("resourceID") or ""
                if health not in _HEALTH_VALUES:
                    errors.append(not_supported(f"{at}[{place}].resources[{number}].health", health, _HEALTH_VALUES))
                if identity in seen:
                    errors.append(duplicate(f"{at}[{place}].resources[{number}].resourceID", identity))
                seen.add(identity)


def _validate_allocated_name(name: str, container: Json, path: str, errors: list[FieldError]) -> None:
    resources = container.get("resources") or {}
    if name.startswith("claim:"):
        wanted = [(claim.get("name"), claim.get("request")) for claim in resources.get("claims") or ()]
        claims = {f"claim:{claim}/{request}" if request else f"claim:{claim}" for claim, request in wanted}
        if name not in claims:
            errors.append(invalid(path, name, _CLAIM_SENTENCE))
    elif name not in (resources.get("requests") or ()):
        errors.append(invalid(path, name, "must match one of the container's resource requests"))
