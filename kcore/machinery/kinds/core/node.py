"""Node: taints, pod CIDRs that are given once, amounts in its status; an update may change little.

Source: Kubernetes `pkg/apis/core/validation`, `pkg/apis/core/v1/defaults.go`, `pkg/registry/core/node`.
"""
from __future__ import annotations

import re
from typing import Any, Final

from kcore.machinery import cidr, labels, names, quantity
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.kinds.disabled import drop_unless_stored
from kcore.machinery.kinds.rules import KindRules, Object, keep_spec, keep_status
from kcore.machinery.kinds.values import validate_amount

TAINT_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")

_TAINT_FIELDS: Final = (
    StructField("Key", "key", ""), StructField("Value", "value", ""), StructField("Effect", "effect", ""),
    StructField("TimeAdded", "timeAdded"),
)
_FEATURE: Final = re.compile(r"[A-Z][a-zA-Z0-9]*(/[a-zA-Z][a-zA-Z0-9]*)*", re.ASCII)
_FEATURE_SENTENCE: Final = (
    "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), "
    "and contain only alphanumeric characters and slashes"
)
_DISABLED: Final = (("spec", "configSource"), ("spec", "podPreemptionPolicy"), ("status", "config"))
_ONLY_ONCE: Final = 'node updates may not change {} except from "" to valid'


def default_node(value: Object) -> None:
    """Let allocatable follow capacity, and the two forms of the pod CIDR each other."""
    status = value.get("status") or {}
    if status.get("allocatable") is None and status.get("capacity"):
        status["allocatable"] = dict(status["capacity"])
    for field in ("capacity", "allocatable"):
        if status.get(field):
            status[field] = {name: _whole_milli(amount) for name, amount in status[field].items()}
    spec = value.get("spec") or {}
    first, all_of_them = spec.get("podCIDR") or "", spec.get("podCIDRs") or []
    if first and (not all_of_them or all_of_them[0] != first):
        spec["podCIDRs"] = [first]
    elif all_of_them and not first:
        spec["podCIDR"] = all_of_them[0]


def _whole_milli(amount: str) -> str:
    found = quantity.parse(amount)
    step = quantity.NANO // 1000
    return amount if found.nano % step == 0 else str(quantity.of_milli(found.milli_value(), found.format))


def validate_node(value: Object) -> list[FieldError]:
    """Check a new node; of its status only the amounts."""
    errors: list[FieldError] = []
    spec, status = value.get("spec") or {}, value.get("status") or {}
    validate_taints(spec.get("taints") or (), "metadata.taints", errors)
    _validate_amounts(status, errors)
    _validate_features(status.get("declaredFeatures") or [], errors)
    _validate_pod_cidrs(spec.get("podCIDRs") or [], errors)
    return errors


def validate_taints(taints: Any, path: str, errors: list[FieldError]) -> None:
    """Check taints, which are distinct by key and effect."""
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(taints):
        at = f"{path}[{index}]"
        key, effect = taint.get("key") or "", taint.get("effect") or ""
        labels.validate_key(key, f"{at}.key", errors)
        value = taint.get("value") or ""
        errors.extend(fe.invalid(f"{at}.value", value, sentence) for sentence in names.label_value(value))
        if not effect:
            errors.append(fe.required(f"{at}.effect"))
        elif effect not in TAINT_EFFECTS:
            errors.append(fe.not_supported(f"{at}.effect", effect, TAINT_EFFECTS))
        if effect and (key, effect) in seen:
            errors.append(fe.duplicate(at, fe.struct(taint, _TAINT_FIELDS), "taints must be unique by key and effect pair"))
        seen.add((key, effect))


def _validate_amounts(status: dict[str, Any], errors: list[FieldError]) -> None:
    for field in ("capacity", "allocatable"):
        for name, amount in sorted((status.get(field) or {}).items()):
            validate_amount(name, amount, f"status.{field}.{name}", errors)


def _validate_pod_cidrs(found: list[str], errors: list[FieldError]) -> None:
    for index, text in enumerate(found):
        cidr.validate_cidr(text, f"spec.podCIDRs[{index}]", errors)
    if len(found) > 1:
        for index, text in enumerate(found):
            if cidr.parse_cidr_sloppy(text) is None:
                cause = f"invalid CIDR[{index}]: <nil> (invalid CIDR address: {text})"
                detail = f"invalid PodCIDRs. failed to check with dual stack with error:{cause}"
                errors.append(fe.internal("spec.podCIDRs", detail))
                break
        if len(found) > 2 or {cidr.family(text) for text in found} != {cidr.IPV4, cidr.IPV6}:
            errors.append(fe.invalid("spec.podCIDRs", found, "may specify no more than one CIDR for each IP family"))


def validate_node_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update of node or status (after the preparation that keeps the other half)."""
    errors: list[FieldError] = []
    fresh, stored = new.get("spec") or {}, old.get("spec") or {}
    if fresh.get("taints") != stored.get("taints"):
        validate_taints(fresh.get("taints") or (), "metadata.taints", errors)
    _validate_new_status(new.get("status") or {}, errors)
    if fresh.get("podCIDRs") != stored.get("podCIDRs"):
        _validate_pod_cidrs(fresh.get("podCIDRs") or [], errors)
        if stored.get("podCIDRs"):
            errors.append(fe.forbidden("spec.podCIDRs", _ONLY_ONCE.format("podCIDR")))
    if stored.get("providerID"):
        _validate_provider(fresh.get("providerID") or "", stored["providerID"], errors)
    if (fresh.get("externalID") or "") != (stored.get("externalID") or ""):
        errors.append(fe.forbidden("spec.externalID", "may not be updated"))
    return errors


def prepare_create(value: Object) -> None:
    """Drop what nobody reads any more."""
    drop_unless_stored(value, None, *_DISABLED)


def prepare_update(new: Object, old: Object) -> None:
    """Keep the stored status."""
    keep_status(new, old)
    drop_unless_stored(new, old, *_DISABLED)


def prepare_status_update(new: Object, old: Object) -> None:
    """Keep the stored spec."""
    keep_spec(new, old)
    drop_unless_stored(new, old, *_DISABLED)


def warn_node(new: Object, _old: Object | None) -> list[str]:
    """Warn of what is deprecated."""
    spec = new.get("spec") or {}
    warnings = ["spec.configSource: the feature is removed"] if spec.get("configSource") is not None else []
    if spec.get("externalID"):
        warnings.append("spec.externalID: this field is deprecated, and is unused by Kubernetes")
    for index, text in enumerate(spec.get("podCIDRs") or ()):
        warnings += cidr.warn_cidr(text, f"spec.podCIDRs[{index}]")
    return warnings


def _validate_features(features: list[str], errors: list[FieldError]) -> None:
    for index, feature in enumerate(features):
        path = f"status.declaredFeatures[{index}]"
        if len(feature.encode()) > names.DNS_SUBDOMAIN_SIZE_MAX:
            wrong = f"must be no more than {names.DNS_SUBDOMAIN_SIZE_MAX} characters"
        else:
            wrong = "" if _FEATURE.fullmatch(feature) else _FEATURE_SENTENCE
        if index and feature == features[index - 1]:
            errors.append(fe.duplicate(path, feature))
        elif index and feature < features[index - 1]:
            errors.append(fe.invalid(path, feature, "list must be sorted alphabetically"))
        if wrong:
            errors.append(fe.invalid(path, feature, f'invalid feature name "{feature}": {wrong}'))


def _validate_provider(new: str, old: str, errors: list[FieldError]) -> None:
    if new != old:
        errors.append(fe.invalid("spec.providerID", None, f"field cannot be {'modified' if new else 'cleared'} once set"))


def _validate_new_status(status: dict[str, Any], errors: list[FieldError]) -> None:
    _validate_amounts(status, errors)
    _validate_features(status.get("declaredFeatures") or [], errors)
    seen: set[tuple[str, str]] = set()
    for index, address in enumerate(status.get("addresses") or ()):
        pair = (address.get("type") or "", address.get("address") or "")
        if pair in seen:
            errors.append(fe.duplicate(f"status.addresses[{index}]", {"Address": pair[1], "Type": pair[0]}))
        seen.add(pair)


RULES: Final = KindRules(
    default=default_node, validate=validate_node, validate_update=validate_node_update, validate_status_update=validate_node_update,
    prepare_create=prepare_create, prepare_update=prepare_update, prepare_status_update=prepare_status_update, warnings=warn_node,
)
