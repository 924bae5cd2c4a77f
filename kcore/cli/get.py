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
    where = "" if all_namespaces else namespace

    async def act(client: Client) -> int:
        found: list[tuple[Target, list[Object]]] = [
            (target, await resources.objects(client, target, where, selector, field_selector)) for target in wanted
        ]
        show(found, output, all_namespaces, no_headers)
        if not any(objects for _, objects in found) and not follow and output in ("table", "wide"):
            click.echo(f"No resources found{'' if all_namespaces else f' in {namespace} namespace'}.", err=True)
        if follow:
            await watch(client, wanted[0], where, selector, field_selector, output, all_namespaces)
        return 0

    return session.run(act, directory, address, ca, token, insecure)


def show(found: list[tuple[Target, list[Object]]], output: str, with_namespace: bool, no_headers: bool) -> None:
    """Print objects."""
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
    single = len(found) == 1 and len(found[0][0].names) == 1
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
    client: Client, target: Target, namespace: str, selector: str, field_selector: str, output: str, with_namespace: bool
) -> None:
    """Print what changes."""
    from kcore.cli import resources

    name = f"metadata.name={target.names[0]}" if target.names else ""
    fields = ",".join(part for part in (field_selector, name) if part)
    where = namespace if target.spec.namespaced else ""
    resource = resources.calls(client, target.spec)
    listed = await resource.list(namespace=where, label_selector=selector, field_selector=fields)
    async with resource.watch(
        namespace=where, label_selector=selector, field_selector=fields, resource_version=listed["metadata"]["resourceVersion"]
    ) as changes:
        async for kind, obj in changes:
            if kind != "BOOKMARK":
                show(
                    [(target, [{"apiVersion": target.spec.api_version, "kind": target.spec.kind, **obj}])],
                    output,
                    with_namespace,
                    output in ("table", "wide"),
                )
