"""What a simulation reads of a cluster: nodes, pods, and the kinds that decisions depend on; all else is named as skipped."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Iterable
from typing import Any, BinaryIO, Final, NamedTuple

from kcore.client import kinds
from kcore.client.kinds import Resource
from kcore.machinery import codec, defaults, scheme
from kcore.machinery.files.snapshot import Reader
from kcore.machinery.kinds import rules_of
from kcore.machinery.status import StatusError
from kcore.scheduler.snapshot import OTHERS

Object = dict[str, Any]

NODE: Final = "Node"
POD: Final = "Pod"
PRIORITY_CLASS: Final = "PriorityClass"
READ: Final = {NODE: ("", "nodes"), POD: ("", "pods"), **OTHERS, PRIORITY_CLASS: ("scheduling.k8s.io", "priorityclasses")}
"""The kinds that are read, all v1: group and resource of each."""

NEEDED: Final = (NODE, POD)
REFUSALS: Final = frozenset(("Forbidden", "NotFound", "MethodNotAllowed"))
"""Answers to a list after which the others are read all the same."""


class Cluster(NamedTuple):
    """A cluster as it was read, in the wire form of each kind.

    others   objects of further kinds, each with its kind
    skipped  what was not read: a kind or an object -> how many of it, or why
    """

    nodes: list[bytes]
    pods: list[bytes]
    others: list[tuple[str, bytes]]
    skipped: dict[str, int | str]


def of_objects(objects: Iterable[Object]) -> Cluster:
    """Take a cluster from objects in JSON form, such as `kubectl get -o json` prints them; of two with one name the last one counts."""
    found: dict[tuple[str, str, str], bytes] = {}
    skipped: dict[str, int | str] = {}
    for obj in objects:
        kind, api_version = obj.get("kind") or "", obj.get("apiVersion") or ""
        group, _ = READ.get(kind, ("", ""))
        if kind not in READ or api_version != (f"{group}/v1" if group else "v1"):
            name = f"{kind}.{api_version.partition('/')[0]}" if "/" in api_version else kind
            skipped[name] = int(skipped.get(name, 0)) + 1
            continue
        try:
            raw, place, name = stored(kinds.resource(group, "v1", READ[kind][1]), obj)
        except codec.DecodeError as error:
            skipped[f"{kind} {(obj.get('metadata') or {}).get('name')}"] = str(error)
            continue
        found[kind, place, name] = raw
    return _of_raws(((kind, raw) for (kind, _, _), raw in found.items()), skipped)


def of_snapshot(file: BinaryIO) -> Cluster:
    """Take a cluster from a snapshot of kcore; of kinds that nothing depends on, Secrets among them, no value is looked into.

    Raises  SnapshotError, DecodeError
    """
    known = {spec.prefix: spec for spec in scheme.load().stored()}
    wanted = {kinds.resource(group, "v1", resource).spec.prefix: kind for kind, (group, resource) in READ.items()}
    raws: list[tuple[str, bytes]] = []
    skipped: dict[str, int | str] = {}
    for entry in Reader(file).entries():
        prefix = _prefix(entry.key, known)
        if prefix in wanted:
            raws.append((wanted[prefix], codec.open_envelope(entry.value)[2]))
            continue
        spec = known.get(prefix)
        name = prefix.decode(errors="replace") if spec is None else f"{spec.kind}.{spec.group}" if spec.group else spec.kind
        skipped[name] = int(skipped.get(name, 0)) + 1
    return _of_raws(raws, skipped)


def _prefix(key: bytes, known: Container[bytes]) -> bytes:
    """Return where objects of a kind stand: the first two or three steps of a key."""
    steps = key.split(b"/")
    longer, shorter = (b"/".join((*steps[:count], b"")) for count in (4, 3))
    return longer if longer in known else shorter


def stored(resource: Resource, obj: Object) -> tuple[bytes, str, str]:
    """Return an object as an API server would hold it, with its namespace and name.

    Raises  DecodeError
    """
    message = resource.spec.message
    found = codec.normalise(message, obj)
    defaults.apply(message, found)
    rules_of(resource.group, resource.kind, message).default(found)
    metadata = found.setdefault("metadata", {})
    if resource.namespaced:
        metadata.setdefault("namespace", "default")
    metadata.setdefault("uid", f"{resource}/{metadata.get('namespace', '')}/{metadata.get('name', '')}")
    metadata.setdefault("resourceVersion", "1")
    return codec.encode(message, found), metadata.get("namespace", ""), metadata.get("name", "")


async def read(listed: Callable[[Resource], Awaitable[list[bytes]]]) -> Cluster:
    """Read a live cluster through a list of each kind. Where nodes or pods cannot be listed, there is nothing to tell.

    Raises  StatusError
    """
    raws: list[tuple[str, bytes]] = []
    skipped: dict[str, int | str] = {}
    for kind, (group, resource) in READ.items():
        try:
            raws += [(kind, raw) for raw in await listed(kinds.resource(group, "v1", resource))]
        except StatusError as error:
            if kind in NEEDED or error.reason not in REFUSALS:
                raise
            skipped[kind] = error.message
    return _of_raws(raws, skipped)


def _of_raws(raws: Iterable[tuple[str, bytes]], skipped: dict[str, int | str]) -> Cluster:
    cluster = Cluster([], [], [], skipped)
    for kind, raw in raws:
        if kind == NODE:
            cluster.nodes.append(raw)
        elif kind == POD:
            cluster.pods.append(raw)
        else:
            cluster.others.append((kind, raw))
    return cluster
