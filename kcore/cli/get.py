"""`kcore get`: objects as tables, YAML, JSON or names."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kcore.base.config import DataDir
from kcore.cli import options

if TYPE_CHECKING:
    from kcore.cli.resources import Target
    from kcore.client.client import Client

FORMATS = ("table", "wide", "yaml", "json", "name")
Object = dict[str, Any]


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="TYPE [NAME ...] | TYPE/NAME ...")
@click.option("-o", "--output", type=click.Choice(FORMATS), default="table", help="Form of the output.")
@click.option("-l", "--selector", default="", help="Label selector.")
@click.option("--field-selector", default="", help="Field selector.")
@click.option("-w", "--watch", "follow", is_flag=True, help="Then show changes until interrupted.")
@click.option("--no-headers", is_flag=True, help="No line with the names of columns.")
@options.namespace
@options.server
def command(
    arguments: tuple[str, ...],
    output: str,
    selector: str,
    field_selector: str,
    follow: bool,
    no_headers: bool,
    namespace: str,
    all_namespaces: bool,
    directory: DataDir,
    address: str | None,
    ca: Path | None,
    token: str | None,
    insecure: bool,
) -> int:
    """Show objects."""
    from kcore.cli import resources, session

    wanted = resources.targets(arguments)
    resources.check(wanted, all_namespaces, selector, field_selector)
    where = "" if all_namespaces else namespace
    if follow and (len(wanted) > 1 or len(wanted[0].names) > 1):
        raise click.ClickException("one resource type, and at most one name, can be watched at a time")

    async def act(client: Client) -> int:
        if follow:
            await watch(client, wanted[0], where, selector, field_selector, output, all_namespaces, no_headers)
            return 0
        found: list[tuple[Target, list[Object]]] = [
            (target, await resources.objects(client, target, where, selector, field_selector)) for target in wanted
        ]
        show(found, output, all_namespaces, no_headers)
        if not any(objects for _, objects in found) and output in ("table", "wide"):
            click.echo(nothing(wanted, where), err=True)
        return 0

    return session.run(act, directory, address, ca, token, insecure)


def nothing(wanted: list[Target], namespace: str) -> str:
    """That nothing was found, and where."""
    somewhere = namespace and any(target.spec.namespaced for target in wanted)
    return f"No resources found in {namespace} namespace." if somewhere else "No resources found."


def show(found: list[tuple[Target, list[Object]]], output: str, with_namespace: bool, no_headers: bool, is_one: bool = False) -> None:
    """Print objects; `is_one` if they are one object by their nature, not a list of one."""
    from kcore.cli.resources import qualified

    if output in ("table", "wide"):
        tables = [
            table_text(target, objects, output == "wide", with_namespace, no_headers, len(found) > 1)
            for target, objects in found
            if objects
        ]
        if tables:
            click.echo("\n\n".join(tables))
        return
    if output == "name":
        for target, objects in found:
            for obj in objects:
                click.echo(qualified(target.spec, obj["metadata"]["name"]))
        return
    everything = [obj for _, objects in found for obj in objects]
    single = len(found) == 1 and len(everything) == 1 and (is_one or len(found[0][0].names) == 1)
    click.echo(encoded(everything[0] if single else {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": everything}, output))


def encoded(obj: Object, output: str) -> str:
    """YAML or JSON."""
    if output == "json":
        return json.dumps(obj, indent=4)
    import yaml

    text: str = yaml.dump(obj, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False, default_flow_style=False)
    return text.rstrip("\n")


def table_text(target: Target, objects: list[Object], wide: bool, with_namespace: bool, no_headers: bool, prefixed: bool) -> str:
    """Objects of one kind as a table."""
    from kcore.cli.resources import qualified
    from kcore.machinery import table

    columns = table.columns(target.spec, wide)
    heads = [column.name for column in columns]
    namespaced = with_namespace and target.spec.namespaced
    rows = []
    for obj in objects:
        cells = table.row(target.spec, columns, obj, time.time())
        if prefixed:
            cells = [
                qualified(target.spec, str(cell)) if column.format == "name" else cell for cell, column in zip(cells, columns, strict=True)
            ]
        rows.append([obj["metadata"].get("namespace", ""), *cells] if namespaced else cells)
    text = table.render(["Namespace", *heads] if namespaced else heads, rows)
    return text.partition("\n")[2] if no_headers else text


async def watch(
    client: Client,
    target: Target,
    namespace: str,
    selector: str,
    field_selector: str,
    output: str,
    with_namespace: bool,
    no_headers: bool,
) -> None:
    """Print what is there, then each object that changes, all under one line with the names of columns."""
    from kcore.cli import resources

    if target.names:
        await resources.objects(client, target, namespace)  # says so if it is not there
        field_selector = f"metadata.name={target.names[0]}"
    target = resources.Target(target.spec, ())
    found, revision = await resources.listed(client, target, namespace, selector, field_selector)
    is_table = output in ("table", "wide")
    for objects in [found] if is_table else [[obj] for obj in found]:
        show([(target, objects)], output, with_namespace, no_headers, is_one=True)
    has_begun = bool(found)
    async with resources.calls(client, target.spec).watch(
        namespace=namespace if target.spec.namespaced else "",
        label_selector=selector,
        field_selector=field_selector,
        resource_version=revision,
    ) as changes:
        async for kind, obj in changes:
            if kind != "BOOKMARK":
                if has_begun and output == "yaml":
                    click.echo("---")
                show([(target, [resources.typed(target.spec, obj)])], output, with_namespace, no_headers or has_begun, is_one=True)
                has_begun = True
