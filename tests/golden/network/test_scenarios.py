"""The network told as stories: each command of a scenario file has its output below it (`KCORE_REWRITE=1` writes the output anew).

node NAME ADDRESS PODCIDR,... [HARDWARE]    registers or changes a node        drop NAME      removes it
foreign DESTINATION VIA                     somebody else makes a route
reconcile                                   plans for node a, applies the steps, prints problems and steps
subnets CIDR,...                            starts an allocator                subnet NAME    allocates      free NAME
ipam CIDR,...                               opens a node's addresses           give POD       take POD       adopt POD ADDRESS,...
restart                                     kills the node's process and opens its record again
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from kcore.network.ipam import Exhausted, NodeIpam
from kcore.network.plan import (
    Action,
    Bridge,
    BridgeAddress,
    Neighbour,
    NodeView,
    ObservedState,
    OwnState,
    Route,
    Sysctl,
    Uplink,
    Waiting,
    blocked,
    diff,
    plan,
)
from kcore.network.record import FileRecord
from kcore.network.subnet import SubnetAllocator, SubnetsExhausted, cluster_ranges

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.txt"))


class World:
    """A cluster, a kernel of node a, and that node's address record."""

    def __init__(self, folder: Path) -> None:
        self.nodes: dict[str, NodeView] = {}
        self.kernel = ObservedState((("eth0", "veth"),))
        self.record_path = folder / "ipam"
        self.allocator: SubnetAllocator
        self.record: FileRecord
        self.ipam: NodeIpam

    def run(self, line: str) -> list[str]:
        command, *words = line.split()
        output: list[str] = getattr(self, f"do_{command}")(*words)
        return output or ["ok"]

    def do_node(self, name: str, address: str, cidrs: str, hardware: str = "") -> list[str]:
        self.nodes[name] = NodeView(name, (address,), tuple(each for each in cidrs.split(",") if each != "-"), hardware)
        return []

    def do_drop(self, name: str) -> list[str]:
        del self.nodes[name]
        return []

    def do_foreign(self, destination: str, via: str) -> list[str]:
        self.kernel = replace(self.kernel, routes=(*self.kernel.routes, Route(destination, via, "eth0", protocol=4)))
        return []

    def do_reconcile(self) -> list[str]:
        desired = plan(self.nodes.values(), OwnState("a", (Uplink("eth0", ("192.168.0.1/24",)),)))
        if isinstance(desired, Waiting):
            return [f"waiting: {desired.reason}"]
        lines = [f"problem: {each}" for each in (*desired.problems, *blocked(self.kernel, desired))]
        for action in diff(self.kernel, desired):
            self.kernel = applied(self.kernel, action)
            lines.append(f"{action.verb} {shown(action.item)}")
        return lines

    def do_subnets(self, cidrs: str) -> list[str]:
        self.allocator = SubnetAllocator(cluster_ranges(cidrs.split(",")))
        return []

    def do_subnet(self, name: str) -> list[str]:
        answer = self.allocator.allocate(name)
        return [answer.message] if isinstance(answer, SubnetsExhausted) else [" ".join(answer)]

    def do_free(self, name: str) -> list[str]:
        return [" ".join(self.allocator.release(name)) or "nothing"]

    def do_ipam(self, cidrs: str) -> list[str]:
        self.record = FileRecord(self.record_path)
        self.ipam = NodeIpam(cidrs.split(","), self.record)
        return [f"{owner} {' '.join(self.ipam.addresses(owner))}" for owner in sorted(self.ipam.owners())]

    def do_give(self, owner: str) -> list[str]:
        answer = self.ipam.allocate(owner)
        return [answer.message] if isinstance(answer, Exhausted) else [" ".join(answer)]

    def do_take(self, owner: str) -> list[str]:
        return [" ".join(self.ipam.release(owner)) or "nothing"]

    def do_adopt(self, owner: str, addresses: str) -> list[str]:
        return [problem.message for problem in self.ipam.adopt(owner, addresses.split(","))]

    def do_restart(self) -> list[str]:
        self.record.close()
        return self.do_ipam(",".join(self.ipam.cidrs))


def shown(item: object) -> str:
    match item:
        case Sysctl():
            return f"sysctl {item.name}={item.value}"
        case Bridge():
            return f"bridge {item.name} mtu {item.mtu}"
        case BridgeAddress():
            return f"address {item.address} on {item.bridge}"
        case Route():
            return f"route {item.destination} via {item.via} dev {item.device}"
        case Neighbour():
            return f"neighbour {item.address} dev {item.device} at {item.hardware_address}"
    raise AssertionError(item)


def applied(state: ObservedState, action: Action) -> ObservedState:
    """What the kernel makes of an action."""
    item = action.item
    match item:
        case Sysctl():
            return replace(state, sysctls=(*state.sysctls, item))
        case Bridge():
            addresses = state.bridge.addresses if state.bridge else ()
            return replace(state, links=(*state.links, (item.name, "bridge")), bridge=replace(item, addresses=addresses))
        case BridgeAddress():
            assert state.bridge is not None
            kept = tuple(each for each in state.bridge.addresses if each != item.address)
            return replace(state, bridge=replace(state.bridge, addresses=kept if action.verb == "delete" else (*kept, item.address)))
        case Route():
            routes = tuple(each for each in state.routes if each.destination != item.destination)
            return replace(state, routes=routes if action.verb == "delete" else (*routes, item))
        case Neighbour():
            neighbours = tuple(each for each in state.neighbours if each.address != item.address)
            return replace(state, neighbours=neighbours if action.verb == "delete" else (*neighbours, item))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario_goes_as_written(path: Path, tmp_path: Path) -> None:
    world = World(tmp_path)
    written: list[str] = []
    for line in path.read_text().splitlines():
        if line.startswith("    "):
            continue
        written.append(line)
        if line and not line.startswith("#"):
            written += [f"    {output}" for output in world.run(line)]
    told = "\n".join(written) + "\n"
    if os.environ.get("KCORE_REWRITE"):
        path.write_text(told)
    assert told == path.read_text()
