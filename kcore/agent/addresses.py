"""What hollow nodes need of an address manager. `kcore.network.NodeIpam` is one; `kcore.serve` hands it in."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable


class Exhausted(Protocol):
    """No address is free. `rest_s` is above 0 if one only has to rest that much longer."""

    @property
    def message(self) -> str:
        """One sentence for the pod's event."""
        ...

    @property
    def rest_s(self) -> float:
        """Seconds until it makes sense to ask again; 0 if somebody must release first."""
        ...


class Problem(Protocol):
    """Why an address could not be adopted."""

    @property
    def message(self) -> str:
        """One sentence for the log."""
        ...


@runtime_checkable
class PodAddresses(Protocol):
    """The addresses of one node's pods, by the pods' uids."""

    def allocate(self, owner: str, now: float = 0.0) -> "tuple[str, ...] | Exhausted":
        """Give the pod its addresses; one that has them keeps them."""
        ...

    def release(self, owner: str, now: float = 0.0) -> tuple[str, ...]:
        """Take a pod's addresses back; empty if it had none."""
        ...

    def adopt(self, owner: str, addresses: Sequence[str]) -> "tuple[Problem, ...]":
        """Take over what the pod's status says, all or none."""
        ...

    def addresses(self, owner: str) -> tuple[str, ...]:
        """What a pod has; empty if nothing."""
        ...


AddressesFor = Callable[[Sequence[str]], PodAddresses]
"""Opens the addresses of a node by its podCIDRs. Raises ValueError for a CIDR that cannot serve."""


class NodeSubnets(Protocol):
    """Gives nodes their podCIDRs where no controller does. `kcore.network.SubnetAllocator` is one."""

    def allocate(self, node: str) -> "tuple[str, ...] | SubnetsExhausted":
        """Give the node its subnets; one that has them keeps them."""
        ...

    def adopt(self, node: str, cidrs: Sequence[str]) -> "tuple[Problem, ...]":
        """Take over what a node's podCIDRs say."""
        ...

    def release(self, node: str) -> tuple[str, ...]:
        """Free the node's subnets."""
        ...


class SubnetsExhausted(Protocol):
    """No subnet is free."""

    @property
    def message(self) -> str:
        """One sentence for the log."""
        ...
