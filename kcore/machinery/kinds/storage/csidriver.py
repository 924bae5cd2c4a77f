"""CSIDriver: what a driver can do and needs; what concerns volumes that are in use stays.

Source: Kubernetes `pkg/apis/storage/validation`, `pkg/registry/storage/csidriver`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rules import KindRules, Object, nothing
from kcore.machinery.kinds.values import validate_immutable

UPDATE_PERIOD_S_MIN: Final = 10
TOKEN_S_MIN: Final = 10 * 60
TOKEN_S_MAX: Final = 1 << 32

_NEEDED: Final = ("attachRequired", "podInfoOnMount", "storageCapacity", "requiresRepublish", "seLinuxMount")
_GROUP_POLICIES: Final = ("File", "None", "ReadWriteOnceWithFSType")
_MODES: Final = ("Persistent", "Ephemeral")
_CHANGED: Final = ("tokenRequests", "requiresRepublish", "seLinuxMount")
_TOKENS_LEAK: Final = (
    "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in "
    "volume attributes"
)

Spec = dict[str, Any]


def default_driver(value: Object) -> None:
    """Volumes of a driver outlive pods unless it says otherwise."""
    spec = value.setdefault("spec", {})
    if not spec.get("volumeLifecycleModes"):
        spec["volumeLifecycleModes"] = [_MODES[0]]


def validate_driver(value: Object) -> list[FieldError]:
    """Check the spec."""
    errors: list[FieldError] = []
    spec = value.get("spec") or {}
    errors.extend(fe.required(f"spec.{field}") for field in _NEEDED[:3] if spec.get(field) is None)
    policy = spec.get("fsGroupPolicy")
    if policy is not None and policy not in _GROUP_POLICIES:
        errors.append(fe.not_supported("spec.fsGroupPolicy", policy, _GROUP_POLICIES))
    _validate_tokens(spec, errors)
    modes = spec.get("volumeLifecycleModes") or ()
    errors.extend(fe.not_supported("spec.volumeLifecycleModes", mode, _MODES) for mode in modes if mode not in _MODES)
    errors.extend(fe.required(f"spec.{field}") for field in _NEEDED[3:] if spec.get(field) is None)
    period = spec.get("nodeAllocatableUpdatePeriodSeconds")
    if period is not None and period < UPDATE_PERIOD_S_MIN:
        detail = f"must be greater than or equal to {UPDATE_PERIOD_S_MIN} seconds"
        errors.append(fe.invalid("spec.nodeAllocatableUpdatePeriodSeconds", period, detail))
    if spec.get("serviceAccountTokenInSecrets") is not None and not spec.get("tokenRequests"):
        detail = "serviceAccountTokenInSecrets is set but no tokenRequests are specified"
        errors.append(fe.invalid("spec.serviceAccountTokenInSecrets", spec["serviceAccountTokenInSecrets"], detail))
    return errors


def _validate_tokens(spec: Spec, errors: list[FieldError]) -> None:
    seen: set[str] = set()
    for index, request in enumerate(spec.get("tokenRequests") or ()):
        path, audience = f"spec.tokenRequests[{index}]", request.get("audience") or ""
        if audience in seen:
            errors.append(fe.duplicate(f"{path}.audience", audience))
            continue
        seen.add(audience)
        lifetime = request.get("expirationSeconds")
        if lifetime is not None and lifetime < TOKEN_S_MIN:
            errors.append(fe.invalid(f"{path}.expirationSeconds", lifetime, "may not specify a duration less than 10 minutes"))
        elif lifetime is not None and lifetime > TOKEN_S_MAX:
            errors.append(fe.invalid(f"{path}.expirationSeconds", lifetime, "may not specify a duration larger than 2^32 seconds"))


def validate_driver_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; how volumes are attached and live stays."""
    errors = validate_driver(new)
    fresh, stored = new.get("spec") or {}, old.get("spec") or {}
    validate_immutable(fresh.get("attachRequired"), stored.get("attachRequired"), "spec.attachedRequired", errors)
    validate_immutable(fresh.get("volumeLifecycleModes"), stored.get("volumeLifecycleModes"), "spec.volumeLifecycleModes", errors)
    return errors


def prepare_update(new: Object, old: Object) -> None:
    """Count a change of what nodes must learn of; a driver that never changed has no count."""
    fresh, stored = new.get("spec") or {}, old.get("spec") or {}
    if any((fresh.get(field) or None) != (stored.get(field) or None) for field in _CHANGED):
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1


def warn_driver(new: Object, old: Object | None) -> list[str]:
    """Warn of tokens that a new driver gets where they may be logged."""
    spec = new.get("spec") or {}
    return [_TOKENS_LEAK] if old is None and spec.get("tokenRequests") and spec.get("serviceAccountTokenInSecrets") is None else []


RULES: Final = KindRules(
    default=default_driver, validate=validate_driver, validate_update=validate_driver_update, prepare_create=nothing,
    prepare_update=prepare_update, warnings=warn_driver, allow_unconditional_update=False,
)
