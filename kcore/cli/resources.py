"""Arguments of `get`, `describe`, `delete` and `watch`: `pods`, `deploy/web`, `po a b`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from kcore.client.client import Client
from kcore.client.dynamic import DynamicResource
from kcore.machinery import scheme
from kcore.machinery.scheme import KindSpec

ALL = "all"


@dataclass(frozen=True, slots=True)
class Target:
    """A kind, and the names that are meant; no names mean all objects."""

    spec: KindSpec
    names: tuple[str, ...]


def find(word: str) -> KindSpec:
    """The kind that a word means. Raises ClickException."""
    found = scheme.load().find(word)
    if found is None or not found.storage:
        raise click.ClickException(f'the server doesn\'t have a resource type "{word}"')
    return found


def targets(arguments: tuple[str, ...]) -> list[Target]:
    """What the arguments mean. Raises ClickException."""
    if "/" in arguments[0]:
        pairs = [argument.partition("/") for argument in arguments]
        if any(not name for _, _, name in pairs):
            raise click.ClickException("arguments of the form TYPE/NAME must all have a name")
        return [Target(find(kind), (name,)) for kind, _, name in pairs]
    kinds = arguments[0].split(",")
    if len(kinds) > 1 and len(arguments) > 1:
        raise click.ClickException("names need one resource type")
    return [Target(spec, arguments[1:]) for kind in kinds for spec in (all_kinds() if kind == ALL else [find(kind)])]


def all_kinds() -> list[KindSpec]:
    """What people mean by `all`: the kinds of that category."""
    return [spec for spec in scheme.load().served() if ALL in spec.categories]


def calls(client: Client, spec: KindSpec) -> DynamicResource:
    """The calls of a kind."""
    return client.dynamic.resource(spec.group, spec.version, spec.resource)


async def objects(
    client: Client, target: Target, namespace: str, label_selector: str = "", field_selector: str = ""
) -> list[dict[str, Any]]:
    """The objects that a target means, in key order. Raises StatusError."""
    where = namespace if target.spec.namespaced else ""
    resource = calls(client, target.spec)
    if target.names:
        return [await resource.get(name, namespace=where) for name in target.names]
    listed = await resource.list(namespace=where, label_selector=label_selector, field_selector=field_selector)
    return [{"apiVersion": target.spec.api_version, "kind": target.spec.kind, **item} for item in listed.get("items") or ()]


def qualified(spec: KindSpec, name: str) -> str:
    """`deployment.apps/web`."""
    return f"{spec.singular}{'.' + spec.group if spec.group else ''}/{name}"
