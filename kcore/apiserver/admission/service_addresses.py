"""Cluster IPs and node ports of Services, from sets that are rebuilt from the stored Services at start.

`assign` chooses and writes into the object, `stored` takes what a stored Service holds and frees what it dropped; between the two nothing
else runs, so a Service that is refused never holds an address. Dynamic choices come from the upper part of a range, so that the lower one
stays free for people who choose themselves. Each address has an IPAddress object, written in the commit of its Service; one that somebody
else made keeps its address from Services.

Source: Kubernetes `pkg/registry/core/service/storage/alloc.go`, KEP-3070 (reserved part of the range), CONTRACT A16.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from kcore.apiserver.admission.along import Along
from kcore.apiserver.admission.cluster import IP_ADDRESS, SERVICE_CIDR, Cluster
from kcore.base import limits
from kcore.base.entropy import Entropy
from kcore.machinery import field_error, status
from kcore.machinery.kinds.core.service_families import assign_families

Object = dict[str, Any]
Taken = list[set[int]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NONE = "None"
FAMILIES = {4: "IPv4", 6: "IPv6"}
NODE_PORT_FIRST, NODE_PORT_LAST = 30000, 32767
NODE_PORT_RESERVED = 86
OUT_OF_RANGE = "failed to allocate IP {0}: the provided IP ({0}) is not in the valid range. The range of valid IPs is {1}"


class Full(Exception):
    """A range has nothing free."""


class Range:
    """The numbers [first, first + size) and which are taken; the first `reserved` are not given out by chance while others are free."""

    def __init__(self, first: int, size: int, reserved: int, entropy: Entropy) -> None:
        self.first, self.size, self.reserved, self.entropy = first, size, reserved, entropy
        self.taken: set[int] = set()

    def __contains__(self, number: int) -> bool:
        return self.first <= number < self.first + self.size

    def pick(self, besides: Iterable[int] = (), by_chance: bool = True) -> int:
        """A free number, not one of `besides`; it is not taken yet. Without chance the lowest of the dynamic part. Raises Full."""
        avoid = self.taken.union(besides)
        for low, high in ((self.reserved, self.size), (0, self.reserved)):
            width = high - low
            start = self.entropy.randrange(width) if by_chance and width > 0 else 0
            for i in range(width):
                number = self.first + low + (start + i) % width
                if number not in avoid:
                    return number
        raise Full


def address_range(cidr: str, entropy: Entropy) -> Range:
    """The usable addresses of a Service range: neither the network's own nor, in IPv4, the broadcast address."""
    network = ipaddress.ip_network(cidr)
    size = min(network.num_addresses - (2 if network.version == 4 else 1), limits.SERVICE_ADDRESSES_MAX)
    reserved = min(max(16, size // 16), 256)
    return Range(int(network.network_address) + 1, size, reserved if size > reserved else 0, entropy)


class ServiceAddresses:
    """The allocator. Thread: the event loop's."""

    def __init__(self, cidrs: list[str], entropy: Entropy, cluster: Cluster) -> None:
        self.cidrs, self.cluster = cidrs, cluster
        self.by_chance = True
        self.families = [FAMILIES[ipaddress.ip_network(cidr).version] for cidr in cidrs]
        self.ranges = {family: address_range(cidr, entropy) for family, cidr in zip(self.families, cidrs, strict=True)}
        self.ports = Range(NODE_PORT_FIRST, NODE_PORT_LAST - NODE_PORT_FIRST + 1, NODE_PORT_RESERVED, entropy)

    def reset(self, services: Iterable[Object]) -> None:
        """Forget everything and take what these Services hold."""
        for held in (*self.ranges.values(), self.ports):
            held.taken.clear()
        for service in services:
            self.stored(service, None)

    def mark(self) -> Taken:
        """What is taken now."""
        return [set(held.taken) for held in (*self.ranges.values(), self.ports)]

    def revert(self, mark: Taken) -> None:
        """Go back to what was taken then."""
        for held, taken in zip((*self.ranges.values(), self.ports), mark, strict=True):
            held.taken = set(taken)

    def first(self) -> str:
        """The address of the Service `kubernetes`: the first of the range."""
        return str(ipaddress.ip_address(self.ranges[self.families[0]].first))

    # choosing

    def assign(self, new: Object, old: Object | None, dry_run: bool = False) -> None:
        """Write the addresses and ports that a Service needs and has not into it; a dry run gets the same ones every time.

        Raises StatusError (422) if what it asks for is taken, out of range or not to be had.
        """
        spec = new["spec"]
        self.by_chance = not dry_run
        before = (old or {}).get("spec") or {}
        if old is None and spec.get("clusterIP") and not spec.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        errors = assign_families(new, old, self.families)
        if not errors and spec.get("type") != "ExternalName":
            self.choose_addresses(spec, before, errors)
        if not errors:
            self.choose_ports(spec, before, errors)
        if errors:
            raise status.invalid("", "Service", new["metadata"].get("name", ""), errors)

    def choose_addresses(self, spec: Object, before: Object, errors: list[field_error.FieldError]) -> None:
        if spec.get("clusterIP") == NONE or NONE in (spec.get("clusterIPs") or ()):
            spec["clusterIP"], spec["clusterIPs"] = NONE, [NONE]
            return
        held = set(before.get("clusterIPs") or ())
        asked = list(spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else []))
        if not asked and held and before.get("type") != "ExternalName":
            asked = list(before["clusterIPs"])
        if held and before.get("type") != "ExternalName" and asked[0] and asked[0] not in before["clusterIPs"][:1]:
            spec["clusterIPs"] = asked
            return  # refused by the kind's rules: an address stays, so that nobody need look whether the other one is free
        chosen: list[str] = []
        for i, family in enumerate(spec["ipFamilies"]):
            try:
                address = asked[i] if i < len(asked) and asked[i] else self.pick_address(family)
            except Full:
                raise status.internal("failed to allocate a serviceIP: range is full") from None
            try:
                number = int(ipaddress.ip_address(address))
            except ValueError:
                continue  # the kind's validation says what is wrong with it
            if address not in held and not any(number in allowed for allowed in self.ranges_for(family)):
                cidr = self.cidrs[self.families.index(family)]
                detail = OUT_OF_RANGE.format(address, cidr)
                errors.append(field_error.invalid("spec.clusterIPs", asked, detail))
            elif address not in held and self.by_chance and self.is_taken(self.ranges[family], number):
                # a dry run, as upstream, does not ask
                errors.append(
                    field_error.invalid("spec.clusterIPs", asked, f"failed to allocate IP {address}: provided IP is already allocated")
                )
            chosen.append(address)
        if len(chosen) == len(spec["ipFamilies"]):
            spec["clusterIPs"] = chosen
            spec["clusterIP"] = chosen[0]
        else:
            spec["clusterIPs"] = asked

    def pick_address(self, family: str) -> str:
        """A free address, not one that an IPAddress keeps for somebody else, from the first range with one. Raises Full."""
        for held in self.ranges_for(family):
            kept: set[int] = set()
            try:
                while self.is_taken(held, number := held.pick(kept, self.by_chance)):
                    kept.add(number)
            except Full:
                continue
            return str(ipaddress.ip_address(number))
        raise Full

    def ranges_for(self, family: str) -> Iterator[Range]:
        """The ranges of a family: the one that the server was started with, then those of ServiceCIDRs that are ready."""
        first = self.ranges[family]
        yield first
        for found in self.cluster.few(SERVICE_CIDR):
            for cidr in (found.get("spec") or {}).get("cidrs") or () if is_ready(found) else ():
                if cidr not in self.cidrs and FAMILIES[ipaddress.ip_network(cidr).version] == family:
                    more = address_range(cidr, self.ports.entropy)
                    more.taken = first.taken  # all addresses of a family are in one set
                    yield more

    def choose_ports(self, spec: Object, before: Object, errors: list[field_error.FieldError]) -> None:
        kind = spec.get("type")
        wants = kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts", True))
        held = node_ports(before)
        asked = {port.get("port"): port["nodePort"] for port in reversed(spec.get("ports") or ()) if port.get("nodePort")}
        picked: set[int] = set()
        for i, port in enumerate(spec.get("ports") or ()):
            if not port.get("nodePort") and wants:
                shared = not before and asked.get(port.get("port"))  # one port of a new Service, however many protocols it has
                port["nodePort"] = asked[port.get("port")] = shared or self.pick_port(picked - held)
            number = port.get("nodePort", 0)
            if number and number not in held and number not in picked and kind in ("NodePort", "LoadBalancer"):
                self.check_port(number, f"spec.ports[{i}].nodePort", errors)
            picked |= {number} - {0}
        if kind == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local":
            if not spec.get("healthCheckNodePort"):
                spec["healthCheckNodePort"] = before.get("healthCheckNodePort") or self.pick_port(picked - held)
            elif spec["healthCheckNodePort"] != before.get("healthCheckNodePort"):
                self.check_port(spec["healthCheckNodePort"], "spec.healthCheckNodePort", errors)

    def pick_port(self, besides: Collection[int]) -> int:
        if not self.by_chance:  # as upstream: what a dry run says is no port that could be had
            return max(besides, default=NODE_PORT_LAST + 1) + 1
        try:
            return self.ports.pick(besides, self.by_chance)
        except Full:
            raise status.internal("failed to allocate a nodePort: range is full") from None

    def check_port(self, number: int, path: str, errors: list[field_error.FieldError]) -> None:
        if number not in self.ports:
            if not self.by_chance:  # a dry run, as upstream, asks only whether it is taken
                return
            detail = f"provided port is not in the valid range. The range of valid ports is {NODE_PORT_FIRST}-{NODE_PORT_LAST}"
            errors.append(field_error.invalid(path, number, detail))
        elif number in self.ports.taken:
            errors.append(field_error.invalid(path, number, "provided port is already allocated"))

    # the objects that show which addresses are taken

    def along(self, new: Object | None, old: Object | None) -> tuple[Along, ...]:
        """The IPAddress objects that come and go with a change of a Service; None: it was not there, or is gone."""
        have, want = (cluster_addresses((service or {}).get("spec") or {}) for service in (old, new))
        if have == want:
            return ()
        spec = self.cluster.scheme.kinds[IP_ADDRESS]
        gone = [Along(spec, "", str(address), None) for address in have if address not in want]
        return (*gone, *(Along(spec, "", str(address), address_object(address, new or {})) for address in want if address not in have))

    def is_taken(self, held: Range, number: int) -> bool:
        """Whether a Service has an address, or an IPAddress keeps it for somebody else."""
        return number in held.taken or self.cluster.exists(IP_ADDRESS, str(ipaddress.ip_address(number)))

    # taking and freeing

    def stored(self, new: Object, old: Object | None) -> None:
        """A Service is in the store: take what it holds, free what it held before and dropped."""
        if old is not None:
            self.release(old)
        spec = new.get("spec") or {}
        for address in cluster_addresses(spec):
            self.ranges_of(address).taken.add(int(address))
        self.ports.taken |= node_ports(spec)

    def release(self, service: Object) -> None:
        """A Service is gone: what it held is free."""
        spec = service.get("spec") or {}
        for address in cluster_addresses(spec):
            self.ranges_of(address).taken.discard(int(address))
        self.ports.taken -= node_ports(spec)

    def ranges_of(self, address: Address) -> Range:
        return self.ranges.get(FAMILIES[address.version]) or Range(0, 0, 0, self.ports.entropy)


def is_ready(service_cidr: Object) -> bool:
    """Whether addresses may be taken from a range: nobody said that it is not ready."""
    conditions = (service_cidr.get("status") or {}).get("conditions") or ()
    return all(condition.get("status") == "True" for condition in conditions if condition.get("type") == "Ready")


def address_object(address: Address, service: Object) -> Object:
    """The IPAddress of a Service."""
    labels = {"ipaddress.kubernetes.io/ip-family": FAMILIES[address.version], "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"}
    metadata = service["metadata"]
    owner = {"group": "", "resource": "services", "namespace": metadata["namespace"], "name": metadata.get("name", "")}
    return {"metadata": {"name": str(address), "labels": labels}, "spec": {"parentRef": owner}}


def cluster_addresses(spec: Object) -> list[Address]:
    """The addresses that a Service's spec holds."""
    return [ipaddress.ip_address(address) for address in spec.get("clusterIPs") or () if address and address != NONE]


def node_ports(spec: Object) -> set[int]:
    """The node ports that a Service's spec holds."""
    ports = {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}
    return ports | ({spec["healthCheckNodePort"]} if spec.get("healthCheckNodePort") else set())
