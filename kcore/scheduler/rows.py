"""What the scheduler knows of a pod and of a node: plain, comparable values, whatever form they were read from.

A pod is three things to a scheduler, and its row keeps them apart:
- who it is and where it stands in its life (the fields of `PodRow`)
- `Ask`: all that filters and scores read of it. Pods of one template have equal asks, so an ask is the key under which results are kept
- `Account`: what it takes on its node once it is there

Two equal rows mean that nothing changed for the scheduler, however many events came between.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kcore.scheduler.requests import Amounts

Port = tuple[str, str, int]


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
    never_preempt  its preemptionPolicy is Never
    unsupported    hard wishes that would be broken if they were passed over
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
    never_preempt: bool = False
    unsupported: tuple[Unsupported, ...] = ()


class Account(NamedTuple):
    """What a placed pod takes on its node."""

    amounts: Amounts = ()
    nonzero_cpu: int = 0
    nonzero_memory: int = 0
    ports: tuple[Port, ...] = ()
    priority: int = 0


class PodRow(NamedTuple):
    """A pod as the scheduler sees it.

    node_name    spec.nodeName: "" until it is bound
    finished     in phase Succeeded or Failed: it takes nothing any more
    terminating  it has a deletionTimestamp: it still takes its place, and is not scheduled any more
    gates        names of its scheduling gates
    conditions   its status conditions as bytes, which a new PodScheduled condition is written among; generation: metadata.generation
    ignored      soft wishes that no plugin of this version decides
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
    ignored: tuple[Unsupported, ...] = ()
    conditions: tuple[bytes, ...] = ()
    generation: int = 0

    @property
    def key(self) -> str:
        """Return namespace/name."""
        return f"{self.namespace}/{self.name}"


class Image(NamedTuple):
    """An image that a node holds."""

    names: tuple[str, ...]
    size_bytes: int


class NodeRow(NamedTuple):
    """A node as the scheduler sees it; allocatable holds all resources but pods."""

    name: str
    labels: Mapping[str, str]
    unschedulable: bool
    taints: tuple[Taint, ...]
    allocatable: Amounts
    pod_limit: int
    images: tuple[Image, ...] = ()
