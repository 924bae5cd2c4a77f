"""The table of rows: what `kcore bench` measures in each size, and the targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

Targets = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Rest:
    """A control plane that starts, `starts` times, and then does nothing for `idle_s`, after `settle_s`."""

    name: str
    nodes: int
    starts: int
    settle_s: float
    idle_s: float
    targets: Targets = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PodLoad:
    """Generated pods on hollow nodes. `beside` names an earlier row: bound pods a second are compared with it, as `speed_ratio`."""

    name: str
    nodes: int
    count: int
    vary: bool = False
    beside: str = ""
    targets: Targets = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Requests:
    """One kind of request from a C client, so many in flight: unary calls through gRPC, or HTTP/1.1 with `https`, JSON both ways."""

    name: str
    verb: str
    in_flight: int
    count: int
    targets: Targets = field(default_factory=dict)
    https: bool = False


@dataclass(frozen=True, slots=True)
class List:
    """A list of so many pods in one response."""

    name: str
    pods: int
    rounds: int
    targets: Targets = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HttpList:
    """A list of so many pods over HTTPS in the form `accept`, `limit` at a time (0: all), asked for `rounds` times."""

    name: str
    pods: int
    accept: str
    limit: int
    rounds: int
    targets: Targets = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Watches:
    """Events, one after the other, each to all of so many watches on so many connections."""

    name: str
    watches: int
    connections: int
    events: int
    targets: Targets = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HttpWatches:
    """Events, one after the other, each to all of so many watches of all pods over HTTPS."""

    name: str
    watches: int
    events: int
    targets: Targets = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IdleWatches:
    """So many watches over HTTPS of which nothing comes: what they cost in memory."""

    name: str
    watches: int
    targets: Targets = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Applies:
    """Server-side applies of Deployments over HTTPS, so many in flight; `changed`: each is another configuration than the one before."""

    name: str
    changed: bool
    in_flight: int
    count: int
    targets: Targets = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kubectl:
    """`kubectl get pods` of so many pods beside kubectl's own start, `rounds` times each."""

    name: str
    pods: int
    rounds: int
    targets: Targets = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """From `kcore up` until `kubectl get nodes` is answered, `starts` times."""

    name: str
    nodes: int
    starts: int
    targets: Targets = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flood:
    """Gets of a quiet client, one at a time, beside those of another user, so many of them in flight."""

    name: str
    in_flight: int
    calls: int
    targets: Targets = field(default_factory=dict)
    https: bool = False


Row = Rest | PodLoad | Requests | List | HttpList | Watches | HttpWatches | IdleWatches | Applies | Kubectl | FirstAnswer | Flood

PROTOBUF: Final = "application/vnd.kubernetes.protobuf"
JSON: Final = "application/json"
TABLE: Final = "application/json;as=Table;v=v1;g=meta.k8s.io"

LOAD: Final = PodLoad(
    "20,000 pods, 5,000 nodes", 5_000, 20_000, targets={"created_per_s": 4_000, "bound_per_s": 4_000, "running_per_s": 2_000}
)
VARIED: Final = PodLoad(
    "20,000 pods, 5,000 nodes, all different", 5_000, 20_000, vary=True, targets={"created_per_s": 2_000, "bound_per_s": 2_000}
)
LARGE: Final = PodLoad("50,000 pods, 5,000 nodes", 5_000, 50_000, targets={"memory_mb": 1_536})

SIZES: Final[Mapping[str, tuple[Row, ...]]] = {
    "full": (
        Rest("start and rest, 100 nodes", 100, 5, 5.0, 60.0, {"start_s": 1.2, "memory_mb": 250, "idle_cpu_percent": 2}),
        Rest("start and rest, 5,000 nodes", 5_000, 1, 5.0, 60.0, {"idle_cpu_percent": 15}),
        LOAD,
        VARIED,
        LARGE,
        Requests("create, 64 in flight", "create", 64, 8_000, {"calls_per_s": 2_000}),
        Requests("create, one at a time", "create", 1, 2_000, {"calls_per_s": 500}),
        Requests("get, 64 in flight", "get", 64, 20_000, {"calls_per_s": 5_000}),
        Requests("get, one at a time", "get", 1, 5_000, {"calls_per_s": 1_200}),
        List("list 7,000 pods in one response", 7_000, 15, {"list_s": 0.08}),
        Requests("create over HTTPS, 64 in flight", "create", 64, 8_000, {"calls_per_s": 1_800}, https=True),
        Requests("create over HTTPS, one at a time", "create", 1, 2_000, {"calls_per_s": 500}, https=True),
        Requests("get over HTTPS, 64 in flight", "get", 64, 20_000, {"calls_per_s": 5_000}, https=True),
        Requests("get over HTTPS, one at a time", "get", 1, 5_000, {"calls_per_s": 1_200}, https=True),
        HttpList("list 7,000 pods over HTTPS, protobuf", 7_000, PROTOBUF, 0, 15, {"list_s": 0.08}),
        HttpList("list 7,000 pods over HTTPS, JSON", 7_000, JSON, 0, 15, {"list_s": 0.3}),
        HttpList("list 500 of 7,000 pods over HTTPS, as a Table", 7_000, TABLE, 500, 15, {"list_s": 0.02}),
        Watches("one event to 2,000 watches on 20 connections", 2_000, 20, 100, {"p99_ms": 300}),
        HttpWatches("one event to 1,000 watches over HTTPS", 1_000, 100, {"p99_ms": 50}),
        IdleWatches("10,000 idle watches over HTTPS", 10_000, {"more_mb": 400}),
        Flood("a get beside a flood of 3,000", 3_000, 500, {"p99_ms": 100}),
        Flood("a get over HTTPS beside a flood of 1,000", 1_000, 500, {"p99_ms": 100}, https=True),
        Applies("apply over HTTPS, unchanged, 16 in flight", False, 16, 8_000, {"calls_per_s": 800}),
        Applies("apply over HTTPS, changed, 16 in flight", True, 16, 4_000, {"calls_per_s": 500}),
        Kubectl("kubectl get pods, 5 pods", 5, 25, {"of_own_start": 1.3}),
        FirstAnswer("kcore up until kubectl get nodes is answered", 5, 5, {"answered_s": 1.5}),
    ),
    "huge": (
        PodLoad("10,000 pods, 1,000 nodes", 1_000, 10_000),
        LOAD,
        LARGE,
        PodLoad("100,000 pods, 10,000 nodes", 10_000, 100_000, beside=LOAD.name, targets={"speed_ratio": 0.7}),
    ),
    "smoke": (
        Rest("start and rest, 2 nodes", 2, 1, 0.0, 0.2),
        PodLoad("20 pods, 2 nodes, all different", 2, 20, vary=True),
        PodLoad("20 pods, 2 nodes", 2, 20, beside="20 pods, 2 nodes, all different"),
        Requests("create, 4 in flight", "create", 4, 20),
        Requests("get, one at a time", "get", 1, 20),
        Requests("create over HTTPS, 4 in flight", "create", 4, 20, https=True),
        Requests("get over HTTPS, one at a time", "get", 1, 20, https=True),
        List("list 50 pods in one response", 50, 3),
        HttpList("list 50 pods over HTTPS, as a Table", 50, TABLE, 20, 3),
        Watches("one event to 20 watches on 2 connections", 20, 2, 5),
        HttpWatches("one event to 10 watches over HTTPS", 10, 3),
        IdleWatches("10 idle watches over HTTPS", 10),
        Applies("apply over HTTPS, unchanged, 2 in flight", False, 2, 10),
        Applies("apply over HTTPS, changed, 2 in flight", True, 2, 10),
        Kubectl("kubectl get pods, 2 pods", 2, 1),
        FirstAnswer("kcore up until kubectl get nodes is answered", 2, 1),
        Flood("a get beside a flood of 8", 8, 5),
        Flood("a get over HTTPS beside a flood of 8", 8, 5, https=True),
    ),
}


def is_at_least(figure: str) -> bool:
    """Whether a figure has to reach its target; others must not exceed it."""
    return figure.endswith(("_per_s", "_ratio"))


def is_met(figure: str, value: float, target: float) -> bool:
    """Whether a figure is what it should be."""
    return value >= target if is_at_least(figure) else value <= target
