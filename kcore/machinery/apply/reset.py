"""Which fields a write touches: one to the object leaves its status, one to the status leaves everything else.

Who writes the status does not own the spec that comes with it, and the other way round. How far that goes differs a little by kind.
Source: Kubernetes `GetResetFields` and `GetResetFieldsFilter` of the strategies in `pkg/registry`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, Final

from kcore.machinery.apply import fieldset
from kcore.machinery.apply.fieldset import SELF, Set

Touched = Callable[[Set], Set]
"""What of a set of fields a write touches."""

Pattern = dict[str, Any]
ANY: Final = "*"
STATUS: Final = fieldset.of_paths(("f:status",))
SPEC: Final = fieldset.of_paths(("f:spec",))
SPEC_AND_METADATA: Final = fieldset.of_paths(("f:spec",), ("f:metadata",))

_LEFT: Final[dict[tuple[str, str, str], Set]] = {
    ("", "Pod", "status"): fieldset.of_paths(("f:spec",), ("f:metadata", "f:deletionTimestamp"), ("f:metadata", "f:ownerReferences")),
    ("", "Namespace", "finalize"): STATUS,
    ("apiextensions.k8s.io", "CustomResourceDefinition", "status"): SPEC_AND_METADATA,
    ("apiregistration.k8s.io", "APIService", ""): fieldset.EMPTY,
    ("apiregistration.k8s.io", "APIService", "status"): fieldset.EMPTY,
    ("apps", "Deployment", "status"): fieldset.of_paths(("f:spec",), ("f:metadata", "f:labels")),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "status"): SPEC_AND_METADATA,
    ("certificates.k8s.io", "CertificateSigningRequest", ""): fieldset.of_paths(("f:spec",), ("f:status",)),
    ("certificates.k8s.io", "CertificateSigningRequest", "status"): fieldset.of_paths(("f:spec",), ("f:status", "f:conditions")),
    ("certificates.k8s.io", "CertificateSigningRequest", "approval"): fieldset.of_paths(("f:spec",), ("f:status", "f:certificate")),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema", "status"): SPEC_AND_METADATA,
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", "status"): SPEC_AND_METADATA,
    ("networking.k8s.io", "ServiceCIDR", ""): fieldset.EMPTY,
    ("networking.k8s.io", "ServiceCIDR", "status"): fieldset.EMPTY,
    ("resource.k8s.io", "DeviceTaintRule", "status"): SPEC_AND_METADATA,
    ("resource.k8s.io", "ResourceClaim", "status"): SPEC_AND_METADATA,
    ("storage.k8s.io", "VolumeAttachment", "status"): SPEC_AND_METADATA,
    ("storagemigration.k8s.io", "StorageVersionMigration", "status"): SPEC_AND_METADATA,
}
"""What a write leaves, where the kind or its part is not as most are."""

_MEANT: Final[dict[tuple[str, str, str], Pattern]] = {
    ("", "Pod", "ephemeralcontainers"): {"f:spec": {"f:ephemeralContainers": None}},
}
"""What a write to a part of the spec is about: all else is left. None stands for everything below. A resize owns all that it sends."""


@cache
def touched(group: str, kind: str, subresource: str, has_status: bool) -> Touched:
    """What a write to an object, or to a part of it, touches; `has_status`: the kind's status is a part of its own."""
    place = (group, kind, subresource)
    if place in _MEANT:
        return partial(_matching, pattern=_MEANT[place])
    usual = SPEC if subresource == "status" else STATUS if not subresource and has_status else fieldset.EMPTY
    left = _LEFT.get(place, usual)
    return partial(fieldset.without_trees, roots=left) if left else all_fields


def all_fields(fields: Set) -> Set:
    """What a write touches that leaves nothing."""
    return fields


def _matching(fields: Set, pattern: Pattern) -> Set:
    """The fields on the ways that a pattern shows."""
    found: Set = {}
    for key, node in fields.items():
        if key == SELF:
            found[key] = node
            continue
        if key not in pattern and ANY not in pattern:
            continue
        below = pattern.get(key, pattern.get(ANY))
        left = fieldset.node(_matching(node, below)) if below is not None and node else node
        if left is not None:
            found[key] = left
    return found
