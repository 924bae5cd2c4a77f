"""Manifests: files, folders and standard input with YAML or JSON documents, one object or a List each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml

Object = dict[str, Any]
SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Document:
    """An object and the file it stands in."""

    source: str
    obj: Object


@dataclass(frozen=True, slots=True)
class Broken:
    """A file that holds something else than objects."""

    source: str
    reason: str


def read(path: str) -> Iterator[Document | Broken]:
    """The objects of a file, of the files in a folder (in order of their names, all the way down), or of - (standard input)."""
    if path == "-":
        yield from parse(sys.stdin.read(), "standard input")
        return
    place = Path(path)
    if not place.exists():
        raise click.ClickException(f"there is no {path}")
    files = sorted(found for found in place.rglob("*") if found.suffix in SUFFIXES and found.is_file()) if place.is_dir() else [place]
    if not files:
        raise click.ClickException(f"{path} holds no {', '.join(SUFFIXES)} file")
    for file in files:
        try:
            text = file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            yield Broken(str(file), str(error))
            continue
        yield from parse(text, str(file))


def parse(text: str, source: str) -> Iterator[Document | Broken]:
    """The objects of a text."""
    try:
        documents = list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError as error:
        yield Broken(source, " ".join(str(error).split()))
        return
    for document in documents:
        if document is None:
            continue
        if not isinstance(document, dict) or not document.get("kind"):
            yield Broken(source, "a document is no Kubernetes object: it has no kind")
            continue
        items = document.get("items")
        if str(document["kind"]).endswith("List") and isinstance(items, list):
            yield from (Document(source, item) for item in items)
        else:
            yield Document(source, document)
