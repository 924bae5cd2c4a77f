"""`kcore explain-scheduling`: what the scheduler finds for a pod on every node, now."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kcore.base.config import DataDir
from kcore.cli import options

if TYPE_CHECKING:
    from kcore.client.client import Client
    from kcore.scheduler.profile import Profile

Report = dict[str, Any]
ROWS = 20


@click.command()
@click.argument("pod", metavar="[NAMESPACE/]POD")
@click.option("-n", "--namespace", default="default", show_default=True, help="The pod's namespace.")
@click.option("--rows", type=click.IntRange(0), default=ROWS, show_default=True, help="Nodes shown of each sort; 0 shows all.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every node.")
@options.scheduler_config
@options.server
def command(
    pod: str,
    namespace: str,
    rows: int,
    as_json: bool,
    config_file: Path | None,
    directory: DataDir,
    address: str | None,
    ca: Path | None,
    token: str | None,
    insecure: bool,
) -> None:
    """Show per node the filter that rejects a pod, or its score by plugin, and which node is best.

    A pod that has a node already is judged as if it were pending, and everything else as it is. A scheduler that was given a configuration
    decides by it: give the same one here.
    """
    from kcore.cli import scheduler_configuration, session
    from kcore.scheduler.profile import DEFAULT

    profiles = scheduler_configuration.read(config_file).profiles if config_file is not None else (DEFAULT,)

    where, _, name = pod.rpartition("/")

    async def act(client: Client) -> Report:
        return await explained(client, where or namespace, name, profiles)

    report = session.run(act, directory, address, ca, token, insecure)
    click.echo(json.dumps(report, indent=2) if as_json else "\n".join(lines(report, rows)))


async def explained(client: Client, namespace: str, name: str, profiles: Sequence[Profile]) -> Report:
    """Read the cluster, and judge the pod on it."""
    from kcore.client import kinds
    from kcore.scheduler.snapshot import OTHERS

    found = await client.pods.get(name, namespace=namespace)
    nodes = (await client.nodes.list()).items
    pods = [each for each in (await client.pods.list()).items if each.metadata.uid != found.metadata.uid]
    others = []
    for kind, (group, resource) in OTHERS.items():
        listed = (await client.resource(kinds.resource(group, "v1", resource)).list()).items
        others += [(kind, each.SerializeToString()) for each in listed]
    cluster = [node.SerializeToString() for node in nodes], [each.SerializeToString() for each in pods]
    report = judged(found.SerializeToString(), *cluster, others, client.entropy.randrange, profiles)
    return {"pod": f"{namespace}/{name}", "node": found.spec.nodeName or None, "nodes": len(nodes)} | report


def judged(
    pod: bytes,
    nodes: list[bytes],
    pods: list[bytes],
    others: list[tuple[str, bytes]],
    randrange: Callable[[int], int],
    profiles: Sequence[Profile],
) -> Report:
    """What the scheduler finds for a pod, whatever node it has; a pod of a scheduler without a profile is judged by the first one."""
    from kcore.machinery.codec import Splice
    from kcore.scheduler.cycle import explain, schedule
    from kcore.scheduler.evaluation import Evaluations
    from kcore.scheduler.ingest import pod_row
    from kcore.scheduler.snapshot import snapshot

    row = pod_row(Splice("kcore.api.core.v1.Pod", ["spec.nodeName"])(pod, None))
    profile = next((each for each in profiles if each.name == row.scheduler_name), profiles[0])
    columns, preemptor = snapshot(nodes, pods, others)
    decision = schedule(row, columns, Evaluations(profile), randrange, preemptor if profile.preemption else None)
    found = explain(row, columns, profile)
    return {
        "scheduler": row.scheduler_name,
        "gates": list(row.gates),
        "feasible": list(found.feasible),
        "best": [] if decision.node is None else list(found.best),
        "choice": decision.node,
        "message": decision.message,
        "rejected": {node: {"plugin": why.plugin, "reasons": list(why.reasons)} for node, why in found.rejected.items()},
        "totals": found.totals,
        "scores": found.scores,
        "normalised": found.normalised,
    }


def lines(report: Report, rows: int) -> Iterator[str]:
    """The report for people: the best nodes first."""
    where = f"on {report['node']}, judged as if it were pending" if report["node"] else "pending"
    yield f"{report['pod']}: {where}; {len(report['feasible'])} of {report['nodes']} nodes are feasible"
    if report["gates"]:
        yield f"It is not scheduled while it has the gates {', '.join(report['gates'])}."
    if report["feasible"]:
        yield ""
        yield from scores(report, rows)
    if report["rejected"]:
        yield ""
        yield from rejections(report, rows)
    yield ""
    yield conclusion(report)


def scores(report: Report, rows: int) -> Iterator[str]:
    """A table of weighted scores."""
    plugins = list(report["scores"])
    width = max(len("NODE"), *map(len, report["feasible"]))
    yield f"{'NODE':{width}}  {'TOTAL':>6}  {'  '.join(plugins)}".rstrip()
    ranked = sorted(report["feasible"], key=lambda node: -report["totals"].get(node, 0))
    for node in shown(ranked, rows):
        cells = "  ".join(f"{report['scores'][plugin][node]:>{len(plugin)}}" for plugin in plugins)
        yield f"{node:{width}}  {report['totals'].get(node, '-'):>6}  {cells}".rstrip()
    yield from more(ranked, rows)


def rejections(report: Report, rows: int) -> Iterator[str]:
    """A table of filters that reject."""
    rejected = list(report["rejected"].items())
    width = max(len("NODE"), *(len(node) for node, _ in rejected))
    plugin_width = max(len(why["plugin"]) for _, why in rejected)
    yield f"{'NODE':{width}}  {'REJECTED BY':{plugin_width}}  REASON"
    for node, why in shown(rejected, rows):
        yield f"{node:{width}}  {why['plugin']:{max(plugin_width, len('REJECTED BY'))}}  {', '.join(why['reasons'])}"
    yield from more(rejected, rows)


def shown(found: list[Any], rows: int) -> list[Any]:
    """As many as are wanted."""
    return found[:rows] if rows else found


def more(found: list[Any], rows: int) -> Iterator[str]:
    """How many were left out."""
    if rows and len(found) > rows:
        yield f"... and {len(found) - rows} more (--rows 0 shows all)"


def conclusion(report: Report) -> str:
    """The choice, or why there is none."""
    if report["choice"] is None:
        return f"It fits nowhere: {report['message']}"
    best = report["best"]
    if len(best) > 1:
        return f"Best: {len(best)} nodes have the highest total; one of them is drawn, such as {report['choice']}."
    return f"Best: {report['choice']}."
