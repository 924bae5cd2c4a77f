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
    found = scheme.everything().find(word)
    if found is None or not found.storage:
        raise click.ClickException(f'the server doesn\'t have a resource type "{word}"')
    return found


def targets(arguments: tuple[str, ...]) -> list[Target]:
    """What the arguments mean. Raises ClickException."""
    if "/" in arguments[0]:
        pairs = [argument.partition("/") for argument in arguments]
        if any(not kind or not name or "/" in name for kind, _, name in pairs):
            raise click.ClickException("arguments of the form TYPE/NAME must all have a name")
        return [Target(find(kind), (name,)) for kind, _, name in pairs]
    if any("/" in argument for argument in arguments[1:]):
        raise click.ClickException("a name has no /: give TYPE NAME, or TYPE/NAME alone")
    kinds = arguments[0].split(",")
    if len(kinds) > 1 and len(arguments) > 1:
        raise click.ClickException("names need one resource type")
    return [Target(spec, arguments[1:]) for kind in kinds for spec in (all_kinds() if kind == ALL else [find(kind)])]


def check(wanted: list[Target], all_namespaces: bool, *selectors: str) -> None:
    """Refuse names together with what selects without names. Raises ClickException."""
    if any(target.names for target in wanted):
        if any(selectors):
            raise click.ClickException("names go without a selector")
        if all_namespaces and any(target.names and target.spec.namespaced for target in wanted):
            raise click.ClickException("a resource cannot be retrieved by name across all namespaces")


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
    if target.names:
        where = namespace if target.spec.namespaced else ""
        return [await calls(client, target.spec).get(name, namespace=where) for name in target.names]
    return (await listed(client, target, namespace, label_selector, field_selector))[0]


async def listed(
    client: Client, target: Target, namespace: str, label_selector: str = "", field_selector: str = ""
) -> tuple[list[dict[str, Any]], str]:
    """All objects of a target's kind that match, and the revision at which that was so. Raises StatusError."""
    found = await calls(client, target.spec).list(
        namespace=namespace if target.spec.namespaced else "", label_selector=label_selector, field_selector=field_selector
    )
    return [typed(target.spec, item) for item in found.get("items") or ()], found["metadata"]["resourceVersion"]


def typed(spec: KindSpec, item: dict[str, Any]) -> dict[str, Any]:
    """An item of a list as an object that says what it is."""
    return {"apiVersion": spec.api_version, "kind": spec.kind, **item}


def qualified(spec: KindSpec, name: str) -> str:
    """`deployment.apps/web`."""
    return f"{spec.singular}{'.' + spec.group if spec.group else ''}/{name}"
