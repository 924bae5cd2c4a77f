"""Cutting watch responses beside the same with protobuf messages that have the object as bytes (`tests.reference.client`).

What is recorded is a ratio within one run (`extra_info["ratio"]`: protobuf's time / ours), the best of many rounds each
(`bench.micro.rounds`).
"""

from __future__ import annotations

from pytest_benchmark.fixture import BenchmarkFixture

from bench.micro.rounds import SMOKE, ratio
from kcore.api.core.v1.pod_service_pb2 import PodWatchResponse
from kcore.client.wire import WatchEvent, split_watch
from tests.reference.client import frames_twin

EVENTS = 50 if SMOKE else 200
FLOOR = 3.0
"""How much faster it must be; a smoke run on a busy machine must reach half of it."""


def response() -> bytes:
    """Return the response to one commit of pods of 600 bytes."""
    made = PodWatchResponse()
    for number in range(EVENTS):
        pod = made.events.add(type="ADDED").object
        pod.metadata.name, pod.metadata.namespace = f"web-6d4b75cb6d-{number:05}", "default"
        pod.metadata.resourceVersion, pod.metadata.uid = str(100_000 + number), "2bcf0781-9497-4182-a50b-70458dd1db46"
        pod.metadata.labels.update({"app": "web", "pod-template-hash": "6d4b75cb6d"})
        container = pod.spec.containers.add(name="web", image="nginx:1.27")
        for index in range(10):
            container.env.add(name=f"NAME_{index}", value="a value of twenty ch")
    return made.SerializeToString()


def test_cutting_a_response_beside_protobuf(benchmark: BenchmarkFixture) -> None:
    raw = response()
    make = lambda event: WatchEvent(*event)  # noqa: E731 - one line says it
    assert split_watch(raw) == frames_twin.split_watch(raw, make)
    benchmark(lambda: split_watch(raw))
    found = ratio(lambda: split_watch(raw), lambda: frames_twin.split_watch(raw, make))
    benchmark.extra_info["ratio"] = round(found, 1)
    assert SMOKE or found >= FLOOR, f"cutting is {found:.1f} times as fast as with protobuf"
