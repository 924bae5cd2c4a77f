"""Slices, classes, rules and claims: as the API shows them, and as this scheduler has just decided that they become.

    set, remove         what the watch says; returned as an event if anything changed
    assume, restore     a claim is given devices, before the API knows; or not, after all
    pools               the devices that a node can use; allocate: which of them satisfy claims

What is said of the devices of one node marks that node (`take_marked`); what is said of others counts up `version`; `changes` counts both.

Thread: one.
"""
from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Final, NamedTuple

from kcore.base.limits import SCHEDULER_DEVICE_RESULTS_MAX
from kcore.machinery.cel.evaluate import EvaluationError, device_matches
from kcore.scheduler.dra.allocator import Allocation, Usage, allocate
from kcore.scheduler.dra.asks import Request, Wish
from kcore.scheduler.dra.capacity import AllocationError, Consumed
from kcore.scheduler.dra.pools import Pools
from kcore.scheduler.dra.rows import Counter, DeviceClaim, DeviceClass, DeviceId, DeviceRow, Offer, Pool, PoolId, Slice, TaintRule
from kcore.scheduler.rows import NodeRow

CLASS_PREFIX: Final = "deviceclass.resource.kubernetes.io/"
"""Each class is an extended resource under its name with this before it."""


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


class _Kept(NamedTuple):
    """What a node can use, as long as it is this one; looks: equal where no claim can tell it from what another node can use."""

    node: NodeRow
    pools: tuple[Pool, ...]
    looks: Hashable


class Devices:
    """All that is known of devices.

    classes   by name; extended: by the extended resource that a class stands for
    now       the time, in seconds, by which claims are judged that wait for devices to be prepared
    """

    def __init__(self) -> None:
        self.classes: dict[str, DeviceClass] = {}
        self.extended: dict[str, str] = {}
        self.version = 0
        self.changes = 0
        self.now = 0.0
        self._pools = Pools()
        self._claims: dict[str, DeviceClaim] = {}
        self._assumed: dict[str, DeviceClaim] = {}
        self._of_pods: dict[str, str] = {}
        self._used: dict[DeviceId, int] = {}
        self._shares: dict[DeviceId, dict[str, int]] = {}
        self._share_counts: dict[DeviceId, int] = {}
        self._marked: set[str] = set()
        self._kept: dict[str, _Kept] = {}
        self._selected: dict[tuple[str, int], bool | EvaluationError] = {}
        self._found: dict[Hashable, Allocation | None] = {}

    # what is known

    def claim(self, key: str) -> DeviceClaim | None:
        """Return a claim, as assumed if it is."""
        return self._assumed.get(key) or self._claims.get(key)

    def shown_claim(self, key: str) -> DeviceClaim | None:
        """Return a claim as the API shows it."""
        return self._claims.get(key)

    def extended_claim(self, uid: str) -> DeviceClaim | None:
        """Return the claim that was made for the extended resources of a pod."""
        return self._claims.get(self._of_pods.get(uid, ""))

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
        return self._pools.shared

    def nodes(self) -> Iterable[str]:
        """Return the names of nodes that have devices of their own."""
        return self._pools.nodes()

    def take_marked(self) -> set[str]:
        """Return the nodes about whose devices anything was said since the last call."""
        marked, self._marked = self._marked, set()
        return marked

    # what is told

    def set(self, row: DeviceRow) -> DevicesChanged | None:
        """Take in a row, new or changed."""
        match row:
            case DeviceClaim():
                return self._set_claim(row)
            case DeviceClass():
                old: DeviceRow | None = self.classes.get(row.name)
                self.classes[row.name] = row
                if old != row:
                    self._count_classes()
            case TaintRule():
                old = self._pools.rules.get(row.name)
                self._pools.rules[row.name] = row
                if old != row:
                    self._all_changed()
            case Slice():
                old = self._pools.slice(row.name)
                if old != row:
                    self._drop_slice(row.name)
                    self._pools.set(row)
                    self._changed((row.driver, row.pool), drops_offers=True)
        return DevicesChanged(old, row) if old != row else None

    def remove(self, kind: type[DeviceRow], name: str) -> DeviceRow | None:
        """Forget a row; Returns it."""
        if kind is Slice:
            return self._drop_slice(name)
        if kind is DeviceClass:
            gone = self.classes.pop(name, None)
            self._count_classes()
            return gone
        if kind is TaintRule:
            self._all_changed()
            return self._pools.rules.pop(name, None)
        before = self.claim(name)
        self._assumed.pop(name, None)
        row = self._claims.pop(name, None)
        if row is not None and self._of_pods.get(row.owner) == name:
            del self._of_pods[row.owner]
        self._count(before, -1)
        return row

    def _set_claim(self, row: DeviceClaim) -> DevicesChanged | None:
        old, before = self._claims.get(row.key), self.claim(row.key)
        assumed = self._assumed.get(row.key)
        self._claims[row.key] = row
        if row.extended and row.owner:
            self._of_pods[row.owner] = row.key
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

    def pools(self, node: NodeRow | None) -> tuple[Pool, ...]:
        """Return the devices that a node can use; nothing of a node that has none."""
        return self._seen(node).pools if node is not None else ()

    def allocate(self, wishes: tuple[Wish, ...], node: NodeRow | None) -> Allocation | None:
        """Return devices of a node that satisfy claims, or None; remembered by what the node's devices look like.

        Raises  AllocationError
        """
        pools, looks = self._seen(node)[1:] if node is not None else ((), ())
        usage = self._usage(pools)
        key = wishes, looks, usage
        if key not in self._found:
            found = allocate(wishes, pools, usage, self._selects)
            if len(self._found) >= SCHEDULER_DEVICE_RESULTS_MAX:
                self._found.clear()
            self._found[key] = found
        return self._found[key]

    def _seen(self, node: NodeRow) -> _Kept:
        kept = self._kept.get(node.name)
        if kept is None or kept.node is not node:
            pools = self._pools.of(node)
            looks = tuple((pool.flaw, pool.counters, tuple(offer.look for offer in pool.offers)) for pool in pools)
            kept = self._kept[node.name] = _Kept(node, pools, looks)
        return kept

    def _usage(self, pools: tuple[Pool, ...]) -> Usage:
        ids = [offer.id for pool in pools for offer in pool.offers]
        taken = frozenset(number for number, device in enumerate(ids) if device in self._used) if self._used else frozenset()
        shares = ((number, self._shares[device]) for number, device in enumerate(ids) if device in self._shares) if self._shares else ()
        return Usage(taken, tuple((number, tuple(sorted(used.items()))) for number, used in shares), tuple(map(self._left, pools)))

    def _left(self, pool: Pool) -> tuple[tuple[Counter, int], ...]:
        """Return what is left of the counters that devices of a pool share."""
        if not pool.counters:
            return ()
        left = dict(pool.counters)
        for device in (*(offer.device for offer in pool.offers), *pool.elsewhere):
            name = (*pool.id, device.name)
            if device.consumes and (name in self._used or name in self._shares):
                for counter, amount in device.consumes:
                    left[counter] -= amount
        return tuple(left.items())

    def _selects(self, request: Request, offer: Offer) -> bool:
        class_ = self.classes.get(request.class_name)
        if class_ is None:
            return False
        of_class = all(self._is_selected(each, n, offer, f"class {class_.name}") for n, each in enumerate(class_.selectors))
        return of_class and all(self._is_selected(each, n, offer, "claim {claim}") for n, each in enumerate(request.selectors))

    def _is_selected(self, expression: str, number: int, offer: Offer, whose: str) -> bool:
        key = (expression, offer.look)
        if key not in self._selected:
            if len(self._selected) >= SCHEDULER_DEVICE_RESULTS_MAX:
                self._selected.clear()
            try:
                self._selected[key] = device_matches(expression, offer.value)
            except EvaluationError as problem:
                self._selected[key] = problem
        found = self._selected[key]
        if isinstance(found, EvaluationError):
            at = f" on device {'/'.join(offer.id)}" if found.at_runtime else ""
            raise AllocationError(f"{whose}: selector #{number}{at}: {found}") from found
        return found

    # bookkeeping

    def _drop_slice(self, name: str) -> Slice | None:
        old = self._pools.slice(name)
        if old is not None:
            self._changed((old.driver, old.pool), drops_offers=True)
            self._pools.remove(name)
            self._changed((old.driver, old.pool), drops_offers=True)
        return old

    def _count(self, claim: DeviceClaim | None, sign: int) -> None:
        for held in (claim.allocation or ()) if claim is not None else ():
            if not held.admin:
                if held.share:
                    self._count_share(held.device, held.consumed, sign)
                else:
                    self._used[held.device] = self._used.get(held.device, 0) + sign
                    if not self._used[held.device]:
                        del self._used[held.device]
            self._changed(held.device[:2], drops_offers=False)

    def _count_share(self, device: DeviceId, consumed: Consumed, sign: int) -> None:
        used = self._shares.setdefault(device, {})
        for name, amount in consumed:
            used[name] = used.get(name, 0) + sign * amount
        self._share_counts[device] = self._share_counts.get(device, 0) + sign
        if not self._share_counts[device]:
            del self._share_counts[device], self._shares[device]

    def _count_classes(self) -> None:
        """Take in that a class is another one: what was selected by it may not be any more."""
        self._selected.clear()
        self.extended = {
            each.extended: each.name
            for each in sorted(self.classes.values(), key=lambda each: (-each.created, each.name), reverse=True)
            if each.extended
        } | {CLASS_PREFIX + name: name for name in self.classes}
        self._found.clear()
        self.version += 1
        self.changes += 1

    def _all_changed(self) -> None:
        self._kept.clear()
        self.version += 1
        self.changes += 1

    def _changed(self, pool: PoolId, drops_offers: bool) -> None:
        homes = self._pools.homes(pool)
        self.changes += 1
        if not homes:
            return
        if len(homes) > 1 or "" in homes:
            self.version += 1
            if drops_offers:
                self._kept.clear()
            return
        self._marked |= homes
        if drops_offers:
            self._kept.pop(next(iter(homes)), None)
