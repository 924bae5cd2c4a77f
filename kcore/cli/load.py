"""`kcore load pods`: generated pods, and how fast they are created, bound and running."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kcore.base.config import DataDir
from kcore.cli import options

if TYPE_CHECKING:
    from kcore.api.core.v1.pod_pb2 import Pod
    from kcore.client.client import Client
    from kcore.load.measure import Report


@click.group()
def command() -> None:
    """Put a load on a control plane and measure it."""


@command.command()
@click.option("--count", type=click.IntRange(1), required=True, help="How many pods.")
@click.option("--rate", type=click.FloatRange(0), default=0.0, help="Creates a second; as fast as possible by default.")
@click.option(
    "--template", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None, help="A Pod manifest to make them from."
)
@click.option("--vary", is_flag=True, help="Every pod differs in labels, environment and requests.")
@click.option("--via", type=click.Choice(["bulk", "unary"]), default="bulk", show_default=True, help="Many creates in a call, or one.")
@click.option("--in-flight", type=click.IntRange(1), default=64, show_default=True, help="Unary creates at once.")
@click.option("-n", "--namespace", default="default", show_default=True, help="Where the pods are made.")
@click.option(
    "--acked", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Append each acknowledged namespace/name to this file."
)
@click.option("--cleanup", is_flag=True, help="Delete the pods at the end.")
@options.json_file
@options.server
def pods(
    count: int,
    rate: float,
    template: Path | None,
    vary: bool,
    via: str,
    in_flight: int,
    namespace: str,
    acked: Path | None,
    cleanup: bool,
    json_file: str | None,
    directory: DataDir,
    address: str | None,
    ca: Path | None,
    token: str | None,
    insecure: bool,
) -> int:
    """Create pods, wait until they run, and report."""
    from kcore.cli import session
    from kcore.cli.progress import PodProgress
    from kcore.load.pods import Plan, plain_template
    from kcore.load.run import Load, Pace
    from kcore.serve.scrape import events_dropped

    if json_file not in (None, "-") and not Path(str(json_file)).parent.is_dir():
        raise click.ClickException(f"{json_file}: there is no such folder")
    pod = plain_template() if template is None else read_template(template)
    log = None if acked is None else open(acked, "a")  # noqa: SIM115 - closed below, after the loop that writes it

    async def act(client: Client) -> Report:
        run = client.entropy.name_suffix()
        with PodProgress(count) as progress:
            load = Load(
                client,
                Plan(run, namespace, count, vary, pod),
                Pace(rate, via, in_flight),
                progress.show,
                log,
                lambda: events_dropped(directory),
            )
            found = await load.run()
            for error in list({failure.message: None for failure in load.failures.values()})[:3]:
                click.echo(f"kcore: a create was refused: {error}", err=True)
            if cleanup:
                await load.cleanup()
            return found

    try:
        report = session.run(act, directory, address, ca, token, insecure)
    finally:
        if log is not None:
            log.close()
    if json_file != "-":
        click.echo(text(report))
    if json_file is not None:
        (sys.stdout.write if json_file == "-" else Path(json_file).write_text)(json.dumps(report.as_dict(), indent=2) + "\n")
    return 0 if report.running_per_s else 1


def read_template(path: Path) -> Pod:
    """The Pod of a manifest. Raises ClickException."""
    from kcore.api.core.v1.pod_pb2 import Pod
    from kcore.cli import manifests
    from kcore.machinery import codec

    for found in manifests.read(str(path)):
        if isinstance(found, manifests.Document) and found.obj.get("kind") == "Pod":
            try:
                return Pod.FromString(codec.encode("kcore.api.core.v1.Pod", codec.normalise("kcore.api.core.v1.Pod", found.obj)))
            except codec.DecodeError as error:
                raise click.ClickException(f"{path}: {error}") from error
    raise click.ClickException(f"{path} holds no Pod")


def text(report: Report) -> str:
    """The report for people."""
    lines = [
        f"{report.count} pods on {report.nodes} nodes in {report.duration_s:.2f} s",
        f"{'':10}{'pods/s':>10}{'p50 ms':>10}{'p95 ms':>10}{'p99 ms':>10}",
    ]
    for name, rate, latency in (
        ("created", report.created_per_s, report.create_ms),
        ("bound", report.bound_per_s, report.bind_ms),
        ("running", report.running_per_s, report.run_ms),
    ):
        lines.append(f"{name:10}{rate:>10.0f}{latency.p50:>10.0f}{latency.p95:>10.0f}{latency.p99:>10.0f}")
    if report.failed:
        lines.append(f"{report.failed} creates were refused")
    if report.pending:
        lines.append(f"{report.pending} pods are pending")
    if report.events_dropped:
        lines.append(f"{report.events_dropped} events were dropped")
    return "\n".join(lines)
