"""Devices of nodes and shares of them, in columns: each device of a node is an amount of its own, as if it were a further resource.

    allocatable["nvidia.com/gpu"]                 2000000    all devices of a node, in millionths of one: what scores look at
    allocatable["nvidia.com/gpu of one device"]   1000000    how large a share of one device may be
    allocatable["nvidia.com/gpu#0"]               1000000    the first device; requested: what pods hold of it
    allocatable["nvidia.com/gpu#1"]               1000000    the second one

A pod asks for all that it takes of a node's devices and for its share of each, which one device must have left: what is free of two devices
never makes up for that. Once it has a node it holds its share of certain devices there, and as what it holds is what it is accounted with,
it gives back just that when it goes, is preempted, or is thought away by a trial. Nothing but the filter below knows of devices.

The devices are those with least left that have enough (best fit), as device plugins that share devices choose, and their measure assumes.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kcore.base.limits import TRACE_DEVICES_MAX
from kcore.scheduler.columns import Columns, Int64
from kcore.scheduler.events import ClusterEvent, NodeChanged, NodeGone, PodGone
from kcore.scheduler.extension.nodes import Nodes
from kcore.scheduler.rows import Account, Ask, NodeRow, PodRow
from kcore.simulate.trace.workload import DEVICE, TraceError

EACH: Final = " of one device"


class Devices(NamedTuple):
    """The devices of a kind: the resource by which nodes offer them, and the amounts that are the single devices of the largest node."""

    resource: str
    names: tuple[str, ...] = ()

    def wish(self, ask: Ask) -> tuple[int, int]:
        """Return how many devices a pod asks for, and which share of each."""
        asked = dict(ask.amounts)
        share = asked.get(self.resource + EACH, 0)
        return (asked[self.resource] // share if share else 0), share

    def free(self, nodes: Nodes) -> Int64:
        """Return (devices, nodes): what is left of each device."""
        return nodes.free(self.names)

    def offered(self, row: NodeRow) -> NodeRow:
        """Return a node with an amount for each of its devices."""
        amounts = dict(row.allocatable)
        count = amounts.get(self.resource, 0)
        if not count:
            return row
        amounts |= {self.resource: count * DEVICE, self.resource + EACH: DEVICE} | dict.fromkeys(self.names[:count], DEVICE)
        return row._replace(allocatable=tuple(amounts.items()))

    def asking(self, pod: PodRow, devices: int, share: int) -> PodRow:
        """Return a pod that asks for so many devices, and for a share of each."""
        asked, held = (dict(amounts) for amounts in (pod.ask.amounts, pod.account.amounts))
        for amounts in (asked, held):
            amounts.pop(self.resource, None)
            if devices:
                amounts[self.resource] = devices * share
        if devices:
            asked[self.resource + EACH] = share
        ask, account = pod.ask._replace(amounts=tuple(asked.items())), pod.account._replace(amounts=tuple(held.items()))
        return pod._replace(ask=ask, account=account)

    def given(self, pod: PodRow, columns: Columns, slot: int) -> Account:
        """Return what a pod holds on a node: as many of the devices that it asks for as have enough left."""
        count, share = self.wish(pod.ask)
        chosen = best_fit(self.free(Nodes(columns, slot, slot + 1)), count, share)[:, 0]
        held = tuple((name, share) for name, is_chosen in zip(self.names, chosen.tolist(), strict=True) if is_chosen)
        return pod.account._replace(amounts=(*pod.account.amounts, *held))


def devices_of(resource: str, nodes: Iterable[NodeRow]) -> Devices:
    """Return the devices that nodes offer by this resource.

    Raises  TraceError
    """
    count = max((dict(row.allocatable).get(resource, 0) for row in nodes), default=0)
    if count > TRACE_DEVICES_MAX:
        raise TraceError(f"a node has {count} of {resource}; up to {TRACE_DEVICES_MAX} devices of a node are told apart")
    return Devices(resource, tuple(f"{resource}#{number}" for number in range(count)))


def best_fit(free: Int64, count: int, share: int) -> NDArray[np.bool_]:
    """Return (devices, nodes): the devices that a pod takes on each node, those with least left that have its share."""
    enough = free >= share
    if not count:
        return np.zeros_like(enough)
    left = np.where(enough, free, DEVICE + 1)
    chosen = np.zeros_like(enough)
    np.put_along_axis(chosen, np.argsort(left, axis=0, kind="stable")[:count], True, axis=0)
    return chosen & enough


class DeviceShares:
    """The filter: enough devices of the node have the pod's share left, each of them."""

    name: Final = "DeviceShares"
    hears: Final = (NodeChanged, NodeGone, PodGone)

    def __init__(self, devices: Devices) -> None:
        self._devices = devices

    def reads(self, ask: Ask) -> Hashable:
        """Return how many devices are asked for, and which share of each; None where none is."""
        count, share = self._devices.wish(ask)
        return (count, share) if count else None

    def codes(self, ask: Ask, columns: Columns, start: int, stop: int, out: Int64) -> None:
        """Write 1 where too few devices have enough left."""
        count, share = self._devices.wish(ask)
        out[start:stop] = (self._devices.free(Nodes(columns, start, stop)) >= share).sum(axis=0) < count

    def reasons(self, ask: Ask) -> tuple[str, ...]:
        """Return the reason."""
        count, share = self._devices.wish(ask)
        return (f"Too few {self._devices.resource} with {share / DEVICE:g} left, of which {count} are asked for",)

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """A pod's end helps if enough devices of its node have the share now, or would without pods of lower priority."""
        if not isinstance(event, PodGone) or event.room is None:
            return True
        count, share = self._devices.wish(ask)
        room = event.room(ask.priority)
        return sum(room.get(name, 0) >= share for name in self._devices.names) >= count
