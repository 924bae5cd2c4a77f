"""Workload: the templates of the pod groups that make up one application.

Templates neither come nor go; of each only minCount may change.

Source: Kubernetes `pkg/registry/scheduling/workload`, the declarative rules of `api/scheduling/v1beta1`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rules import KindRules, Object
from kcore.machinery.kinds.scheduling.podgroup import drop_disabled, validate_group, validate_group_update
from kcore.machinery.kinds.values import validate_immutable

TEMPLATES_MAX: Final = 8
_TEMPLATES: Final = "spec.podGroupTemplates"
_COMPOSITES: Final = "compositePodGroupTemplates"
_FIXED: Final = ("disruptionMode", "priorityClassName", "priority")


def validate_workload(value: Object) -> list[FieldError]:
    """Check a new workload."""
    errors: list[FieldError] = []
    spec = value.get("spec") or {}
    templates = spec.get("podGroupTemplates") or ()
    reference = spec.get("controllerRef")
    if reference is not None:
        errors += [fe.required(f"spec.controllerRef.{field}") for field in ("kind", "name") if not reference.get(field)]
    if not templates:
        wanted = f"`podGroupTemplates`, `{_COMPOSITES}`"
        errors.append(fe.invalid("spec", "", f"must specify one of: {wanted}"))
    if len(templates) > TEMPLATES_MAX:
        errors.append(fe.too_many(_TEMPLATES, len(templates), TEMPLATES_MAX))
    seen: set[str] = set()
    for index, template in enumerate(templates):
        path, name = f"{_TEMPLATES}[{index}]", template.get("name") or ""
        if not name:
            errors.append(fe.required(f"{path}.name"))
        elif name in seen:
            errors.append(fe.duplicate(path, name))
        else:
            errors += [fe.invalid(f"{path}.name", name, sentence) for sentence in names.label_name(name, False)]
        seen.add(name)
        errors += validate_group(template, path)
    return errors


def validate_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update."""
    errors = validate_workload(new)
    spec, stored = new.get("spec") or {}, old.get("spec") or {}
    validate_immutable(spec.get("controllerRef"), stored.get("controllerRef"), "spec.controllerRef", errors)
    before = {template.get("name"): template for template in stored.get("podGroupTemplates") or ()}
    for index, template in enumerate(spec.get("podGroupTemplates") or ()):
        path, known = f"{_TEMPLATES}[{index}]", before.pop(template.get("name"), None)
        if known is None:
            errors.append(fe.forbidden(path, "item may not be added"))
        else:
            errors += validate_group_update(template, known, path, _FIXED)
    errors += [fe.forbidden(_TEMPLATES, "item may not be removed") for _ in before]
    return errors


def prepare_create(value: Object) -> None:
    """Drop what belongs to features that are off."""
    prepare_update(value, {})


def prepare_update(new: Object, old: Object) -> None:
    """Drop what belongs to features that are off, unless it is stored."""
    spec, stored = new.setdefault("spec", {}), old.get("spec") or {}
    if not stored.get(_COMPOSITES):
        spec.pop(_COMPOSITES, None)
    before = {template.get("name"): template for template in stored.get("podGroupTemplates") or ()}
    for template in spec.get("podGroupTemplates") or ():
        drop_disabled(template, before.get(template.get("name")))


RULES: Final = KindRules(
    validate=validate_workload, validate_update=validate_update, prepare_create=prepare_create, prepare_update=prepare_update,
    allow_unconditional_update=False,
)
