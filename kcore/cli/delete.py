"""`kcore delete`: objects by name, by selector, or by what manifests name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kcore.base import limits
from kcore.base.config import DataDir
from kcore.cli import options

if TYPE_CHECKING:
    from kcore.cli.resources import Target
    from kcore.client.client import Client
    from kcore.machinery.status import StatusError

POLL_S = 0.05


@dataclass(slots=True)
class Doomed:
    """An object that is deleted and may still be there for a while."""

    target: Target
    namespace: str
    name: str
    uid: str = ""


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
@options.as_json
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
    as_json: bool,
    directory: DataDir,
    address: str | None,
    ca: Path | None,
    token: str | None,
    insecure: bool,
) -> int:
    """Delete objects."""
    from kcore.cli import resources, session
    from kcore.cli.outcomes import Outcomes

    if not arguments and not files:
        raise click.UsageError("name objects, or manifests with -f")
    wanted = [(target, namespace) for target in (resources.targets(arguments) if arguments else [])] + named_in(files, namespace)
    for target, _ in wanted:
        if not target.names and not selector and not everything:
            raise click.UsageError("a type alone needs --selector or --all")
    if selector or everything:
        resources.check([target for target, _ in wanted], False, selector or "--all")

    async def act(client: Client) -> None:
        found: list[Doomed] = []
        for target, where in wanted:
            names = target.names or tuple(obj["metadata"]["name"] for obj in await resources.objects(client, target, where, selector))
            found += [Doomed(target, where if target.spec.namespaced else "", name) for name in names]
        gone: list[Doomed] = []
        for group in batched(found):
            how = {"propagation_policy": cascade.capitalize(), "grace_period_seconds": grace_period}
            for doomed, error in zip(group, await asyncio.gather(*(doom(client, doomed, how) for doomed in group)), strict=True):
                if error is None:
                    spec = doomed.target.spec
                    outcomes.done(f"{resources.qualified(spec, doomed.name)} deleted", spec, doomed.namespace, doomed.name, "deleted")
                    gone.append(doomed)
                elif error.reason in session.ENDING:
                    raise error
                elif error.reason != "NotFound" or not ignore_not_found:
                    outcomes.refused(error.message)
        if not found:
            click.echo("No resources found.", err=True)
        for group in batched(gone) if wait else ():
            await asyncio.gather(*(until_gone(client, doomed) for doomed in group))

    with Outcomes("deleted", as_json) as outcomes:
        session.run(act, directory, address, ca, token, insecure)
    return outcomes.status


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


def batched(items: list[Doomed]) -> Iterator[list[Doomed]]:
    """Groups that are dealt with at once, in order. What manifests name is of different kinds and goes one by one."""
    start = 0
    while start < len(items):
        end = start + 1
        while end < len(items) and end - start < limits.DELETES_AT_ONCE and items[end].target is items[start].target:
            end += 1
        yield items[start:end]
        start = end


async def doom(client: Client, doomed: Doomed, how: dict[str, Any]) -> StatusError | None:
    """Delete an object; -> why it could not be."""
    from kcore.cli import resources
    from kcore.machinery.status import StatusError

    try:
        answer = await resources.calls(client, doomed.target.spec).delete(doomed.name, namespace=doomed.namespace, **how)
    except StatusError as error:
        return error
    doomed.uid = uid_of(answer)
    return None


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
