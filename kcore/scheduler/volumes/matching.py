"""The verdict on all nodes for claims that wait for their first consumer: what each would be bound to there, if anything.

On each node, claims choose free volumes one after another, the smallest claim first, each the smallest volume that fits and can be reached;
a claim for which a volume is reserved gets that one or none; one that finds none is provisioned there, if its class can do that on the node
and, where the driver says how much room it has, there is room.

The score prefers the emptiest: per class the share that stays free of the volumes chosen, or, where none is chosen, of the room that
provisioning would take from; the rounded mean over classes.

Source: kube-scheduler 1.37 VolumeBinding (binder and scorer, with storage capacity scoring).
"""
from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.framework import SCORE_MAX
from kcore.scheduler.plugins.node_affinity import expression_mask, terms_mask
from kcore.scheduler.volumes.asks import Needs, Wanted
from kcore.scheduler.volumes.pool import NONE, Affinity, Nodes
from kcore.scheduler.volumes.rows import NO_PROVISIONER, Reach, Room

NO_VOLUME: Final = 1
NO_ROOM: Final = 2
RESERVED: Final = -2

Bools = NDArray[np.bool_]


class Verdict(NamedTuple):
    """What every slot is to claims that are to be bound.

    codes   0, NO_VOLUME or NO_ROOM; scores: 0 to 100
    chosen  (claims, slots) kind of the volume in the claim's pool, RESERVED, or NONE: to be provisioned
    """

    codes: UInt8
    scores: Int64
    chosen: Int64


class Supply(NamedTuple):
    """Where a claim can be provisioned: 0, NO_VOLUME or NO_ROOM per slot; room_bytes: from how much, -1 where nobody says."""

    codes: UInt8
    room_bytes: Int64


def verdict(needs: Needs, columns: Columns) -> Verdict:
    """Return the verdict on claims to be bound; kept until anything that it rests on changes."""
    kept, key = columns.catalog.kept, (needs.wanted, needs.versions)
    found: Verdict | None = kept.get(key, columns.static_version)
    if found is None:
        found = _verdict(needs.wanted, columns)
        kept.put(key, found)
    return found


def affinity_mask(affinity: Affinity, columns: Columns) -> UInt8:
    """Return from which slots a volume can be reached; kept until nodes change."""
    if affinity is None:
        return columns.present[: columns.count]
    kept = columns.catalog.kept
    mask: UInt8 | None = kept.get(affinity, columns.static_version)
    if mask is None:
        mask = terms_mask(affinity, columns)
        kept.put(affinity, mask)
    return mask


def reach_mask(reach: Reach, columns: Columns) -> UInt8:
    """Return from which slots a bound volume can be reached."""
    mask = affinity_mask(reach.terms, columns)
    if not reach.plugin:
        return mask
    catalog = columns.catalog
    key = ("migrated", reach.plugin, catalog.limits_version)
    moved: UInt8 | None = catalog.kept.get(key, columns.static_version)
    if moved is None:
        moved = np.zeros(columns.count, np.uint8)
        moved[[columns.slots[name] for name, row in catalog.limits.items() if reach.plugin in row.migrated and name in columns.slots]] = 1
        catalog.kept.put(key, moved)
    return np.where(moved != 0, affinity_mask(reach.moved, columns), mask)


def _verdict(wanted: tuple[Wanted, ...], columns: Columns) -> Verdict:
    codes = np.zeros(columns.count, np.uint8)
    chosen = _chosen(wanted, columns)
    for claim in wanted:
        if claim.selected:
            codes |= NO_VOLUME * _elsewhere(claim.selected, columns)
    supplies = [_supply(claim, columns) if (row == NONE).any() else None for claim, row in zip(wanted, chosen, strict=True)]
    for supply, row in zip(supplies, chosen, strict=True):
        if supply is not None:
            codes = np.where((codes == 0) & (row == NONE), supply.codes, codes)
    return Verdict(codes, _scores(wanted, chosen, supplies, columns), chosen)


def _elsewhere(node_name: str, columns: Columns) -> UInt8:
    mask = np.ones(columns.count, np.uint8)
    slot = columns.slots.get(node_name)
    if slot is not None:
        mask[slot] = 0
    return mask


def _chosen(wanted: tuple[Wanted, ...], columns: Columns) -> Int64:
    nodes = Nodes(columns.static_version, columns.count, lambda affinity: _reach(affinity, columns))
    chosen: Int64 = np.full((len(wanted), columns.count), NONE, np.int64)
    choosing: dict[str, list[int]] = {}
    for row, claim in enumerate(wanted):
        if claim.reserved and not claim.selected:
            volume = columns.catalog.volume(claim.reserved)
            chosen[row, affinity_mask(volume.affinity if volume else None, columns) != 0] = RESERVED
        elif not claim.selected:
            choosing.setdefault(claim.class_name, []).append(row)
    for class_name, rows in choosing.items():
        pool = columns.catalog.pools.get(class_name)
        if pool is not None and len(pool):
            chosen[rows] = pool.choose([wanted[row] for row in rows], nodes)
    return chosen


def _reach(affinity: Affinity, columns: Columns) -> Int64:
    """Return the slots from which a volume can be reached. A pool keeps them itself, and may have more than is kept elsewhere."""
    return np.flatnonzero(columns.present[: columns.count] if affinity is None else terms_mask(affinity, columns))


def _supply(claim: Wanted, columns: Columns) -> Supply:
    class_ = columns.catalog.classes.get(claim.class_name)
    nowhere = np.full(columns.count, -1, np.int64)
    if class_ is None or class_.provisioner in ("", NO_PROVISIONER):
        return Supply(np.full(columns.count, NO_VOLUME, np.uint8), nowhere)
    codes = np.zeros(columns.count, np.uint8)
    if class_.topologies:
        codes = NO_VOLUME * np.subtract(1, terms_mask(class_.topologies, columns), dtype=np.uint8)
    driver = columns.catalog.drivers.get(class_.provisioner)
    if driver is None or not driver.capacity:
        return Supply(codes, nowhere)
    rooms = nowhere.copy()
    for room in sorted(columns.catalog.rooms.values(), key=lambda room: room.key, reverse=True):
        if room.class_name == claim.class_name and room.limit_bytes is not None and room.limit_bytes >= claim.request_bytes:
            rooms[_offers(room, columns)] = room.capacity_bytes or 0
    return Supply(np.where((codes == 0) & (rooms < 0), NO_ROOM, codes).astype(np.uint8), rooms)


def _offers(room: Room, columns: Columns) -> Bools:
    if room.nodes is None:
        return np.zeros(columns.count, np.bool_)
    mask = np.ones(columns.count, np.uint8)
    for expression in room.nodes:
        mask &= expression_mask(expression, columns)
    offers: Bools = mask != 0
    return offers


def _scores(wanted: tuple[Wanted, ...], chosen: Int64, supplies: list[Supply | None], columns: Columns) -> Int64:
    """Sum up, per class, what is asked and what it is taken from."""
    static = (chosen != NONE).any(axis=0)
    sums: dict[str, tuple[Int64, Int64]] = {}
    for claim, row, supply in zip(wanted, chosen, supplies, strict=True):
        asked, offered = claim.request_bytes * (row != NONE), _capacities(claim, row, columns)
        before = sums.get(claim.class_name)
        if before is not None:
            asked, offered = asked + before[0], offered + before[1]
        if supply is not None:
            provisioned = ~static & (supply.room_bytes >= 0)
            asked, offered = asked + claim.request_bytes * provisioned, np.where(provisioned, supply.room_bytes, offered)
        sums[claim.class_name] = asked, offered
    total = np.zeros(columns.count, np.int64)
    for asked, offered in sums.values():
        at = np.flatnonzero(offered)
        total[at] += np.maximum(SCORE_MAX - asked[at] * SCORE_MAX // offered[at], 0)
    if len(sums) == 1:
        return total
    classes: Int64 = np.sum([(asked > 0) | (offered > 0) for asked, offered in sums.values()], axis=0, dtype=np.int64)
    return (2 * total + classes) // np.maximum(2 * classes, 1)


def _capacities(claim: Wanted, row: Int64, columns: Columns) -> Int64:
    """Return the size of what a claim has chosen on each slot: RESERVED and NONE are the last entries of the table."""
    pool = columns.catalog.pools.get(claim.class_name)
    reserved = columns.catalog.volume(claim.reserved) if claim.reserved else None
    table = np.array([reserved.capacity_bytes if reserved else 0, 0], np.int64)
    sizes: Int64 = (np.concatenate((pool.sizes, table)) if pool else table)[row]
    return sizes
