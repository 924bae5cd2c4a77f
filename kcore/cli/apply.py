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
@options.as_json
@options.server
def command(
    files: tuple[str, ...],
    namespace: str | None,
    as_json: bool,
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
    from kcore.cli.outcomes import Outcomes
    from kcore.client import apply
    from kcore.client.client import Client
    from kcore.machinery.status import StatusError

    async def act(client: Client) -> None:
        for file in files:
            for found in manifests.read(file):
                if isinstance(found, manifests.Broken):
                    outcomes.refused(found.reason, source=found.source)
                    continue
                try:
                    manifests.agree(found.obj, namespace)
                    applied = await apply.apply(client, found.obj, namespace or "default")
                    outcomes.done(str(applied), *applied)
                except (apply.NotServed, manifests.OtherNamespace) as error:
                    outcomes.refused(str(error), source=found.source)
                except StatusError as error:
                    if error.reason in session.ENDING:
                        raise
                    outcomes.refused(error.message, source=found.source)

    with Outcomes("applied", as_json) as outcomes:
        session.run(act, directory, address, ca, token, insecure)
    return outcomes.status
