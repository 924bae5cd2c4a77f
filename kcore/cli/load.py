"""`kcore load pods`: generated pods, and how fast they are created, bound and running."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kcore.base.config import DataDir
from kcore.cli import options
from kcore.load.arrivals import PATTERNS
from kcore.load.pods import KINDS, PLAIN, Plan

if TYPE_CHECKING:
    from kcore.api.core.v1.pod_pb2 import Pod
    from kcore.load.measure import Report
    from kcore.load.run import Load
    from kcore.load.server import Server


@click.group()
def command() -> None:
    """Put a load on a control plane and measure it."""


@command.command()
@click.option("--count", type=click.IntRange(1), required=True, help="How many pods.")
@click.option("--rate", type=click.FloatRange(0), default=0.0, help="Creates a second; as fast as possible by default.")
@click.option("--pattern", type=click.Choice(PATTERNS), default="steady", show_default=True, help="In which rhythm, at that rate.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the rhythm, where it has chance.")
@click.option(
    "--template",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="Manifests of Pods to make them from, in turn.",
)
@click.option("--vary", is_flag=True, help="Every pod differs in labels, environment and requests.")
@click.option("--kind", type=click.Choice(KINDS), default="pods", show_default=True, help="Bare pods, or Deployments that make them.")
@click.option("--replicas", type=click.IntRange(1), default=10, show_default=True, help="Pods of each Deployment.")
@click.option(
    "--via",
    type=click.Choice(["bulk", "unary", "rest"]),
    default="bulk",
    show_default=True,
    help="Many creates in a call, one in a call, or over HTTP, on any Kubernetes API server.",
)
@click.option("--in-flight", type=click.IntRange(1), default=64, show_default=True, help="Creates at once that are not in bulk.")
@click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="With --via rest: where that server is; else that of the data directory.",
)
@click.option("--context", default="", help="Which context of the kubeconfig, if not the current one.")
@click.option("--churn", type=click.FloatRange(0), default=0.0, help="Then delete so many pods a second, and make others in their place.")
@click.option("--churn-time", type=click.FloatRange(0), default=10.0, show_default=True, help="For so many seconds.")
@click.option("-n", "--namespace", default="default", show_default=True, help="Where the pods are made.")
@click.option(
    "--acked", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Append each acknowledged namespace/name to this file."
)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Draw the latencies into this PNG file.")
@click.option("--cleanup", is_flag=True, help="Delete the pods at the end.")
@options.json_file
@options.server
def pods(
    count: int,
    rate: float,
    pattern: str,
    seed: int,
    template: Path | None,
    vary: bool,
    kind: str,
    replicas: int,
    via: str,
    in_flight: int,
    kubeconfig: Path | None,
    context: str,
    churn: float,
    churn_time: float,
    namespace: str,
    acked: Path | None,
    plot: Path | None,
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
    from kcore.load.run import Churn, Load
    from kcore.load.sender import Pace
    from kcore.load.server import RpcServer
    from kcore.serve.scrape import events_dropped

    check(rate, pattern, via, kubeconfig, json_file, plot)
    templates = PLAIN if template is None else read_templates(template)
    pace, coming_and_going = Pace(rate, via, in_flight, pattern, seed), Churn(churn, churn_time) if churn else None
    log = None if acked is None else open(acked, "a")  # noqa: SIM115 - closed below, after the loop that writes it

    async def act(server: Server) -> Report:
        plan = Plan(server.entropy.name_suffix(), namespace, count, vary, templates, kind, replicas)
        with PodProgress(count) as progress:
            load = Load(server, plan, pace, progress.show, log, (lambda: events_dropped(directory)) if kubeconfig is None else int)
            found = await load.run(coming_and_going)
            tell_refusals(load)
            if cleanup:
                await load.cleanup()
        if plot is not None:
            draw(load, plot)
        return found

    try:
        if via == "rest":
            report = session.over_rest(act, kubeconfig or directory.kubeconfig, context, in_flight)
        else:
            report = session.run(lambda client: act(RpcServer(client, via == "bulk")), directory, address, ca, token, insecure)
    finally:
        if log is not None:
            log.close()
    if json_file != "-":
        click.echo(text(report))
    if json_file is not None:
        (sys.stdout.write if json_file == "-" else Path(json_file).write_text)(json.dumps(report.as_dict(), indent=2) + "\n")
    return 0 if report.running_per_s else 1


def check(rate: float, pattern: str, via: str, kubeconfig: Path | None, json_file: str | None, plot: Path | None) -> None:
    """Refuse what would fail only after the load. Raises ClickException."""
    from kcore.load.plots import can_plot

    if pattern != "steady" and not rate:
        raise click.BadParameter(f"{pattern} is a rhythm at some --rate", param_hint="--pattern")
    if kubeconfig is not None and via != "rest":
        raise click.BadParameter("tells of a server that is reached --via rest", param_hint="--kubeconfig")
    for file in (json_file, plot):
        if file not in (None, "-") and not Path(str(file)).parent.is_dir():
            raise click.ClickException(f"{file}: there is no such folder")
    if plot is not None and not can_plot():
        raise click.ClickException("--plot needs matplotlib: pip install 'kcore[bench]'")


def read_templates(path: Path) -> tuple[Pod, ...]:
    """The Pods of a manifest. Raises ClickException."""
    from kcore.api.core.v1.pod_pb2 import Pod
    from kcore.cli import manifests
    from kcore.machinery import codec

    made = []
    for found in manifests.read(str(path)):
        if isinstance(found, manifests.Document) and found.obj.get("kind") == "Pod":
            try:
                made.append(Pod.FromString(codec.encode("kcore.api.core.v1.Pod", codec.normalise("kcore.api.core.v1.Pod", found.obj))))
            except codec.DecodeError as error:
                raise click.ClickException(f"{path}: {error}") from error
    if not made:
        raise click.ClickException(f"{path} holds no Pod")
    return tuple(made)


def tell_refusals(load: Load) -> None:
    """Say why creates were refused, the first reasons."""
    failures = {failure.message: None for phase in load.tracker.phases for failure in phase.failures.values()}
    for error in list(failures)[:3]:
        click.echo(f"kcore: a create was refused: {error}", err=True)


def draw(load: Load, path: Path) -> None:
    """Draw the latencies of the load's first phase."""
    from kcore.load import plots

    plots.latencies(load.tracker.first.times, path)


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
    if report.churn is not None:
        churn = report.churn
        lines.append(f"then {churn.deleted} pods deleted, {churn.rate:g} a second, and {churn.running} run in their place")
        for name, latency in (("gone", churn.delete_ms), ("bound", churn.bind_ms), ("running", churn.run_ms)):
            lines.append(f"{name:20}{latency.p50:>10.0f}{latency.p95:>10.0f}{latency.p99:>10.0f}")
    if report.failed:
        lines.append(f"{report.failed} creates were refused")
    if report.pending:
        lines.append(f"{report.pending} pods are pending")
    if report.events_dropped:
        lines.append(f"{report.events_dropped} events were dropped")
    return "\n".join(lines)
