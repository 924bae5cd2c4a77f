"""Objects that are created alike: what was decided about one holds for all that differ from it in their name alone.

A create is a function of its body, its namespace, its user and the objects that admission looked up. So the stored bytes of one are, with
another name, uid and time in them, those of the next one with the same body, as long as everything looked up is as it was. Replicas, a
Job's pods and generated load come by the thousand like that. Only kinds whose rules say so (`KindRules.alike`) are remembered; whatever is
refused is decided anew every time.

Thread: the event loop's. Cost: 2 us for a body that nobody sent before, 10 us for a create instead of 100.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import cache
from typing import Final, NamedTuple

from kcore.apiserver.admission.cluster import Cluster, Lookup
from kcore.base import limits
from kcore.machinery import codec
from kcore.machinery.projection import Projection
from kcore.machinery.scheme import KindSpec

NAME: Final = (1, 1)
"""Field numbers of `metadata.name` in every kind."""

Key = tuple[str, str, str, bytes]


class Sketch(NamedTuple):
    """What a body asks for: its name, or the prefix of one, and the key of all that ask for the same but for the name."""

    key: Key
    name: str
    generate_name: str


class Likeness(NamedTuple):
    """The stored bytes of one object, and what admission looked up for it."""

    stored: bytes
    lookups: tuple[Lookup, ...]


class Forms(NamedTuple):
    """What is read of a body, and written into a likeness, without decoding the rest."""

    read: Projection
    write: codec.Splice


@cache
def forms(message: str) -> Forms:
    """The compiled programs of a kind."""
    read = ["metadata.name", "metadata.generateName"]
    write = ["metadata.name", "metadata.uid", "metadata.creationTimestamp"]
    return Forms(Projection(message, read), codec.Splice(message, write))


def sketch(spec: KindSpec, namespace: str, user: str, body: bytes) -> Sketch | None:
    """Read a body in protobuf; None if that cannot be done."""
    try:
        name, generate_name = forms(spec.message).read(body)
        return Sketch((spec.message, namespace, user, codec.splice(body, ((NAME, None),))), name, generate_name)
    except codec.DecodeError:
        return None


class Likenesses:
    """A bounded number of likenesses, those used last."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.kept: OrderedDict[Key, Likeness] = OrderedDict()

    def find(self, key: Key) -> Likeness | None:
        """The likeness of what has this key, if what was looked up for it is as it was."""
        found = self.kept.get(key)
        if found is None:
            return None
        if not self.cluster.unchanged(found.lookups):
            del self.kept[key]
            return None
        self.kept.move_to_end(key)
        return found

    def keep(self, key: Key, stored: bytes, lookups: list[Lookup]) -> None:
        """Remember an object that was created."""
        self.kept[key] = Likeness(stored, tuple(dict.fromkeys(lookups)))
        if len(self.kept) > limits.LIKENESSES_MAX:
            self.kept.popitem(last=False)


def another(spec: KindSpec, likeness: Likeness, name: str, uid: str, created: str) -> bytes:
    """The stored bytes of an object like it, with an identity of its own."""
    return forms(spec.message).write(likeness.stored, name, uid, created)
