"""What the scheduler knows of claims, volumes, classes and drivers: plain, comparable values, whatever form they were read from.

Two rows that are equal but for `resource_version` mean that nothing changed for the scheduler.
"""
from __future__ import annotations

from typing import Final, NamedTuple

from kcore.machinery.labels import Selector
from kcore.scheduler.rows import Expression, Term

WAITS_FOR_CONSUMER: Final = "WaitForFirstConsumer"
EXCLUSIVE: Final = "ReadWriteOncePod"
NO_PROVISIONER: Final = "kubernetes.io/no-provisioner"


class Claim(NamedTuple):
    """A PersistentVolumeClaim.

    volume_name  what it is bound to, or is to be bound to
    complete     both sides are bound
    selected     the node that its first consumer goes to, or ""
    owner        uid of its controller, or ""
    """

    key: str
    uid: str
    class_name: str
    request_bytes: int
    access_modes: tuple[str, ...] = ()
    volume_mode: str = "Filesystem"
    attributes_class: str = ""
    selector: Selector | None = None
    volume_name: str = ""
    complete: bool = False
    selected: str = ""
    owner: str = ""
    lost: bool = False
    terminating: bool = False
    resource_version: str = ""

    @property
    def bound(self) -> bool:
        """Say whether it is bound to a volume for good."""
        return bool(self.volume_name) and self.complete


class Volume(NamedTuple):
    """A PersistentVolume.

    affinity  node terms of which one must hold; None: any node
    claim     key of the claim that it names, or ""; claim_uid: which life of that claim, or ""
    free      in phase Available; terminating: on its way out
    driver    of a CSI volume, with its handle
    """

    name: str
    labels: tuple[tuple[str, str], ...]
    class_name: str
    capacity_bytes: int
    access_modes: tuple[str, ...] = ()
    volume_mode: str = "Filesystem"
    attributes_class: str = ""
    affinity: tuple[Term, ...] | None = None
    claim: str = ""
    claim_uid: str = ""
    free: bool = True
    terminating: bool = False
    driver: str = ""
    handle: str = ""
    resource_version: str = ""

    @property
    def claimable(self) -> bool:
        """Say whether any claim may have it."""
        return self.free and not self.claim and not self.terminating


class Class(NamedTuple):
    """A StorageClass; topologies are terms of which one must hold, none: any node."""

    name: str
    provisioner: str
    waits: bool
    topologies: tuple[Term, ...] = ()


class Driver(NamedTuple):
    """A CSIDriver; capacity says whether it publishes how much room there is."""

    name: str
    capacity: bool


class Room(NamedTuple):
    """A CSIStorageCapacity: how much room a class has for the nodes that all expressions match; None matches no node.

    limit_bytes  the largest volume, None where it is not known
    """

    key: str
    class_name: str
    nodes: tuple[Expression, ...] | None
    capacity_bytes: int | None
    limit_bytes: int | None


class Limits(NamedTuple):
    """A CSINode: (driver, how many volumes the node can have attached)."""

    node_name: str
    counts: tuple[tuple[str, int], ...]


Row = Claim | Volume | Class | Driver | Room | Limits
