"""How hollow nodes look and how long what they pretend takes."""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

EXIT_CODE = "kcore.io/exit-code"
EXIT_AFTER = "kcore.io/exit-after"
"""Annotations of a pod whose containers finish: with which code (default 0), and after how many seconds of running (default 0)."""

USAGE = "kcore.io/usage"
"""Annotation of a hollow node: the use that it pretends to measure."""

UNPULLABLE = r":404$|^invalid\.|[/:]non-?existent([/:@]|$)"
"""Images that no registry has: those which the official conformance tests take for that, or which say so."""


@dataclass(frozen=True, slots=True)
class HollowSettings:
    """What containers of hollow nodes do. All delays are lengthened by up to `jitter` of themselves, by chance.

    sandbox_delay_s     from being bound to having an address
    pull_delay_s        from there to having the image
    start_delay_s       from there to running
    readiness_delay_s   from having started to being ready, on top of the probe's initialDelaySeconds
    init_run_s          how long an init container runs
    job_run_s           how long the containers of a Job's pod run before they exit with 0
    termination_s       how long a pod takes to end when it is deleted, bounded by its grace period
    failure_rate        chance that a container, once started, exits with 1 after `failure_after_s`
    pull_failure_rate   chance that an image cannot be pulled at one attempt
    unpullable          regular expression; an image in which it is found is never pulled
    """

    sandbox_delay_s: float = 0.0
    pull_delay_s: float = 0.0
    start_delay_s: float = 0.0
    readiness_delay_s: float = 0.0
    init_run_s: float = 0.0
    job_run_s: float = 1.0
    termination_s: float = 0.0
    failure_rate: float = 0.0
    failure_after_s: float = 1.0
    pull_failure_rate: float = 0.0
    jitter: float = 0.0
    unpullable: str = UNPULLABLE
    _unpullable: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_unpullable", re.compile(self.unpullable))

    @property
    def is_instant(self) -> bool:
        """Say whether containers start without delay and never fail by chance."""
        delays_s = self.sandbox_delay_s + self.pull_delay_s + self.start_delay_s + self.readiness_delay_s
        return not delays_s and not self.failure_rate and not self.pull_failure_rate

    def is_pullable(self, image: str) -> bool:
        """Say whether some registry has the image."""
        return self._unpullable.search(image) is None


@dataclass(frozen=True, slots=True)
class NodeShape:
    """A group of equal hollow nodes.

    capacity   amounts that differ from those of all nodes, or that those do not have, as Kubernetes quantities
    labels     labels beside, or over, those of all nodes
    taints     key, value and effect of each taint
    """

    count: int
    capacity: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[Mapping[str, str]] = ()


PLAIN_SHAPE = NodeShape(0)


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """How hollow nodes look.

    count           how many there are; their names are `name_prefix` and a number
    shapes          groups of nodes that differ, in the order of the nodes; nodes beyond them are plain
    zones           names of the zones that nodes are spread over in turn; none: no zone label
    capacity        amounts of each resource, as Kubernetes quantities
    awaits_cidr     nodes count as ready only with a podCIDR and without the not-ready taint: where controllers run
    kubelet_port    where the nodes' kubelet endpoint is served; 0: nowhere
    """

    count: int = 10
    name_prefix: str = "node-"
    zones: tuple[str, ...] = ("zone-a", "zone-b", "zone-c")
    region: str = "region-1"
    labels: Mapping[str, str] = field(default_factory=dict)
    capacity: Mapping[str, str] = field(
        default_factory=lambda: {"cpu": "32", "memory": "256Gi", "pods": "110", "ephemeral-storage": "512Gi"}
    )
    architecture: str = "amd64"
    awaits_cidr: bool = False
    kubelet_address: str = ""
    kubelet_port: int = 0
    shapes: tuple[NodeShape, ...] = ()
    _ends: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ends", tuple(accumulate(shape.count for shape in self.shapes)))

    def shape(self, index: int) -> NodeShape:
        """The group that a node belongs to."""
        place = bisect_right(self._ends, index)
        return self.shapes[place] if place < len(self.shapes) else PLAIN_SHAPE

    def name(self, index: int) -> str:
        """Name of a node."""
        return f"{self.name_prefix}{index}"

    def names(self) -> list[str]:
        """Names of all nodes, by index."""
        return [self.name(index) for index in range(self.count)]
