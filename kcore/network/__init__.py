"""The pod network: pods can reach each other, whatever node they are on.

Role
    Cuts the cluster CIDR into node subnets, gives each pod of a node an address, and says which bridge, routes and neighbours a
    node needs.

Guarantees
    - A node's subnets never overlap another node's, and a subnet that was given back is the last to be given again.
    - An address belongs to one pod at a time, over restarts and races: it is durable before it is handed out, and an address
      that cannot be recorded is not handed out. A released address is the last to be given again.
    - Exhaustion is a value, never an exception.
    - A plan is a pure function of the nodes; actions touch nothing that this network did not make, and never open a hole in a
      route that stays.

Thread rule
    The pure modules (subnet, ipam, plan) are not locked: one owner calls them. `record.FileRecord` blocks on fsync and takes a
    file lock, so that two processes cannot hand out the addresses of one node.

Never
    The API, gRPC, clocks and randomness: nodes come in as values, time as an argument.
"""

from kcore.network.ipam import Exhausted, NodeIpam
from kcore.network.plan import Action, DesiredState, NodeView, ObservedState, diff, plan
from kcore.network.record import FileRecord, MemoryRecord, Record, RecordError
from kcore.network.subnet import ClusterRange, SubnetAllocator, SubnetsExhausted, cluster_ranges

__all__ = [
    "Action",
    "ClusterRange",
    "DesiredState",
    "Exhausted",
    "FileRecord",
    "MemoryRecord",
    "NodeIpam",
    "NodeView",
    "ObservedState",
    "Record",
    "RecordError",
    "SubnetAllocator",
    "SubnetsExhausted",
    "cluster_ranges",
    "diff",
    "plan",
]
