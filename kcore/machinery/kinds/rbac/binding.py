"""RoleBinding and ClusterRoleBinding: who has which role; the role never changes.

Source: Kubernetes `pkg/apis/rbac/validation`, `pkg/apis/rbac/v1/defaults.go`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing

GROUP: Final = "rbac.authorization.k8s.io"
SERVICE_ACCOUNT: Final = "ServiceAccount"

_KINDS: Final = (SERVICE_ACCOUNT, "User", "Group")
_ROLE_FIELDS: Final = (StructField("APIGroup", "apiGroup", ""), StructField("Kind", "kind", ""), StructField("Name", "name", ""))


def default_binding(value: Object) -> None:
    """Fill in the group of the role, and of users and groups."""
    role = value.setdefault("roleRef", {})
    if not role.get("apiGroup"):
        role["apiGroup"] = GROUP
    for subject in value.get("subjects") or ():
        if not subject.get("apiGroup") and subject.get("kind") in ("User", "Group"):
            subject["apiGroup"] = GROUP


def validate_binding(value: Object, namespaced: bool) -> list[FieldError]:
    """Check role and subjects."""
    errors: list[FieldError] = []
    role = value.get("roleRef") or {}
    group, kind, name = role.get("apiGroup") or "", role.get("kind") or "", role.get("name") or ""
    if group != GROUP:
        errors.append(fe.not_supported("roleRef.apiGroup", group, (GROUP,)))
    kinds = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)
    if kind not in kinds:
        errors.append(fe.not_supported("roleRef.kind", kind, kinds))
    if not name:
        errors.append(fe.required("roleRef.name"))
    errors.extend(fe.invalid("roleRef.name", name, sentence) for sentence in names.path_segment(name))
    for index, subject in enumerate(value.get("subjects") or ()):
        _validate_subject(subject or {}, namespaced, f"subjects[{index}]", errors)
    nameless = [index for index, subject in enumerate(value.get("subjects") or ()) if not subject.get("name")]
    errors.extend(fe.required(f"subjects[{index}].name") for index in nameless)
    return errors


def _validate_subject(subject: dict[str, Any], namespaced: bool, path: str, errors: list[FieldError]) -> None:
    kind, name, group = subject.get("kind") or "", subject.get("name") or "", subject.get("apiGroup") or ""
    if kind == SERVICE_ACCOUNT:
        if name:
            errors.extend(fe.invalid(f"{path}.name", name, sentence) for sentence in names.dns1123_subdomain(name))
        if group:
            errors.append(fe.not_supported(f"{path}.apiGroup", group, ("",)))
        if not namespaced and not subject.get("namespace"):
            errors.append(fe.required(f"{path}.namespace"))
    elif kind in _KINDS:
        if group != GROUP:
            errors.append(fe.not_supported(f"{path}.apiGroup", group, (GROUP,)))
    else:
        errors.append(fe.not_supported(f"{path}.kind", kind, _KINDS))


def validate_binding_update(new: Object, old: Object, namespaced: bool) -> list[FieldError]:
    """Check an update; the role stays."""
    errors = validate_binding(new, namespaced)
    fresh, stored = (fe.struct(value.get("roleRef") or {}, _ROLE_FIELDS) for value in (new, old))
    if fresh != stored:
        errors.append(fe.immutable("roleRef", fresh))
    return errors


ROLE_BINDING: Final = KindRules(
    default=default_binding, validate=lambda value: validate_binding(value, True),
    validate_update=lambda new, old: validate_binding_update(new, old, True), prepare_create=nothing, prepare_update=keep_all,
    name_validator=names.path_name, allow_create_on_update=True,
)
CLUSTER_ROLE_BINDING: Final = KindRules(
    default=default_binding, validate=lambda value: validate_binding(value, False),
    validate_update=lambda new, old: validate_binding_update(new, old, False), prepare_create=nothing, prepare_update=keep_all,
    name_validator=names.path_name, allow_create_on_update=True,
)
