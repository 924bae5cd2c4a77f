"""Where one pod's microseconds go in the API server: each step of the pipeline timed by itself, without sockets.

    python -m bench.load.steps [--count N] [--vary]

Bulk requests of 500 pods go through the server's own code: creates, bindings, status updates and Scheduled events, what a preemption and
what the binding of a volume writes, and deletions, with three watchers of pods, as many as the control plane has. A step's time is the
best of all requests (divided by its pods), since whatever else the machine does only adds. What the processes use in all, gRPC and TLS
included, is in the report of `kcore bench` (`cpu_us_per_pod`).
"""

from __future__ import annotations

import asyncio
import gc
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click

from kcore.api.core.v1 import (
    binding_pb2,
    event_pb2,
    node_pb2,
    persistent_volume_claim_pb2,
    persistent_volume_pb2,
    pod_pb2,
    service_account_pb2,
)
from kcore.apiserver import body, bulk, objects, registry, strategy
from kcore.apiserver.admission import Chain
from kcore.apiserver.bulk import BulkStream, split
from kcore.apiserver.entry.gate import Caller
from kcore.apiserver.server import ApiServer
from kcore.base.clock import SystemClock
from kcore.base.entropy import SystemEntropy
from kcore.client import items, kinds
from kcore.client.objects import STRATEGIC_MERGE_PATCH
from kcore.load.pods import Plan, pods
from kcore.machinery import codec, scheme
from kcore.machinery._bulk import split_results
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.kinds import rules
from kcore.machinery.request import User
from kcore.store import Engine, engine
from kcore.watch import Hub, Watcher, WatchSpec

CHUNK: Final = 500
WATCHERS: Final = 3
NODES: Final = 100
ADMIN: Final = User("admin", "1", ("system:masters", "system:authenticated"))
PODS: Final = kinds.resource("", "v1", "pods")
TIME: Final = "2026-01-01T00:00:00Z"
POD: Final = GroupVersionKind("", "v1", "Pod")

# step -> where those who call it look it up. A step within another is taken off the outer one; "the rest" is everything between them.
STEPS: Final[tuple[tuple[str, Any, str], ...]] = (
    ("read the item", bulk, "request_of"),
    ("decode the body", body, "decode"),
    ("decode the stored object", objects.Stored, "obj"),
    ("defaults", strategy, "prepare_default"),
    ("admission", Chain, "mutate"),
    ("validate", rules, "check_create"),
    ("encode", registry, "encode"),
    ("splice", codec.Splice, "__call__"),
    ("store: compare, index", Engine, "submit"),
    ("store: commit with fsync", engine, "commit"),
    ("hub: project, offer", Hub, "publish"),
)
REST, FAN_OUT = "the rest of the pipeline", f"watch: encode once, {WATCHERS} watchers"


class Stopwatch:
    """Exclusive time of each step."""

    def __init__(self) -> None:
        self.spent_s: dict[str, float] = defaultdict(float)
        self.inner_s = [0.0]

    def timed(self, step: str, act: Callable[..., Any]) -> Callable[..., Any]:
        """A function that is timed as a step."""

        def call(*arguments: Any, **named: Any) -> Any:
            self.inner_s.append(0.0)
            began = time.perf_counter()
            try:
                return act(*arguments, **named)
            finally:
                took_s = time.perf_counter() - began
                self.spent_s[step] += took_s - self.inner_s.pop()
                self.inner_s[-1] += took_s

        return call

    def install(self) -> None:
        """Time every step where it is called; for this process's life."""
        for step, owner, name in STEPS:
            setattr(owner, name, self.timed(step, getattr(owner, name)))
        part = registry.PARTS["status"]
        registry.PARTS["status"] = registry.Part(part.prepare, self.timed("validate", part.check))

    def lap(self) -> dict[str, float]:
        """What was spent since the last lap."""
        found, self.spent_s, self.inner_s = dict(self.spent_s), defaultdict(float), [0.0]
        return found


class Bench:
    """An API server without sockets, and the requests that it gets."""

    def __init__(self, folder: Path, watch: Stopwatch) -> None:
        self.engine = Engine(folder, SystemClock(), SystemEntropy(), threaded=False)
        self.server = ApiServer(scheme.load(), self.engine, SystemClock(), SystemEntropy(), ["10.96.0.0/16"])
        self.stream = BulkStream(self.server.pipeline, Caller(ADMIN))
        self.spec = scheme.load().kinds[POD]
        self.watch = watch
        self.watchers: list[Watcher] = []

    def follow(self) -> None:
        """Let watchers follow the pods."""
        forms = self.server.pipeline.reads.forms_of(self.spec)
        everything = WatchSpec("", "", None, None, False)
        hub = self.server.hub
        self.watchers = [hub.watch(self.spec.storage, everything, forms.typed, hub.revision) for _ in range(WATCHERS)]

    def send(self, wanted: Sequence[items.Item]) -> dict[str, float]:
        """Send items; -> best microseconds of each step. A step that a request does without takes none: what is decided once is no best."""
        laps: list[dict[str, float]] = []
        for chunk in (wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)):
            request = b"".join(chunk)
            gc.collect()
            self.watch.lap()
            began = time.perf_counter()
            response = self.decide(request)
            self.engine.flush()
            total_s = time.perf_counter() - began
            spent_s = self.watch.lap()
            spent_s[REST] = total_s - sum(spent_s.values())
            refused = [failure for failure, *_ in split_results(response) if failure is not None]
            assert not refused, refused[0]
            spent_s[FAN_OUT] = self.drain()
            laps.append({step: took_s * 1e6 / len(chunk) for step, took_s in spent_s.items()})
        return {step: min(lap.get(step, 0.0) for lap in laps) for step in set().union(*laps)}

    def decide(self, request: bytes) -> bytes:
        """Decide a request as the server does, without giving way to others."""
        wanted, _, with_objects = split(request)
        results: list[bytes] = []
        self.stream.decide_each(wanted, with_objects, results)
        return b"".join(results)

    def drain(self) -> float:
        """Let the watchers take what waits for them; -> seconds."""
        began = time.perf_counter()
        for watcher in self.watchers:
            while watcher.queue:
                b"".join(watcher.take())
        return time.perf_counter() - began


def item(verb: str, resource: str, message: Any, subresource: str = "") -> items.Item:
    """An item of a bulk write."""
    metadata = message.metadata
    handle = kinds.resource("", "v1", resource)
    return items.raw(
        verb, handle, message.SerializeToString(), namespace=metadata.namespace, name=metadata.name, subresource=subresource
    )


def prerequisites() -> list[items.Item]:
    """What pods need: an account and nodes."""
    account = service_account_pb2.ServiceAccount()
    account.metadata.name, account.metadata.namespace = "default", "default"
    found = [item("create", "serviceaccounts", account)]
    for index in range(NODES):
        node = node_pb2.Node()
        node.metadata.name = f"node-{index}"
        found.append(item("create", "nodes", node))
    return found


def binding(index: int, name: str) -> items.Item:
    """What the scheduler sends."""
    made = binding_pb2.Binding()
    made.metadata.name, made.metadata.namespace = name, "default"
    made.target.kind, made.target.name = "Node", f"node-{index % NODES}"
    return item("create", "pods", made, "binding")


def running(raw: bytes) -> items.Item:
    """What a node sends when the pod runs."""
    pod = pod_pb2.Pod.FromString(raw)
    pod.status.phase, pod.status.podIP, pod.status.hostIP = "Running", "10.128.0.7", "10.0.0.1"
    pod.status.podIPs.add(ip="10.128.0.7")
    for kind in ("Initialized", "ContainersReady", "Ready"):
        pod.status.conditions.add(type=kind, status="True").lastTransitionTime.seconds = 1_767_225_600
    container = pod.status.containerStatuses.add(name="app", ready=True, started=True, image="pause", imageID="sha256:0")
    container.state.running.startedAt.seconds = 1_767_225_600
    return item("update", "pods", pod, "status")


def victim(name: str) -> items.Item:
    """What the scheduler says of a pod that it preempts."""
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler", "lastTransitionTime": TIME}
    condition["message"] = "default-scheduler: preempting to accommodate a higher priority pod"
    patch = {"status": {"conditions": [condition]}}
    return items.patch(PODS, name, patch, namespace="default", content_type=STRATEGIC_MERGE_PATCH, subresource="status")


def nominated(index: int, name: str) -> items.Item:
    """What the scheduler says of a pod that waits for victims."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "lastTransitionTime": TIME}
    condition["message"] = f"0/{NODES} nodes are available: {NODES} Insufficient cpu. preemption: found a potential placement"
    status = {"conditions": [condition], "nominatedNodeName": f"node-{index % NODES}"}
    return items.patch(PODS, name, {"status": status}, namespace="default", subresource="status")


def claim(name: str) -> persistent_volume_claim_pb2.PersistentVolumeClaim:
    """A claim that waits for its first consumer."""
    made = persistent_volume_claim_pb2.PersistentVolumeClaim()
    made.metadata.name, made.metadata.namespace = name, "default"
    made.spec.accessModes.append("ReadWriteOnce")
    made.spec.storageClassName, made.spec.resources.requests["storage"].string = "late", "1Gi"
    return made


def volume(name: str, uid: str) -> persistent_volume_pb2.PersistentVolume:
    """The volume that is made for a claim."""
    made = persistent_volume_pb2.PersistentVolume()
    made.metadata.name, spec = f"pvc-{name}", made.spec
    spec.capacity["storage"].string = "1Gi"
    spec.accessModes.append("ReadWriteOnce")
    spec.storageClassName, source = "late", spec.persistentVolumeSource.csi
    source.driver, source.volumeHandle = "hollow.kcore.io", name
    reference = {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": "default", "name": name, "uid": uid}
    for field, value in reference.items():
        setattr(spec.claimRef, field, value)
    return made


def volume_steps(bench: Bench, names: Sequence[str]) -> Iterator[tuple[str, dict[str, float]]]:
    """What each write of a claim's binding takes."""
    claims, volumes = kinds.resource("", "v1", "persistentvolumeclaims"), kinds.resource("", "v1", "persistentvolumes")
    yield "claim", bench.send([item("create", "persistentvolumeclaims", claim(name)) for name in names])
    selected = {"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "node-1"}}}
    yield "claim to a node", bench.send([items.patch(claims, name, selected, namespace="default") for name in names])
    spec = scheme.load().kinds[GroupVersionKind("", "v1", "PersistentVolumeClaim")]
    reads = bench.server.pipeline.reads
    yield "volume", bench.send(
        [item("create", "persistentvolumes", volume(name, reads.get(spec, "default", name).obj()["metadata"]["uid"])) for name in names]
    )
    bound = {"metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}}}
    yield "claim to a volume", bench.send(
        [items.patch(claims, name, bound | {"spec": {"volumeName": f"pvc-{name}"}}, namespace="default") for name in names]
    )
    state = {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}}
    yield "claim's status", bench.send(
        [items.patch(claims, name, {"status": state}, namespace="default", subresource="status") for name in names]
    )
    yield "volume's status", bench.send(
        [items.patch(volumes, f"pvc-{name}", {"status": {"phase": "Bound"}}, subresource="status") for name in names]
    )


def scheduled(index: int, name: str) -> items.Item:
    """The Event of a pod that was scheduled."""
    event = event_pb2.Event(reason="Scheduled", type="Normal", count=1, reportingComponent="default-scheduler")
    event.metadata.name, event.metadata.namespace = f"{name}.{index:x}", "default"
    event.message = f"Successfully assigned default/{name} to node-{index % NODES}"
    event.involvedObject.kind, event.involvedObject.name, event.involvedObject.namespace = "Pod", name, "default"
    event.source.component = "default-scheduler"
    event.firstTimestamp.seconds = event.lastTimestamp.seconds = 1_767_225_600
    return item("create", "events", event)


def measure(folder: Path, count: int, vary: bool) -> dict[str, dict[str, float]]:
    """Microseconds of each step, by request."""
    watch = Stopwatch()
    watch.install()
    bench = Bench(folder, watch)
    asyncio.run(bench.server.bootstrap())
    bench.send(prerequisites())
    bench.follow()
    wanted = list(islice(pods(Plan("steps", "default", count, vary), SystemEntropy()), count))
    handle = kinds.resource("", "v1", "pods")
    found = {"create": bench.send([items.raw("create", handle, raw, namespace="default", name=name) for name, raw, _ in wanted])}
    found["bind"] = bench.send([binding(index, name) for index, (name, _, _) in enumerate(wanted)])
    reads = bench.server.pipeline.reads
    found["status"] = bench.send([running(reads.get(bench.spec, "default", name).raw) for name, _, _ in wanted])
    found["event"] = bench.send([scheduled(index, name) for index, (name, _, _) in enumerate(wanted)])
    names = [name for name, _, _ in wanted]
    found["victim's status"] = bench.send([victim(name) for name in names])
    found["nomination"] = bench.send([nominated(index, name) for index, name in enumerate(names)])
    found["mark deleted"] = bench.send([items.delete(PODS, name, namespace="default") for name in names])
    found["delete"] = bench.send([items.delete(PODS, name, namespace="default", grace_period_seconds=0) for name in names])
    found |= volume_steps(bench, names)
    bench.engine.close()
    return found


def table(found: dict[str, dict[str, float]]) -> str:
    """A Markdown table: steps down, requests across."""
    lines = [f"| us per pod | {' | '.join(found)} |", f"|---|{'---:|' * len(found)}"]
    for step in [*(step for step, _, _ in STEPS), REST, FAN_OUT]:
        cells = [f"{steps[step]:.1f}" if steps.get(step, 0) >= 0.05 else "" for steps in found.values()]
        lines.append(f"| {step} | {' | '.join(cells)} |")
    lines.append(f"| all | {' | '.join(f'{sum(steps.values()):.0f}' for steps in found.values())} |")
    return "\n".join(lines)


@click.command()
@click.option("--count", type=click.IntRange(1), default=5_000, show_default=True, help="How many pods.")
@click.option("--vary", is_flag=True, help="Every pod differs in labels, environment and requests.")
def main(count: int, vary: bool) -> None:
    """Time each step of the API server for a pod."""
    folder = Path(tempfile.mkdtemp(prefix="kcore-steps-"))
    try:
        click.echo(table(measure(folder, count, vary)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
