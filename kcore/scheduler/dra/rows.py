"""Slices of devices, classes and claims as the scheduler knows them.

Two rows that are equal but for `resource_version` mean that nothing changed for the scheduler.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from kcore.scheduler.dra.asks import Wish
from kcore.scheduler.rows import Taint, Term

DeviceId = tuple[str, str, str]
"""Driver, pool and name."""

Counter = tuple[str, str]
"""Counter set and counter."""


class Where(NamedTuple):
    """From which nodes devices can be used: one by name, those that one of the terms holds for, or all (neither)."""

    node_name: str = ""
    terms: tuple[Term, ...] | None = None


class Device(NamedTuple):
    """A device.

    attributes  by qualified name, (kind, value); capacity: by qualified name, a quantity
    consumes    (counter, amount) taken from its pool while it is in use
    where       None: as its slice says
    """

    name: str
    attributes: tuple[tuple[str, tuple[str, Any]], ...] = ()
    capacity: tuple[tuple[str, str], ...] = ()
    taints: tuple[Taint, ...] = ()
    consumes: tuple[tuple[Counter, int], ...] = ()
    where: Where | None = None


class Slice(NamedTuple):
    """A ResourceSlice. slice_count: how many make up its pool in this generation; counters: what devices of the pool share."""

    name: str
    driver: str
    pool: str
    generation: int
    slice_count: int
    where: Where
    devices: tuple[Device, ...] = ()
    counters: tuple[tuple[Counter, int], ...] = ()


class DeviceClass(NamedTuple):
    """A DeviceClass; config goes into allocations as it is."""

    name: str
    selectors: tuple[str, ...] = ()
    config: tuple[str, ...] = ()


class Consumer(NamedTuple):
    """A pod, or something else, that a claim is reserved for."""

    resource: str
    name: str
    uid: str
    group: str = ""


class DeviceClaim(NamedTuple):
    """A ResourceClaim.

    wish        what it asks for; config: JSON, goes into its allocation
    allocation  devices that it has: (device, only looked at); None: none yet
    terms       of the nodes on which it can be used then; None: any
    reserved    who may use it
    """

    key: str
    uid: str
    wish: Wish
    config: tuple[str, ...] = ()
    allocation: tuple[tuple[DeviceId, bool], ...] | None = None
    terms: tuple[Term, ...] | None = None
    reserved: tuple[Consumer, ...] = ()
    finalizers: tuple[str, ...] = ()
    owner: str = ""
    terminating: bool = False
    resource_version: str = ""


DeviceRow = Slice | DeviceClass | DeviceClaim


class Offer(NamedTuple):
    """What the allocator sees of a device.

    id     what it is called; look: equal for devices that no claim can tell apart
    usable its pool is whole
    """

    id: DeviceId
    device: Device
    look: int
    value: Mapping[str, Any]
    usable: bool
    where: Where
