"""Manifests: files, folders and standard input with YAML or JSON documents, one object or a List each.

YAML is read as Kubernetes' clients read it: what looks like a time or a number of base 60 is text, keys are text, and nothing may come out
that JSON cannot say.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml

Object = dict[str, Any]
SUFFIXES = (".yaml", ".yml", ".json")
TEXTS = ("apiVersion", "kind")
METADATA_TEXTS = ("name", "namespace", "generateName")
PLAIN_INT = re.compile(r"^(?:[-+]?0b[0-1_]+|[-+]?0o?[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+)$")
PLAIN_FLOAT = re.compile(
    r"^(?:[-+]?(?:[0-9][0-9_]*)?\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*\.?(?:[eE][-+]?[0-9]+)"
    r"|[-+]?[0-9][0-9_]*\.|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Loader(_BASE):  # type: ignore[misc]
    """YAML without times and numbers of base 60."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] not in ("timestamp", "int", "float")]
    for first, resolvers in _BASE.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:int", PLAIN_INT, list("-+0123456789"))
Loader.add_implicit_resolver("tag:yaml.org,2002:float", PLAIN_FLOAT, list("-+0123456789."))


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
        try:
            text = sys.stdin.read()
        except UnicodeDecodeError as error:
            yield Broken("standard input", str(error))
            return
        yield from parse(text, "standard input")
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
        documents = json_documents(text) or list(yaml.load_all(text, Loader=Loader))
    except yaml.YAMLError as error:
        yield Broken(source, " ".join(str(error).replace('in "<unicode string>", ', "at ").split()))
        return
    except (ValueError, RecursionError) as error:
        yield Broken(source, f"not readable: {error}")
        return
    for document in documents:
        if document is not None:
            yield from objects(document, source)


def json_documents(text: str) -> list[Any]:
    """The one document of a text that is JSON, which YAML would read as well, but not a large one in seconds; else nothing."""
    if not text.lstrip().startswith("{"):
        return []
    try:
        return [json.loads(text)]
    except ValueError:
        return []


def objects(document: Any, source: str) -> Iterator[Document | Broken]:
    """A document as an object, or the objects of a List."""
    problem = fault(document)
    if problem:
        yield Broken(source, problem)
        return
    items = document.get("items")
    if not document["kind"].endswith("List") or not isinstance(items, list):
        yield Document(source, document)
        return
    for index, item in enumerate(items):
        problem = fault(item)
        yield Broken(source, f"items[{index}]: {problem}") if problem else Document(source, item)


class OtherNamespace(Exception):
    """A manifest names another namespace than the command line."""


def agree(obj: Object, namespace: str | None) -> None:
    """Raise OtherNamespace if the manifest names another namespace than the one that was asked for."""
    stated = (obj.get("metadata") or {}).get("namespace")
    if namespace is not None and stated and stated != namespace:
        raise OtherNamespace(f"the namespace {stated} of the manifest is not {namespace}, which -n asks for")


def fault(document: Any) -> str:
    """Why a document is no object; '' if it is one."""
    if not isinstance(document, dict) or not document.get("kind"):
        return "a document is no Kubernetes object: it has no kind"
    metadata = document.get("metadata")
    if not isinstance(metadata, dict | None):
        return "metadata is no mapping"
    for name in TEXTS:
        if not isinstance(document.get(name), str | None):
            return f"{name} is no string"
    for name in METADATA_TEXTS:
        if not isinstance((metadata or {}).get(name), str | None):
            return f"metadata.{name} is no string"
    try:
        json.dumps(document, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        return f"a document is nothing that JSON can say: {error}"
    return ""
