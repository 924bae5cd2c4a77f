"""DeviceClass: devices that requests name as one, with their configuration.

Source: Kubernetes `pkg/apis/resource/validation`; apimachinery `pkg/api/validate/strfmt.go`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import field_error as fe
from kcore.machinery import names as name_rules
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.resource import device, names
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing

_NATIVE: Final = "kubernetes.io/"
_QUOTA: Final = "requests."


def validate_device_class(value: Object) -> list[FieldError]:
    """Check selectors, configuration and the name of the extended resource."""
    errors: list[FieldError] = []
    spec = value.get("spec") or {}
    names.validate_items(spec.get("selectors"), device.SELECTORS_COUNT_MAX, device.validate_selector, "spec.selectors", errors)
    names.validate_items(spec.get("config"), device.CONFIG_COUNT_MAX, device.validate_configuration, "spec.config", errors)
    if spec.get("extendedResourceName") is not None:
        _validate_extended_name(spec["extendedResourceName"], "spec.extendedResourceName", errors)
    return errors


def _validate_extended_name(name: str, path: str, errors: list[FieldError]) -> None:
    if "/" not in name:
        errors.append(fe.invalid(path, name, "a name must be a domain-prefixed path, such as 'example.com/my-prop'"))
    elif _NATIVE in name:
        errors.append(fe.invalid(path, name, f'must not have "{_NATIVE}" domain'))
    if name.startswith(_QUOTA):
        errors.append(fe.invalid(path, name, f'must not have "{_QUOTA}" prefix'))
    errors.extend(fe.invalid(path, name, sentence) for sentence in name_rules.qualified_name(_QUOTA + name))


RULES: Final = KindRules(
    validate=validate_device_class, validate_update=lambda new, _old: validate_device_class(new), prepare_create=nothing,
    prepare_update=keep_all, name_validator=name_rules.long_name,
)
