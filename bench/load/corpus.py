"""Applies a folder of real manifests to a control plane of its own, and waits for the shop among them to run.

    python -m bench.load.corpus DIR [--nodes N] [--json FILE]

DIR/manifests holds the manifests, DIR/manifests/microservices-demo.yaml the shop; DIR/openb, if there is one, nodes and pods of a real
cluster, with which another control plane is filled (`bench.load.openb`). Each document counts for itself: applied, or refused with
a reason. Each folder, and the shop, is an example of its own and gets a namespace for what names none, since many use the same names.
Namespaces come first, those too that manifests name and nobody brings, as a person would make them. Exit status 0 when the shop runs,
every refusal says why, and the real cluster's nodes are full.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import click

from bench.load import openb
from bench.load.openb import Filled
from kcore.cli.manifests import Broken, Document, read
from kcore.client import apply
from kcore.client.client import Client
from kcore.load.bench import plane
from kcore.load.bench.plane import BenchError
from kcore.machinery.status import StatusError

Object = dict[str, Any]
SHOP: Final = "microservices-demo.yaml"
NOT_SERVED: Final = "not served"
UNCLEAR: Final = ("", "InternalError", "ServiceUnavailable", "ServerTimeout", "Timeout", "Unknown")
"""Reasons that say something about the server, and nothing about the manifest."""

ACCOUNT_DEADLINE_S: Final = 30.0
SHOP_DEADLINE_S: Final = 120.0
POLL_S: Final = 0.02
NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9]+")
FOLDERS_IN_NAME: Final = 3
NAME_CHARS_MAX: Final = 63
LINE_CHARS_MAX: Final = 240


@dataclass(frozen=True, slots=True)
class Refusal:
    """A document that was not applied. `reason` is the Status' reason, or that its kind is not served; `message` is what a person reads."""

    source: str
    kind: str
    name: str
    reason: str
    message: str

    @property
    def is_clear(self) -> bool:
        """Whether a person could mend the manifest by it."""
        return self.reason not in UNCLEAR and bool(self.message)


@dataclass(slots=True)
class Corpus:
    """What became of a folder."""

    applied: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    refused: list[Refusal] = field(default_factory=list)
    no_objects: list[Broken] = field(default_factory=list)
    namespaces_made: list[str] = field(default_factory=list)
    shop: list[tuple[str, str]] = field(default_factory=list)
    apply_s: float = 0.0
    shop_s: float = 0.0
    shop_runs: bool = False

    @property
    def is_good(self) -> bool:
        """Whether all is as it must be."""
        return self.shop_runs and all(refusal.is_clear for refusal in self.refused)

    def as_dict(self) -> Object:
        """The JSON form."""
        return {
            "applied": sum(self.applied.values()),
            "applied_kinds": dict(self.applied.most_common()),
            "outcomes": dict(self.outcomes),
            "refused": len(self.refused),
            "refused_reasons": dict(Counter(refusal.reason for refusal in self.refused).most_common()),
            "refusals": [asdict(refusal) for refusal in self.refused],
            "no_objects": [asdict(broken) for broken in self.no_objects],
            "namespaces_made": self.namespaces_made,
            "apply_s": round(self.apply_s, 2),
            "shop_s": round(self.shop_s, 2),
            "shop_runs": self.shop_runs,
            "good": self.is_good,
        }


def title(obj: Object) -> tuple[str, str]:
    """Kind with version, and name, of a document."""
    metadata = obj.get("metadata") or {}
    return f"{obj.get('kind', '')} {obj.get('apiVersion', '')}", metadata.get("name") or metadata.get("generateName", "")


def home(source: str) -> str:
    """The namespace for what a file holds and that names none: by its folder, the shop by its name."""
    path = Path(source)
    parts = (*path.parts[1:-1], *([path.stem] if path.name == SHOP else []))
    name = "-".join(NOT_IN_NAMES.sub("-", part.lower()).strip("-") for part in parts[-FOLDERS_IN_NAME:])
    return name[-NAME_CHARS_MAX:].strip("-") or "default"


def namespaces_first(documents: Sequence[Document]) -> list[Document]:
    """The documents in the order in which a person applies them."""
    return sorted(documents, key=lambda document: document.obj.get("kind") != "Namespace")


def named_namespaces(documents: Sequence[Document]) -> list[str]:
    """Namespaces that served objects name, or that are their home, and no document brings."""
    brought = {name for document in documents for kind, name in [title(document.obj)] if kind == "Namespace v1"}
    found: dict[str, None] = {}
    for document in documents:
        try:
            spec = apply.spec_of(document.obj)
        except apply.NotServed:
            continue
        namespace = (document.obj.get("metadata") or {}).get("namespace") or home(document.source)
        if spec.namespaced and namespace not in brought:
            found[namespace] = None
    return list(found)


async def apply_all(client: Client, folder: Path, base: Path) -> Corpus:
    """Apply every document of a folder."""
    corpus = Corpus()
    documents = []
    for found in read(str(folder)):
        source = str(Path(found.source).relative_to(base))
        if isinstance(found, Broken):
            corpus.no_objects.append(Broken(source, found.reason.removeprefix(f"{found.source}: ")))
        else:
            documents.append(Document(source, found.obj))
    began = time.monotonic()
    await make_namespaces(client, corpus, named_namespaces(documents))
    accounts_wanted = True
    for document in namespaces_first(documents):
        if accounts_wanted and document.obj.get("kind") != "Namespace":
            accounts_wanted = False
            await accounts_ready(client)
        await apply_one(client, corpus, document)
    corpus.apply_s = time.monotonic() - began
    return corpus


async def make_namespaces(client: Client, corpus: Corpus, names: Sequence[str]) -> None:
    """Make the namespaces that manifests take for granted."""
    for name in names:
        made = await apply.apply(client, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        if made.outcome == apply.CREATED:
            corpus.namespaces_made.append(name)


async def accounts_ready(client: Client) -> None:
    """Wait until pods can be made in every namespace."""
    async with asyncio.timeout(ACCOUNT_DEADLINE_S):
        while True:
            namespaces = {each.metadata.name for each in (await client.namespaces.list()).items}
            accounts = (await client.serviceaccounts.list()).items
            if namespaces <= {each.metadata.namespace for each in accounts if each.metadata.name == "default"}:
                return
            await asyncio.sleep(POLL_S)


async def apply_one(client: Client, corpus: Corpus, document: Document) -> None:
    """Apply one document, and note what became of it."""
    kind, name = title(document.obj)
    try:
        done = await apply.apply(client, document.obj, home(document.source))
    except apply.NotServed as error:
        corpus.refused.append(Refusal(document.source, kind, name, NOT_SERVED, str(error)))
    except StatusError as error:
        corpus.refused.append(Refusal(document.source, kind, name, error.reason, error.message))
    else:
        corpus.applied[kind] += 1
        corpus.outcomes[done.outcome] += 1
        if Path(document.source).name == SHOP and done.spec.kind == "Deployment":
            corpus.shop.append((done.namespace, done.name))


async def shop_available(client: Client, corpus: Corpus) -> None:
    """Wait until all replicas of the shop are available."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(SHOP_DEADLINE_S):
            for namespace, name in corpus.shop:
                while True:
                    if await available(client, namespace, name):
                        break
                    await asyncio.sleep(POLL_S)
        corpus.shop_runs = bool(corpus.shop)
    except TimeoutError:
        corpus.shop_runs = False
    corpus.shop_s = time.monotonic() - began


async def available(client: Client, namespace: str, name: str) -> bool:
    """Whether all replicas of a Deployment's present template are available."""
    found = await client.deployments.get(name, namespace=namespace)
    state = found.status
    return (
        state.observedGeneration >= found.metadata.generation
        and state.updatedReplicas >= found.spec.replicas
        and state.availableReplicas >= found.spec.replicas
    )


async def run(client: Client, base: Path) -> Corpus:
    """Apply everything below base/manifests, and wait for the shop."""
    corpus = await apply_all(client, base / "manifests", base)
    await shop_available(client, corpus)
    return corpus


def sentence(message: str) -> str:
    """The first line of a message, cut: what was forbidden, without the difference that Kubernetes prints below it."""
    first = message.partition("\n")[0]
    return first if len(first) <= LINE_CHARS_MAX else f"{first[:LINE_CHARS_MAX]} ..."


def lines(corpus: Corpus) -> Iterator[str]:
    """The report for people."""
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in corpus.outcomes.most_common())
    yield f"applied   {sum(corpus.applied.values()):4}  ({outcomes}) in {corpus.apply_s:.1f} s"
    yield f"refused   {len(corpus.refused):4}"
    served = [refusal for refusal in corpus.refused if refusal.reason != NOT_SERVED]
    for message, count in Counter(refusal.message for refusal in corpus.refused if refusal.reason == NOT_SERVED).most_common():
        yield f"          {count:4}  {message}"
    for refusal in served:
        yield f"             1  {refusal.reason or 'no reason'}: {refusal.source}: {sentence(refusal.message)}"
    yield f"no object {len(corpus.no_objects):4}"
    for broken in corpus.no_objects:
        yield f"                {broken.source}: {broken.reason}"
    yield f"made      {len(corpus.namespaces_made):4}  namespaces that manifests take for granted, or that hold an example"
    if corpus.shop_runs:
        yield f"the shop's {len(corpus.shop)} deployments are available {corpus.shop_s:.1f} s after the last object was applied"
    else:
        yield f"the shop ({len(corpus.shop)} deployments) does not run"
    unclear = sum(not refusal.is_clear for refusal in corpus.refused)
    if unclear:
        yield f"{unclear} refusals have no clear reason"


@click.command()
@click.argument("base", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--nodes", type=click.IntRange(1), default=50, show_default=True, help="How many hollow nodes.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Write the report as JSON.")
def main(base: Path, nodes: int, json_file: Path | None) -> None:
    """Apply BASE/manifests to a control plane of its own."""
    try:
        with plane.data_directory() as directory:
            plane.start(directory, nodes)
            corpus = plane.ask(directory, lambda client: run(client, base))
    except (BenchError, StatusError) as error:
        raise click.ClickException(str(error)) from error
    click.echo("\n".join(lines(corpus)))
    trace = fill_trace(base / "openb")
    if json_file is not None:
        json_file.write_text(json.dumps(corpus.as_dict() | ({"openb": trace.as_dict()} if trace else {}), indent=2) + "\n")
    sys.exit(0 if corpus.is_good and (trace is None or trace.is_full) else 1)


def fill_trace(folder: Path) -> Filled | None:
    """Fill the nodes of a trace with its pods, if there is one. Raises ClickException."""
    if not folder.is_dir():
        return None
    try:
        found = openb.run(folder)
    except (BenchError, StatusError) as error:
        raise click.ClickException(str(error)) from error
    click.echo("\n" + "\n".join(openb.lines(found)))
    return found


if __name__ == "__main__":
    main()
