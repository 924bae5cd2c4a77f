"""Which pod of a node has which address.

A pool serves one podCIDR. Addresses are offsets from its first one. Those never given since the pool was opened go first, in
order; then those that were released, the longest-released first: no address comes back while another one is free. `rest_s`
keeps a released address out of use for that long in any case.

    10.1.0.0/29, gateway .1            offset   2      3      4      5      6
    a and b allocated, a released              free   b      -      -      -      released = [2], next = 4
    c, d, e allocated                          free   b      c      d      e      released = [2], next = 7
    f allocated                                f      b      c      d      e      released = [],  next = 7

`NodeIpam` has a pool for each podCIDR of its node and gives a pod one address of each, or none at all. An allocation is
recorded before it counts; if recording fails, nothing was allocated. What was held before is read from the record at the start
(a real node) or told with `adopt`, from the pods' status (a hollow one).

Source: containernetworking/plugins host-local (round robin from the last address, gateway and broadcast left out).
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from kcore.base import limits
from kcore.network.record import Entry, MemoryRecord, Record

OFFSET_FIRST = 2
"""Offset of the first address for a pod: 0 names the network (IPv4) or any router (IPv6), 1 is the node's own bridge."""


@dataclass(frozen=True, slots=True)
class Exhausted:
    """No address is free in a podCIDR. `rest_s` is above 0 if one only has to rest that much longer."""

    cidr: str
    first: str
    last: str
    rest_s: float = 0.0

    @property
    def message(self) -> str:
        """What the pod's event says."""
        return f"no IP addresses available in range {self.first}-{self.last} of pod CIDR {self.cidr}"


@dataclass(frozen=True, slots=True)
class AddressProblem:
    """An address that a pod claims and cannot have."""

    owner: str
    address: str
    message: str


class AddressPool:
    """Addresses of one podCIDR."""

    __slots__ = ("_adopted", "_base", "_count", "_next", "_owners", "_released", "_unused", "_v6", "cidr")

    def __init__(self, cidr: str) -> None:
        """Start with all addresses free.

        Raises    ValueError if the CIDR is malformed or has no room for a pod
        """
        network = ip_network(cidr, strict=False)
        self.cidr = str(network)
        self._v6 = network.version == 6
        self._base = int(network.network_address)
        end = network.num_addresses if self._v6 else network.num_addresses - 1
        self._count = min(end, limits.POD_ADDRESSES_PER_CIDR_MAX + OFFSET_FIRST)
        if self._count <= OFFSET_FIRST:
            raise ValueError(f"pod CIDR {cidr} has no address for a pod")
        self._next = OFFSET_FIRST
        self._unused = self._count - OFFSET_FIRST
        self._owners: dict[int, str] = {}
        self._released: deque[tuple[int, float]] | None = None
        self._adopted: set[int] | None = None

    @property
    def capacity(self) -> int:
        """Number of addresses there are for pods."""
        return self._count - OFFSET_FIRST

    @property
    def held(self) -> int:
        """Number of addresses that pods have."""
        return len(self._owners)

    @property
    def gateway(self) -> str:
        """The node's own address in the subnet."""
        return self.text(1)

    def offset(self, address: str) -> int:
        """Offset of an address in this subnet; -1 if it is not one for pods."""
        parsed = ip_address(address)
        offset = int(parsed) - self._base
        return offset if (parsed.version == 6) == self._v6 and OFFSET_FIRST <= offset < self._count else -1

    def owner(self, offset: int) -> str | None:
        """Who has the address."""
        return self._owners.get(offset)

    def peek(self, now: float, rest_s: float) -> int | Exhausted:
        """Offset of the address to give next.

        Cost      O(1), but for addresses adopted since the start, each of which is passed over once
        """
        while self._adopted and self._unused and self._next in self._adopted:
            self._adopted.remove(self._next)
            self._step()
        if self._unused:
            return self._next
        if not self._released:
            return self._exhausted(0.0)
        offset, released_at = self._released[0]
        rest_left_s = released_at + rest_s - now
        return offset if rest_left_s <= 0 else self._exhausted(rest_left_s)

    def take(self, offset: int, owner: str) -> str:
        """Give the address that `peek` named, and return its text."""
        assert offset not in self._owners, f"address {self.text(offset)} has an owner"
        if self._unused:
            assert offset == self._next, "only the address that peek named can be taken"
            self._step()
        else:
            assert self._released and offset == self._released[0][0], "only the address that peek named can be taken"
            self._released.popleft()
        self._owners[offset] = owner
        return self.text(offset)

    def adopt(self, offset: int, owner: str) -> None:
        """Note that the owner has the address already."""
        assert offset not in self._owners, f"address {self.text(offset)} has an owner"
        self._owners[offset] = owner
        if self._released:
            self._released = deque(each for each in self._released if each[0] != offset)
        self._pass(offset)

    def start_behind(self, offset: int) -> None:
        """Give new addresses from behind this one on, going round; only before the first was given."""
        assert self._unused == self.capacity, "addresses were given already"
        self._next = offset + 1 if offset + 1 < self._count else OFFSET_FIRST

    def pass_over(self, offset: int) -> None:
        """Start behind this address, unless one was given already or the start is behind it anyway."""
        if self._unused == self.capacity and offset >= self._next:
            self.start_behind(offset)

    def release(self, offset: int, now: float) -> None:
        """Take an address back; it is given again after all that are free now."""
        del self._owners[offset]
        self._queue(offset, now)

    def rest(self, offset: int, now: float) -> None:
        """Put a free address that was in use before the start behind all others."""
        assert offset not in self._owners, f"address {self.text(offset)} has an owner"
        self._pass(offset)
        self._queue(offset, now)

    def text(self, offset: int) -> str:
        """Address at an offset."""
        value = self._base + offset
        if self._v6:
            return str(IPv6Address(value))
        return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"

    def _pass(self, offset: int) -> None:
        """An address is no longer one that was never given, if it was one."""
        if self._adopted is None:
            self._adopted = set()
        self._adopted.add(offset)

    def _queue(self, offset: int, now: float) -> None:
        if self._released is None:
            self._released = deque()
        self._released.append((offset, now))

    def _step(self) -> None:
        self._unused -= 1
        self._next = self._next + 1 if self._next + 1 < self._count else OFFSET_FIRST

    def _exhausted(self, rest_s: float) -> Exhausted:
        return Exhausted(self.cidr, self.text(OFFSET_FIRST), self.text(self._count - 1), rest_s)


class NodeIpam:
    """Addresses of one node's pods, by the pods' uids. Not locked: one owner calls it."""

    __slots__ = ("_held", "_pools", "_record", "rest_s")

    def __init__(self, cidrs: Sequence[str], record: Record | None = None, *, rest_s: float = 0.0, now: float = 0.0) -> None:
        """Open the node's addresses and take over what the record says is held.

        cidrs     the node's podCIDRs; a pod's addresses come in their order
        rest_s    how long a released address is kept out of use at least
        Raises    ValueError for a CIDR that cannot serve, or a record that gives an address to two pods
        """
        self._pools = tuple(AddressPool(cidr) for cidr in cidrs)
        if not self._pools:
            raise ValueError("a node without podCIDR has no addresses for pods")
        self._record: Record = MemoryRecord() if record is None else record
        self._held: dict[str, tuple[str, ...]] = {}
        self.rest_s = rest_s
        self._replay(self._record.entries(), now)

    @property
    def cidrs(self) -> tuple[str, ...]:
        """The podCIDRs served."""
        return tuple(pool.cidr for pool in self._pools)

    @property
    def gateways(self) -> tuple[str, ...]:
        """The node's own address in each podCIDR."""
        return tuple(pool.gateway for pool in self._pools)

    def addresses(self, owner: str) -> tuple[str, ...]:
        """What a pod has; empty if nothing."""
        return self._held.get(owner, ())

    def owners(self) -> frozenset[str]:
        """Uids of the pods that have addresses."""
        return frozenset(self._held)

    def free(self) -> int:
        """How many more pods can get addresses (some perhaps after a rest)."""
        return min(pool.capacity - pool.held for pool in self._pools)

    def allocate(self, owner: str, now: float = 0.0) -> tuple[str, ...] | Exhausted:
        """Give the pod an address of each podCIDR; one that has them keeps them.

        now       monotonic seconds, only compared with those given to `release`
        Raises    RecordError if it cannot be made durable: then nothing was allocated
        """
        if owner in self._held:
            return self._held[owner]
        offsets: list[int] = []
        for pool in self._pools:
            offset = pool.peek(now, self.rest_s)
            if isinstance(offset, Exhausted):
                return offset
            offsets.append(offset)
        pairs = tuple(zip(self._pools, offsets, strict=True))
        addresses = tuple(pool.text(offset) for pool, offset in pairs)
        self._record.append(Entry(owner, addresses))
        for pool, offset in pairs:
            pool.take(offset, owner)
        self._held[owner] = addresses
        return addresses

    def release(self, owner: str, now: float = 0.0) -> tuple[str, ...]:
        """Take a pod's addresses back; returns them, empty if it had none.

        Raises    RecordError if it cannot be made durable: then the pod still has them
        """
        addresses = self._held.get(owner)
        if addresses is None:
            return ()
        self._record.append(Entry(owner, addresses, held=False))
        self._forget(owner, now)
        return addresses

    def retain(self, owners: Iterable[str], now: float = 0.0) -> tuple[str, ...]:
        """Take back the addresses of all pods but these (after a restart); returns the uids that lost theirs."""
        gone = tuple(sorted(self._held.keys() - set(owners)))
        for owner in gone:
            self.release(owner, now)
        return gone

    def adopt(self, owner: str, addresses: Sequence[str]) -> tuple[AddressProblem, ...]:
        """Take over the addresses that a pod's status names, all or none.

        Returns   problems: an address that is malformed, outside the podCIDRs, or another pod's. A pod with problems has no
        addresses; it asks with `allocate`.
        """
        if owner in self._held:
            return ()
        found = [self._claim(owner, address) for address in addresses]
        problems = tuple(each for each in found if isinstance(each, AddressProblem))
        claims = [each for each in found if not isinstance(each, AddressProblem)]
        if not problems and [pool for pool, _ in claims] != list(self._pools):
            problems = (AddressProblem(owner, ",".join(addresses), f"addresses {addresses} are not one of each of {self.cidrs}"),)
        if problems:
            return problems
        self._record.append(Entry(owner, tuple(addresses)))
        for pool, offset in claims:
            pool.adopt(offset, owner)
            pool.pass_over(offset)
        self._held[owner] = tuple(addresses)
        return ()

    def _claim(self, owner: str, address: str) -> tuple[AddressPool, int] | AddressProblem:
        try:
            for pool in self._pools:
                offset = pool.offset(address)
                if offset >= 0:
                    other = pool.owner(offset)
                    return (pool, offset) if other is None else AddressProblem(owner, address, f"address {address} is held by pod {other}")
        except ValueError:
            return AddressProblem(owner, address, f"address {address} is malformed")
        return AddressProblem(owner, address, f"address {address} is outside {', '.join(self.cidrs)}")

    def _forget(self, owner: str, now: float) -> None:
        for pool, address in zip(self._pools, self._held.pop(owner), strict=True):
            pool.release(pool.offset(address), now)

    def _replay(self, entries: Sequence[Entry], now: float) -> None:
        """Bring the pools to where the record ends: same holders, same order of released addresses, next address behind the last."""
        for pool, address in zip(self._pools, _last_given(entries, len(self._pools)), strict=True):
            pool.start_behind(max(pool.offset(address), OFFSET_FIRST - 1))
        for entry in entries:
            claims = [self._claim(entry.owner, address) for address in entry.addresses]
            if entry.held:
                self._restore(entry, claims)
            else:
                for claim in claims:
                    if not isinstance(claim, AddressProblem):
                        claim[0].rest(claim[1], now)

    def _restore(self, entry: Entry, claims: list[tuple[AddressPool, int] | AddressProblem]) -> None:
        for claim in claims:
            if isinstance(claim, AddressProblem):
                raise ValueError(f"the record of addresses does not fit: {claim.message}")
            claim[0].adopt(claim[1], entry.owner)
        self._held[entry.owner] = entry.addresses


def _last_given(entries: Sequence[Entry], count: int) -> tuple[str, ...]:
    """Addresses given last; the lowest ones possible if none are held."""
    for entry in reversed(entries):
        if entry.held and len(entry.addresses) == count:
            return entry.addresses
    return ("0.0.0.0",) * count
