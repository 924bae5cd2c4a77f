"""What resource claims ask for: values that are part of a pod's ask.

Source: resource.k8s.io/v1 ResourceClaim.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kcore.scheduler.rows import Term, Toleration


class ClaimReference(NamedTuple):
    """A claim that a pod uses.

    key    namespace/name; "" while nobody has made it from its template yet
    owner  for a claim made from a template, the uid of the pod that must own it; else ""
    """

    key: str
    owner: str = ""


class Request(NamedTuple):
    """Devices that are asked for.

    name       as results name it: with its parent's, if it is one of several alternatives
    selectors  expressions that must all hold for a device, beside those of the class
    device_count  how many; None: all that match
    admin      devices are looked at, not taken
    """

    name: str
    class_name: str
    selectors: tuple[str, ...] = ()
    device_count: int | None = 1
    admin: bool = False
    tolerations: tuple[Toleration, ...] = ()


class Choice(NamedTuple):
    """A request of a claim: the first of its alternatives that can be had. scored: there is a list of alternatives."""

    name: str
    alternatives: tuple[Request, ...]
    scored: bool = False


class Constraint(NamedTuple):
    """What devices of some requests (of all, if none is named) must have in common, or must not.

    attribute  as a qualified name
    distinct   no two may have the same value; else all must have the same
    """

    requests: tuple[str, ...]
    attribute: str
    distinct: bool = False


class Wish(NamedTuple):
    """All that a claim asks for."""

    choices: tuple[Choice, ...]
    constraints: tuple[Constraint, ...] = ()


class DeviceNeeds(NamedTuple):
    """What a pod's claims ask of a node, looked up.

    wishes   of the claims that have no devices yet
    nodes    node terms of each claim that has: one of them must hold
    version  counts changes of what else the answer rests on
    """

    wishes: tuple[Wish, ...] = ()
    nodes: tuple[tuple[Term, ...], ...] = ()
    version: int = 0
