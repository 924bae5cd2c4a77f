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
    from kcore.scheduler.explanation import Shortfall
    from kcore.scheduler.profile import Profile

Report = dict[str, Any]
ROWS = 10
NAMES_SHOWN = 3


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="POD | pod POD | pod/POD | NAMESPACE/POD")
@click.option("-n", "--namespace", default="default", show_default=True, help="The pod's namespace.")
@click.option("--rows", type=click.IntRange(0), default=ROWS, show_default=True, help="Lines shown of each table; 0 shows all.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every node.")
@options.scheduler_config
@options.server
def command(
    words: tuple[str, ...],
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
    """Show which filters reject a pod on which nodes and what is missing there, how each plugin scores the others, and which is best.

    A pod that has a node already is judged as if it were pending, and everything else as it is. A scheduler that was given a configuration
    decides by it: give the same one here.
    """
    from kcore.cli import scheduler_configuration, session
    from kcore.scheduler.profile import DEFAULT

    profiles = scheduler_configuration.read(config_file).profiles if config_file is not None else (DEFAULT,)
    where, name = meant(words)

    async def act(client: Client) -> Report:
        return await explained(client, where or namespace, name, profiles)

    report = session.run(act, directory, address, ca, token, insecure)
    click.echo(json.dumps(report, indent=2) if as_json else "\n".join(lines(report, rows)))


def meant(words: tuple[str, ...]) -> tuple[str, str]:
    """The namespace, where one is named, and the name of the pod that is meant. Raises ClickException."""
    from kcore.machinery import scheme

    *before, name = words[0].split("/") if len(words) == 1 else words
    spec = scheme.load().find(before[0]) if before else None
    if len(before) > 1 or not name or (before and not before[0]) or any("/" in word for word in words[1:]):
        raise click.UsageError(f"{' '.join(words)} names no pod: give POD, pod POD, pod/POD or NAMESPACE/POD")
    if spec is not None and spec.kind == "Pod":
        return "", name
    if len(words) > 1 or (spec is not None and before[0] in (spec.singular, *spec.short_names)):
        raise click.UsageError(f"{' '.join(words)} is no pod, and pods are what is scheduled")
    return (before[0] if before else ""), name


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
        "ties": len(found.best) if decision.node is not None else 0,
        "rejected": {
            node: {"plugin": why.plugin, "reasons": list(why.reasons), "missing": [amount(each) for each in found.shortfalls.get(node, ())]}
            for node, why in found.rejected.items()
        },
        "would_help": {plugin: list(events) for plugin, events in found.helpful.items()},
        "totals": found.totals,
        "scores": found.scores,
        "normalised": found.normalised,
        "raw": found.raw,
    }


def amount(missing: Shortfall) -> Report:
    """What a node has too little of, in cores, bytes or ones."""
    from kcore.scheduler.requests import CPU

    unit = 1000 if missing.resource == CPU else 1
    return {"resource": missing.resource, "needs": missing.needs / unit if unit > 1 else missing.needs,
            "free": missing.free / unit if unit > 1 else missing.free}  # fmt: skip


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
    """The best nodes: of each plugin its weighted score, and in brackets the normalised and the raw one."""
    from kcore.simulate.text import table

    weighted, normalised, raw = report["scores"], report["normalised"], report["raw"]
    ranked = sorted(report["feasible"], key=lambda node: -report["totals"].get(node, 0))
    cells = [
        (
            node,
            str(report["totals"].get(node, "-")),
            *(f"{weighted[plugin][node]} ({normalised[plugin][node]}, {raw[plugin][node]})" for plugin in weighted),
        )
        for node in shown(ranked, rows)
    ]
    yield from table(("NODE", "TOTAL", *weighted), cells)
    yield from more(ranked, rows)
    if weighted:
        yield "Of each plugin the weighted score, and in brackets the normalised and the raw one."


def rejections(report: Report, rows: int) -> Iterator[str]:
    """The filters that reject, the nodes put together that are rejected for the same reasons; and what would help."""
    from kcore.simulate.text import table

    groups: dict[tuple[str, str], list[str]] = {}
    for node, why in report["rejected"].items():
        groups.setdefault((why["plugin"], ", ".join(why["reasons"])), []).append(node)
    ranked = sorted(groups.items(), key=lambda item: -len(item[1]))
    cells = [(plugin, str(len(nodes)), reason, example(report, nodes)) for (plugin, reason), nodes in shown(ranked, rows)]
    yield from table(("REJECTED BY", "NODES", "REASON", "SUCH AS"), cells)
    yield from more(ranked, rows)
    yield ""
    yield "What may help:"
    for plugin, events in report["would_help"].items():
        yield f"  {plugin}: {'; '.join(events) or 'a change of the pod'}"


def example(report: Report, nodes: list[str]) -> str:
    """The nodes of a group; where amounts are missing, the one that lacks the least part, with numbers."""
    from kcore.simulate.text import quantity

    missing = {node: report["rejected"][node]["missing"] for node in nodes}
    if not any(missing.values()):
        return ", ".join(nodes[:NAMES_SHOWN]) + (" ..." if len(nodes) > NAMES_SHOWN else "")
    closest = min(nodes, key=lambda node: sum(1 - each["free"] / each["needs"] for each in missing[node]))
    told = (
        f"needs {quantity(each['resource'], each['needs'])} {each['resource']}, {quantity(each['resource'], max(each['free'], 0))} free"
        for each in missing[closest]
    )
    return f"{closest}: {'; '.join(told)}"


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
