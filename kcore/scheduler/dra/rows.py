"""Slices of devices, classes, claims and taint rules as the scheduler knows them.

Two rows that are equal but for `resource_version` mean that nothing changed for the scheduler.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from kcore.scheduler.dra.asks import Choice, Wish
from kcore.scheduler.dra.capacity import Capacity, Consumed
from kcore.scheduler.rows import Taint, Term

DeviceId = tuple[str, str, str]
"""Driver, pool and name."""

PoolId = tuple[str, str]
"""Driver and name."""

Counter = tuple[str, str]
"""Counter set and counter."""


INCOMPLETE: Final = "incomplete"
INVALID: Final = "invalid"
"""Flaws of pools."""


class Where(NamedTuple):
    """From which nodes devices can be used: one by name, those that one of the terms holds for, or all (neither)."""

    node_name: str = ""
    terms: tuple[Term, ...] | None = None


class Device(NamedTuple):
    """A device.

    attributes  by qualified name, (kind, value); capacity: by name as the slice has it
    consumes    (counter, amount) taken from its pool while it is in use
    where       None: as its slice says
    shared      many claims may have a part of it each
    conditions  what its driver has to report of it before a pod is bound, failures: what must not be reported
    binds_to_node  who gets it is bound to the node, wherever the device can be used from
    """

    name: str
    attributes: tuple[tuple[str, tuple[str, Any]], ...] = ()
    capacity: tuple[tuple[str, Capacity], ...] = ()
    taints: tuple[Taint, ...] = ()
    consumes: tuple[tuple[Counter, int], ...] = ()
    where: Where | None = None
    shared: bool = False
    conditions: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    binds_to_node: bool = False


class Slice(NamedTuple):
    """A ResourceSlice.

    slice_count  how many make up its pool in this generation
    counters     what devices of the pool share: a slice has these, or devices
    where        not looked at if each device says it itself (per_device)
    """

    name: str
    driver: str
    pool: str
    generation: int
    slice_count: int
    where: Where
    devices: tuple[Device, ...] = ()
    counters: tuple[tuple[Counter, int], ...] = ()
    per_device: bool = False


class DeviceClass(NamedTuple):
    """A DeviceClass.

    config    goes into allocations as it is
    extended  the extended resource that its devices count as, beside the one that is named after the class, or ""
    created   its creationTimestamp in seconds: of classes with the same extended resource the newest counts
    """

    name: str
    selectors: tuple[str, ...] = ()
    config: tuple[str, ...] = ()
    extended: str = ""
    created: int = 0


class TaintRule(NamedTuple):
    """A DeviceTaintRule: a taint for all devices of a driver, a pool and a name, where these are given; none where it selects nothing."""

    name: str
    taint: Taint
    selects: tuple[str, str, str] | None = None


class Consumer(NamedTuple):
    """A pod, or something else, that a claim is reserved for."""

    resource: str
    name: str
    uid: str
    group: str = ""


class Held(NamedTuple):
    """A device that a claim has.

    admin   it is only looked at
    share   which part of a shared device it is, "" of others; consumed: how much it takes of that device's capacity
    """

    device: DeviceId
    request: str = ""
    admin: bool = False
    share: str = ""
    consumed: Consumed = ()


class Readiness(NamedTuple):
    """How far the devices of a claim are that a pod has to wait for.

    waits     there are such devices; ready: all of them are
    failure   what went wrong with one, in words
    since     when they were given to the claim, in seconds
    """

    waits: bool = False
    ready: bool = True
    failure: str = ""
    since: float = 0.0


class Config(NamedTuple):
    """Configuration of a claim for some of its requests (for all, if none is named), JSON."""

    requests: tuple[str, ...]
    text: str


class DeviceClaim(NamedTuple):
    """A ResourceClaim.

    wish        what it asks for; config goes into its allocation
    allocation  devices that it has; None: none yet
    terms       of the nodes on which it can be used then; None: any
    readiness   of devices that have to be prepared
    reserved    who may use it
    extended    it was made here for the extended resources of the pod that owns it
    """

    key: str
    uid: str
    wish: Wish
    config: tuple[Config, ...] = ()
    allocation: tuple[Held, ...] | None = None
    terms: tuple[Term, ...] | None = None
    readiness: Readiness = Readiness()
    reserved: tuple[Consumer, ...] = ()
    finalizers: tuple[str, ...] = ()
    owner: str = ""
    terminating: bool = False
    extended: bool = False
    resource_version: str = ""

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Return what it asks for, request by request."""
        return self.wish.choices


DeviceRow = Slice | DeviceClass | TaintRule | DeviceClaim


class Offer(NamedTuple):
    """What the allocator sees of a device that a node can use.

    id     what it is called; look: equal for devices that no claim can tell apart
    where  as its slice says, or itself
    """

    id: DeviceId
    device: Device
    look: int
    value: Mapping[str, Any]
    where: Where


class Pool(NamedTuple):
    """What a node can use of a pool.

    flaw      why nothing of it can be given away: INCOMPLETE, INVALID, or ""
    offers    in the order in which they are given away
    counters  what its devices share; elsewhere: its devices that the node cannot use, which take of it, too
    prepared  some of its devices have to be prepared
    """

    id: PoolId
    flaw: str = ""
    offers: tuple[Offer, ...] = ()
    counters: tuple[tuple[Counter, int], ...] = ()
    elsewhere: tuple[Device, ...] = ()
    prepared: bool = False

    @property
    def name(self) -> str:
        """Return driver/name."""
        return "/".join(self.id)


