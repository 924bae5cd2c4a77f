"""`kcore describe`: an object field by field, and what happened to it. One renderer for all kinds."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kcore.base.config import DataDir
from kcore.cli import options

if TYPE_CHECKING:
    from kcore.client.client import Client

INDENT = 2
GAP = 2
COLUMNS_MAX = 6
SKIPPED = frozenset(("managedFields", "uid", "resourceVersion", "generation", "selfLink", "name", "namespace"))
NONE = "<none>"
# Maps whose keys are names, not fields; they are shown as they are.
FREE = frozenset(("labels", "annotations", "matchLabels", "nodeSelector", "data", "binaryData", "stringData", "selector"))
AMOUNTS = frozenset(("capacity", "allocatable", "requests", "limits", "allocatedResources", "hard", "used"))
ACRONYMS = {"Api": "API", "Dns": "DNS", "Ip": "IP", "Os": "OS", "Qos": "QoS"}
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
    from kcore.cli import get, resources, session

    wanted = resources.targets(arguments)
    resources.check(wanted, all_namespaces, selector)
    where = "" if all_namespaces else namespace

    async def act(client: Client) -> None:
        texts = [
            "\n".join([*lines(obj), *await events(client, obj)])
            for target in wanted
            for obj in await resources.objects(client, target, where, selector)
        ]
        if texts:
            click.echo("\n\n\n".join(texts))
        else:
            click.echo(get.nothing(wanted, where), err=True)

    session.run(act, directory, address, ca, token, insecure)


def lines(obj: Object) -> Iterator[str]:
    """An object: metadata first, without its frame, then every part by its name."""
    metadata = obj.get("metadata") or {}
    parts: Object = {name: metadata[name] for name in ("name", "namespace") if metadata.get(name)}
    parts |= {name: value for name, value in metadata.items() if name not in SKIPPED}
    parts |= {name: value for name, value in obj.items() if name not in ("apiVersion", "kind", "metadata")}
    if obj.get("kind") == "Secret":
        parts["data"] = {name: f"{len(base64.b64decode(value))} bytes" for name, value in (obj.get("data") or {}).items()}
    yield from fields(parts, 0)


def title(name: str) -> str:
    """`nodeName` -> `Node Name`; what begins with a capital or holds more than letters is a name already."""
    if not name.isalpha() or not name[:1].islower():
        return name
    words = "".join(f" {char}" if char.isupper() and before.islower() else char for before, char in zip(f" {name}", name, strict=False))
    return " ".join(ACRONYMS.get(each, each) for each in (words[:1].upper() + words[1:]).split())


def is_empty(value: Any) -> bool:
    """Whether there is nothing in a value, nor in its parts."""
    if isinstance(value, dict):
        return all(map(is_empty, value.values()))
    return bool(value == [])


def fields(parts: Mapping[str, Any], depth: int, free: bool = False) -> Iterator[str]:
    """The fields of an object one below the other, values aligned; what is empty is left out."""
    shown = {name if free else title(name): (name, value) for name, value in parts.items() if not is_empty(value)}
    width = max((len(head) + 1 for head, (name, value) in shown.items() if is_short(name, value)), default=0) + GAP
    for head, (name, value) in shown.items():
        lead = " " * (INDENT * depth)
        if is_short(name, value):
            first, *rest = short(name, value) or [""]
            yield f"{lead}{head + ':':{width}}{first}".rstrip()
            yield from (f"{lead}{'':{width}}{line}".rstrip() for line in rest)
        else:
            yield f"{lead}{head}:"
            yield from block(name, value, depth + 1)


def is_short(name: str, value: Any) -> bool:
    """Whether a value stands beside its name, not below it."""
    if isinstance(value, dict):
        return name in FREE and all(not isinstance(inner, dict | list) and "\n" not in str(inner) for inner in value.values())
    if isinstance(value, list):
        return all(not isinstance(inner, dict | list) for inner in value) or bool(sole(value))
    return "\n" not in str(value)


def sole(items: list[Any]) -> str:
    """The one field that the objects of a list have; '' if they have more."""
    names = {name for item in items if isinstance(item, dict) for name in item}
    return names.pop() if len(names) == 1 and is_flat(items) else ""


def short(name: str, value: Any) -> list[str]:
    """The lines of a value beside its name."""
    if isinstance(value, dict):
        mark = ": " if "ata" in name else "="
        return [f"{key}{mark}{word(inner)}" for key, inner in sorted(value.items())]
    if isinstance(value, list):
        name = sole(value)
        return [", ".join(word(inner[name] if name else inner) for inner in value)]
    return [word(value)]


def word(value: Any) -> str:
    """A scalar as text."""
    return {True: "true", False: "false", None: NONE}[value] if isinstance(value, bool | None) else str(value)


def block(name: str, value: Any, depth: int) -> Iterator[str]:
    """The lines of a value below its name."""
    lead = " " * (INDENT * depth)
    if isinstance(value, dict):
        yield from fields(value, depth, name in AMOUNTS or (name in FREE and not any(isinstance(part, dict) for part in value.values())))
    elif isinstance(value, str):
        yield from (f"{lead}{line}".rstrip() for line in value.splitlines())
    elif is_flat(value):
        yield from (lead + line for line in grid(value))
    else:
        for index, inner in enumerate(value):
            head = inner.get("name") or inner.get("type") or str(index) if isinstance(inner, dict) else str(index)
            yield f"{lead}{head}:"
            rest = {key: part for key, part in inner.items() if part != head} if isinstance(inner, dict) else {"items": inner}
            yield from fields(rest, depth + 1)


def is_flat(items: list[Any]) -> bool:
    """Whether a list is a table: objects with few fields, none of which has parts."""
    if any(
        not isinstance(item, dict) or any(isinstance(part, dict | list) or "\n" in str(part) for part in item.values()) for item in items
    ):
        return False
    return len(columns(items)) <= COLUMNS_MAX


def columns(items: list[Object]) -> list[str]:
    """The fields of all items of a list: those that say which one first, long texts last."""
    found = list(dict.fromkeys(name for item in items for name in item))
    return sorted(found, key=lambda name: (name in ("reason", "message"), name not in ("type", "name", "key")))


def grid(items: list[Object]) -> list[str]:
    """Objects as a table."""
    from kcore.machinery import table

    names = columns(items)
    rows = [[word(item[name]) if name in item else "" for name in names] for item in items]
    heads = [title(name) for name in names]
    text = table.render([*heads], rows, as_heads=str)
    return text.splitlines()


async def events(client: Client, obj: Object) -> list[str]:
    """What happened to the object, the oldest first."""
    from kcore.cli import resources
    from kcore.machinery import ages, table

    metadata = obj["metadata"]
    selector = f"involvedObject.name={metadata['name']},involvedObject.kind={obj['kind']}" + (
        f",involvedObject.uid={metadata['uid']}" if metadata.get("uid") else ""
    )
    found = await resources.calls(client, resources.find("events")).list(
        namespace=metadata.get("namespace") or "default", field_selector=selector
    )
    items = sorted(found.get("items") or (), key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
    if not items:
        return ["Events:  <none>"]
    now = time.time()
    rows = [
        [
            event.get("type", ""),
            event.get("reason", ""),
            ages.age(event.get("lastTimestamp") or event.get("eventTime"), now),
            (event.get("source") or {}).get("component") or event.get("reportingComponent") or "",
            event.get("message", ""),
        ]
        for event in items
    ]
    text = table.render(["Type", "Reason", "Age", "From", "Message"], rows, as_heads=str)
    return ["Events:", *(f"  {line}" for line in text.splitlines())]
