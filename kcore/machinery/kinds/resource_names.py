"""Which names of resources quotas and limit ranges know.

Source: Kubernetes `pkg/apis/core/helper`, `pkg/apis/core/validation`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError

HUGE_PAGES: Final = "hugepages-"

_COMPUTE: Final = frozenset(("cpu", "memory", "ephemeral-storage"))
_REQUESTED: Final = frozenset(f"{half}.{name}" for half in ("requests", "limits") for name in _COMPUTE)
_COUNTED: Final = frozenset((
    "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "persistentvolumeclaims", "configmaps",
    "services.nodeports", "services.loadbalancers",
))
_STANDARD: Final = _COMPUTE | _REQUESTED | _COUNTED | {"requests.storage"}
POD_RESOURCES: Final = _COMPUTE | _REQUESTED | {"pods"}
CLAIM_RESOURCES: Final = frozenset(("persistentvolumeclaims", "requests.storage"))
BEST_EFFORT_RESOURCES: Final = frozenset(("pods",))


def validate_name(name: str, path: str, errors: list[FieldError]) -> bool:
    """Check a qualified name; Returns whether it is one."""
    wrong = names.qualified_name(name)
    errors.extend(fe.invalid(path, name, sentence) for sentence in wrong)
    return not wrong


def validate_resource(name: str, path: str, errors: list[FieldError]) -> None:
    """Check the name of a resource that pods ask for."""
    if validate_name(name, path, errors) and "/" not in name and name != "storage" and not is_quota_resource(name):
        errors.append(fe.invalid(path, name, "must be a standard resource type or fully qualified"))


def validate_quota_resource(name: str, path: str, errors: list[FieldError]) -> None:
    """Check the name of a resource that a quota bounds."""
    validate_resource(name, path, errors)
    if "/" not in name and not is_quota_resource(name):
        errors.append(fe.invalid(path, name, "must be a standard resource for quota"))


def is_quota_resource(name: str) -> bool:
    """Say whether a quota knows the resource by its short name."""
    return name in _STANDARD or name.startswith((HUGE_PAGES, f"requests.{HUGE_PAGES}"))
