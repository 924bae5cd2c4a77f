"""Containers of a pod: regular ones, init containers with sidecars, ephemeral ones.

Source: Kubernetes `pkg/apis/core/validation`, observed answers of 1.37.
"""
from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kcore.machinery import names
from kcore.machinery.field_error import FieldError, duplicate, forbidden, invalid, not_found, not_supported, required, too_many
from kcore.machinery.kinds.core.container_env import validate_env, validate_env_from
from kcore.machinery.kinds.core.container_mounts import validate_devices, validate_mounts
from kcore.machinery.kinds.core.container_probe import validate_lifecycle, validate_probes
from kcore.machinery.kinds.core.container_resources import validate_container_resources
from kcore.machinery.kinds.core.container_security import validate_container_security
from kcore.machinery.kinds.requests import is_sidecar

Json = Mapping[str, Any]

RESTART_RULES_COUNT_MAX: Final = 20
EXIT_CODES_COUNT_MAX: Final = 255

PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
_MESSAGE_POLICIES: Final = ("File", "FallbackToLogsOnError")
_RESTART_POLICIES: Final = ("Always", "Never", "OnFailure")
_RESTART_ACTIONS: Final = ("Restart", "RestartAllContainers")
_EXIT_CODE_OPERATORS: Final = ("In", "NotIn")
_RESIZABLE: Final = ("cpu", "memory")
_RESIZE_POLICIES: Final = ("NotRequired", "RestartContainer")
_RULES_NEED_POLICY: Final = "must specify restartPolicy when restart rules are used"
_NOT_FOR_INIT: Final = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
# Fields that an ephemeral container may not have, in the order in which they are reported.
_NOT_FOR_EPHEMERAL: Final = (
    "ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "livenessProbe", "readinessProbe", "startupProbe",
    "lifecycle",
)


@dataclass(slots=True)
class Surroundings:
    """What the rules of a container need to know of its pod.

    volumes         the valid volumes by name
    claim_names     names of the pod's resource claims
    restart_policy  the pod's
    grace_period_s  the pod's, None where it has none
    host_users      the pod has no user namespace of its own
    """

    volumes: Mapping[str, Json]
    claim_names: Collection[str]
    restart_policy: str
    grace_period_s: int | None
    host_users: bool


def validate_containers(containers: list[Any] | None, pod: Surroundings, path: str, errors: list[FieldError]) -> None:
    """Check the regular containers."""
    if not containers:
        errors.append(required(path))
        return
    seen: set[str] = set()
    host_ports: set[str] = set()
    conflicts: list[FieldError] = []
    for index, container in enumerate(containers):
        at = f"{path}[{index}]"
        validate_common(container, pod, at, errors)
        name = container.get("name") or ""
        if name in seen:
            errors.append(duplicate(f"{at}.name", name))
        seen.add(name)
        lifecycle = container.get("lifecycle")
        if lifecycle is not None:
            validate_lifecycle(lifecycle, pod.grace_period_s, f"{at}.lifecycle", errors)
        validate_probes(container, at, errors)
        if container.get("restartPolicy") is not None or container.get("restartPolicyRules"):
            _validate_restart(container, at, errors)
        if container.get("ports"):
            _collect_host_ports(container["ports"], host_ports, at, conflicts)
    errors.extend(conflicts)


def validate_init_containers(spec: Json, pod: Surroundings, path: str, errors: list[FieldError]) -> None:
    """Check the init containers; `path` is that of the list."""
    seen = {container.get("name") or "" for container in spec.get("containers") or ()}
    for index, container in enumerate(spec.get("initContainers") or ()):
        at = f"{path}[{index}]"
        validate_common(container, pod, at, errors)
        if container.get("restartPolicy") is not None:
            _validate_restart(container, at, errors)
        elif container.get("restartPolicyRules"):
            errors.append(required(f"{at}.restartPolicy", _RULES_NEED_POLICY))
        name = container.get("name") or ""
        if name in seen:
            errors.append(duplicate(f"{at}.name", name))
        elif name:
            seen.add(name)
        if container.get("ports"):
            # Init containers run one after the other: their ports are looked at one by one, and reported at the first place.
            _collect_host_ports(container["ports"], set(), f"{path}[0]", errors)
        if is_sidecar(container):
            lifecycle = container.get("lifecycle")
            if lifecycle is not None:
                validate_lifecycle(lifecycle, pod.grace_period_s, f"{at}.lifecycle", errors)
            validate_probes(container, at, errors)
            continue
        for field in _NOT_FOR_INIT:
            if container.get(field) is not None:
                errors.append(forbidden(f"{at}.{field}", "may not be set for init containers without restartPolicy=Always"))


def validate_ephemeral_containers(spec: Json, pod: Surroundings, path: str, errors: list[FieldError]) -> None:
    """Check the ephemeral containers; `path` is that of the list."""
    targets = {container.get("name") or "" for kind in ("containers", "initContainers") for container in spec.get(kind) or ()}
    seen = set(targets)
    for index, container in enumerate(spec.get("ephemeralContainers") or ()):
        at = f"{path}[{index}]"
        validate_common(container, pod, at, errors)
        validate_image_padding(container, at, errors)
        name = container.get("name") or ""
        if name in seen:
            errors.append(duplicate(f"{at}.name", name))
        seen.add(name)
        target = container.get("targetContainerName")
        if target and target not in targets:
            errors.append(not_found(f"{at}.targetContainerName", target))
        for field in _NOT_FOR_EPHEMERAL:
            value = container.get(field)
            if value or (value is not None and field != "resources"):
                errors.append(forbidden(f"{at}.{field}", "cannot be set for an Ephemeral Container"))
        for mount_index, mount in enumerate(container.get("volumeMounts") or ()):
            for field in ("subPath", "subPathExpr"):
                if mount.get(field):
                    errors.append(forbidden(f"{at}.volumeMounts[{mount_index}].{field}", "cannot be set for an Ephemeral Container"))


def validate_image_padding(container: Json, path: str, errors: list[FieldError]) -> None:
    """Refuse an image with blanks around it, which pod templates may have."""
    image = container.get("image") or ""
    if image != image.strip():
        errors.append(invalid(f"{path}.image", image, "must not have leading or trailing whitespace"))


def validate_common(container: Json, pod: Surroundings, path: str, errors: list[FieldError]) -> None:
    """Check what the rules of all containers have in common."""
    get = container.get
    name = get("name")
    if not name:
        errors.append(required(f"{path}.name"))
    elif not names.fits_dns1123_label(name):
        errors.extend(invalid(f"{path}.name", name, sentence) for sentence in names.dns1123_label(name))
    if not get("image"):
        errors.append(required(f"{path}.image"))
    policy = get("terminationMessagePolicy")
    if policy not in _MESSAGE_POLICIES:
        _refuse_choice(policy, _MESSAGE_POLICIES, f"{path}.terminationMessagePolicy", errors)
    if get("ports"):
        _validate_ports(container["ports"], f"{path}.ports", errors)
    if get("env"):
        validate_env(container["env"], f"{path}.env", errors)
    if get("envFrom"):
        validate_env_from(container["envFrom"], f"{path}.envFrom", errors)
    validate_mounts(container, pod.volumes, path, errors)
    validate_devices(container, pod.volumes, path, errors)
    policy = get("imagePullPolicy")
    if policy not in PULL_POLICIES:
        _refuse_choice(policy, PULL_POLICIES, f"{path}.imagePullPolicy", errors)
    if get("resources"):
        validate_container_resources(container["resources"], pod.claim_names, f"{path}.resources", errors)
    if get("resizePolicy"):
        _validate_resize_policy(container["resizePolicy"], pod.restart_policy, f"{path}.resizePolicy", errors)
    if get("securityContext"):
        validate_container_security(container["securityContext"], f"{path}.securityContext", errors, host_users=pod.host_users)


def _refuse_choice(value: str | None, choices: tuple[str, ...], path: str, errors: list[FieldError]) -> None:
    errors.append(not_supported(path, value, choices) if value else required(path))


def _validate_ports(ports: list[Any], path: str, errors: list[FieldError]) -> None:
    seen: set[str] = set()
    for index, port in enumerate(ports):
        at = f"{path}[{index}]"
        name = port.get("name")
        if name:
            sentences = names.port_name(name)
            if sentences:
                errors.extend(invalid(f"{at}.name", name, sentence) for sentence in sentences)
            elif name in seen:
                errors.append(duplicate(f"{at}.name", name))
            else:
                seen.add(name)
        number = port.get("containerPort")
        if not number:
            errors.append(required(f"{at}.containerPort"))
        else:
            errors.extend(invalid(f"{at}.containerPort", number, sentence) for sentence in names.port_number(number))
        number = port.get("hostPort")
        if number:
            errors.extend(invalid(f"{at}.hostPort", number, sentence) for sentence in names.port_number(number))
        protocol = port.get("protocol")
        if protocol not in _PROTOCOLS:
            _refuse_choice(protocol, _PROTOCOLS, f"{at}.protocol", errors)


def _collect_host_ports(ports: list[Any], seen: set[str], path: str, errors: list[FieldError]) -> None:
    for index, port in enumerate(ports):
        number = port.get("hostPort")
        if not number:
            continue
        key = f"{port.get('protocol') or ''}/{port.get('hostIP') or ''}/{number}"
        if key in seen:
            errors.append(duplicate(f"{path}.ports[{index}].hostPort", key))
        seen.add(key)


def _validate_restart(container: Json, path: str, errors: list[FieldError]) -> None:
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules") or ()
    if policy is None:
        errors.append(required(f"{path}.restartPolicy", _RULES_NEED_POLICY))
    elif policy not in _RESTART_POLICIES:
        errors.append(not_supported(f"{path}.restartPolicy", policy, _RESTART_POLICIES))
    if len(rules) > RESTART_RULES_COUNT_MAX:
        errors.append(too_many(f"{path}.restartPolicyRules", len(rules), RESTART_RULES_COUNT_MAX))
    for index, rule in enumerate(rules):
        at = f"{path}.restartPolicyRules[{index}]"
        action = rule.get("action") or ""
        if action not in _RESTART_ACTIONS:
            errors.append(not_supported(f"{at}.action", action, _RESTART_ACTIONS))
        exit_codes = rule.get("exitCodes")
        if exit_codes is None:
            errors.append(required(f"{at}.exitCodes", "must be specified"))
            continue
        operator = exit_codes.get("operator") or ""
        if operator not in _EXIT_CODE_OPERATORS:
            errors.append(not_supported(f"{at}.exitCodes.operator", operator, _EXIT_CODE_OPERATORS))
        values = exit_codes.get("values") or ()
        if len(values) > EXIT_CODES_COUNT_MAX:
            errors.append(too_many(f"{at}.exitCodes.values", len(values), EXIT_CODES_COUNT_MAX))


def _validate_resize_policy(policies: list[Any], restart_policy: str, path: str, errors: list[FieldError]) -> None:
    seen: set[str] = set()
    for index, item in enumerate(policies):
        resource, policy = item.get("resourceName") or "", item.get("restartPolicy") or ""
        if resource in seen:
            errors.append(duplicate(f"{path}[{index}]", resource))
        seen.add(resource)
        if resource not in _RESIZABLE:
            _refuse_choice(resource, _RESIZABLE, path, errors)
        if policy not in _RESIZE_POLICIES:
            _refuse_choice(policy, _RESIZE_POLICIES, path, errors)
        if restart_policy == "Never" and policy != "NotRequired":
            errors.append(invalid(path, policy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"))
