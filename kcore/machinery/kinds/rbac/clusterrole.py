"""ClusterRole: what may be done everywhere, given or aggregated from other roles.

Source: Kubernetes `pkg/apis/rbac/validation`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import field_error as fe
from kcore.machinery import labels, names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rbac.policyrule import validate_rules
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing


def validate_cluster_role(value: Object) -> list[FieldError]:
    """Check rules and aggregation."""
    errors: list[FieldError] = []
    validate_rules(value.get("rules"), False, errors)
    aggregation, path = value.get("aggregationRule"), "aggregationRule.clusterRoleSelectors"
    if aggregation is not None:
        selectors = aggregation.get("clusterRoleSelectors") or ()
        if not selectors:
            errors.append(fe.required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil"))
        for index, selector in enumerate(selectors):
            own: list[FieldError] = []
            labels.validate_message(selector, f"{path}[{index}]", own)
            errors += own
            if own:
                errors.append(fe.invalid(f"{path}[{index}]", None, "invalid label selector."))
    return errors


def validate_update(new: Object, _old: Object) -> list[FieldError]:
    """Check an update as a new role."""
    return validate_cluster_role(new)


RULES: Final = KindRules(
    validate=validate_cluster_role, validate_update=validate_update, prepare_create=nothing, prepare_update=keep_all,
    name_validator=names.path_name, allow_create_on_update=True,
)
