"""Objects that a reset took away, and what parts still want to create because of them.

A part that has begun something writes on when the cluster is reset: the next pod of a ReplicaSet, the Event that tells of one. In the next
test these would be there out of nowhere, under names that this test may use itself. They name the object that they are about by its uid,
which never comes back; so they are refused as the server refuses what is too late for a namespace.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from kcore.api.core.v1.event_pb2 import Event
from kcore.api.meta.v1.meta_pb2 import PartialObjectMetadata
from kcore.base import limits
from kcore.machinery import codec, status
from kcore.machinery.projection import Projection
from kcore.machinery.status import StatusError

_UID = Projection("kcore.api.meta.v1.PartialObjectMetadata", ["metadata.uid"])


def uid_of(value: bytes) -> str:
    """The uid of a stored object."""
    found: str = _UID(codec.open_envelope(value)[2])[0]
    return found


class Ghosts:
    """The uids of objects that are no more."""

    def __init__(self) -> None:
        self.uids: dict[str, None] = {}

    def add(self, uids: Iterable[str]) -> None:
        """Take note of objects that go; the oldest are forgotten."""
        self.uids |= dict.fromkeys(uids)
        for uid in list(islice(self.uids, max(0, len(self.uids) - limits.TESTING_GHOSTS_MAX))):
            del self.uids[uid]

    def refusal(self, resource: str, raw: bytes) -> StatusError | None:
        """Why an object is not created; None if it may be."""
        if not self.uids:
            return None
        meta = PartialObjectMetadata.FromString(raw).metadata
        about = {owner.uid for owner in meta.ownerReferences}
        if resource == "events":
            about.add(Event.FromString(raw).involvedObject.uid)
        if about.isdisjoint(self.uids):
            return None
        return status.namespace_terminating(resource, "", meta.name or meta.generateName, meta.namespace)
