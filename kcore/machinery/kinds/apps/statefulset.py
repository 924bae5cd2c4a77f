"""StatefulSet: ordered pods with claims of their own; little of the spec may change.

Source: Kubernetes `pkg/apis/apps/validation`, `pkg/apis/apps/v1/defaults.go`, `pkg/registry/apps/statefulset`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.kinds import workload
from kcore.machinery.kinds.core.pod_printed import printed_list, same
from kcore.machinery.kinds.core.volume_claim import validate_claim_spec, warn_claim_spec
from kcore.machinery.kinds.rules import PREPARING, KindRules, Object
from kcore.machinery.kinds.values import (
    int_or_percent_value,
    validate_int_or_percent,
    validate_not_more_than_100_percent,
    validate_not_negative,
)

ROLLING_UPDATE: Final = "RollingUpdate"
ON_DELETE: Final = "OnDelete"
EMPTY_SELECTOR: Final = "empty selector is invalid for statefulset"

_MANAGEMENT: Final = ("OrderedReady", "Parallel")
_RETENTION: Final = ("Retain", "Delete")
_PARTS: Final = ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
_COUNTS: Final = ("replicas", *_PARTS, "observedGeneration", "collisionCount")
_CLAIM: Final = "PersistentVolumeClaim"
_ROLLING_FIELDS: Final = (StructField("Partition", "partition", 0), StructField("MaxUnavailable", "maxUnavailable"))
_STRATEGY_FIELDS: Final = (StructField("Type", "type", ""), StructField("RollingUpdate", "rollingUpdate", None, _ROLLING_FIELDS))


def default_stateful_set(value: Object) -> None:
    """Set the defaults of a rolling update, of the template and of the claims."""
    spec = workload.spec_of(value)
    strategy = spec.setdefault("updateStrategy", {})
    if not strategy.get("type"):
        strategy["type"] = ROLLING_UPDATE
        if strategy.get("rollingUpdate") is None:
            strategy["rollingUpdate"] = {}
    if strategy["type"] == ROLLING_UPDATE and strategy.get("rollingUpdate") is not None:
        for field, amount in (("partition", 0), ("maxUnavailable", 1)):
            if strategy["rollingUpdate"].get(field) is None:
                strategy["rollingUpdate"][field] = amount
    policy = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    spec["persistentVolumeClaimRetentionPolicy"] = {
        "whenDeleted": policy.get("whenDeleted") or "Retain", "whenScaled": policy.get("whenScaled") or "Retain",
    }
    workload.default_pod_template(value)


def validate_stateful_set(value: Object) -> list[FieldError]:
    """Check the spec, the claims' templates and the name of the service too."""
    return _validate(value, is_new=True)


def _validate(value: Object, is_new: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    spec = workload.spec_of(value)
    management = spec.get("podManagementPolicy") or ""
    if not management:
        errors.append(fe.required("spec.podManagementPolicy"))
    elif management not in _MANAGEMENT:
        errors.append(fe.invalid("spec.podManagementPolicy", management, "must be 'OrderedReady' or 'Parallel'"))
    _validate_strategy(spec.get("updateStrategy") or {}, "spec.updateStrategy", errors)
    _validate_retention(spec.get("persistentVolumeClaimRetentionPolicy"), "spec.persistentVolumeClaimRetentionPolicy", errors)
    for index, claim in enumerate(spec.get("volumeClaimTemplates") or () if is_new else ()):
        validate_claim_spec((claim or {}).get("spec") or {}, f"spec.volumeClaimTemplates[{index}].spec", errors)
    validate_not_negative(spec.get("replicas"), "spec.replicas", errors)
    validate_not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds", errors)
    validate_not_negative((spec.get("ordinals") or {}).get("start"), "spec.ordinals.start", errors)
    service = spec.get("serviceName") or ""
    errors.extend(fe.invalid("spec.serviceName", service, sentence) for sentence in (names.dns1123_label(service) if service else ()))
    selector = workload.validate_selector(spec, errors, EMPTY_SELECTOR, "")
    if selector is not None:
        workload.validate_selected_template(_template_with_claims(spec), selector, "spec.template", errors, "StatefulSet")
    return errors


def _template_with_claims(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the template as the controller fills it in: names of its own, a volume for each claim before the others."""
    template = spec.get("template") or {}
    templates = spec.get("volumeClaimTemplates") or ()
    claims = dict.fromkeys(((claim or {}).get("metadata") or {}).get("name") or "" for claim in templates)
    pod = {name: part for name, part in (template.get("spec") or {}).items() if name not in ("subdomain", "hostname")}
    if not claims:
        return {**template, "spec": pod}
    volumes: list[dict[str, Any]] = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    volumes += (volume for volume in pod.get("volumes") or () if volume.get("name") not in claims)
    return {**template, "spec": {**pod, "volumes": volumes}}


def _validate_strategy(strategy: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if not kind:
        errors.append(fe.required(path))
    elif kind == ON_DELETE:
        if rolling is not None:
            detail = f"only allowed for updateStrategy '{ROLLING_UPDATE}'"
            errors.append(fe.invalid(f"{path}.rollingUpdate", fe.struct(rolling, _ROLLING_FIELDS), detail))
    elif kind != ROLLING_UPDATE:
        detail = f"must be '{ROLLING_UPDATE}' or '{ON_DELETE}'"
        errors.append(fe.invalid(path, fe.struct(strategy, _STRATEGY_FIELDS), detail))
    elif rolling is not None:
        validate_not_negative(rolling.get("partition"), f"{path}.rollingUpdate.partition", errors)
        _validate_max_unavailable(rolling.get("maxUnavailable"), f"{path}.rollingUpdate.maxUnavailable", errors)


def _validate_max_unavailable(amount: int | str | None, path: str, errors: list[FieldError]) -> None:
    if amount is None:
        return
    validate_int_or_percent(amount, path, errors)
    if int_or_percent_value(amount) == 0:
        errors.append(fe.invalid(path, amount, "cannot be 0"))
    validate_not_more_than_100_percent(amount, path, errors)


def _validate_retention(policy: dict[str, Any] | None, path: str, errors: list[FieldError]) -> None:
    for field in ("whenDeleted", "whenScaled"):
        value = (policy or {}).get(field) or ""
        if policy is not None and value not in _RETENTION:
            errors.append(fe.not_supported(f"{path}.{field}", value, _RETENTION))


def validate_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; most of the spec stays."""
    errors = _validate(new, is_new=False)
    fresh, stored = workload.spec_of(new), workload.spec_of(old)
    workload.validate_selector_unchanged(new, old, errors)
    after, before = fresh.get("volumeClaimTemplates") or [], stored.get("volumeClaimTemplates") or []
    if len(after) != len(before) or not all(same(_CLAIM, old or {}, new or {}) for old, new in zip(before, after, strict=True)):
        errors.append(fe.immutable("spec.volumeClaimTemplates", printed_list(_CLAIM, [claim or {} for claim in after])))
    for field in ("serviceName", "podManagementPolicy"):
        if (fresh.get(field) or "") != (stored.get(field) or ""):
            errors.append(fe.immutable(f"spec.{field}", fresh.get(field) or ""))
    return errors


def warn_stateful_set(new: Object, old: Object | None) -> list[str]:
    """Warn of what pods and claims would be warned of, and of a history without end."""
    spec = workload.spec_of(new)
    warnings = workload.pod_template_warnings(new, old)
    for index, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        at = f"spec.volumeClaimTemplates[{index}]"
        warnings += warn_claim_spec((claim or {}).get("spec") or {}, at if old is None else f"{at}.Spec")
    if (spec.get("revisionHistoryLimit") or 0) < 0:
        sentence = "a negative value retains all historical revisions; a value >= 0 is recommended"
        warnings.append(f"spec.revisionHistoryLimit: {sentence}")
    return warnings


RULES: Final = KindRules(
    default=default_stateful_set, validate=validate_stateful_set, validate_update=validate_update,
    validate_status_update=workload.with_counts(_COUNTS, _PARTS, "cannot be greater than status.readyReplicas"),
    prepare_create=workload.prepare_create, prepare_update=workload.prepare_update,
    warnings=warn_stateful_set, name_validator=names.label_name, gated=PREPARING,
)
