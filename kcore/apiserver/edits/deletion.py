"""What a deletion looks at and changes of a stored object: four fields of its metadata, and of a kind with grace periods what sets them.

The object that the rules of deletion are asked about holds these fields alone; what they change is put into the stored bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, Final, NamedTuple

from kcore.apiserver.objects import Stored, encode
from kcore.machinery import codec, timestamp
from kcore.machinery.projection import Projection
from kcore.machinery.scheme import KindSpec

Object = dict[str, Any]

WHOLE: Final = frozenset((("", "Namespace"), ("", "Service"), ("", "Node"), ("resource.k8s.io", "ResourceSlice")))
"""Kinds whose deletion rests on more: what they hold, or who may delete them."""

CHANGED: Final = ("deletionTimestamp", "deletionGracePeriodSeconds", "generation", "finalizers")
"""What of the metadata a deletion may change."""

METADATA: Final = ("name", "namespace", "uid", "deletionTimestamp", "deletionGracePeriodSeconds?", "generation", "finalizers")
GRACE: Final = ("spec.nodeName", "spec.terminationGracePeriodSeconds?", "status.phase")


class Forms(NamedTuple):
    """What is read of the bytes of a kind, and what writes each field into them."""

    read: Projection
    write: dict[str, codec.Splice]


@cache
def forms(message: str, graceful: bool) -> Forms:
    """The compiled programs of a kind."""
    paths = [f"metadata.{name}" for name in METADATA] + list(GRACE if graceful else ())
    return Forms(Projection(message, paths), {name: codec.Splice(message, [f"metadata.{name}"]) for name in CHANGED})


class Seen:
    """A stored object as far as its deletion is concerned.

    obj  in dict form; nobody may change it
    """

    def __init__(self, spec: KindSpec, graceful: bool, stored: Stored) -> None:
        self.raw = stored.raw
        self.with_changes: Callable[[Object], bytes] = partial(encode, spec)
        if (spec.group, spec.kind) in WHOLE:
            self.obj = stored.obj()
            return
        self.forms = forms(spec.message, graceful)
        self.with_changes = self.edited
        self.obj = shown(self.forms.read(self.raw), graceful, stored.revision)

    def edited(self, changed: Object) -> bytes:
        """The bytes of the object with what a deletion changed."""
        raw, before, after = self.raw, self.obj["metadata"], changed["metadata"]
        for name, put in self.forms.write.items():
            if before.get(name) != after.get(name):
                raw = put(raw, after.get(name))
        return raw


def shown(values: tuple[Any, ...], graceful: bool, revision: int) -> Object:
    """The dict form of what was read."""
    name, namespace, uid, deleted, grace_s, generation, finalizers = values[: len(METADATA)]
    metadata: Object = {"name": name, "namespace": namespace, "uid": uid, "resourceVersion": str(revision)}
    if deleted:
        metadata["deletionTimestamp"] = timestamp.format_time(deleted)
    if grace_s is not None:
        metadata["deletionGracePeriodSeconds"] = grace_s
    if generation:
        metadata["generation"] = generation
    if finalizers:
        metadata["finalizers"] = list(finalizers)
    found: Object = {"metadata": metadata}
    if graceful:
        node, wanted_s, phase = values[len(METADATA) :]
        found["spec"], found["status"] = {"nodeName": node}, {"phase": phase}
        if wanted_s is not None:
            found["spec"]["terminationGracePeriodSeconds"] = wanted_s
    return found
