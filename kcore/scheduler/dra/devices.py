"""Slices, classes and claims: as the API shows them, and as this scheduler has just decided that they become; and what each node offers.

    set, remove         what the watch says; returned as an event if anything changed
    assume, restore     a claim is given devices, before the API knows; or not, after all
    offers              the devices that a node can use; allocate: which of them satisfy claims

What is said of the devices of one node marks that node (`take_marked`); what is said of others counts up `version`; `changes` counts both.

Thread: one.
"""
from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple

from kcore.base.limits import SCHEDULER_DEVICE_RESULTS_MAX
from kcore.machinery.cel.evaluate import as_quantity, as_semver, device_matches
from kcore.scheduler.dra.allocator import Allocation, allocate
from kcore.scheduler.dra.asks import Request, Wish
from kcore.scheduler.dra.rows import Counter, Device, DeviceClaim, DeviceClass, DeviceId, DeviceRow, Offer, Slice, Where
from kcore.scheduler.labels import term_matches
from kcore.scheduler.rows import NodeRow

PoolId = tuple[str, str]


class DevicesChanged(NamedTuple):
    """A row came (old is None), or became another one."""

    old: DeviceRow | None
    new: DeviceRow

    @property
    def claim(self) -> str | None:
        """Return the claim that it is about; None where it may concern any pod, as devices do that a claim gives back."""
        if not isinstance(self.new, DeviceClaim):
            return None
        gives_back = isinstance(self.old, DeviceClaim) and self.old.allocation and not self.new.allocation
        return None if gives_back else self.new.key


class Devices:
    """All that is known of devices."""

    def __init__(self) -> None:
        self.classes: dict[str, DeviceClass] = {}
        self.version = 0
        self.changes = 0
        self._claims: dict[str, DeviceClaim] = {}
        self._assumed: dict[str, DeviceClaim] = {}
        self._pools: dict[PoolId, dict[str, Slice]] = {}
        self._slices: dict[str, Slice] = {}
        self._local: dict[str, dict[str, None]] = {}
        self._shared: dict[str, None] = {}
        self._used: dict[DeviceId, int] = {}
        self._homes: dict[PoolId, str] = {}
        self._marked: set[str] = set()
        self._offers: dict[str, tuple[NodeRow, list[Offer]]] = {}
        self._looks: dict[Hashable, int] = {}
        self._values: dict[int, dict[str, Any]] = {}
        self._selected: dict[tuple[str, int], bool] = {}
        self._found: dict[Hashable, Allocation | None] = {}

    # what is known

    def claim(self, key: str) -> DeviceClaim | None:
        """Return a claim, as assumed if it is."""
        return self._assumed.get(key) or self._claims.get(key)

    def shown_claim(self, key: str) -> DeviceClaim | None:
        """Return a claim as the API shows it."""
        return self._claims.get(key)

    def is_assumed(self, key: str) -> bool:
        """Say whether a claim is given devices here and not yet in the API."""
        return key in self._assumed

    @property
    def assumed_count(self) -> int:
        """How much is assumed; nothing may be left when all that was decided is done."""
        return len(self._assumed)

    @property
    def shared(self) -> bool:
        """Say whether any device can be used from several nodes."""
        return bool(self._shared)

    def nodes(self) -> Iterable[str]:
        """Return the names of nodes that have devices of their own."""
        return self._local

    def take_marked(self) -> set[str]:
        """Return the nodes about whose devices anything was said since the last call."""
        marked, self._marked = self._marked, set()
        return marked

    # what is told

    def set(self, row: DeviceRow) -> DevicesChanged | None:
        """Take in a row, new or changed."""
        if isinstance(row, DeviceClaim):
            return self._set_claim(row)
        old: DeviceRow | None
        if isinstance(row, DeviceClass):
            old = self.classes.get(row.name)
            self.classes[row.name] = row
            if old == row:
                return None
            self._count_version()
            return DevicesChanged(old, row)
        old = self._slices.get(row.name)
        if old == row:
            return None
        self._drop_slice(row.name)
        self._slices[row.name] = row
        self._pools.setdefault((row.driver, row.pool), {})[row.name] = row
        self._say(row, comes=True)
        return DevicesChanged(old, row)

    def remove(self, kind: type[DeviceRow], name: str) -> DeviceRow | None:
        """Forget a row; Returns it."""
        if kind is Slice:
            return self._drop_slice(name)
        if kind is DeviceClass:
            self._count_version()
            return self.classes.pop(name, None)
        before = self.claim(name)
        self._assumed.pop(name, None)
        row = self._claims.pop(name, None)
        self._count(before, -1)
        return row

    def _set_claim(self, row: DeviceClaim) -> DevicesChanged | None:
        old, before = self._claims.get(row.key), self.claim(row.key)
        assumed = self._assumed.get(row.key)
        self._claims[row.key] = row
        if assumed is not None:
            shown = row.allocation is not None and set(assumed.reserved) <= set(row.reserved)
            if shown or row.uid != assumed.uid:
                del self._assumed[row.key]
            else:
                self._assumed[row.key] = row._replace(
                    allocation=assumed.allocation if row.allocation is None else row.allocation,
                    terms=assumed.terms if row.allocation is None else row.terms,
                    reserved=tuple(dict.fromkeys((*row.reserved, *assumed.reserved))),
                )
        self._count(before, -1)
        self._count(self.claim(row.key), 1)
        if old is not None and old._replace(resource_version=row.resource_version) == row:
            return None
        return DevicesChanged(old, row)

    # what is assumed

    def assume(self, claim: DeviceClaim) -> None:
        """Let a claim have what it is given here."""
        self._count(self.claim(claim.key), -1)
        self._assumed[claim.key] = claim
        self._count(claim, 1)

    def restore(self, key: str) -> bool:
        """Take back what was assumed of a claim; Returns whether anything was."""
        assumed = self._assumed.pop(key, None)
        if assumed is not None:
            self._count(assumed, -1)
            self._count(self._claims.get(key), 1)
        return assumed is not None

    # what nodes offer

    def offers(self, node: NodeRow) -> list[Offer]:
        """Return the devices that a node can use."""
        kept = self._offers.get(node.name)
        if kept is not None and kept[0] is node:
            return kept[1]
        names = sorted({*self._local.get(node.name, ()), *self._shared})
        found = [offer for name in names for offer in self._offers_of(self._slices[name], node)]
        self._offers[node.name] = node, found
        return found

    def allocate(self, wishes: tuple[Wish, ...], node: NodeRow) -> Allocation | None:
        """Return devices of a node that satisfy claims, or None; remembered by what the node's devices look like."""
        offers = self.offers(node)
        if not offers:
            return None
        taken = frozenset(number for number, offer in enumerate(offers) if offer.id in self._used)
        left = self._left(offers)
        key = (wishes, tuple(offer.look for offer in offers), taken, tuple(left.values()))
        if key not in self._found:
            if len(self._found) >= SCHEDULER_DEVICE_RESULTS_MAX:
                self._found.clear()
            self._found[key] = allocate(wishes, offers, set(taken), left, self._selects)
        return self._found[key]

    def _left(self, offers: list[Offer]) -> dict[tuple[str, str, Counter], int]:
        pools = dict.fromkeys(offer.id[:2] for offer in offers if offer.device.consumes)
        left: dict[tuple[str, str, Counter], int] = {}
        for driver, name in pools:
            for part in self._newest((driver, name)):
                for counter, amount in part.counters:
                    left[(driver, name, counter)] = left.get((driver, name, counter), 0) + amount
                for device in part.devices:
                    for counter, amount in device.consumes if (driver, name, device.name) in self._used else ():
                        left[(driver, name, counter)] = left.get((driver, name, counter), 0) - amount
        return left

    def _selects(self, request: Request, offer: Offer) -> bool:
        class_ = self.classes.get(request.class_name)
        return class_ is not None and all(self._is_selected(each, offer) for each in (*class_.selectors, *request.selectors))

    def _is_selected(self, expression: str, offer: Offer) -> bool:
        key = (expression, offer.look)
        if key not in self._selected:
            if len(self._selected) >= SCHEDULER_DEVICE_RESULTS_MAX:
                self._selected.clear()
            self._selected[key] = device_matches(expression, offer.value)
        return self._selected[key]

    def _offers_of(self, part: Slice, node: NodeRow) -> Iterable[Offer]:
        newest = self._newest((part.driver, part.pool))
        if part not in newest:
            return
        usable = len(newest) == part.slice_count
        for device in part.devices:
            where = device.where if device.where is not None else part.where
            if reaches(where, node):
                look = self._look(part.driver, device, usable)
                yield Offer((part.driver, part.pool, device.name), device, look, self._values[look], usable, where)

    def _newest(self, pool: PoolId) -> list[Slice]:
        parts = self._pools.get(pool, {}).values()
        generation = max((part.generation for part in parts), default=0)
        return [part for part in parts if part.generation == generation]

    def _look(self, driver: str, device: Device, usable: bool) -> int:
        key = (driver, device.attributes, device.capacity, device.taints, device.consumes, usable)
        look = self._looks.get(key)
        if look is None:
            look = self._looks[key] = len(self._looks)
            self._values[look] = _value(driver, device)
        return look

    # bookkeeping

    def _drop_slice(self, name: str) -> Slice | None:
        old = self._slices.pop(name, None)
        if old is not None:
            parts = self._pools[(old.driver, old.pool)]
            del parts[name]
            if not parts:
                del self._pools[(old.driver, old.pool)]
            self._say(old, comes=False)
        return old

    def _say(self, part: Slice, comes: bool) -> None:
        """Take in that a slice is another one."""
        if part.where.node_name:
            names = self._local.setdefault(part.where.node_name, {})
            self._homes[(part.driver, part.pool)] = part.where.node_name
        else:
            names = self._shared
        if comes:
            names[part.name] = None
        else:
            names.pop(part.name, None)
            if part.where.node_name and not names:
                del self._local[part.where.node_name]
                self._homes.pop((part.driver, part.pool), None)
        self._changed((part.driver, part.pool), drops_offers=True)

    def _count(self, claim: DeviceClaim | None, sign: int) -> None:
        for device, admin in (claim.allocation or ()) if claim is not None else ():
            if not admin:
                self._used[device] = self._used.get(device, 0) + sign
                if not self._used[device]:
                    del self._used[device]
            self._changed(device[:2], drops_offers=False)

    def _count_version(self) -> None:
        """Take in that a class is another one: what was selected by it may not be any more."""
        self._selected.clear()
        self._found.clear()
        self.version += 1
        self.changes += 1

    def _changed(self, pool: PoolId, drops_offers: bool) -> None:
        home = self._homes.get(pool)
        self.changes += 1
        if home is None:
            self.version += 1
            if drops_offers:
                self._offers.clear()
            return
        self._marked.add(home)
        if drops_offers:
            self._offers.pop(home, None)


def reaches(where: Where, node: NodeRow) -> bool:
    """Say whether a node can use what is there."""
    if where.node_name:
        return where.node_name == node.name
    return where.terms is None or any(term_matches(term, node) for term in where.terms)


def _value(driver: str, device: Device) -> dict[str, Any]:
    """Return a device as expressions name it."""
    attributes: dict[str, dict[str, Any]] = {}
    for name, (kind, found) in device.attributes:
        domain, _, own = name.rpartition("/")
        attributes.setdefault(domain, {})[own] = as_semver(found) if kind == "version" else found
    capacity: dict[str, dict[str, Any]] = {}
    for name, amount in device.capacity:
        domain, _, own = name.rpartition("/")
        capacity.setdefault(domain, {})[own] = as_quantity(amount)
    return {"driver": driver, "attributes": attributes, "capacity": capacity, "allowMultipleAllocations": False}
