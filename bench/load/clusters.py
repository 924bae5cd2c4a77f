"""How fast a control plane is there for a test, and how fast it is put back, copied and aged: `kcore.testing.Cluster` in seconds.

    python -m bench.load.clusters [--size full|smoke] [--json FILE]

    first start     a fresh interpreter, from exec to the first answered call, with scheduler and controllers ready
    further start   the same again in one process
    reset           after a Deployment of ten pods has come up on two nodes, until the cluster is as before and all parts have seen it
    fork            of a cluster whose hollow nodes run all pods, from the call to the first answer of the copy
    a day           of virtual time: nothing but the API server; with scheduler and controllers; with two nodes that send heartbeats

Figures are medians (fork and days: one run each); a day is told in seconds of processor time.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import click

from kcore.api.apps.v1.deployment_pb2 import Deployment
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.base import virtual_loop
from kcore.base.entropy import SystemEntropy
from kcore.client import items, kinds
from kcore.load.pods import Plan, pods
from kcore.testing import Cluster

FIRST: Final = """
import asyncio
from kcore.testing import Cluster

async def main():
    async with Cluster() as cluster:
        await cluster.client.namespaces.get("default")
        print("answered", flush=True)

asyncio.run(main())
"""
PODS: Final = kinds.of_message(Pod)
BULK_ITEMS: Final = 1_000
RUN_TIMEOUT_S: Final = 600.0
EVENTS_PER_S: Final = 2_500
"""How fast the Events of all pods are at least written, which go on when the pods run."""


class Size(NamedTuple):
    """How much is measured."""

    starts: int
    nodes: int
    pods: int
    hours: float


SIZES: Final = {"full": Size(10, 5_000, 50_000, 24.0), "smoke": Size(1, 2, 10, 0.1)}


def first_start_s() -> float:
    """From exec to the first answered call."""
    before = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", FIRST], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        took_s = time.perf_counter() - before
    if said != "answered\n" or process.returncode:
        raise click.ClickException("the cluster of a fresh interpreter did not start")
    return took_s


async def timed(act: Callable[[], Awaitable[Any]]) -> float:
    """How long it takes."""
    before = time.perf_counter()
    await act()
    return time.perf_counter() - before


async def start_s() -> float:
    """A further start."""
    before = time.perf_counter()
    async with Cluster() as cluster:
        await cluster.client.namespaces.get("default")
        return time.perf_counter() - before


def web() -> Deployment:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "nginx"}]}}
    spec = {"replicas": 10, "selector": {"matchLabels": labels}, "template": template}
    return Deployment(metadata={"name": "web", "namespace": "default"}, spec=spec)


async def resets_s(count: int) -> list[float]:
    """Resets of what a small test does."""
    found = []
    async with Cluster(nodes=2) as cluster:

        async def is_up() -> bool:
            return bool((await cluster.client.deployments.get("web", namespace="default")).status.availableReplicas == 10)

        for _ in range(count):
            await cluster.client.deployments.create(web())
            await cluster.wait_for(is_up)
            found.append(await timed(cluster.reset))
    return found


async def large_s(node_count: int, pod_count: int) -> dict[str, float]:
    """A copy of a large cluster at rest, and a reset of one pod there."""
    async with Cluster(nodes=node_count) as cluster:
        plan = Plan("bench", "default", pod_count)
        wanted = islice(pods(plan, SystemEntropy()), pod_count)
        made = [items.raw("create", PODS, each.raw, namespace=plan.namespace, name=each.name) for each in wanted]
        for start in range(0, pod_count, BULK_ITEMS):
            results = await cluster.client.bulk.write(made[start : start + BULK_ITEMS])
            assert all(result.error is None for result in results), results[0]

        async def all_run() -> bool:
            return not (await cluster.client.pods.list(field_selector="status.phase!=Running", metadata_only=True)).items

        await cluster.wait_for(all_run, RUN_TIMEOUT_S)
        await asyncio.sleep(pod_count / EVENTS_PER_S)
        before = time.perf_counter()
        async with cluster.fork() as copy:
            await copy.client.nodes.get("node-0")
            took_s = time.perf_counter() - before
        mark = cluster.mark()
        await cluster.client.pods.delete(plan.name(0), namespace=plan.namespace, grace_period_seconds=0)
        return {"fork_s": took_s, "reset_large_s": await timed(lambda: cluster.reset(mark))}


def day_s(hours: float, **settings: Any) -> float:
    """The processor time of a while of virtual time."""

    async def pass_time() -> float:
        async with Cluster(**settings) as cluster:
            before = time.process_time()
            await cluster.clock.advance(hours=hours)
            return time.process_time() - before

    return virtual_loop.run(pass_time())


def measure(size: Size) -> dict[str, float]:
    """All figures, in seconds."""
    first = median(first_start_s() for _ in range(size.starts))
    asyncio.run(start_s())
    further = [asyncio.run(start_s()) for _ in range(size.starts)]
    resets = asyncio.run(resets_s(size.starts))
    days = {
        "day_api_s": day_s(size.hours, parts=()),
        "day_s": day_s(size.hours),
        "day_two_nodes_s": day_s(size.hours, nodes=2),
    }
    large = asyncio.run(large_s(size.nodes, size.pods))
    return {"first_start_s": first, "further_start_s": median(further), "reset_s": median(resets), **large, **days}


@click.command()
@click.option("--size", type=click.Choice(list(SIZES)), default="full", help="how much is measured")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="where the figures go as JSON")
def main(size: str, file: Path | None) -> None:
    """Measure how fast a control plane is there for a test."""
    found = measure(SIZES[size])
    for name, seconds in found.items():
        click.echo(f"{name:20} {seconds:9.4f}")
    if file is not None:
        file.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
