"""`kcore api-resources`: what is served, from the scheme of this build; needs no server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from kcore.cli import options
from kcore.machinery import scheme, table
from kcore.machinery.scheme import KindSpec

FORMATS = ("table", "wide", "name", "markdown")
NARROW = ("Name", "Shortnames", "APIVersion", "Namespaced", "Kind")
WIDE = (*NARROW, "Verbs", "Subresources", "Categories", "Fields to select by")


@click.command()
@click.option("-o", "--output", type=click.Choice(FORMATS), default="table", help="Form of the output.")
@click.option("--api-group", "group", default=None, metavar="GROUP", help="Only this group; '' is the core group.")
@options.as_json
def command(output: str, group: str | None, as_json: bool) -> None:
    """Print the resources that kcore serves.

    With their verbs and subresources (-o wide), or as a table for a document (-o markdown).
    """
    specs = [spec for spec in scheme.load().kinds.values() if group in (None, spec.group)]
    if as_json:
        click.echo(json.dumps([facts(spec) for spec in specs]))
    elif output == "name":
        click.echo("\n".join(f"{spec.resource}.{spec.group}" if spec.group else spec.resource for spec in specs))
    elif output == "markdown":
        click.echo(markdown(WIDE, [row(spec) for spec in specs]))
    else:
        heads = WIDE if output == "wide" else NARROW
        click.echo(table.render(heads, [row(spec)[: len(heads)] for spec in specs]))


def facts(spec: KindSpec) -> dict[str, Any]:
    """What there is to say of a kind."""
    return {
        "name": spec.resource,
        "singularName": spec.singular,
        "shortNames": list(spec.short_names),
        "apiVersion": spec.api_version,
        "namespaced": spec.namespaced,
        "kind": spec.kind,
        "verbs": sorted(spec.verbs),
        "subresources": {sub.name: sorted(sub.verbs) for sub in spec.subresources.values()},
        "categories": list(spec.categories),
        "selectableFields": list(spec.selectable_fields),
        "storageVersion": not spec.converted,
    }


def row(spec: KindSpec) -> list[str]:
    """The cells of `WIDE`."""
    lists = (sorted(spec.verbs), list(spec.subresources), spec.categories, spec.selectable_fields)
    narrow = [spec.resource, ",".join(spec.short_names), spec.api_version, str(spec.namespaced).lower(), spec.kind]
    return [*narrow, *(",".join(each) for each in lists)]


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown; lists get room to break."""
    lines = [heads, ["---"] * len(heads), *([cell.replace(",", ", ") for cell in cells] for cells in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
