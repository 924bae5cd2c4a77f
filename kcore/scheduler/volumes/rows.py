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


class Reach(NamedTuple):
    """From where a volume can be reached: node terms of which one must hold (None: any node), or others on nodes that migrated a plugin."""

    terms: tuple[Term, ...] | None
    plugin: str = ""
    moved: tuple[Term, ...] | None = None


class Volume(NamedTuple):
    """A PersistentVolume.

    affinity  node terms of which one must hold; None: any node
    claim     key of the claim that it names, or ""; claim_uid: which life of that claim, or ""
    free      in phase Available; terminating: on its way out
    driver    that attaches it, with the handle it knows it by
    plugin    of old, where the volume names a disk directly, else ""; moved: node terms as its driver has them
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
    plugin: str = ""
    moved: tuple[Term, ...] | None = None
    resource_version: str = ""

    @property
    def reach(self) -> Reach:
        """Return from where it can be reached."""
        return Reach(self.affinity, self.plugin if self.moved != self.affinity else "", self.moved)

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
    """A CSIDriver; capacity says whether it publishes how much room there is, required: whether pods wait for nodes that have it."""

    name: str
    capacity: bool
    required: bool = False


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
    """A CSINode.

    counts    (driver, how many volumes the node can have attached); drivers: all that are installed
    migrated  plugins of old that its drivers took over
    """

    node_name: str
    counts: tuple[tuple[str, int], ...]
    drivers: tuple[str, ...] = ()
    migrated: tuple[str, ...] = ()


class Attachment(NamedTuple):
    """A VolumeAttachment: a driver attaches a volume to a node, whoever uses it."""

    name: str
    driver: str
    node_name: str
    volume: str


Row = Claim | Volume | Class | Driver | Room | Limits | Attachment
