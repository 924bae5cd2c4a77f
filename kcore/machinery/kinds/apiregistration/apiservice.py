"""APIService: who serves a version of a group, and where it stands among the others.

Source: kube-aggregator `pkg/apis/apiregistration/validation`, `pkg/registry/apiservice`.
"""
from __future__ import annotations

import base64
from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import meta, names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rules import KindRules, Object

GROUP_PRIORITY_MAX: Final = 20000
VERSION_PRIORITY_MAX: Final = 1000

_STATUSES: Final = ("True", "False", "Unknown")


def prepare_create(value: Object) -> None:
    """Start without status; what this server serves itself is available at once."""
    value["status"] = {}
    if (value.get("spec") or {}).get("service") is None:
        value["status"]["conditions"] = [{
            "type": "Available", "status": "True", "lastTransitionTime": meta.metadata(value).get("creationTimestamp"), "reason": "Local",
            "message": "Local APIServices are always available",
        }]


def validate_service(value: Object) -> list[FieldError]:
    """Check name, group, version, priorities and where it is served."""
    errors: list[FieldError] = []
    spec, name = value.get("spec") or {}, meta.name(value)
    group, version = spec.get("group") or "", spec.get("version") or ""
    wanted = f"{version}.{group}"
    if name and name != wanted:
        detail = f'must be `spec.version+"."+spec.group`: {fe.quote(wanted)}'
        sentences = names.path_segment(name) or (detail,)
        errors.extend(fe.invalid("metadata.name", name, sentence) for sentence in sentences)
    if not group and version != "v1":
        errors.append(fe.required("spec.group", "only v1 may have an empty group and it better be legacy kube"))
    errors.extend(fe.invalid("spec.group", group, sentence) for sentence in names.dns1123_subdomain(group) if group)
    errors.extend(fe.invalid("spec.version", version, sentence) for sentence in names.dns1035_label(version))
    for field, highest in (("groupPriorityMinimum", GROUP_PRIORITY_MAX), ("versionPriority", VERSION_PRIORITY_MAX)):
        priority = spec.get(field) or 0
        if not 0 < priority <= highest:
            errors.append(fe.invalid(f"spec.{field}", priority, f"must be positive and less than {highest}"))
    _validate_place(spec, errors)
    return errors


def _validate_place(spec: dict[str, Any], errors: list[FieldError]) -> None:
    service, bundle, skips = spec.get("service"), spec.get("caBundle") or "", bool(spec.get("insecureSkipTLSVerify"))
    if service is None:
        if bundle:
            size = len(base64.b64decode(bundle))
            errors.append(fe.invalid("spec.caBundle", f"{size} bytes", "local APIServices may not have a caBundle"))
        if skips:
            errors.append(fe.invalid("spec.insecureSkipTLSVerify", skips, "local APIServices may not have insecureSkipTLSVerify"))
        return
    errors.extend(fe.required(f"spec.service.{field}") for field in ("namespace", "name") if not service.get(field))
    port = service.get("port") or 0
    wrong = names.port_number(port)
    if wrong:
        errors.append(fe.invalid("spec.service.port", port, f"port is not valid: {', '.join(wrong)}"))
    if skips and bundle:
        errors.append(fe.invalid("spec.insecureSkipTLSVerify", skips, "may not be true if caBundle is present"))


def validate_status_update(new: Object, _old: Object) -> list[FieldError]:
    """Check the conditions."""
    errors: list[FieldError] = []
    for index, condition in enumerate((new.get("status") or {}).get("conditions") or ()):
        status = condition.get("status") or ""
        if status not in _STATUSES:
            errors.append(fe.not_supported(f"status.conditions[{index}].status", status, _STATUSES))
    return errors


RULES: Final = KindRules(
    validate=validate_service, validate_update=lambda new, _old: validate_service(new), validate_status_update=validate_status_update,
    prepare_create=prepare_create, name_validator=lambda _name, _prefix: names.FINE, allow_unconditional_update=False,
)
