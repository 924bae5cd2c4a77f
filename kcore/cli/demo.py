"""`kcore demo`: a control plane in a temporary folder, real manifests, and what became of them."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kcore.base import limits, service
from kcore.base.config import DataDir
from kcore.base.supervisor import HeldError, PartFailedError, detach

if TYPE_CHECKING:
    from kcore.client.apply import Applied
    from kcore.client.client import Client

NODES = 100
PODS_SHOWN = 5
KUBECTL_SHOWS = ("get", "deployments,services", "--all-namespaces")
POD_COLUMNS = frozenset(("Name", "Ready", "Status", "IP", "Node"))


@click.command()
@click.option("--nodes", type=click.IntRange(1, limits.HOLLOW_NODES_MAX), default=NODES, show_default=True, help="How many hollow nodes.")
@click.option("--keep", is_flag=True, help="Leave it running, and say where.")
def command(nodes: int, keep: bool) -> None:
    """Show a small shop run on hollow nodes.

    Starts a control plane in a temporary folder, applies the manifests of a shop, waits until it runs, and stops.
    """
    directory = DataDir.at(tempfile.mkdtemp(prefix="kcore-demo-"))
    finished = False
    try:
        began = time.monotonic()
        click.echo(f"Starting API server, scheduler, controllers and {nodes} hollow nodes, each part a process of its own ...")
        try:
            detach(
                ["up", "--data-dir", str(directory.path), "--nodes", str(nodes), "--port", "0", "--grpc-port", "0", "--etcd-port", "0"],
                directory,
            )
        except (PartFailedError, HeldError) as error:
            raise click.ClickException(str(error)) from error
        click.echo(f"  ready in {(time.monotonic() - began) * 1000:.0f} ms; gRPC with TLS, state in {directory.path}")
        with resources.as_file(resources.files("kcore.workloads").joinpath("demo")) as manifests:
            asyncio.run(show(directory, manifests))
        finished = True
        show_with_kubectl(directory)
    finally:
        if keep and finished:
            click.echo(
                f"\nIt goes on. Look around with: kcore get pods -A --data-dir {directory.path}\n"
                f"Stop it with: kcore down --data-dir {directory.path}"
            )
        else:
            service.stop_all(directory)
            shutil.rmtree(directory.path, ignore_errors=True)
            click.echo("\nStopped, and cleaned up." if finished else "Stopped.")


async def show(directory: DataDir, folder: Path) -> None:
    """Apply the manifests and tell what happens."""
    from kcore.cli import get, manifests, resources
    from kcore.client import apply, connect

    async with await connect.from_endpoints(directory.path) as client:
        began = time.monotonic()
        applied = []
        for document in manifests.read(str(folder)):
            if isinstance(document, manifests.Broken):
                raise click.ClickException(f"{document.source}: {document.reason}")
            applied.append(await apply.apply(client, document.obj))
        click.echo(
            f"\nApplied {len(applied)} objects in {(time.monotonic() - began) * 1000:.0f} ms, each durable on disk before it was answered:"
        )
        for kind in dict.fromkeys(each.spec.kind for each in applied):
            click.echo(f"  {sum(each.spec.kind == kind for each in applied):3} {kind}")
        wanted = [each for each in applied if each.spec.kind == "Deployment"]
        await until_available(client, wanted)
        took = time.monotonic() - began
        namespace = wanted[0].namespace
        pods = await client.pods.list(namespace=namespace)
        hosts = {pod.spec.nodeName for pod in pods.items}
        click.echo(f"\nAll {len(pods.items)} pods run, {took * 1000:.0f} ms after the first object was sent, on {len(hosts)} nodes:\n")
        for target in resources.targets(("deployments,services",)):
            found = await resources.objects(client, target, namespace)
            click.echo(get.table_text(target, found, False, False, False, False) + "\n")
        click.echo(pods_text(await resources.objects(client, resources.targets(("pods",))[0], namespace)))


def show_with_kubectl(directory: DataDir) -> None:
    """Show the shop with kubectl, if it is there."""
    program = shutil.which("kubectl")
    if program is None:
        return
    command = [program, "--kubeconfig", str(directory.kubeconfig), *KUBECTL_SHOWS]
    click.echo(f"\nWith the kubectl that is here:\n\n$ kubectl {' '.join(KUBECTL_SHOWS)}")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limits.DEMO_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        click.echo(f"it did not answer: {error}")
        return
    click.echo((done.stdout + done.stderr).rstrip())


def pods_text(found: list[dict[str, Any]]) -> str:
    """The first pods, with where they are, as a table that fits a terminal."""
    from kcore.cli import resources
    from kcore.machinery import table

    spec = resources.find("pods")
    columns = [column for column in table.columns(spec) if column.name in POD_COLUMNS]
    rows = [table.row(spec, columns, obj, time.time()) for obj in found[:PODS_SHOWN]]
    more = f"\n... and {len(found) - PODS_SHOWN} more" if len(found) > PODS_SHOWN else ""
    return table.render([column.name for column in columns], rows) + more


async def until_available(client: Client, wanted: Sequence[Applied]) -> None:
    """Wait until all replicas of all Deployments are available. Raises ClickException when that takes too long."""
    try:
        async with asyncio.timeout(limits.DEMO_TIMEOUT_S):
            for each in wanted:
                while True:
                    found = await client.deployments.get(each.name, namespace=each.namespace)
                    if (
                        found.status.availableReplicas >= found.spec.replicas
                        and found.status.observedGeneration >= found.metadata.generation
                    ):
                        break
                    await asyncio.sleep(limits.DEMO_POLL_S)
    except TimeoutError:
        raise click.ClickException(
            f"the deployments were not available within {limits.DEMO_TIMEOUT_S:.0f} s; the logs are under the data directory"
        ) from None
