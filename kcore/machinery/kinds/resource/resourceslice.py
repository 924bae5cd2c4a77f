"""ResourceSlice: devices of one driver that nodes can reach.

Source: Kubernetes `pkg/apis/resource/validation`, `pkg/apis/resource/v1/defaults.go`.
"""
from __future__ import annotations

import json
import re
from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import meta
from kcore.machinery import names as name_rules
from kcore.machinery.field_error import FieldError, quote
from kcore.machinery.kinds.core.affinity import validate_node_selector
from kcore.machinery.kinds.core.pod_printed import printed_list
from kcore.machinery.kinds.disabled import drop_unless_stored
from kcore.machinery.kinds.resource import device, names
from kcore.machinery.kinds.resource.capacity import refuse_policy, validate_policy
from kcore.machinery.kinds.rules import KindRules, Object, keep_all

DEVICES_COUNT_MAX: Final = 128
DEVICES_WITH_TAINTS_OR_COUNTERS_COUNT_MAX: Final = 64
ATTRIBUTES_AND_CAPACITIES_COUNT_MAX: Final = 32
ATTRIBUTE_SIZE_MAX: Final = 64
TAINTS_COUNT_MAX: Final = 16
COUNTER_SETS_COUNT_MAX: Final = 8
CONSUMED_SETS_COUNT_MAX: Final = 2
CONDITIONS_COUNT_MAX: Final = 4

_PLACES: Final = ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection")
_DEVICE_PLACES: Final = ("nodeName", "nodeSelector", "allNodes")
_ATTRIBUTE_LISTS: Final = ("ints", "bools", "strings", "versions")
_ATTRIBUTE_FIELDS: Final = ("int", "bool", "string", "version", *_ATTRIBUTE_LISTS)
_DISABLED: Final = (
    ("spec", "partitionTypeAttribute"), ("spec", "skipNodeOperations"), ("spec", "devices", "*", "nodeAllocatableResources"),
    ("spec", "devices", "*", "consumesCounters", "*", "compatibilityGroups"),
)
_BINDING: Final = ("bindingConditions", "bindingFailureConditions")
_NO_OWN_PLACE: Final = (
    "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec"
)
_SEMVER: Final = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-((0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(\+([0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*))?",
    re.ASCII,
)

Part = dict[str, Any]


def _devices(value: Object) -> list[Part]:
    return [each or {} for each in (value.get("spec") or {}).get("devices") or ()]


def default_slice(value: Object) -> None:
    """Mark taints as such to be dated."""
    for each in _devices(value):
        device.default_taints(each.get("taints") or [])


def prepare_create(value: Object) -> None:
    """Date the taints."""
    _drop_disabled(value, None)
    _date_taints(value)


def _date_taints(value: Object) -> None:
    for each in _devices(value):
        device.date_taints(each.get("taints") or [], meta.metadata(value).get("creationTimestamp") or "")


def prepare_update(new: Object, old: Object) -> None:
    """Date the taints."""
    keep_all(new, old)
    _drop_disabled(new, old)
    _date_taints(new)


def _drop_disabled(new: Object, old: Object | None) -> None:
    drop_unless_stored(new, old, *_DISABLED)
    stored = (attribute for each in _devices(old or {}) for attribute in (each.get("attributes") or {}).values())
    if not any((attribute or {}).get(field) is not None for attribute in stored for field in _ATTRIBUTE_LISTS):
        for each in _devices(new):
            for attribute in (each.get("attributes") or {}).values():
                for field in _ATTRIBUTE_LISTS:
                    (attribute or {}).pop(field, None)


def warn(new: Object, _old: Object | None) -> list[str]:
    """Warn of a driver's name with capital letters."""
    driver = (new.get("spec") or {}).get("driver") or ""
    sentence = f"spec.driver: driver names should be lowercase; {quote(driver)} contains uppercase characters"
    return [sentence] if driver != driver.lower() else []


def validate_slice(value: Object) -> list[FieldError]:
    """Check a new slice."""
    return _validate(value.get("spec") or {}, None)


def validate_slice_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; whose devices these are stays."""
    return _validate(new.get("spec") or {}, old.get("spec") or {})


def _validate(spec: Part, old: Part | None) -> list[FieldError]:
    errors: list[FieldError] = []
    pool = spec.get("pool") or {}
    names.validate_driver_plainly(spec.get("driver") or "", "spec.driver", errors)
    _validate_pool(pool, "spec.pool", errors)
    if old is not None:
        if pool.get("name") != (old.get("pool") or {}).get("name"):
            errors.append(fe.immutable("spec.pool.name", pool.get("name") or ""))
        if spec.get("driver") != old.get("driver"):
            errors.append(fe.immutable("spec.driver", spec.get("driver") or ""))
        if spec.get("nodeName") != old.get("nodeName"):
            errors.append(fe.immutable("spec.nodeName", spec.get("nodeName")))
    _validate_place(spec, _PLACES, "spec", errors)
    _validate_devices(spec, old or {}, errors)
    _validate_declared(spec, errors)
    return errors


def _validate_pool(pool: Part, path: str, errors: list[FieldError]) -> None:
    names.validate_pool(pool.get("name") or "", f"{path}.name", errors)
    count, generation = pool.get("resourceSliceCount") or 0, pool.get("generation") or 0
    if count <= 0:
        errors.append(fe.invalid(f"{path}.resourceSliceCount", count, "must be greater than zero"))
    if generation < 0:
        errors.append(fe.invalid(f"{path}.generation", generation, "must be greater than or equal to zero"))


def _validate_place(part: Part, fields: tuple[str, ...], path: str, errors: list[FieldError], when: str = "") -> None:
    """Check that exactly one of several fields says where devices are."""
    given = []
    for field in fields:
        value = part.get(field)
        if value is None:
            continue
        if value is False or value == "":
            wanted = "true" if value is False else "a non-empty string"
            errors.append(fe.invalid(f"{path}.{field}", value, f"must be either unset or set to {wanted}"))
            continue
        given.append(f"`{field}`")
        if field == "nodeName":
            errors.extend(fe.invalid(f"{path}.{field}", value, sentence) for sentence in name_rules.dns1123_subdomain(value))
        elif field == "nodeSelector":
            _validate_selector(value, f"{path}.{field}", errors)
    *rest, last = (f"`{field}`" for field in fields)
    sentence = f"exactly one of {', '.join(rest)}, {'or ' if when else ''}{last} is required{when}"
    if not given:
        errors.append(fe.required(path, sentence))
    elif len(given) > 1:
        errors.append(fe.invalid(path, "{" + ", ".join(given) + "}", f"{sentence}{'' if when else ', but multiple fields are set'}"))


def _validate_selector(selector: Part, path: str, errors: list[FieldError]) -> None:
    validate_node_selector(selector, path, errors)
    terms = selector.get("nodeSelectorTerms") or ()
    if len(terms) != 1:
        errors.append(fe.invalid(f"{path}.nodeSelectorTerms", printed_list("NodeTerm", terms), "must have exactly one node selector term"))


def _validate_devices(spec: Part, old: Part, errors: list[FieldError]) -> None:
    devices, sets = spec.get("devices") or (), spec.get("sharedCounters") or ()
    if devices and sets:
        errors.append(fe.invalid("spec", "", "only one of `sharedCounters` or `devices` is allowed"))
    stored = {each.get("name") or "": each for each in old.get("devices") or ()}
    tight = any((each or {}).get("taints") or (each or {}).get("consumesCounters") for each in devices)
    count_max = DEVICES_WITH_TAINTS_OR_COUNTERS_COUNT_MAX if tight else DEVICES_COUNT_MAX
    own_place = spec.get("perDeviceNodeSelection") is True

    def check(value: Part, path: str, found: list[FieldError]) -> None:
        device_before = stored.get((value or {}).get("name") or "") or {}
        _validate_device(value or {}, device_before, own_place, path, found)

    names.validate_set(devices, count_max, check, "spec.devices", errors, "name")


def _validate_declared(spec: Part, errors: list[FieldError]) -> None:
    """Check what upstream declares beside the fields, after all else."""
    for index, each in enumerate(spec.get("devices") or ()):
        path = f"spec.devices[{index}]"
        for key, attribute in sorted(((each or {}).get("attributes") or {}).items()):
            _validate_union(attribute or {}, f"{path}.attributes[{key}]", errors)
        consumed = (each or {}).get("consumesCounters")
        _validate_counter_sets(consumed, CONSUMED_SETS_COUNT_MAX, "counterSet", f"{path}.consumesCounters", errors)
        for field in _BINDING:
            count = len((each or {}).get(field) or ())
            if count > CONDITIONS_COUNT_MAX:
                errors.append(fe.too_many(f"{path}.{field}", count, CONDITIONS_COUNT_MAX))
    _validate_counter_sets(spec.get("sharedCounters"), COUNTER_SETS_COUNT_MAX, "name", "spec.sharedCounters", errors)


def _validate_counter_sets(sets: list[Part] | None, count_max: int, field: str, path: str, errors: list[FieldError]) -> None:
    """Check sets of counters whose name stands in `field`."""
    if sets and len(sets) > count_max:
        errors.append(fe.too_many(path, len(sets), count_max))
        return
    for index, _, item in names.repeated(sets, field):
        told = {field: item.get(field) or "", "counters": dict(sorted((item.get("counters") or {}).items()))}
        errors.append(fe.duplicate(f"{path}[{index}]", fe.Rendered(json.dumps(told, separators=(",", ":")))))
    for index, item in enumerate(sets or ()):
        at, name = f"{path}[{index}]", (item or {}).get(field) or ""
        if name:
            names.validate_label(name, f"{at}.{field}", errors)
        else:
            errors.append(fe.required(f"{at}.{field}"))
        counters = (item or {}).get("counters")
        if not counters:
            errors.append(fe.required(f"{at}.counters"))
        names.validate_map(counters, lambda *_: None, f"{at}.counters", errors, names.validate_label)


def _validate_device(value: Part, old: Part, own_place: bool, path: str, errors: list[FieldError]) -> None:
    names.validate_label(value.get("name") or "", f"{path}.name", errors)
    attributes, capacity = value.get("attributes") or {}, value.get("capacity") or {}
    count = len(attributes) + len(capacity)
    if count > ATTRIBUTES_AND_CAPACITIES_COUNT_MAX:
        sentence = f"the total number of attributes and capacities must not exceed {ATTRIBUTES_AND_CAPACITIES_COUNT_MAX}"
        errors.append(fe.invalid(path, count, sentence))
    names.validate_map(attributes, _validate_attribute, f"{path}.attributes", errors, names.validate_attribute_name)
    if capacity != (old.get("capacity") or {}):
        check = validate_policy if value.get("allowMultipleAllocations") else refuse_policy
        names.validate_map(capacity, check, f"{path}.capacity", errors, names.validate_attribute_name)
    names.validate_items(value.get("taints"), TAINTS_COUNT_MAX, device.validate_taint, f"{path}.taints", errors)
    if own_place:
        when = " when `perDeviceNodeSelection` is set to true in the ResourceSlice spec"
        _validate_place(value, _DEVICE_PLACES, path, errors, when)
    elif any(value.get(field) is not None for field in _DEVICE_PLACES):
        sentence = _NO_OWN_PLACE
        errors.append(fe.invalid(path, None, sentence))
    _validate_binding(value, path, errors)


def _validate_binding(value: Part, path: str, errors: list[FieldError]) -> None:
    """Check the conditions of a binding, which are of no use without those of its failure."""
    conditions, failures = (value.get(field) or [] for field in _BINDING)
    for field, found in zip(_BINDING, (conditions, failures), strict=True):
        if len(found) <= CONDITIONS_COUNT_MAX:
            names.validate_items(found, CONDITIONS_COUNT_MAX, _validate_condition, f"{path}.{field}", errors)
    errors.extend(fe.duplicate(f"{path}.bindingConditions[{index}]", name) for index, name, _ in names.repeated(conditions, ""))
    again = {index for index, *_ in names.repeated(failures, "")}
    for index, name in enumerate(failures):
        at = f"{path}.bindingFailureConditions[{index}]"
        if index in again:
            errors.append(fe.duplicate(at, name))
        if name in conditions:
            errors.append(fe.invalid(at, name, "bindingFailureConditions must not overlap with bindingConditions"))
    if failures and not conditions:
        sentence = "bindingConditions are required to use bindingFailureConditions"
        errors.append(fe.invalid(f"{path}.bindingConditions", value.get("bindingConditions"), sentence))
    if conditions and not failures:
        sentence = "bindingFailureConditions are required to use bindingConditions"
        errors.append(fe.invalid(f"{path}.bindingFailureConditions", value.get("bindingFailureConditions"), sentence))


def _validate_condition(name: str, path: str, errors: list[FieldError]) -> None:
    errors.extend(fe.invalid(path, name, sentence) for sentence in name_rules.qualified_name(name))


def _validate_union(attribute: Part, path: str, errors: list[FieldError]) -> None:
    given = [field for field in _ATTRIBUTE_FIELDS if attribute.get(field) is not None]
    if not given:
        errors.append(fe.invalid(path, "", f"must specify one of: {', '.join(f'`{field}`' for field in _ATTRIBUTE_FIELDS)}"))
    elif len(given) > 1:
        told = ", ".join(f"`{field}`" for field in _ATTRIBUTE_FIELDS)
        errors.append(fe.invalid(path, f"{{{', '.join(given)}}}", f"must specify exactly one of: {told}"))


def _validate_attribute(attribute: Part, path: str, errors: list[FieldError]) -> None:
    for field in ("string", "version"):
        if attribute.get(field) is not None:
            _validate_text(attribute[field], field == "version", f"{path}.{field}", errors)
        for index, text in enumerate(attribute.get(f"{field}s") or ()):
            _validate_text(text, field == "version", f"{path}.{field}s[{index}]", errors)


def _validate_text(text: str, version: bool, path: str, errors: list[FieldError]) -> None:
    if version and not _SEMVER.fullmatch(text):
        errors.append(fe.invalid(path, text, "must be a string compatible with semver.org spec 2.0.0"))
    if len(text.encode()) > ATTRIBUTE_SIZE_MAX:
        errors.append(fe.too_long(path, ATTRIBUTE_SIZE_MAX))


RULES: Final = KindRules(
    default=default_slice, validate=validate_slice, validate_update=validate_slice_update, prepare_create=prepare_create,
    prepare_update=prepare_update, warnings=warn,
)
