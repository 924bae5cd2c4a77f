"""Annotations of pods that mean something: mirror pods, deletion cost, and the old forms of seccomp and AppArmor profiles.

Source: Kubernetes `pkg/apis/core/validation`, `pkg/registry/core/pod` (AppArmor version skew).
"""
from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from kcore.machinery.field_error import FieldError, forbidden, invalid
from kcore.machinery.kinds.core.container_paths import validate_descending_path
from kcore.machinery.kinds.core.container_security import validate_apparmor, visit_containers
from kcore.machinery.quantity import parse_int64

Json = Mapping[str, Any]

MIRROR_POD: Final = "kubernetes.io/config.mirror"
DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"
SECCOMP_POD: Final = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER_PREFIX: Final = "container.seccomp.security.alpha.kubernetes.io/"
APPARMOR_PREFIX: Final = "container.apparmor.security.beta.kubernetes.io/"
LOCALHOST_PREFIX: Final = "localhost/"

_COST: Final = re.compile(r"-[0-9]+|0|[1-9][0-9]*")
_COST_MAX: Final = 2**31 - 1
_PLAIN_SECCOMP: Final = {"RuntimeDefault": ("runtime/default", "docker/default"), "Unconfined": ("unconfined",)}
_PLAIN_APPARMOR: Final = {"RuntimeDefault": ("runtime/default",), "Unconfined": ("unconfined",)}


def validate_annotations(annotations: Mapping[str, str], spec: Json, path: str, errors: list[FieldError]) -> None:
    """Check the annotations of a pod or template that have a meaning; `path` is that of the annotations."""
    if MIRROR_POD in annotations and not spec.get("nodeName"):
        detail = "must set spec.nodeName if mirror pod annotation is set"
        errors.append(invalid(f"{path}[{MIRROR_POD}]", annotations[MIRROR_POD], detail))
    cost = annotations.get(DELETION_COST)
    if cost is not None and deletion_cost(annotations) is None:
        errors.append(invalid(f"{path}[{DELETION_COST}]", cost, "must be a 32bit integer"))
    for key, value in sorted(annotations.items()):
        if key == SECCOMP_POD or key.startswith(SECCOMP_CONTAINER_PREFIX):
            _validate_seccomp_value(value, f"{path}.{key}", errors)
    for key, value in sorted(annotations.items()):
        if key.startswith(APPARMOR_PREFIX):
            _validate_apparmor_annotation(key, value, spec, path, errors)


def validate_annotation_changes(new: Mapping[str, str], old: Mapping[str, str], path: str, errors: list[FieldError]) -> None:
    """Refuse changes of the annotations that a node acts on."""
    for key, value in old.items():
        if new.get(key) == value:
            continue
        if key.startswith(APPARMOR_PREFIX):
            errors.append(forbidden(f"{path}[{key}]", "may not remove or update AppArmor annotations"))
        if key == MIRROR_POD:
            errors.append(forbidden(f"{path}[{key}]", "may not remove or update mirror pod annotation"))
    for key in new:
        if key in old:
            continue
        if key.startswith(APPARMOR_PREFIX):
            errors.append(forbidden(f"{path}[{key}]", "may not add AppArmor annotations"))
        if key == MIRROR_POD:
            errors.append(forbidden(f"{path}[{key}]", "may not add mirror pod annotation"))


def validate_annotations_match(annotations: Mapping[str, str], spec: Json, path: str, errors: list[FieldError]) -> None:
    """Check that a profile given both as an annotation and as a field is the same; `path` is the spec's."""
    pod_context = spec.get("securityContext") or {}
    if pod_context.get("seccompProfile") is not None and SECCOMP_POD in annotations:
        profile, at = pod_context["seccompProfile"], f"{path}.securityContext.seccompProfile"
        _match("seccomp", _PLAIN_SECCOMP, annotations[SECCOMP_POD], profile, at, errors)
    for container, at in visit_containers(spec, path):
        profile = (container.get("securityContext") or {}).get("seccompProfile")
        value = annotations.get(SECCOMP_CONTAINER_PREFIX + (container.get("name") or ""))
        if profile is not None and value is not None:
            _match("seccomp", _PLAIN_SECCOMP, value, profile, f"{at}.securityContext.seccompProfile", errors)
    if (spec.get("os") or {}).get("name") == "windows":
        return
    for container, at in visit_containers(spec, path):
        profile = (container.get("securityContext") or {}).get("appArmorProfile") or pod_context.get("appArmorProfile")
        value = annotations.get(APPARMOR_PREFIX + (container.get("name") or ""))
        if profile is not None and value is not None:
            _match("apparmor", _PLAIN_APPARMOR, value, profile, f"{at}.securityContext.appArmorProfile", errors)


def deletion_cost(annotations: Mapping[str, str]) -> int | None:
    """Read what deleting a pod costs a ReplicaSet; 0 without the annotation, None if it is no 32-bit integer."""
    text = annotations.get(DELETION_COST)
    if text is None:
        return 0
    if not _COST.fullmatch(text):
        return None
    cost = parse_int64(text)
    return cost if cost is not None and -_COST_MAX - 1 <= cost <= _COST_MAX else None


def sync_apparmor(annotations: Mapping[str, str], spec: dict[str, Any]) -> None:
    """Copy AppArmor annotations of a new pod to the fields that replaced them, in place."""
    if not any(key.startswith(APPARMOR_PREFIX) for key in annotations) or (spec.get("os") or {}).get("name") == "windows":
        return
    pod_profile = (spec.get("securityContext") or {}).get("appArmorProfile")
    for container, _ in visit_containers(spec, ""):
        value = annotations.get(APPARMOR_PREFIX + (container.get("name") or ""))
        context = container.get("securityContext") or {}
        if value is None or context.get("appArmorProfile") is not None:
            continue
        profile = _profile_of(value)
        if profile is not None and profile != pod_profile:
            container["securityContext"] = {**context, "appArmorProfile": profile}  # type: ignore[index]


def _profile_of(value: str) -> dict[str, str] | None:
    for kind, (word,) in _PLAIN_APPARMOR.items():
        if value == word:
            return {"type": kind}
    if not value.startswith(LOCALHOST_PREFIX):
        return None
    profile = {"type": "Localhost", "localhostProfile": value.removeprefix(LOCALHOST_PREFIX)}
    errors: list[FieldError] = []
    validate_apparmor(profile, "", errors)
    return None if errors else profile


def _validate_seccomp_value(value: str, path: str, errors: list[FieldError]) -> None:
    if value.startswith(LOCALHOST_PREFIX):
        validate_descending_path(value.removeprefix(LOCALHOST_PREFIX), path, errors)
    elif not any(value in words for words in _PLAIN_SECCOMP.values()):
        errors.append(invalid(path, value, "must be a valid seccomp profile"))


def _validate_apparmor_annotation(key: str, value: str, spec: Json, path: str, errors: list[FieldError]) -> None:
    name = key.removeprefix(APPARMOR_PREFIX)
    if not any(container.get("name") == name for container, _ in visit_containers(spec, "")):
        errors.append(invalid(f"{path}[{key}]", name, "container not found"))
    if value and value not in ("runtime/default", "unconfined") and not value.startswith(LOCALHOST_PREFIX):
        errors.append(invalid(f"{path}[{key}]", value, f'invalid AppArmor profile name: "{value}"'))


def _match(
    noun: str, plain: Mapping[str, tuple[str, ...]], value: str, profile: Json, path: str, errors: list[FieldError],
) -> None:
    kind = profile.get("type") or ""
    if kind == "Localhost":
        if not value.startswith(LOCALHOST_PREFIX):
            errors.append(forbidden(f"{path}.type", f"{noun} type in annotation and field must match"))
        elif profile.get("localhostProfile") != value.removeprefix(LOCALHOST_PREFIX):
            errors.append(forbidden(f"{path}.localhostProfile", f"{noun} profile in annotation and field must match"))
    elif kind in plain and value not in plain[kind]:
        errors.append(forbidden(f"{path}.type", f"{noun} type in annotation and field must match"))
