"""What the scheduler knows of a pod and of a node: plain, comparable values, whatever form they were read from.

A pod is three things to a scheduler, and its row keeps them apart:
- who it is and where it stands in its life (the fields of `PodRow`)
- `Ask`: all that filters and scores read of it. Pods of one template have equal asks, so an ask is the key under which results are kept
- `Account`: what it takes on its node once it is there, and, as its `Peer`, what the wishes of other pods see of it

Two equal rows mean that nothing changed for the scheduler, however many events came between.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from kcore.scheduler.dra.asks import ClaimReference, DeviceNeeds, ExtendedContainer
from kcore.scheduler.requests import Amounts
from kcore.scheduler.volumes.asks import Needs, PodVolumes

Port = tuple[str, str, int]

HARD: Final = ("NoSchedule", "NoExecute")
"""The effects of taints that keep pods away."""


class Taint(NamedTuple):
    """A taint of a node."""

    key: str
    value: str
    effect: str


class Toleration(NamedTuple):
    """A toleration of a pod; empty strings stand for what is not given."""

    key: str
    operator: str
    value: str
    effect: str


class Expression(NamedTuple):
    """One requirement on a label (or on a field) of a node."""

    key: str
    operator: str
    values: tuple[str, ...]


class Term(NamedTuple):
    """Requirements that must all hold; a term without any matches nothing."""

    expressions: tuple[Expression, ...]
    fields: tuple[Expression, ...]


class Preference(NamedTuple):
    """A term that earns its weight where it holds."""

    weight: int
    term: Term


class PodSelector(NamedTuple):
    """The pods that a wish is about.

    expressions         on their labels: none selects all pods, None selects no pod
    namespaces          names of the namespaces that they are in
    namespace_selector  on the labels of further namespaces; None for no further one
    """

    expressions: tuple[Expression, ...] | None
    namespaces: tuple[str, ...] = ()
    namespace_selector: tuple[Expression, ...] | None = None


class PodTerm(NamedTuple):
    """Pods, and the topology key of which a node shares its value with them."""

    pods: PodSelector
    key: str


class PodPreference(NamedTuple):
    """What each pod of a term within a topology value adds to it; negative for pods that are avoided."""

    weight: int
    term: PodTerm


class PodAffinity(NamedTuple):
    """Wishes about pods nearby: those that must be there, those that must not, and preferences."""

    required: tuple[PodTerm, ...] = ()
    avoided: tuple[PodTerm, ...] = ()
    preferred: tuple[PodPreference, ...] = ()


class Spread(NamedTuple):
    """A topology spread constraint.

    hard            DoNotSchedule; else ScheduleAnyway
    honors_affinity nodes that the pod's selector or affinity excludes do not count
    honors_taints   nodes with taints that it does not tolerate do not count
    """

    key: str
    max_skew: int
    hard: bool
    pods: PodSelector
    min_domains: int = 1
    honors_affinity: bool = True
    honors_taints: bool = False


class Owner(NamedTuple):
    """The workload that controls a pod."""

    kind: str
    name: str


class Unsupported(NamedTuple):
    """A wish that no plugin of this version decides: the plugin that upstream has for it, and the wish in words."""

    plugin: str
    wish: str


class Ask(NamedTuple):
    """What a pod asks of a node: every value that a plugin reads of the pod.

    node_name      the one node that may take it, or ""; a pod on its way in names none (it would be bound), a what-if question may
    node_selector  (label, value) pairs, sorted
    required       terms of which one must hold, or None where there is no such requirement
    ports          (host IP, protocol, host port)
    amounts        (resource, amount) of all non-zero requests; nonzero_cpu and nonzero_memory are what scores count
    images         normalised names of all containers' images, init containers too
    priority       what it may preempt, and which nominated pods come before it; never_preempt: its preemptionPolicy is Never
    spread         topology spread constraints; affinity: wishes about pods nearby, None where there are none
    volumes        its claims and disks, or None; when it is decided about, needs says instead what they mean just then
    claims         its resource claims, or None; likewise, device_needs
    extended       which of its containers ask for extended resources, that devices may provide
    """

    node_name: str = ""
    tolerations: tuple[Toleration, ...] = ()
    node_selector: tuple[tuple[str, str], ...] = ()
    required: tuple[Term, ...] | None = None
    preferred: tuple[Preference, ...] = ()
    ports: tuple[Port, ...] = ()
    amounts: Amounts = ()
    nonzero_cpu: int = 0
    nonzero_memory: int = 0
    images: tuple[str, ...] = ()
    priority: int = 0
    never_preempt: bool = False
    spread: tuple[Spread, ...] = ()
    affinity: PodAffinity | None = None
    volumes: PodVolumes | None = None
    needs: Needs | None = None
    claims: tuple[ClaimReference, ...] | None = None
    device_needs: DeviceNeeds | None = None
    extended: tuple[ExtendedContainer, ...] = ()

    @property
    def claim_keys(self) -> frozenset[str]:
        """Return namespace/name of all claims that the pod names, of volumes and of devices; distinct kinds may share a name."""
        volumes = (use.key for use in self.volumes.claims) if self.volumes is not None else ()
        return frozenset((*volumes, *(reference.key for reference in self.claims or () if reference.key)))


class Peer(NamedTuple):
    """What the wishes of other pods see of a pod; labels are (label, value) pairs, sorted."""

    namespace: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    terminating: bool = False
    affinity: PodAffinity | None = None


class Account(NamedTuple):
    """What a placed pod takes on its node, and shows there."""

    amounts: Amounts = ()
    nonzero_cpu: int = 0
    nonzero_memory: int = 0
    ports: tuple[Port, ...] = ()
    priority: int = 0
    peer: Peer = Peer()
    volumes: PodVolumes | None = None


class PodRow(NamedTuple):
    """A pod as the scheduler sees it.

    node_name    spec.nodeName: "" until it is bound
    finished     in phase Succeeded or Failed: it takes nothing any more
    terminating  it has a deletionTimestamp: it still takes its place, and is not scheduled any more
    gates        names of its scheduling gates
    conditions   its status conditions as bytes, which a new PodScheduled condition is written among; generation: metadata.generation
    owner        the workload that controls it, of the kinds whose selector counts
    nominated    the node that was cleared for it by preemption, or ""
    started      status.startTime in seconds, 0 before
    preempted    it is terminating because a scheduler preempted it
    pod_group    the name of the PodGroup that it belongs to, or ""
    """

    namespace: str
    name: str
    uid: str
    scheduler_name: str
    node_name: str
    priority: int
    finished: bool
    terminating: bool
    gates: tuple[str, ...]
    ask: Ask
    account: Account
    conditions: tuple[bytes, ...] = ()
    generation: int = 0
    owner: Owner | None = None
    nominated: str = ""
    started: int = 0
    preempted: bool = False
    pod_group: str = ""

    @property
    def key(self) -> str:
        """Return namespace/name."""
        return f"{self.namespace}/{self.name}"


class Image(NamedTuple):
    """An image that a node holds."""

    names: tuple[str, ...]
    size_bytes: int


class NodeRow(NamedTuple):
    """A node as the scheduler sees it; allocatable holds all resources but pods; usage is what its annotation says is measured."""

    name: str
    labels: Mapping[str, str]
    unschedulable: bool
    taints: tuple[Taint, ...]
    allocatable: Amounts
    pod_limit: int
    images: tuple[Image, ...] = ()
    usage: Amounts = ()


def rejecting(taint: Taint, tolerations: tuple[Toleration, ...]) -> bool:
    """Say whether a taint keeps the pod away."""
    return taint.effect in HARD and not tolerated(taint, tolerations)


def tolerated(taint: Taint, tolerations: tuple[Toleration, ...]) -> bool:
    """Say whether any toleration tolerates the taint."""
    return any(_tolerates(toleration, taint) for toleration in tolerations)


class Tolerances:
    """The tolerations of a pod by their keys, to ask about many taints."""

    __slots__ = ("_by_key",)

    def __init__(self, tolerations: Iterable[Toleration]) -> None:
        self._by_key: dict[str, list[Toleration]] = {}
        for toleration in tolerations:
            self._by_key.setdefault(toleration.key, []).append(toleration)

    def tolerate(self, taint: Taint) -> bool:
        """Say whether any toleration tolerates the taint."""
        return any(_tolerates(each, taint) for key in (taint.key, "") for each in self._by_key.get(key, ()))

    def reject(self, taint: Taint) -> bool:
        """Say whether a taint keeps the pod away."""
        return taint.effect in HARD and not self.tolerate(taint)


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator in ("", "Equal"):
        return bool(toleration.key) and toleration.value == taint.value
    return toleration.operator == "Exists"
