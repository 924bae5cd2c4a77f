"""NodePorts: two pods of a node cannot listen on one port of the host.

The wildcard address (0.0.0.0) collides with every address of the same protocol and port.

Source: kube-scheduler NodePorts.
"""
from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Final

from kcore.scheduler.columns import Columns, Int64
from kcore.scheduler.events import ClusterEvent, NodeChanged, PodGone
from kcore.scheduler.rows import Ask, Port

WILDCARD: Final = "0.0.0.0"


class NodePorts:
    """Reject nodes on which a port that the pod asks for is taken."""

    name: Final = "NodePorts"
    hears: Final = (NodeChanged, PodGone)

    def reads(self, ask: Ask) -> Hashable:
        """Return the ports of the host."""
        return ask.ports or None

    def codes(self, ask: Ask, columns: Columns, start: int, stop: int, out: Int64) -> None:
        """Write 1 where a port is taken."""
        out[start:stop] = 0
        for users in _colliding(ask, columns):
            if stop - start == 1:
                out[start] |= start in users
            else:
                out[[slot for slot in users if start <= slot < stop]] = 1

    def reasons(self, ask: Ask) -> tuple[str, ...]:
        """Return the one reason."""
        return ("node(s) didn't have free ports for the requested pod ports",)

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """A new node helps, or the end of a pod that held one of the ports."""
        if isinstance(event, NodeChanged):
            return event.old is None
        return isinstance(event, PodGone) and any(collide(held, asked) for held in event.account.ports for asked in ask.ports)


def collide(left: Port, right: Port) -> bool:
    """Say whether two pods cannot have these ports on one node."""
    return left[1:] == right[1:] and (left[0] == right[0] or WILDCARD in (left[0], right[0]))


def _colliding(ask: Ask, columns: Columns) -> Iterator[dict[int, int]]:
    for port in ask.ports:
        host, protocol, number = port
        for other in columns.port_hosts.get((protocol, number), ()):
            if host == other or WILDCARD in (host, other):
                yield columns.ports[(other, protocol, number)]
