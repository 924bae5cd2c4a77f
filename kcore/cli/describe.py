"""`kcore describe`: an object field by field, and what happened to it. One renderer for all kinds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kcore.base.config import DataDir
from kcore.cli import options

if TYPE_CHECKING:
    from kcore.client.client import Client

WIDTH = 24
SKIPPED = frozenset(("managedFields", "uid", "resourceVersion", "generation", "selfLink"))
Object = dict[str, Any]


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="TYPE [NAME ...] | TYPE/NAME ...")
@click.option("-l", "--selector", default="", help="Label selector.")
@options.namespace
@options.server
def command(
    arguments: tuple[str, ...],
    selector: str,
    namespace: str,
    all_namespaces: bool,
    directory: DataDir,
    address: str | None,
    ca: Path | None,
    token: str | None,
    insecure: bool,
) -> None:
    """Show objects in full, with their events."""
    from kcore.cli import resources, session

    wanted = resources.targets(arguments)

    async def act(client: Client) -> None:
        first = True
        for target in wanted:
            for obj in await resources.objects(client, target, "" if all_namespaces else namespace, selector):
                if not first:
                    click.echo("\n")
                first = False
                click.echo("\n".join([*lines(obj), *await events(client, obj)]))

    session.run(act, directory, address, ca, token, insecure)


def lines(obj: Object) -> Iterator[str]:
    """An object: metadata first, without its frame, then every part by its name."""
    metadata = obj.get("metadata") or {}
    for name in ("name", "namespace"):
        if metadata.get(name):
            yield field(title(name), metadata[name], 0)
    for name, value in metadata.items():
        if name not in SKIPPED and name not in ("name", "namespace"):
            yield from described(title(name), value, 0)
    for name, value in obj.items():
        if name not in ("apiVersion", "kind", "metadata"):
            yield from described(title(name), value, 0)


def title(name: str) -> str:
    """`nodeName` -> `Node Name`."""
    words = "".join(f" {char}" if char.isupper() and before.islower() else char for before, char in zip(f" {name}", name, strict=False))
    return words[:1].upper() + words[1:]


def field(name: str, value: Any, depth: int) -> str:
    """One line: the name, then the value."""
    shown = {True: "true", False: "false", None: "<none>"}.get(value, value) if isinstance(value, bool | None) else value
    return f"{'  ' * depth}{name + ':':{max(WIDTH - 2 * depth, len(name) + 2)}}{shown}"


def described(name: str, value: Any, depth: int) -> Iterator[str]:
    """A value under its name, its parts indented."""
    if isinstance(value, dict) and value:
        plain = all(isinstance(inner, str | int | float) for inner in value.values())
        if plain and depth == 0 and name in ("Labels", "Annotations"):
            first, *rest = (f"{key}={inner}" for key, inner in sorted(value.items()))
            yield field(name, first, depth)
            for line in rest:
                yield " " * WIDTH + line
            return
        yield f"{'  ' * depth}{name}:"
        for key, inner in value.items():
            yield from described(title(key), inner, depth + 1)
    elif isinstance(value, list) and value:
        if all(not isinstance(inner, dict | list) for inner in value):
            yield field(name, ", ".join(map(str, value)), depth)
            return
        yield f"{'  ' * depth}{name}:"
        for index, inner in enumerate(value):
            label = inner.get("name") or inner.get("type") or inner.get("ip") or str(index) if isinstance(inner, dict) else str(index)
            yield from described(
                str(label), {k: v for k, v in inner.items() if v != label} if isinstance(inner, dict) else inner, depth + 1
            )
    elif value not in ({}, []):
        yield field(name, value, depth)


async def events(client: Client, obj: Object) -> list[str]:
    """What happened to the object, the oldest first."""
    from kcore.cli import resources
    from kcore.machinery import table

    metadata = obj["metadata"]
    selector = f"involvedObject.name={metadata['name']},involvedObject.kind={obj['kind']}" + (
        f",involvedObject.uid={metadata['uid']}" if metadata.get("uid") else ""
    )
    found = await resources.calls(client, resources.find("events")).list(
        namespace=metadata.get("namespace") or "default", field_selector=selector
    )
    items = sorted(found.get("items") or (), key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
    if not items:
        return [f"{'Events:':{WIDTH}}<none>"]
    now = time.time()
    rows = [
        [
            event.get("type", ""),
            event.get("reason", ""),
            table.age(event.get("lastTimestamp") or event.get("eventTime"), now),
            (event.get("source") or {}).get("component") or "",
            event.get("message", ""),
        ]
        for event in items
    ]
    return ["Events:", *(f"  {line}" for line in table.render(["Type", "Reason", "Age", "From", "Message"], rows).splitlines())]
