"""`kcore delete`: objects by name, by selector, or by what manifests name."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kcore.base.config import DataDir
from kcore.cli import options

if TYPE_CHECKING:
    from kcore.cli.resources import Target
    from kcore.client.client import Client

POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Doomed:
    """An object that was deleted and may still be there for a while."""

    target: Target
    namespace: str
    name: str
    uid: str


@click.command()
@click.argument("arguments", nargs=-1, metavar="[TYPE NAME ... | TYPE/NAME ...]")
@click.option("-f", "--filename", "files", multiple=True, metavar="FILE|DIR|-", help="Delete what these manifests name.")
@click.option("-l", "--selector", default="", help="Delete what matches.")
@click.option("--all", "everything", is_flag=True, help="Delete all objects of the type in the namespace.")
@click.option(
    "--cascade",
    type=click.Choice(["background", "foreground", "orphan"]),
    default="background",
    show_default=True,
    help="What happens to dependents.",
)
@click.option("--grace-period", type=int, default=None, help="Seconds that pods get to end.")
@click.option("--wait/--no-wait", "wait", default=True, show_default=True, help="Return when they are gone.")
@click.option("--ignore-not-found", is_flag=True, help="What is not there is no error.")
@click.option("-n", "--namespace", default="default", show_default=True, help="In this namespace.")
@options.server
def command(
    arguments: tuple[str, ...],
    files: tuple[str, ...],
    selector: str,
    everything: bool,
    cascade: str,
    grace_period: int | None,
    wait: bool,
    ignore_not_found: bool,
    namespace: str,
    directory: DataDir,
    address: str | None,
    ca: Path | None,
    token: str | None,
    insecure: bool,
) -> int:
    """Delete objects."""
    from kcore.cli import resources, session
    from kcore.machinery.status import StatusError

    if not arguments and not files:
        raise click.UsageError("name objects, or manifests with -f")
    wanted = [(target, namespace) for target in (resources.targets(arguments) if arguments else [])] + named_in(files, namespace)
    for target, _ in wanted:
        if not target.names and not selector and not everything:
            raise click.UsageError("a type alone needs --selector or --all")
    if selector or everything:
        resources.check([target for target, _ in wanted], False, selector or "--all")

    async def act(client: Client) -> int:
        refused = 0
        gone: list[Doomed] = []
        for target, where in wanted:
            names = target.names or tuple(obj["metadata"]["name"] for obj in await resources.objects(client, target, where, selector))
            for name in names:
                place = where if target.spec.namespaced else ""
                try:
                    answer = await resources.calls(client, target.spec).delete(
                        name, namespace=place, propagation_policy=cascade.capitalize(), grace_period_seconds=grace_period
                    )
                except StatusError as error:
                    if error.reason in session.ENDING:
                        raise
                    if error.reason != "NotFound" or not ignore_not_found:
                        click.echo(f"kcore: {error.message}", err=True)
                        refused += 1
                    continue
                click.echo(f"{resources.qualified(target.spec, name)} deleted")
                gone.append(Doomed(target, place, name, uid_of(answer)))
        if not gone and not refused:
            click.echo("No resources found.", err=True)
        for doomed in gone if wait else ():
            await until_gone(client, doomed)
        return min(1, refused)

    return session.run(act, directory, address, ca, token, insecure)


def named_in(files: tuple[str, ...], namespace: str) -> list[tuple[Target, str]]:
    """What manifests name, the last first."""
    from kcore.cli import manifests
    from kcore.cli.resources import Target
    from kcore.client.apply import NotServed, spec_of

    found = []
    for file in files:
        for document in manifests.read(file):
            if isinstance(document, manifests.Broken):
                raise click.ClickException(f"{document.source}: {document.reason}")
            metadata = document.obj.get("metadata") or {}
            try:
                found.append((Target(spec_of(document.obj), (metadata.get("name", ""),)), metadata.get("namespace") or namespace))
            except NotServed as error:
                raise click.ClickException(f"{document.source}: {error}") from error
    return found[::-1]


def uid_of(answer: dict[str, Any]) -> str:
    """Whose deletion an answer is about: it is the object, or a Status with its uid."""
    found: str = (answer.get("details") or answer.get("metadata") or {}).get("uid", "")
    return found


async def until_gone(client: Client, doomed: Doomed) -> None:
    """Wait until an object is not there any more, or another of its name is."""
    from kcore.cli import resources
    from kcore.machinery.status import StatusError

    while True:
        try:
            found = await resources.calls(client, doomed.target.spec).get(doomed.name, namespace=doomed.namespace)
        except StatusError as error:
            if error.reason == "NotFound":
                return
            raise
        if doomed.uid and found["metadata"]["uid"] != doomed.uid:
            return
        await asyncio.sleep(POLL_S)
