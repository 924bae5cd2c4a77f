"""What a cluster under test consists of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from kcore.base.features import parse
from kcore.serve.parts import PARTS

if TYPE_CHECKING:  # importing the node side is dear, and many tests want no nodes
    from kcore.agent.settings import HollowSettings, NodeSettings

APISERVER: Final = "apiserver"
NODES: Final = "nodes"
DEFAULT_PARTS: Final = ("scheduler", "controllers")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a cluster under test consists of.

    parts         those beside the API server, which is always there; hollow nodes come with their number
    nodes         how many hollow nodes, or how they look
    hollow        what containers of hollow nodes do
    port          of gRPC with TLS on loopback; 0: a free one; HTTPS is then on a free one; None: no port is opened
    virtual_time  of `SyncCluster` and the pytest fixture, which make a loop; a `Cluster` has the time of the loop that it is started in
    seed          of names and uids; None: by chance
    optional      controllers that are off by default, to run beside the others
    features      names of those that are switched on, as by --feature-gates
    """

    parts: tuple[str, ...] = DEFAULT_PARTS
    nodes: int | NodeSettings = 0
    hollow: HollowSettings | None = None
    port: int | None = None
    virtual_time: bool = False
    seed: int | None = None
    optional: tuple[str, ...] = ()
    features: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        parse(",".join(f"{name}=true" for name in self.features))
        if unknown := sorted(set(self.parts) - PARTS.keys()):
            raise ValueError(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")

    def clients(self) -> tuple[str, ...]:
        """The parts that run beside the API server, in the order in which they start."""
        named = tuple(part for part in self.parts if part not in (APISERVER, NODES))
        return (*named, NODES) if self.nodes else named

    def of(self, part: str) -> object:
        """The settings of a part."""
        if part == "scheduler":
            from kcore.scheduler.configuration.reading import Configuration

            return Configuration(features=frozenset(self.features))
        if part == "controllers":
            from kcore.controllers.settings import Settings as ControllerSettings

            return ControllerSettings(optional=self.optional, features=frozenset(self.features))
        if part != NODES:
            return None
        from kcore.agent.settings import HollowSettings, NodeSettings

        given = NodeSettings(count=self.nodes) if isinstance(self.nodes, int) else self.nodes
        return replace(given, awaits_cidr="controllers" in self.parts), self.hollow or HollowSettings()
