"""When each pod was sent, acknowledged, bound and running, and the figures that follow. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np

PERCENTILES = (50, 95, 99)


@dataclass(slots=True)
class Times:
    """Seconds on one clock, by the name of the pod. `seen` is when a watcher saw the pod for the first time.

    unschedulable   pods of which the scheduler said so, and that were not bound since
    """

    sent: dict[str, float] = field(default_factory=dict)
    acknowledged: dict[str, float] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    bound: dict[str, float] = field(default_factory=dict)
    running: dict[str, float] = field(default_factory=dict)
    unschedulable: set[str] = field(default_factory=set)

    def observe(self, name: str, node: str, phase: str, now: float) -> None:
        """Take in what a watch says of a pod."""
        self.seen.setdefault(name, now)
        if node:
            self.bound.setdefault(name, now)
            self.unschedulable.discard(name)
        if phase == "Running" or phase == "Succeeded":
            self.running.setdefault(name, now)


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles in milliseconds, from sending the create."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Churned:
    """Pods that came and went. `bind_ms` and `run_ms` are of those that came, `delete_ms` is from sending a deletion to seeing it.

    deleted   pods that are gone
    running   pods that came in their place and run
    """

    rate: float
    deleted: int
    running: int
    delete_ms: Latency
    bind_ms: Latency
    run_ms: Latency


@dataclass(frozen=True, slots=True)
class Report:
    """What `kcore load` reports. X_per_s is count / (the last X is seen - the first create is sent); 0 if not all came to X."""

    count: int
    nodes: int
    created_per_s: float
    bound_per_s: float
    running_per_s: float
    create_ms: Latency
    bind_ms: Latency
    run_ms: Latency
    duration_s: float
    events_dropped: int
    pending: int
    failed: int
    churn: Churned | None = None

    def as_dict(self) -> dict[str, object]:
        """The JSON form; it speaks of churn only if there was one."""
        return {name: value for name, value in asdict(self).items() if name != "churn" or value is not None}


def rate(count: int, times: dict[str, float], start: float) -> float:
    """Pods a second until the last one came so far."""
    if len(times) < count or not times:
        return 0.0
    return round(count / max(max(times.values()) - start, 1e-9), 1)


def latency(times: dict[str, float], sent: dict[str, float]) -> Latency:
    """Percentiles of how long pods took to come so far."""
    if not times:
        return Latency(0.0, 0.0, 0.0)
    took = np.fromiter((moment - sent[name] for name, moment in times.items()), np.float64, len(times))
    return Latency(*(round(float(value) * 1000, 1) for value in np.percentile(took, PERCENTILES)))


def report(count: int, nodes: int, times: Times, end: float, events_dropped: int, failed: int) -> Report:
    """The figures of a run that ended at `end`."""
    start = min(times.sent.values(), default=end)
    return Report(
        count=count,
        nodes=nodes,
        created_per_s=rate(count, times.seen, start),
        bound_per_s=rate(count, times.bound, start),
        running_per_s=rate(count, times.running, start),
        create_ms=latency(times.acknowledged, times.sent),
        bind_ms=latency(times.bound, times.sent),
        run_ms=latency(times.running, times.sent),
        duration_s=round(end - start, 3),
        events_dropped=events_dropped,
        pending=count - failed - len(times.bound),
        failed=failed,
    )


def churned(rate: float, times: Times, deletes: dict[str, float], deleted: dict[str, float]) -> Churned:
    """The figures of the pods that came (`times`) and those that went."""
    return Churned(
        rate=rate,
        deleted=len(deleted),
        running=len(times.running),
        delete_ms=latency(deleted, deletes),
        bind_ms=latency(times.bound, times.sent),
        run_ms=latency(times.running, times.sent),
    )
