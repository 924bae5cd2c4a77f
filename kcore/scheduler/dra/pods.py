"""A pod's resource claims, from its bytes, and what its containers ask for that devices may provide.

Source: core/v1 PodResourceClaim.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kcore.machinery.projection import Projection
from kcore.scheduler.dra.asks import ClaimReference, ExtendedContainer
from kcore.scheduler.dra.devices import CLASS_PREFIX
from kcore.scheduler.requests import Container, amount

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


def extended_containers(starting: Sequence[Container], running: Sequence[Container]) -> tuple[ExtendedContainer, ...]:
    """Return the containers that ask for extended resources; those that start the pod come first, and of these some go on with it."""
    found: list[ExtendedContainer] = []
    for number, container in enumerate((*starting, *running)):
        requests = tuple(
            (name, amount(name, text), place)
            for place, (name, text) in enumerate(sorted(container.requests))
            if is_extended(name) and amount(name, text)
        )
        if requests:
            ends = number < len(starting) and not container.restartable
            found.append(ExtendedContainer(number, container.name, ends, requests))
    return tuple(found)


def is_extended(resource: str) -> bool:
    """Say whether devices may provide a resource."""
    own = "/" in resource and "kubernetes.io/" not in resource and not resource.startswith("requests.")
    return own or resource.startswith(CLASS_PREFIX)
