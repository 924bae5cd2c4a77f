"""`kcore proto`: the sources of the API, for stubs in any language."""

from __future__ import annotations

import json
import shutil
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from kcore.cli import options

OWN = frozenset(("__init__.py", "derive_services.py", "__pycache__"))
"""What lies beside the sources for kcore's own build."""


@click.command()
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Where to write them.")
@options.as_json
def command(out: Path, as_json: bool) -> None:
    """Write the .proto files, for stubs in any language.

    With a file for buf for each of Go, Java, Node, Python and Rust, and a README that shows how to use them.
    """
    written = copied(resources.files("kcore.proto"), out)
    if as_json:
        click.echo(json.dumps({"out": str(out), "files": written}))
    else:
        click.echo(f"{len(written)} files in {out}; {out / 'README.md'} says how to go on")


def copied(source: Traversable, target: Path) -> list[str]:
    """Copy a folder; -> the paths of its files, below it."""
    target.mkdir(parents=True, exist_ok=True)
    found = []
    for part in sorted(source.iterdir(), key=lambda part: part.name):
        if part.name in OWN:
            continue
        if part.is_dir():
            found += [f"{part.name}/{below}" for below in copied(part, target / part.name)]
            continue
        with part.open("rb") as old, (target / part.name).open("wb") as new:
            shutil.copyfileobj(old, new)
        found.append(part.name)
    return found
