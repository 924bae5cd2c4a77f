"""The cluster as a structure of arrays: one slot per node, one array per property, changed in place.

    slot                 0        1        2        3
    names                "n0"     "n1"     "gone"   -
    present              1        1        0        0        a slot of a deleted node lives on while pods are left on it
    allocatable[cpu]     4000     8000     0        0        milli-units; [memory] and others in bytes or ones
    requested[cpu]       1500     0        200      0        sum over the pods there

Amounts are (resources, nodes), not (nodes, resources): a pod asks for two or three of the resources, and a kernel then runs over two or
three dense arrays, which is five times less memory traffic at 100,000 nodes; a new resource appends a row.

What changed is told in two ways, and results kept elsewhere are brought up to date by them:
- `static_version` counts changes to nodes themselves (labels, taints, images, nodes coming and going)
- `touched` lists the slots whose amounts, pod counts, ports or peers changed; `touched_base` is the position of its first entry

Guarantee: after any sequence of calls the arrays equal those built from the same nodes and placed pods afresh.
Thread: one.
"""
from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from kcore.base.limits import (
    SCHEDULER_AMOUNT_MAX,
    SCHEDULER_LABEL_COLUMNS_MAX,
    SCHEDULER_RESOURCES_MAX,
    SCHEDULER_TEMPLATES_MAX,
    SCHEDULER_TOUCHED_MAX,
)
from kcore.scheduler._loads import LARGE, Loads
from kcore.scheduler.dra.asks import Wish
from kcore.scheduler.dra.devices import Devices
from kcore.scheduler.labels import LabelColumn
from kcore.scheduler.peers.index import PeerIndex
from kcore.scheduler.peers.owners import Owners
from kcore.scheduler.preemption.claims import Claimed, Claims
from kcore.scheduler.requests import CPU, MEMORY, PODS, Amounts
from kcore.scheduler.rows import Account, NodeRow, Peer, Port, Taint
from kcore.scheduler.volumes.catalog import Catalog
from kcore.scheduler.volumes.usage import Usage

if TYPE_CHECKING:
    from kcore.scheduler.dra.verdict import Verdict

CPU_ROW: Final = 0
MEMORY_ROW: Final = 1
SLOTS_FIRST: Final = 64

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
UInt8 = NDArray[np.uint8]


class Columns:
    """Nodes and what is placed on them; catalog is what is known of their volumes, usage which of these placed pods use,
    devices what is known of their devices.
    """

    def __init__(self, catalog: Catalog | None = None, devices: Devices | None = None) -> None:
        self.catalog = catalog or Catalog()
        self.usage = Usage(self.catalog.handle_of)
        self.devices = devices or Devices()
        self.device_verdicts: dict[tuple[Wish, ...], Verdict] = {}
        self.count = 0
        self.node_count = 0
        self.static_version = 0
        self.touched: array[int] = array("q")
        self.touched_base = 0
        self.names: list[str] = []
        self.rows: list[NodeRow | None] = []
        self.slots: dict[str, int] = {}
        self.resources: dict[str, int] = {CPU: CPU_ROW, MEMORY: MEMORY_ROW}
        self.taint_sets: list[tuple[Taint, ...]] = [()]
        self.images: dict[str, dict[int, int]] = {}
        self.ports: dict[Port, dict[int, int]] = {}
        self.port_hosts: dict[tuple[str, int], set[str]] = {}
        self.priorities: dict[int, int] = {}
        self.nominated: dict[str, dict[str, Account]] = {}
        self._claims = Claims()
        self._taint_set_of: dict[tuple[Taint, ...], int] = {(): 0}
        self._labels: dict[str, LabelColumn] = {}
        self._label_counts: dict[str, int] = {}
        self._asked: dict[Amounts, tuple[Int64, Int64]] = {}
        self._usage: dict[str, Int64] = {}
        self._free: list[int] = []
        self.capacity = SLOTS_FIRST
        self.peers = PeerIndex(self.capacity)
        self.owners = Owners()
        self.present: UInt8 = np.zeros(self.capacity, np.uint8)
        self.unschedulable: UInt8 = np.zeros(self.capacity, np.uint8)
        self.taint_set: Int32 = np.zeros(self.capacity, np.int32)
        self.allocatable: Int64 = np.zeros((4, self.capacity), np.int64)
        self.requested: Int64 = np.zeros((4, self.capacity), np.int64)
        self.nonzero: Int64 = np.zeros((2, self.capacity), np.int64)
        self.pod_limit: Int64 = np.zeros(self.capacity, np.int64)
        self.pod_count: Int64 = np.zeros(self.capacity, np.int64)
        self.unusual: set[int] = set()
        self.loads = self._make_loads()

    # nodes

    def set_node(self, row: NodeRow) -> int:
        """Add a node or replace what is known of it; Returns its slot."""
        slot = self._slot(row.name)
        old = self.rows[slot]
        if old == row:
            return slot
        self.rows[slot] = row
        if old is None:
            self.present[slot] = 1
            self.node_count += 1
        if old is None or (old.allocatable, old.pod_limit) != (row.allocatable, row.pod_limit):
            self._set_allocatable(slot, row.allocatable, row.pod_limit)
        if (old.usage if old else ()) != row.usage:
            self._set_usage(slot, row.usage)
        if old is None or old._replace(allocatable=row.allocatable, pod_limit=row.pod_limit, usage=row.usage) != row:
            self._set_static(slot, old, row)
        return slot

    def remove_node(self, name: str) -> None:
        """Forget a node; pods left on it keep its slot until they go."""
        slot = self.slots.get(name)
        if slot is None or self.rows[slot] is None:
            return
        old, self.rows[slot] = self.rows[slot], None
        self.present[slot] = 0
        self.node_count -= 1
        self._set_allocatable(slot, (), 0)
        self._set_usage(slot, ())
        self._set_static(slot, old, None)
        self._release(slot)

    def held(self) -> dict[str, tuple[object, ...]]:
        """Return per node what is placed there, whatever its slot; to compare columns."""
        return {
            name: (
                {resource: amount for resource, row in self.resources.items() if (amount := int(self.requested[row, slot]))},
                self.nonzero[:, slot].tolist(),
                int(self.pod_count[slot]),
                {port: users[slot] for port, users in self.ports.items() if slot in users},
                self.usage.held(slot),
                self.peers.standing(slot),
            )
            for name, slot in self.slots.items()
        }

    def tallied(self) -> dict[object, dict[str, int]]:
        """Return all that is counted of peers, per node; to compare columns."""
        return {
            sort: {self.names[slot]: int(tally.counts[slot]) for slot in np.flatnonzero(tally.counts)}
            for sort, tally in self.peers.tallies().items()
        }

    def node(self, name: str) -> NodeRow | None:
        """Return the node of this name."""
        slot = self.slots.get(name)
        return None if slot is None else self.rows[slot]

    # pods

    def place(self, node_name: str, account: Account) -> None:
        """Count a pod on a node, known or not."""
        self._count(self._slot(node_name), account, 1)

    def placed(self, account: Account, slots: Sequence[int]) -> None:
        """Take in that pods were placed whose amounts the loads have counted: one on each of these slots, which may repeat."""
        self.priorities[account.priority] = self.priorities.get(account.priority, 0) + len(slots)
        self.peers.place_all(account.peer, slots)
        for slot in slots:
            self._touch(slot)

    def displace(self, node_name: str, account: Account) -> None:
        """Undo place with the same arguments."""
        slot = self.slots[node_name]
        self._count(slot, account, -1)
        self._release(slot)

    def recount(self, claim: str) -> None:
        """Count a claim anew whose volume may have become another one."""
        for slot in self.usage.changed(claim):
            self._touch(slot)

    def touch_devices(self) -> None:
        """Let what is kept of nodes be looked at again about whose devices anything was said."""
        for name in self.devices.take_marked():
            if name in self.slots:
                self._touch(self.slots[name])

    def relabel(self, node_name: str, old: Peer, new: Peer) -> None:
        """Let a placed pod show something else than before."""
        slot = self.slots[node_name]
        if self.peers.replace(old, new, slot):
            self._touch(slot)

    @contextmanager
    def trial(self, node_name: str, without: Iterable[Account] = (), also: Iterable[Account] = ()) -> Iterator[None]:
        """See a node without some of its pods, or with others; all is as before afterwards, and the log tells of nothing."""
        position, slot = self.position, self.slots[node_name]
        changes = [*((account, -1) for account in without), *((account, 1) for account in also)]
        with self.peers.pinned({account.peer for account, _ in changes}):
            for account, sign in changes:
                self._count(slot, account, sign)
            try:
                yield
            finally:
                for account, sign in changes:
                    self._count(slot, account, -sign)
                del self.touched[position - self.touched_base :]

    # nominations

    def nominate(self, node_name: str, key: str, account: Account) -> None:
        """Remember a pod that a node is kept for: it counts there in the filters of pods that do not come before it."""
        self.nominated.setdefault(node_name, {})[key] = account
        self.touch(node_name)

    def withdraw(self, node_name: str, key: str) -> None:
        """Undo nominate."""
        claims = self.nominated.get(node_name, {})
        if claims.pop(key, None) is not None:
            self.touch(node_name)
        if not claims:
            self.nominated.pop(node_name, None)

    def claims(self, slot: int, priority: int) -> list[Account]:
        """Return what the pods nominated to a node take that come before a pod of this priority, or with it."""
        return [account for account in self.nominated.get(self.names[slot], {}).values() if account.priority >= priority]

    def claimed_before(self, priority: int) -> Claimed:
        """Return the same for all nodes."""
        return self._claims.of(priority, self)

    def claimed(self) -> list[int]:
        """Return the slots of the nodes that pods are nominated to."""
        return [self.slots[name] for name in self.nominated if name in self.slots]

    # what plugins read

    def label(self, key: str) -> LabelColumn:
        """Return the codes of a label, made at first use; columns of labels unused for longest are dropped above a bound.

        A column is made anew once most of its values are of nodes that are gone. One that no node has costs no look at the nodes.
        """
        column = self._labels.pop(key, None)
        if column is None or len(column.values) > 2 * self.node_count + SLOTS_FIRST:
            column = LabelColumn(self.capacity)
            for slot, row in enumerate(self.rows if key in self._label_counts else ()):
                if row is not None:
                    column.set(slot, row.labels.get(key))
            if len(self._labels) >= SCHEDULER_LABEL_COLUMNS_MAX:
                del self._labels[next(iter(self._labels))]
        self._labels[key] = column
        return column

    def usage_of(self, resource: str) -> Int64:
        """Return how much of a resource is measured to be used."""
        found = self._usage.get(resource)
        return np.zeros(self.capacity, np.int64) if found is None else found

    def asked(self, amounts: Amounts) -> tuple[Int64, Int64]:
        """Return the rows of the resources that are asked for, -1 for one that no node has, and how much of each; as kernels take them."""
        found = self._asked.get(amounts)
        if found is None:
            if len(self._asked) >= SCHEDULER_TEMPLATES_MAX:
                self._asked.clear()
            rows = np.array([self.resources.get(name, -1) for name, _ in amounts], np.int64)
            found = self._asked[amounts] = rows, np.array([amount for _, amount in amounts], np.int64)
        return found

    def free(self, node_name: str) -> dict[str, int]:
        """Return what no pod of a node has asked for, of each resource and of pods; less than nothing where more is asked for than is."""
        slot = self.slots.get(node_name)
        if slot is None or not self.present[slot]:
            return {}
        found = {name: int(self.allocatable[row, slot] - self.requested[row, slot]) for name, row in self.resources.items()}
        return found | {PODS: int(self.pod_limit[slot] - self.pod_count[slot])}

    @property
    def has_priorities(self) -> bool:
        """Whether placed pods differ in priority."""
        return len(self.priorities) > 1

    def touch(self, node_name: str) -> None:
        """Tell that something of a node changed that is not held here."""
        slot = self.slots.get(node_name)
        if slot is not None:
            self._touch(slot)

    def touched_since(self, position: int) -> list[int] | None:
        """Return the slots touched since a position of the log; None where the log does not reach back so far."""
        if position < self.touched_base:
            return None
        return self.touched[position - self.touched_base :].tolist()

    @property
    def position(self) -> int:
        """The position of the next entry of the log."""
        return self.touched_base + len(self.touched)

    # slots

    def _slot(self, name: str) -> int:
        slot = self.slots.get(name)
        if slot is not None:
            return slot
        if self._free:
            slot = self._free.pop()
            self.names[slot] = name
        else:
            slot = self.count
            if slot == self.capacity:
                self._grow_slots()
            self.count += 1
            self.names.append(name)
            self.rows.append(None)
            self.static_version += 1
        self.slots[name] = slot
        return slot

    def _release(self, slot: int) -> None:
        if self.rows[slot] is None and not self.pod_count[slot]:
            del self.slots[self.names[slot]]
            self.names[slot] = ""
            self._free.append(slot)

    def _grow_slots(self) -> None:
        self.capacity *= 2
        for name in ("present", "unschedulable", "taint_set", "allocatable", "requested", "nonzero", "pod_limit", "pod_count"):
            old = getattr(self, name)
            new = np.zeros((*old.shape[:-1], self.capacity), old.dtype)
            new[..., : old.shape[-1]] = old
            setattr(self, name, new)
        self.loads = self._make_loads()
        for resource, amounts in self._usage.items():
            self._usage[resource] = np.concatenate((amounts, np.zeros(self.capacity - len(amounts), np.int64)))
        for column in self._labels.values():
            column.grow(self.capacity)
        self.peers.grow(self.capacity)

    def _touch(self, slot: int) -> None:
        self.touched.append(slot)
        if len(self.touched) > SCHEDULER_TOUCHED_MAX:
            cut = len(self.touched) // 2
            del self.touched[:cut]
            self.touched_base += cut

    # amounts

    def _make_loads(self) -> Loads:
        return Loads(self.allocatable, self.requested, self.nonzero, self.pod_limit, self.pod_count)

    def _resource_row(self, name: str) -> int | None:
        row = self.resources.get(name)
        if row is None:
            row = len(self.resources)
            if row >= SCHEDULER_RESOURCES_MAX:
                return None
            if row == len(self.allocatable):
                more = np.zeros((len(self.allocatable), self.capacity), np.int64)
                self.allocatable = np.concatenate((self.allocatable, more))
                self.requested = np.concatenate((self.requested, more))
                self.loads = self._make_loads()
            self.resources[name] = row
            self._asked.clear()
        return row

    def _set_allocatable(self, slot: int, allocatable: Amounts, pod_limit: int) -> None:
        self.allocatable[:, slot] = 0
        for name, amount in allocatable:
            row = self._resource_row(name)
            if row is not None:
                self.allocatable[row, slot] = min(amount, SCHEDULER_AMOUNT_MAX)
        self.pod_limit[slot] = min(pod_limit, SCHEDULER_AMOUNT_MAX)
        self.loads.changed(slot)
        if self.present[slot] and not all(0 < self.allocatable[row, slot] < LARGE for row in (CPU_ROW, MEMORY_ROW)):
            self.unusual.add(slot)
        else:
            self.unusual.discard(slot)
        self._touch(slot)

    def _set_usage(self, slot: int, usage: Amounts) -> None:
        for amounts in self._usage.values():
            amounts[slot] = 0
        for resource, amount in usage[:SCHEDULER_RESOURCES_MAX]:
            if resource in self._usage or len(self._usage) < SCHEDULER_RESOURCES_MAX:
                self._usage.setdefault(resource, np.zeros(self.capacity, np.int64))[slot] = min(amount, SCHEDULER_AMOUNT_MAX)
        self._touch(slot)

    def _count(self, slot: int, account: Account, sign: int) -> None:
        for name, _ in account.amounts:
            if name not in self.resources:
                self._resource_row(name)
        self.loads.count(slot, account.amounts, self.resources, account.nonzero_cpu, account.nonzero_memory, sign)
        self.priorities[account.priority] = self.priorities.get(account.priority, 0) + sign
        if not self.priorities[account.priority]:
            del self.priorities[account.priority]
        for port in account.ports:
            self._count_port(slot, port, sign)
        if account.volumes is not None:
            self.usage.count(slot, account.volumes, sign)
        if sign > 0:
            self.peers.place(account.peer, slot)
        else:
            self.peers.displace(account.peer, slot)
        self._touch(slot)

    def _count_port(self, slot: int, port: Port, sign: int) -> None:
        uses = self.ports.setdefault(port, {})
        uses[slot] = uses.get(slot, 0) + sign
        if not uses[slot]:
            del uses[slot]
        host, protocol, number = port
        hosts = self.port_hosts.setdefault((protocol, number), set())
        if uses:
            hosts.add(host)
            return
        del self.ports[port]
        hosts.discard(host)
        if not hosts:
            del self.port_hosts[(protocol, number)]

    # what only nodes decide

    def _set_static(self, slot: int, old: NodeRow | None, new: NodeRow | None) -> None:
        self.static_version += 1
        self.taint_set[slot] = self._taint_code(new.taints if new else ())
        if len(self.taint_sets) > 2 * self.node_count + SLOTS_FIRST:
            self._forget_taints()
        self._count_labels(old.labels if old else {}, new.labels if new else {})
        self.unschedulable[slot] = bool(new and new.unschedulable)
        for key, column in self._labels.items():
            column.set(slot, new.labels.get(key) if new else None)
        if (old.images if old else ()) != (new.images if new else ()):
            self._set_images(slot, old, new)

    def _taint_code(self, taints: tuple[Taint, ...]) -> int:
        code = self._taint_set_of.get(taints)
        if code is None:
            code = self._taint_set_of[taints] = len(self.taint_sets)
            self.taint_sets.append(taints)
        return code

    def _forget_taints(self) -> None:
        """Number the sets of taints anew, of which most are of nodes that have others now."""
        self.taint_sets, self._taint_set_of = [()], {(): 0}
        for slot, row in enumerate(self.rows):
            self.taint_set[slot] = self._taint_code(row.taints if row is not None else ())

    def _count_labels(self, old: Mapping[str, str], new: Mapping[str, str]) -> None:
        """Count how many nodes have each label."""
        counts = self._label_counts
        for key in new.keys() - old.keys():
            counts[key] = counts.get(key, 0) + 1
        for key in old.keys() - new.keys():
            counts[key] -= 1
            if not counts[key]:
                del counts[key]

    def _set_images(self, slot: int, old: NodeRow | None, new: NodeRow | None) -> None:
        for name in (name for image in (old.images if old else ()) for name in image.names):
            holders = self.images.get(name, {})
            holders.pop(slot, None)
            if not holders:
                self.images.pop(name, None)
        for image in new.images if new else ():
            for name in image.names:
                self.images.setdefault(name, {})[slot] = image.size_bytes
