"""Which IP families a Service gets, from what it asks for and what the cluster has.

The API server calls `assign_families` after `prepare_*` and before it allocates cluster IPs; errors end the request there, as allocation
comes before validation.

Source: Kubernetes `pkg/registry/core/service/storage/alloc.go` (initIPFamilyFields), KEP-563.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from kcore.machinery import cidr
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.core.service_validation import EXTERNAL_NAME, NO_IP, SINGLE_STACK, validate_cluster_ips
from kcore.machinery.kinds.rules import Object

REQUIRE_DUAL_STACK: Final = "RequireDualStack"
_OTHER: Final = {cidr.IPV4: cidr.IPV6, cidr.IPV6: cidr.IPV4}
_MULTIPLE: Final = "must be 'RequireDualStack' or 'PreferDualStack' when multiple {} are specified"


def assign_families(new: Object, old: Object | None, configured: Sequence[str]) -> list[FieldError]:
    """Set `ipFamilies` and `ipFamilyPolicy` in place.

    configured  the cluster's families, the default one first
    Returns     why the service cannot have what it asks for
    """
    spec = new.setdefault("spec", {})
    if spec.get("type") == EXTERNAL_NAME:
        return []
    stored = (old or {}).get("spec") or {}
    errors: list[FieldError] = []
    validate_cluster_ips(spec, errors, stored)
    if errors:
        return errors
    asked = spec.get("ipFamilyPolicy")
    _check_single_stack(spec, errors)
    _infer_families(spec, configured, errors)
    if errors:
        return errors
    if (spec.get("clusterIPs") or [""])[0] == NO_IP and not spec.get("selector"):
        _assign_without_selector(spec, configured[0])
        return []
    if asked == REQUIRE_DUAL_STACK and len(configured) < 2:
        errors.append(fe.invalid("spec.ipFamilyPolicy", asked, "this cluster is not configured for dual-stack services"))
    for index, family in enumerate(spec.get("ipFamilies") or ()):
        if family not in configured:
            errors.append(fe.invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster"))
    if not errors:
        _assign(spec, configured)
    return errors


def _check_single_stack(spec: dict[str, Any], errors: list[FieldError]) -> None:
    policy = spec.get("ipFamilyPolicy") or SINGLE_STACK
    if policy != SINGLE_STACK:
        return
    for field, noun in (("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")):
        if len(spec.get(field) or ()) == 2:
            errors.append(fe.invalid("spec.ipFamilyPolicy", policy, _MULTIPLE.format(noun)))


def _infer_families(spec: dict[str, Any], configured: Sequence[str], errors: list[FieldError]) -> None:
    families = list(spec.get("ipFamilies") or ())
    for index, text in enumerate(spec.get("clusterIPs") or ()):
        if text == NO_IP:
            break
        family = cidr.family(text)
        if index < len(families):
            continue
        if family in configured:
            families.append(family)
        else:
            detail = f"{family} is not configured on this cluster"
            errors.append(fe.invalid(f"spec.clusterIPs[{index}]", spec["clusterIPs"], detail))
    if families:
        spec["ipFamilies"] = families


def _assign_without_selector(spec: dict[str, Any], default: str) -> None:
    """Headless and without selector, whoever writes the endpoints decides: both families are legal even on a cluster that has one."""
    if spec.get("ipFamilyPolicy") is None:
        spec["ipFamilyPolicy"] = SINGLE_STACK if len(spec.get("ipFamilies") or ()) == 1 else REQUIRE_DUAL_STACK
    families = list(spec.get("ipFamilies") or (default,))
    if spec["ipFamilyPolicy"] != SINGLE_STACK and len(families) == 1:
        families.append(_OTHER[families[0]])
    spec["ipFamilies"] = families


def _assign(spec: dict[str, Any], configured: Sequence[str]) -> None:
    families = list(spec.get("ipFamilies") or configured[:1])
    policy = spec.get("ipFamilyPolicy") or SINGLE_STACK
    if policy != SINGLE_STACK and len(families) == 1:
        families += [family for family in configured if family not in families]
    spec["ipFamilies"], spec["ipFamilyPolicy"] = families, policy
