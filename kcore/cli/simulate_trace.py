"""`kcore simulate trace`: pods of a table come and go, under several policies side by side."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kcore.base import limits
from kcore.cli import clusters, options

if TYPE_CHECKING:
    from kcore.simulate.cluster import Cluster
    from kcore.simulate.trace.policies import Policy
    from kcore.simulate.trace.table import NodeColumns, PodColumns

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
GPU_RESOURCE = "nvidia.com/gpu"
POLICIES = ("least-allocated", "most-allocated", "fragmentation")
POD_COLUMNS = {
    "arrival": "When a pod came, in :s (default), :ms, :us, :min, :h, :d, or :iso.",
    "duration": "How long it ran; or --departure.",
    "departure": "When it went.",
    "start": "From when on it ran, where that is not its arrival: its duration is from there to its departure.",
    "name": "Its name.",
    "cpu": "In cores (default), or :m.",
    "memory": "In bytes (default), or :k :M :G :T :Ki :Mi :Gi :Ti.",
    "gpus": "How many GPUs, or parts of one; or in :m, :%.",
    "gpu_share": "Which part of each GPU; or in :m, :%.",
    "selector": "The nodes that it may go to, as a label selector: zone=a,model in (T4,A10),!slow.",
    "priority": "Its priority: pods of lower priority are preempted.",
}
NODE_COLUMNS = {"name": "of their name", "cpu": "as --cpu", "memory": "as --memory", "gpus": "of how many GPUs", "pods": "of the most pods"}


def columns(function: clusters.Command) -> clusters.Command:
    """An option for each column that may be named."""
    for name, what in reversed(NODE_COLUMNS.items()):
        function = click.option(f"--node-{name}", metavar="COLUMN[:UNIT]", help=f"Of --nodes, the column {what}.")(function)
    for name, what in reversed(POD_COLUMNS.items()):
        option = f"--{name.replace('_', '-')}"
        function = click.option(option, metavar="COLUMN[:UNIT]", required=name == "arrival", help=what)(function)
    return function


@click.command()
@click.argument("file", type=FILE)
@columns
@click.option(
    "--require", "required", multiple=True, metavar="COLUMN=LABEL", help="Node label that must be one of the values, separated by |."
)
@click.option("--nodes", type=FILE, default=None, help="The cluster is this table of nodes (CSV).")
@click.option("--node-label", "node_labels", multiple=True, metavar="COLUMN=LABEL", help="Of --nodes, a column that is a label.")
@click.option("--gpu-resource", default=GPU_RESOURCE, show_default=True, help="The resource by which nodes offer GPUs.")
@click.option(
    "--policy",
    "policies",
    multiple=True,
    default=POLICIES,
    show_default=True,
    metavar="[TITLE=]POLICY",
    help="default, least-allocated, most-allocated, fragmentation; a KubeSchedulerConfiguration; FILE.py:CLASS or module:CLASS.",
)
@click.option("--seed", "seeds", type=int, multiple=True, default=(0,), show_default=True, help="May be repeated: each policy, each seed.")
@click.option("--speed", type=click.FloatRange(0, min_open=True), default=1.0, show_default=True, help="Arrivals come so often as fast.")
@click.option(
    "--load",
    type=click.FloatRange(0, min_open=True),
    default=None,
    help="Repeat arrivals until pods would hold this part of the scarcest resource at the busiest moment, such as 1.2.",
)
@click.option("--cut", "is_cut", is_flag=True, help="End when the last pod has come, not when nobody waits any more.")
@click.option("--samples", type=click.IntRange(2, limits.TRACE_SAMPLES_MAX), default=200, show_default=True, help="Moments looked at.")
@click.option(
    "--jobs", type=click.IntRange(1, limits.TRACE_PROCESSES_MAX), default=None, help="Replays at once; the number of processors."
)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Draw all over time (PNG).")
@options.as_json
@clusters.source
def trace(
    file: Path,
    nodes: Path | None,
    node_labels: tuple[str, ...],
    required: tuple[str, ...],
    gpu_resource: str,
    policies: tuple[str, ...],
    seeds: tuple[int, ...],
    speed: float,
    load: float | None,
    is_cut: bool,
    samples: int,
    jobs: int | None,
    plot: Path | None,
    as_json: bool,
    source: clusters.Source,
    **named: str | None,
) -> None:
    """Let the pods of a table come and go on a cluster in memory, and compare policies.

    FILE is a table (CSV) with a line for each pod; options say which column is what. Each policy meets the same pods with the same seed. A
    GPU may be shared: a pod that asks for 0.3 of one needs one GPU of a node with so much left.
    """
    from kcore.cli.simulate import check_plot
    from kcore.machinery.codec import DecodeError
    from kcore.scheduler.configuration.reading import ConfigurationError
    from kcore.simulate.templates import TemplateError
    from kcore.simulate.trace import plots, runs, table, text
    from kcore.simulate.trace.workload import TraceError

    check_plot(plot)
    if nodes is not None and source.named:
        raise click.UsageError(f"--nodes and {source.named[0]} name two clusters")
    try:
        of_pods, of_nodes = read_columns(named, required, node_labels)
        workload = table.read_pods(file, of_pods)
        cluster = source.read() if nodes is None else of_table(nodes, of_nodes, gpu_resource)
        plan = runs.Plan(cluster, workload, gpu_resource, speed, load, samples, is_cut)
        found = list(runs.side_by_side(plan, read_policies(policies), list(dict.fromkeys(seeds)), jobs or cpus()))
    except ConfigurationError as error:
        raise click.ClickException("\n".join(problem.message() for problem in error.problems)) from error
    except (TraceError, TemplateError, DecodeError) as error:
        raise click.ClickException(str(error)) from error
    told = runs.told(plan, found)
    click.echo(json.dumps(told, indent=2) if as_json else "\n".join(text.lines(told)))
    if plot is not None:
        plots.draw(told, plot)


def read_columns(named: dict[str, str | None], required: Sequence[str], node_labels: Sequence[str]) -> tuple[PodColumns, NodeColumns]:
    """Which column is what. Raises TraceError."""
    from kcore.simulate.trace import table

    units: dict[str, Any] = {
        **dict.fromkeys(("arrival", "duration", "departure", "start"), table.TIME_UNITS),
        **dict.fromkeys(("cpu", "node_cpu"), table.CPU_UNITS),
        **dict.fromkeys(("memory", "node_memory"), table.MEMORY_UNITS),
        **dict.fromkeys(("gpus", "gpu_share"), table.PARTS),
    }
    found = {name: table.column(text, units.get(name, table.ONES)) for name, text in named.items() if text}
    of_nodes = {name: found.pop(f"node_{name}") for name in NODE_COLUMNS if f"node_{name}" in found}
    return (
        table.PodColumns(**found, required=table.labels_of(required)),
        table.NodeColumns(**of_nodes, labels=table.labels_of(node_labels)),
    )


def of_table(path: Path, of_nodes: NodeColumns, gpu_resource: str) -> Cluster:
    """The cluster of a table of nodes. Raises ClickException, TraceError."""
    from kcore.simulate import cluster
    from kcore.simulate.trace import table

    found = cluster.of_objects(table.read_nodes(path, of_nodes, gpu_resource))
    if not found.nodes:
        raise click.ClickException(f"{path}: there is no node")
    return found


def read_policies(texts: Sequence[str]) -> list[Policy]:
    """The policies, of which no two may have one title. Raises ClickException."""
    found = [policy(text) for text in texts]
    titles = [each.title for each in found]
    for title in titles:
        if titles.count(title) > 1:
            raise click.BadParameter(f"two policies are called {title}; TITLE=POLICY gives one another title", param_hint="--policy")
    return found


def policy(text: str) -> Policy:
    """A policy by a name, a file or a plugin, under a title if it has one. Raises ClickException."""
    from kcore.cli import scheduler_configuration
    from kcore.simulate.trace.policies import BUILT_IN, Policy, of_plugin

    title, equals, what = text.partition("=")
    what = what if equals else text
    if what in BUILT_IN:
        return Policy(title, built_in=what)
    if ":" in what:
        return of_plugin(what, title if equals else "")
    path = Path(what)
    if not path.is_file():
        known = ", ".join(BUILT_IN)
        raise click.BadParameter(f"{what} is no file, and none of {known}, FILE.py:CLASS, module:CLASS", param_hint="--policy")
    return Policy(title if equals else path.stem, document=scheduler_configuration.document(path))


def cpus() -> int:
    """How many replays run at once where nobody says."""
    return len(os.sched_getaffinity(0))
