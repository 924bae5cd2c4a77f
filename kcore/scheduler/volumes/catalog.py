"""Claims, volumes, classes and drivers: as the API shows them, and as this scheduler has just decided that they become (assumed).

    set, remove              what the watch says; returned as an event if anything changed
    assume_*, restore_*      a volume is given to a claim, a claim to a node, before the API knows; or not, after all

An assumption ends when the API shows it, or shows something else instead (the volume names another claim), and survives changes that
have nothing to do with it.

Guarantee: the pools hold exactly the volumes that any claim may have.
Thread: one.
"""
from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

from kcore.base.limits import SCHEDULER_VOLUME_RESULTS_MAX
from kcore.scheduler.volumes.migration import driver_of, is_migrated
from kcore.scheduler.volumes.pool import Pool
from kcore.scheduler.volumes.rows import Attachment, Claim, Class, Driver, Limits, Room, Row, Volume
from kcore.scheduler.volumes.usage import Handle


class StorageChanged(NamedTuple):
    """A row came (old is None), or became another one."""

    old: Row | None
    new: Row

    @property
    def claim(self) -> str | None:
        """Return the claim that it is about; None where it may concern any pod."""
        if isinstance(self.new, Claim):
            return self.new.key
        return (self.new.claim or None) if isinstance(self.new, Volume) else None


class Kept:
    """Results that hold until nodes change, the oldest given up first."""

    def __init__(self) -> None:
        self._version = -1
        self._results: dict[Hashable, Any] = {}

    def get(self, key: Hashable, version: int) -> Any | None:
        """Return a result made for this version of the nodes."""
        if version != self._version:
            self._results.clear()
            self._version = version
        return self._results.get(key)

    def put(self, key: Hashable, result: Any) -> None:
        """Keep a result for the version that was asked for last."""
        if len(self._results) >= SCHEDULER_VOLUME_RESULTS_MAX:
            del self._results[next(iter(self._results))]
        self._results[key] = result


class Catalog:
    """All that is known of storage.

    pools           by class
    limited         driver -> nodes that limit it
    attached        node -> what drivers attach to it, by name
    limits_version  counts changes of limits and of what drivers require; supply_version: of classes, drivers and rooms
    """

    def __init__(self) -> None:
        self.classes: dict[str, Class] = {}
        self.drivers: dict[str, Driver] = {}
        self.rooms: dict[str, Room] = {}
        self.limits: dict[str, Limits] = {}
        self.pools: dict[str, Pool] = {}
        self.limited: dict[str, int] = {}
        self.attached: dict[str, dict[str, Attachment]] = {}
        self.limits_version = 0
        self.supply_version = 0
        self.kept = Kept()
        self._claims: dict[str, Claim] = {}
        self._volumes: dict[str, Volume] = {}
        self._assumed_claims: dict[str, Claim] = {}
        self._assumed_volumes: dict[str, Volume] = {}
        self._named: dict[str, dict[str, None]] = {}
        self._attachments: dict[str, Attachment] = {}
        self._attached_volumes: dict[str, dict[str, str]] = {}

    # what is known

    def claim(self, key: str) -> Claim | None:
        """Return a claim, as assumed if it is."""
        return self._assumed_claims.get(key) or self._claims.get(key)

    def shown_claim(self, key: str) -> Claim | None:
        """Return a claim as the API shows it."""
        return self._claims.get(key)

    def volume(self, name: str) -> Volume | None:
        """Return a volume, as assumed if it is."""
        return self._assumed_volumes.get(name) or self._volumes.get(name)

    def shown_volume(self, name: str) -> Volume | None:
        """Return a volume as the API shows it."""
        return self._volumes.get(name)

    def volumes_of(self, claim: Claim) -> list[Volume]:
        """Return the volumes that name a claim, in this life of it."""
        found = [self.volume(name) for name in sorted(self._named.get(claim.key, ()))]
        return [volume for volume in found if volume is not None and volume.claim_uid in ("", claim.uid)]

    def handle_of(self, key: str) -> Handle | None:
        """Return the driver and handle under which a node attaches the volume of a claim; one of its own while it is unbound."""
        claim = self.claim(key)
        if claim is None:
            return None
        volume = self.volume(claim.volume_name) if claim.volume_name else None
        if volume is not None:
            return (volume.driver, volume.handle) if volume.driver else None
        class_ = self.classes.get(claim.class_name)
        driver = driver_of(class_.provisioner) if class_ else ""
        return (driver, f"claim {key}") if driver else None

    def is_of_old(self, key: str) -> bool:
        """Say whether the volume of a claim names a disk directly, or will."""
        claim = self.claim(key)
        volume = self.volume(claim.volume_name) if claim is not None and claim.volume_name else None
        class_ = self.classes.get(claim.class_name) if claim is not None else None
        return bool(volume.plugin) if volume is not None else class_ is not None and is_migrated(class_.provisioner)

    def attached_handles(self, node_name: str, driver: str) -> set[Handle]:
        """Return what a driver attaches to a node, whoever uses it."""
        found = (self.volume(each.volume) for each in self.attached.get(node_name, {}).values() if each.driver == driver)
        return {(driver, volume.handle) for volume in found if volume is not None and volume.driver and not volume.plugin}

    def nodes_of(self, row: Row | None) -> set[str]:
        """Return the nodes that attach what a row is about."""
        if isinstance(row, Attachment):
            return {row.node_name}
        return set(self._attached_volumes.get(row.name, {}).values()) if isinstance(row, Volume) else set()

    def is_assumed(self, volume: str) -> bool:
        """Say whether a volume is given to a claim here and not yet in the API."""
        return volume in self._assumed_volumes

    @property
    def assumed_count(self) -> int:
        """How much is assumed; nothing may be left when all that was decided is done."""
        return len(self._assumed_claims) + len(self._assumed_volumes)

    # what is told

    def set(self, row: Row) -> StorageChanged | None:
        """Take in a row, new or changed."""
        if isinstance(row, Claim):
            return self._set_claim(row)
        if isinstance(row, Volume):
            return self._set_volume(row)
        rows, name = self._rows_of(type(row)), row[0]
        old = rows.get(name)
        if old == row:
            return None
        rows[name] = row
        self._count_row(old, row)
        return StorageChanged(old, row)

    def remove(self, kind: type[Row], name: str) -> Row | None:
        """Forget a row; Returns it."""
        if kind is Volume:
            return self._drop_volume(name)
        if kind is Claim:
            self._assumed_claims.pop(name, None)
            return self._claims.pop(name, None)
        old: Row | None = self._rows_of(kind).pop(name, None)
        self._count_row(old, None)
        return old

    # what is assumed

    def assume_volume(self, name: str, claim: Claim) -> None:
        """Give a volume to a claim."""
        before = self._volumes[name]
        self._replace_volume(name, before, before._replace(claim=claim.key, claim_uid=claim.uid))

    def restore_volume(self, name: str) -> bool:
        """Take back what was assumed of a volume; Returns whether anything was."""
        assumed = self._assumed_volumes.get(name)
        if assumed is not None:
            self._replace_volume(name, assumed, None)
        return assumed is not None

    def assume_claim(self, key: str, node_name: str) -> None:
        """Give a claim to a node."""
        self._assumed_claims[key] = self._claims[key]._replace(selected=node_name)

    def restore_claim(self, key: str) -> bool:
        """Take back what was assumed of a claim; Returns whether anything was."""
        return self._assumed_claims.pop(key, None) is not None

    # rows

    def _rows_of(self, kind: type[Row]) -> dict[str, Any]:
        found: dict[type, dict[str, Any]] = {
            Class: self.classes, Driver: self.drivers, Room: self.rooms, Limits: self.limits, Attachment: self._attachments
        }  # fmt: skip
        return found[kind]

    def _count_row(self, old: Row | None, new: Row | None) -> None:
        match old or new:
            case Attachment():
                self._attach(old, attaches=False)
                self._attach(new, attaches=True)
                return
            case Limits():
                self._count_limits(old, new)
                self.limits_version += 1
                return
            case Driver():
                self.limits_version += 1
        self.supply_version += 1

    def _attach(self, row: Row | None, attaches: bool) -> None:
        if not isinstance(row, Attachment):
            return
        on, of = self.attached.setdefault(row.node_name, {}), self._attached_volumes.setdefault(row.volume, {})
        if attaches:
            on[row.name], of[row.name] = row, row.node_name
            return
        del on[row.name], of[row.name]
        if not on:
            del self.attached[row.node_name]
        if not of:
            del self._attached_volumes[row.volume]

    def _count_limits(self, old: Row | None, new: Row | None) -> None:
        for limits, sign in ((old, -1), (new, 1)):
            for driver, _ in limits.counts if isinstance(limits, Limits) else ():
                self.limited[driver] = self.limited.get(driver, 0) + sign
                if not self.limited[driver]:
                    del self.limited[driver]

    def _set_claim(self, row: Claim) -> StorageChanged | None:
        old = self._claims.get(row.key)
        self._claims[row.key] = row
        if row.selected or row.bound or (old is not None and old.uid != row.uid):
            self._assumed_claims.pop(row.key, None)
        elif row.key in self._assumed_claims:
            self._assumed_claims[row.key] = row._replace(selected=self._assumed_claims[row.key].selected)
        return _change(old, row)

    def _set_volume(self, row: Volume) -> StorageChanged | None:
        old, before = self._volumes.get(row.name), self.volume(row.name)
        assumed = self._assumed_volumes.get(row.name)
        self._volumes[row.name] = row
        keeps = assumed is not None and row.claimable
        after = row._replace(claim=assumed.claim, claim_uid=assumed.claim_uid) if assumed is not None and keeps else None
        self._replace_volume(row.name, before, after)
        return _change(old, row)

    def _drop_volume(self, name: str) -> Volume | None:
        before = self.volume(name)
        row = self._volumes.pop(name, None)
        if before is not None:
            self._replace_volume(name, before, None)
        return row

    def _replace_volume(self, name: str, before: Volume | None, assumed: Volume | None) -> None:
        """Put what is assumed of a volume in place, and bring pools and names from what held before to what holds now."""
        if assumed is None:
            self._assumed_volumes.pop(name, None)
        else:
            self._assumed_volumes[name] = assumed
        after = self.volume(name)
        if before is not None:
            if before.claimable:
                self.pools[before.class_name].remove(before)
            self._name(before.claim, name, named=False)
        if after is not None:
            if after.claimable:
                self.pools.setdefault(after.class_name, Pool()).add(after)
            self._name(after.claim, name, named=True)

    def _name(self, claim: str, volume: str, named: bool) -> None:
        if not claim:
            return
        if named:
            self._named.setdefault(claim, {})[volume] = None
            return
        names = self._named[claim]
        del names[volume]
        if not names:
            del self._named[claim]


def _change(old: Claim | Volume | None, new: Claim | Volume) -> StorageChanged | None:
    if old is not None and old._replace(resource_version=new.resource_version) == new:
        return None
    return StorageChanged(old, new)
