"""`kcore apply -f`: create or update what manifests say."""

from __future__ import annotations

from pathlib import Path

import click

from kcore.base.config import DataDir
from kcore.cli import options


@click.command()
@click.option(
    "-f",
    "--filename",
    "files",
    multiple=True,
    required=True,
    metavar="FILE|DIR|-",
    help="A manifest, a folder of manifests, or - for standard input.",
)
@click.option("-n", "--namespace", default=None, help="For objects that name none (default); others must agree with it.")
@options.server
def command(
    files: tuple[str, ...],
    namespace: str | None,
    directory: DataDir,
    address: str | None,
    ca: Path | None,
    token: str | None,
    insecure: bool,
) -> int:
    """Create what is not there, update what differs.

    Says of each object what became of it; exit status 1 if anything was refused.
    """
    from kcore.cli import manifests, session
    from kcore.client import apply
    from kcore.client.client import Client
    from kcore.machinery.status import StatusError

    async def act(client: Client) -> int:
        refused = 0
        for file in files:
            for found in manifests.read(file):
                if isinstance(found, manifests.Broken):
                    click.echo(f"kcore: {found.source}: {found.reason}", err=True)
                    refused += 1
                    continue
                try:
                    manifests.agree(found.obj, namespace)
                    click.echo(str(await apply.apply(client, found.obj, namespace or "default")))
                except (apply.NotServed, manifests.OtherNamespace) as error:
                    click.echo(f"kcore: {found.source}: {error}", err=True)
                    refused += 1
                except StatusError as error:
                    if error.reason in session.ENDING:
                        raise
                    click.echo(f"kcore: {found.source}: {error.message}", err=True)
                    refused += 1
        return refused

    return min(1, session.run(act, directory, address, ca, token, insecure))
