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
    capacity   (name, amount) of what each of the devices must have, or must have left
    """

    name: str
    class_name: str
    selectors: tuple[str, ...] = ()
    device_count: int | None = 1
    admin: bool = False
    tolerations: tuple[Toleration, ...] = ()
    capacity: tuple[tuple[str, int], ...] = ()

    @property
    def own_name(self) -> str:
        """Return its name without its parent's, as errors say it."""
        return self.name.rpartition("/")[2]


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


class ExtendedContainer(NamedTuple):
    """What a container asks for of extended resources.

    number    among all of the pod, those that start it first
    starting  it ends before the others begin
    requests  (resource, amount, place of the resource among all that the container asks for)
    """

    number: int
    name: str
    starting: bool
    requests: tuple[tuple[str, int, int], ...]


class Extended(NamedTuple):
    """Extended resources that devices of a class may provide.

    classes     (resource, class)
    stale       there is a claim for them already, from an earlier attempt
    """

    classes: tuple[tuple[str, str], ...]
    containers: tuple[ExtendedContainer, ...] = ()
    stale: bool = False


class DeviceNeeds(NamedTuple):
    """What a pod's claims ask of a node, looked up.

    wishes   of the claims that have no devices yet
    nodes    node terms of each claim that has: one of them must hold
    lost     a claim has devices that failed, or are not ready in time: no node is good for it
    earned   what alternatives that claims have already earn on every node
    extended what node by node is asked of devices where the node does not offer it otherwise
    version  counts changes of what else the answer rests on
    """

    wishes: tuple[Wish, ...] = ()
    nodes: tuple[tuple[Term, ...], ...] = ()
    lost: bool = False
    earned: int = 0
    extended: Extended | None = None
    version: int = 0
