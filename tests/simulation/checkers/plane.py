"""What the plane promises about every object: revisions go forward, a pod is bound once, no node holds more than it has."""

from __future__ import annotations

from typing import Any, Final

from kcore.machinery import quantity
from tests.simulation.history import Change, Checker, History

FINAL: Final = ("Succeeded", "Failed")


class Revisions(Checker):
    """Every commit has a higher revision than the one before, and an object's says when it was written."""

    def __init__(self) -> None:
        super().__init__()
        self.newest = 0
        self.versions: dict[str, int] = {}

    def saw(self, change: Change, history: History) -> None:
        mutation = change.mutation
        if change.revision < self.newest or (change.revision == self.newest and mutation.sub == 0):
            self.wrong(change, f"{change.key} was committed after revision {self.newest}")
        self.newest = max(self.newest, change.revision)
        if mutation.value is None:
            self.versions.pop(change.key, None)
            return
        before = self.versions.get(change.key, 0)
        if mutation.version != before + 1:
            self.wrong(change, f"{change.key} has version {mutation.version} after {before}")
        self.versions[change.key] = mutation.version


class Bindings(Checker):
    """A pod is bound once: the node that it was given never changes."""

    def saw(self, change: Change, history: History) -> None:
        if change.kind != "Pod" or change.old is None or change.new is None:
            return
        before, after = change.old.message.spec.nodeName, change.new.message.spec.nodeName
        if before and before != after:
            self.wrong(change, f"{change.key} was on {before}, and is bound to {after or 'no node'}")


class Capacity(Checker):
    """The pods that are bound to a node and not finished never ask for more than it has to give."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, tuple[str, dict[str, int]]] = {}

    def saw(self, change: Change, history: History) -> None:
        if change.kind != "Pod":
            return
        self.held.pop(change.key, None)
        pod = None if change.new is None else change.new.message
        if pod is None or not pod.spec.nodeName or pod.status.phase in FINAL:
            return
        node = history.present.get(f"/registry/minions/{pod.spec.nodeName}")
        self.held[change.key] = (pod.spec.nodeName, requests(pod))
        was_there = change.old is not None and bool(change.old.message.spec.nodeName)
        if node is None or was_there:
            return
        for name, text in node.message.status.allocatable.items():
            asked = sum(amounts.get(name, 0) for where, amounts in self.held.values() if where == pod.spec.nodeName)
            if asked > quantity.parse(text.string).milli_value():
                self.wrong(change, f"{pod.spec.nodeName} has {text.string} of {name}; with {change.key} its pods ask for {asked / 1000:g}")


def requests(pod: Any) -> dict[str, int]:
    """What a pod asks for, in thousandths; simulated pods have plain containers only."""
    asked = {"pods": 1000}
    for container in pod.spec.containers:
        for name, text in container.resources.requests.items():
            asked[name] = asked.get(name, 0) + quantity.parse(text.string).milli_value()
    return asked


class Addresses(Checker):
    """No two pods that may run have one address, no two nodes one subnet, no two Services one address."""

    def __init__(self) -> None:
        super().__init__()
        self.owners: dict[tuple[str, str], str] = {}
        self.given: dict[str, set[str]] = {}

    def saw(self, change: Change, history: History) -> None:
        if change.kind not in ("Pod", "Node", "Service"):
            return
        held = set() if change.new is None else addresses(change.kind, change.new.message)
        for address in self.given.pop(change.key, set()) - held:
            self.owners.pop((change.kind, address), None)
        for address in sorted(held):
            owner = self.owners.setdefault((change.kind, address), change.key)
            if owner != change.key:
                self.wrong(change, f"{change.key} has {address}, which {owner} has")
        self.given[change.key] = {address for address in held if self.owners[change.kind, address] == change.key}


def addresses(kind: str, found: Any) -> set[str]:
    """What only one may have."""
    if kind == "Pod":
        return set() if found.status.phase in FINAL else {ip.ip for ip in found.status.podIPs}
    if kind == "Node":
        return set(found.spec.podCIDRs)
    return {ip for ip in found.spec.clusterIPs if ip != "None"}
