"""Every part is killed with -9 under load, one after the other and then all at once with their supervisor: nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kcore.base import service
from kcore.base.config import DataDir
from kcore.client import connect
from kcore.client.client import Client
from tests.integration.plane import DEADLINE_S, Plane, wait_for
from tests.integration.traffic import COMPLETIONS, NAMESPACE, ORDINALS, REPLICAS, Record, Traffic

PARTS = ("apiserver", "scheduler", "controllers", "nodes")
BOUND_BEFORE_THE_KILL = 20
CONVERGED_S = 90.0


def free_port() -> int:
    """A port that is the same for a plane's second life, so that clients of its first find it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


class Restartable(Plane):
    """A plane that is known by its port."""

    def start(self, port: int) -> None:
        started = self.kcore("up", "--detach", "--nodes", "8", "--grpc-port", str(port), "--port", "0", "--etcd-port", "0")
        assert started.code == 0, started.err

    def kill_part(self, part: str) -> None:
        """Kill -9, and wait until the supervisor has it back."""
        before = self.restarts(part)
        assert before is not None
        self.kill(part)
        wait_for(lambda: (self.restarts(part) or 0) > before, f"a new {part}")

    def kill_all(self, port: int) -> None:
        """Kill -9 of everything at once, and a second life."""
        holders = service.running(self.directory).values()
        assert len(holders) == len(PARTS) + 1
        for holder in holders:
            holder.send(signal.SIGKILL)
        for holder in holders:
            assert holder.wait(DEADLINE_S)
        self.start(port)


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Restartable]:
    plane = Restartable(DataDir(tmp_path / "data"))
    yield plane
    plane.end()


@asynccontextmanager
async def followed(client: Client, record: Record) -> AsyncIterator[None]:
    """Keep the record while the body runs."""
    reflectors = record.reflectors(client)
    running = [asyncio.create_task(reflector.run()) for reflector in reflectors]
    try:
        async with asyncio.timeout(DEADLINE_S):
            for reflector in reflectors:
                await reflector.wait_synced()
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def killed_in_a_wave(plane: Restartable, port: int, traffic: Traffic, record: Record, wave: int) -> None:
    """Send a wave and kill the part whose turn it is in the middle of it; all of them after the last."""
    enough = asyncio.Event()
    sending = asyncio.create_task(traffic.wave(wave, enough))
    try:
        await record.until(lambda: max(0, BOUND_BEFORE_THE_KILL - record.bound(f"bare-{wave}-")), DEADLINE_S)
        if wave < len(PARTS):
            await asyncio.to_thread(plane.kill_part, PARTS[wave])
        else:
            await asyncio.to_thread(plane.kill_all, port)
        enough.set()
        async with asyncio.timeout(DEADLINE_S):
            await sending
    finally:
        sending.cancel()


def judge(record: Record, traffic: Traffic, pods: list[Any]) -> None:
    """Compare what there is with what was acknowledged and what was seen."""
    assert record.breaches == []
    names = {pod.metadata.name for pod in pods}
    assert {name for resource, name in traffic.made if resource == "pods"} <= names
    assert names.isdisjoint(traffic.gone)
    assert {pod.metadata.uid for pod in pods} == {pod.metadata.uid for pod in record.present.values()}
    assert all(pod.spec.nodeName == record.nodes[pod.metadata.uid] for pod in pods)


def judge_counts(record: Record, pods: list[Any]) -> None:
    """No workload ever had a pod more than it asked for."""
    assert set(record.made("StatefulSet").values()) == {ORDINALS}
    assert set(record.made("Job").values()) == {COMPLETIONS}
    assert {job.status.succeeded for job in record.objects["jobs"].values()} == {COMPLETIONS}
    assert max(record.made("ReplicaSet").values()) == REPLICAS
    wanted = {found.metadata.name: found.spec.replicas for found in record.objects["replicasets"].values() if found.spec.replicas}
    assert set(wanted.values()) == {REPLICAS} and len(wanted) == len(record.objects["deployments"])
    assert wanted == Counter(owner.name for pod in pods for owner in pod.metadata.ownerReferences if owner.kind == "ReplicaSet")


def judge_addresses(record: Record, pods: list[Any], nodes: list[Any]) -> None:
    """Nobody has the address of somebody else."""
    alive = [pod for pod in pods if pod.status.phase == "Running"]
    for addresses in (
        [each.ip for pod in alive for each in pod.status.podIPs],
        [cidr for node in nodes for cidr in node.spec.podCIDRs],
        [found.spec.clusterIP for found in record.objects["services"].values()],
    ):
        assert addresses and max(Counter(addresses).values()) == 1
    assert len({pod.status.podIP for pod in alive}) == len(alive)


@pytest.mark.slow
async def test_whatever_is_killed_all_converges_and_nothing_is_lost_or_doubled(plane: Restartable) -> None:
    port = free_port()
    await asyncio.to_thread(plane.start, port)
    record = Record()
    async with await connect.from_endpoints(plane.directory.path) as client, followed(client, record):
        traffic = Traffic(client)
        for wave in range(len(PARTS) + 1):
            await killed_in_a_wave(plane, port, traffic, record, wave)
        await record.until(lambda: record.missing(traffic.made, traffic.gone) + record.late(), CONVERGED_S)
        pods = (await client.pods.list(namespace=NAMESPACE)).items
        judge(record, traffic, pods)
        judge_counts(record, pods)
        judge_addresses(record, pods, (await client.nodes.list()).items)
