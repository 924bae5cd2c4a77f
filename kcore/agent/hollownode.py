"""One hollow node: what is known of its object, its addresses, and the pods that are on it."""

from dataclasses import dataclass, field
from math import inf

from kcore.agent.addresses import PodAddresses
from kcore.agent.nodestate import NodeFacts
from kcore.agent.podprofile import PodProfile
from kcore.agent.podstate import PodState


@dataclass(slots=True, eq=False)
class HollowNode:
    """A node that this process simulates. Compared by identity.

    facts      what counts of its object; None while there is none
    raw        its object as it was seen last, and `revision` of that
    addresses  of its pods; None while it has no podCIDR
    is_registered   its object was there once, so that it is not registered again
    waiting    pods that wait for addresses, in the order in which they came
    """

    name: str
    index: int
    facts: NodeFacts | None = None
    raw: bytes = b""
    revision: int = 0
    written: int = 0
    is_registered: bool = False
    addresses: PodAddresses | None = None
    lease_version: str = ""
    pods: set["HollowPod"] = field(default_factory=set)
    waiting: dict["HollowPod", None] = field(default_factory=dict)

    @property
    def host_ips(self) -> tuple[str, ...]:
        """Addresses of the node itself."""
        return self.facts.host_ips if self.facts else ()


@dataclass(slots=True, eq=False)
class HollowPod:
    """A pod on a hollow node. Compared by identity.

    raw        its object as it was seen last, kept only while it may be written; `revision` is that of the object seen last
    written    revision that this process's last write made
    rendered   the bytes to write, as the status has to be now; empty if there is nothing to write
    wakes_s    steady time for which it is in the queue of timers
    """

    key: str
    namespace: str
    name: str
    uid: str
    node: HollowNode
    profile: PodProfile
    state: PodState
    generation: int = 0
    raw: bytes = b""
    revision: int = 0
    written: int = 0
    rendered: bytes = b""
    rendered_from: int = 0
    wakes_s: float = inf
    failures: int = 0
    is_stale: bool = False
    is_held: bool = False
    is_deleted: bool = False
    is_gone: bool = False
