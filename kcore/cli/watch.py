"""`kcore watch`: changes as they come, one line each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kcore.base.config import DataDir
from kcore.cli import options

if TYPE_CHECKING:
    from kcore.client.client import Client


@click.command()
@click.argument("resource", metavar="TYPE")
@click.option("-l", "--selector", default="", help="Label selector.")
@click.option("--field-selector", default="", help="Field selector.")
@click.option("--resource-version", default="", help="Changes after this revision; else the present objects first.")
@click.option("--json", "as_json", is_flag=True, help="A JSON document a line, with the whole object.")
@options.namespace
@options.server
def command(
    resource: str,
    selector: str,
    field_selector: str,
    resource_version: str,
    as_json: bool,
    namespace: str,
    all_namespaces: bool,
    directory: DataDir,
    address: str | None,
    ca: Path | None,
    token: str | None,
    insecure: bool,
) -> None:
    """Show each change of a resource.

    Shows what is there first; ends when interrupted.
    """
    from kcore.cli import resources, session

    spec = resources.find(resource)
    where = namespace if spec.namespaced and not all_namespaces else ""

    async def act(client: Client) -> None:
        calls = resources.calls(client, spec)
        async with calls.watch(
            namespace=where, label_selector=selector, field_selector=field_selector, resource_version=resource_version
        ) as changes:
            async for kind, obj in changes:
                if as_json:
                    click.echo(json.dumps({"type": kind, "object": obj}))
                    continue
                metadata = obj["metadata"]
                place = f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else metadata.get("name", "")
                click.echo(f"{metadata.get('resourceVersion', ''):>8}  {kind:9} {spec.singular} {place}")

    session.run(act, directory, address, ca, token, insecure)
