"""Objects between their stored bytes and the dicts that the pipeline works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kcore.machinery import codec
from kcore.machinery.scheme import KindSpec
from kcore.store.storage import KeyValue, Submission


def open_value(value: bytes) -> bytes:
    """The message inside a stored value."""
    return codec.open_envelope(value)[2]


@dataclass(slots=True)
class Stored:
    """An object as the store holds it; `obj` is its dict form with the resourceVersion, decoded at every call."""

    spec: KindSpec
    kv: KeyValue

    @property
    def raw(self) -> bytes:
        return open_value(self.kv.value)

    @property
    def revision(self) -> int:
        return self.kv.mod_revision

    def obj(self) -> dict[str, Any]:
        found = codec.decode(self.spec.message, self.raw, self.spec.api_version, self.spec.kind)
        found["metadata"]["resourceVersion"] = str(self.kv.mod_revision)
        return found


def encode(spec: KindSpec, obj: dict[str, Any]) -> bytes:
    """The message of an object as it is stored: without its resourceVersion, which the store's revision is."""
    metadata = obj["metadata"]
    version = metadata.pop("resourceVersion", None)
    try:
        return codec.encode(spec.message, obj)
    finally:
        if version is not None:
            metadata["resourceVersion"] = version


@dataclass(slots=True)
class Outcome:
    """What a request came to.

    message     full name of the message that `stored` holds
    stored      the bytes, without the resourceVersion of an object
    stamped     `raw` has the revision as resourceVersion, put in when it is asked for
    submission  the write to wait for; None if nothing was written
    created     the object is new
    removed     the object is gone; `raw` is what it was at last
    warnings    what is doubtful about the request
    doubts      what is doubtful about the object: asked only where a front-end shows it, since it costs as much as validating
    """

    message: str
    api_version: str
    kind: str
    stored: bytes
    submission: Submission | None = None
    stamped: bool = False
    created: bool = False
    removed: bool = False
    revision: int = 0
    name: str = ""
    uid: str = ""
    warnings: list[str] = field(default_factory=list)
    doubts: Callable[[], list[str]] = list

    @property
    def raw(self) -> bytes:
        """The bytes as clients see them."""
        return codec.splice_resource_version(self.stored, self.revision) if self.stamped else self.stored

    def all_warnings(self) -> list[str]:
        """What to warn the client of."""
        return self.warnings + self.doubts()

    def obj(self) -> dict[str, Any]:
        """The dict form; a list without objects has an empty list of them."""
        found = codec.decode(self.message, self.raw, self.api_version, self.kind)
        if self.kind.endswith("List") and "items" in found:
            found["items"] = found["items"] or []
        return found


async def durable(outcome: Outcome) -> Outcome:
    """Wait until a write is on disk."""
    if outcome.submission is not None:
        await outcome.submission.durable()
    return outcome


def outcome(spec: KindSpec, obj: dict[str, Any], raw: bytes, revision: int, submission: Submission | None = None, **more: Any) -> Outcome:
    """The outcome of a write of one object; revision 0 leaves the resourceVersion out (a dry run of a create)."""
    metadata = obj["metadata"]
    return Outcome(
        spec.message,
        spec.api_version,
        spec.kind,
        raw,
        submission,
        stamped=revision > 0,
        revision=revision,
        name=metadata.get("name", ""),
        uid=metadata.get("uid", ""),
        **more,
    )
