"""A pod's resource claims, from its bytes.

Source: core/v1 PodResourceClaim.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery.projection import Projection
from kcore.scheduler.dra.asks import ClaimReference

_CLAIMS: Final = Projection(
    "kcore.api.core.v1.Pod",
    (
        "spec.resourceClaims[].name",
        "spec.resourceClaims[].resourceClaimName",
        "status.resourceClaimStatuses[].name",
        "status.resourceClaimStatuses[].resourceClaimName?",
    ),
)


def pod_claims(raw: bytes, namespace: str, uid: str) -> tuple[ClaimReference, ...]:
    """Read the resource claims of a Pod; one that its template turned out not to need is left out.

    Raises  DecodeError
    """
    names, claim_names, made, made_names = _CLAIMS(raw)
    of_template = dict(zip(made, made_names, strict=True))
    found: list[ClaimReference] = []
    for name, claim_name in zip(names, claim_names, strict=True):
        if claim_name:
            found.append(ClaimReference(f"{namespace}/{claim_name}"))
        elif name not in of_template:
            found.append(ClaimReference("", uid))
        elif of_template[name]:
            found.append(ClaimReference(f"{namespace}/{of_template[name]}", uid))
    return tuple(found)
