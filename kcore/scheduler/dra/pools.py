"""Pools of devices: their slices, taint rules, and what a node can use of each.

A node sees the newest generation among the slices that are for it. What it sees is the whole pool, or the other slices of that generation
are there, too; else the pool is being replaced, and nothing of it is given away; slices that are older than any of the pool are passed
over. A pool that contradicts itself (two devices of one name, counters that nobody provides) is invalid. Pools whose devices have to be
prepared come last, all in the order of driver and name, their slices by name.

Source: Kubernetes dynamic-resource-allocation `structured`, pools; `resourceslice/tracker`.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kcore.machinery.cel.evaluate import as_quantity, as_semver
from kcore.scheduler.dra.rows import INCOMPLETE, INVALID, Counter, Device, Offer, Pool, PoolId, Slice, TaintRule, Where
from kcore.scheduler.labels import term_matches
from kcore.scheduler.rows import NodeRow, Taint


class Pools:
    """All slices, and all rules that taint devices. Thread: one."""

    def __init__(self) -> None:
        self.rules: dict[str, TaintRule] = {}
        self._slices: dict[str, Slice] = {}
        self._pools: dict[PoolId, dict[str, Slice]] = {}
        self._local: dict[str, dict[str, None]] = {}
        self._shared: dict[str, None] = {}
        self._looks: dict[tuple[str, Device], int] = {}
        self._values: dict[int, dict[str, Any]] = {}

    @property
    def shared(self) -> bool:
        """Say whether any device can be used from several nodes."""
        return bool(self._shared)

    def nodes(self) -> Iterable[str]:
        """Return the names of nodes that have devices of their own."""
        return self._local

    def homes(self, pool: PoolId) -> set[str]:
        """Return the nodes that slices of a pool are for; "" stands for several."""
        return {part.where.node_name for part in self._pools.get(pool, {}).values()}

    def slice(self, name: str) -> Slice | None:
        """Return a slice."""
        return self._slices.get(name)

    def set(self, part: Slice) -> None:
        """Take in a slice, new or changed."""
        self.remove(part.name)
        self._slices[part.name] = part
        self._pools.setdefault((part.driver, part.pool), {})[part.name] = part
        (self._local.setdefault(part.where.node_name, {}) if part.where.node_name else self._shared)[part.name] = None

    def remove(self, name: str) -> Slice | None:
        """Forget a slice; Returns it."""
        part = self._slices.pop(name, None)
        if part is None:
            return None
        parts, at = self._pools[(part.driver, part.pool)], part.where.node_name
        del parts[name]
        if not parts:
            del self._pools[(part.driver, part.pool)]
        del (self._local[at] if at else self._shared)[name]
        if at and not self._local[at]:
            del self._local[at]
        return part

    def of(self, node: NodeRow) -> tuple[Pool, ...]:
        """Return what a node can use."""
        seen: dict[PoolId, list[Slice]] = {}
        for name in sorted((*self._local.get(node.name, ()), *self._shared)):
            part = self._slices[name]
            if _is_for(part, node):
                seen.setdefault((part.driver, part.pool), []).append(part)
        found = [self._pool(pool, parts, node) for pool, parts in sorted(seen.items())]
        return tuple(sorted((pool for pool in found if pool is not None), key=lambda pool: pool.prepared))

    def _pool(self, pool: PoolId, parts: Sequence[Slice], node: NodeRow) -> Pool | None:
        """Put a pool together from its slices that are for a node; None if they are of the past."""
        newest = max(part.generation for part in parts)
        parts = [part for part in parts if part.generation == newest]
        others: list[Slice] = []
        if len(parts) != parts[0].slice_count:
            everywhere = self._pools[pool].values()
            if any(part.generation > newest for part in everywhere):
                return None
            others = [part for _, part in sorted(self._pools[pool].items()) if part.generation == newest and part not in parts]
            if len(parts) + len(others) != parts[0].slice_count:
                return Pool(pool, INCOMPLETE)
        here = [part for part in parts if not part.counters]
        beyond = [device for part in others if not part.counters for device in part.devices]
        counters = [counter for part in (*parts, *others) for counter in part.counters]
        devices = [device for part in here for device in part.devices]
        if _contradicts(devices, beyond, counters, (*parts, *others)):
            return Pool(pool, INVALID)
        offers = tuple(self._offers(here, node))
        names = {offer.id[2] for offer in offers}
        elsewhere = (*(device for device in devices if device.name not in names), *beyond)
        return Pool(pool, "", offers, tuple(counters), elsewhere, any(device.conditions for device in devices))

    def _offers(self, parts: Iterable[Slice], node: NodeRow) -> Iterator[Offer]:
        for part in parts:
            for device in part.devices:
                where = device.where if device.where is not None else part.where
                if reaches(where, node):
                    tainted = device._replace(taints=(*device.taints, *self._taints(part, device.name)))
                    look = self._look(part.driver, tainted)
                    yield Offer((part.driver, part.pool, device.name), tainted, look, self._values[look], where)

    def _taints(self, part: Slice, device: str) -> Iterator[Taint]:
        names = part.driver, part.pool, device
        for rule in self.rules.values():
            if rule.selects is not None and all(wanted in ("", name) for wanted, name in zip(rule.selects, names, strict=True)):
                yield rule.taint

    def _look(self, driver: str, device: Device) -> int:
        key = driver, device._replace(name="", where=None)
        look = self._looks.get(key)
        if look is None:
            look = self._looks[key] = len(self._looks)
            self._values[look] = _value(driver, device)
        return look


def reaches(where: Where, node: NodeRow) -> bool:
    """Say whether a node can use what is there."""
    if where.node_name:
        return where.node_name == node.name
    return where.terms is None or any(term_matches(term, node) for term in where.terms)


def _is_for(part: Slice, node: NodeRow) -> bool:
    if part.per_device:
        return any(device.where is not None and reaches(device.where, node) for device in part.devices)
    return reaches(part.where, node)


def _contradicts(
    here: Sequence[Device], elsewhere: Sequence[Device], counters: Sequence[tuple[Counter, int]], parts: Iterable[Slice]
) -> bool:
    """Say whether devices that a node can use have the same name, counter sets do, or a device takes of what nobody provides."""
    names = [device.name for device in here]
    sets = [name for part in parts for name in dict.fromkeys(name for (name, _), _ in part.counters)]
    provided = {counter for counter, _ in counters}
    taken = {counter for device in (*here, *elsewhere) for counter, _ in device.consumes}
    return len(set(names)) < len(names) or len(set(sets)) < len(sets) or not taken <= provided


def _value(driver: str, device: Device) -> dict[str, Any]:
    """Return a device as expressions name it."""
    attributes: dict[str, dict[str, Any]] = {}
    for name, (kind, found) in device.attributes:
        domain, _, own = name.rpartition("/")
        attributes.setdefault(domain, {})[own] = as_semver(found) if kind == "version" else found
    capacity: dict[str, dict[str, Any]] = {}
    for name, amount in device.capacity:
        domain, _, own = (name if "/" in name else f"{driver}/{name}").rpartition("/")
        capacity.setdefault(domain, {})[own] = as_quantity(amount.text)
    return {"driver": driver, "attributes": attributes, "capacity": capacity, "allowMultipleAllocations": device.shared}
