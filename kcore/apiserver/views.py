"""What the watch hub must know of each kind, and the forms in which events leave.

An event is encoded as an element of `<Kind>WatchResponse.events`, tag and length included, so that a response is its events one after the
other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kcore.machinery import codec, conversion
from kcore.machinery.projection import Projection
from kcore.machinery.scheme import KindSpec, Scheme
from kcore.watch import BOOKMARK, INITIAL_END, Projected, ResourceView

INDEXED = frozenset(("spec.nodeName",))
OBJECT_META = "kcore.api.meta.v1.ObjectMeta"
INITIAL_END_ANNOTATION = "k8s.io/initial-events-end"
# Selectable fields that stand elsewhere in the object.
ALIASES = {"source": "source.component", "status.successful": "status.succeeded", "status.podIPs": "status.podIP"}
# ... and what is asked in the place of one that is empty: an event of the new form names no source.
FALLBACKS = {"source": "reportingComponent"}

Encode = Callable[[str, bytes, int], bytes]


def views(scheme: Scheme) -> dict[str, ResourceView]:
    """The view of each stored kind, by the path below /registry/ under which its objects are."""
    return {spec.storage: ResourceView(spec.prefix, projector(spec), INDEXED & set(spec.selectable_fields)) for spec in scheme.stored()}


def projector(spec: KindSpec) -> Callable[[bytes], Projected]:
    """A function from a stored value to what selectors can ask; the program is compiled when the first object comes."""
    names = ("metadata.labels", "metadata.namespace", "metadata.name", *spec.selectable_fields)
    read: Projection | None = None
    others: list[str] = []
    fallbacks = [(name, FALLBACKS[name]) for name in spec.selectable_fields if name in FALLBACKS]

    def project(value: bytes) -> Projected:
        nonlocal read
        if read is None:
            read = Projection(spec.message, [ALIASES.get(name, name) for name in names])
            others.extend(name for name, zero in zip(names, read.zeros, strict=True) if not isinstance(zero, str | dict))
        fields = dict(zip(names, read(codec.open_envelope(value)[2]), strict=True))
        labels = fields.pop("metadata.labels")
        for name in others:
            fields[name] = text(fields[name])
        for name, other in fallbacks:
            fields[name] = fields[name] or fields[other]
        return Projected(fields["metadata.namespace"], fields["metadata.name"], labels, fields)

    return project


def text(value: Any) -> str:
    """A field's value as field selectors write it."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    if number < 0x80:
        return bytes((number,))
    found = bytearray()
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def delimited(tag: bytes, data: bytes) -> bytes:
    """A field of bytes: tag, length, bytes."""
    return tag + varint(len(data)) + data


EVENT_TAG, TYPE_TAG, OBJECT_TAG, METADATA_TAG = b"\x0a", b"\x0a", b"\x12", b"\x0a"


class Forms:
    """The encodings of one kind's events; each is one function, so that the hub keeps one result for all watchers of a form."""

    def __init__(self, spec: KindSpec, kept: KindSpec) -> None:
        """`kept` is the version of `spec` that is stored."""
        self.spec = spec
        self.convert = conversion.message(spec, kept) if spec.converted else None
        self.metadata = Projection(spec.message, ["metadata@raw"])
        self.typed: Encode = self.element(False)
        self.typed_metadata: Encode = self.element(True)
        self.raw: Encode = self.tagged(self.whole)
        self.raw_metadata: Encode = self.tagged(self.only_metadata)

    def whole(self, value: bytes) -> bytes:
        """The message of a stored value."""
        raw = codec.open_envelope(value)[2]
        return raw if self.convert is None else self.convert(raw)

    def only_metadata(self, value: bytes) -> bytes:
        """The message with nothing but its metadata."""
        return self.metadata_of(self.whole(value))

    def metadata_of(self, raw: bytes) -> bytes:
        """A message cut down to its metadata."""
        return delimited(METADATA_TAG, self.metadata(raw)[0])

    def object(self, event_type: str, value: bytes, revision: int, take: Callable[[bytes], bytes]) -> bytes:
        """The object of an event."""
        if event_type in (BOOKMARK, INITIAL_END):
            return bookmark(revision, event_type == INITIAL_END)
        return codec.splice_resource_version(take(value), revision)

    def element(self, metadata_only: bool) -> Encode:
        """Events as elements of a typed response."""

        def encode(event_type: str, value: bytes, revision: int) -> bytes:
            if event_type in (BOOKMARK, INITIAL_END):
                shown = delimited(TYPE_TAG, BOOKMARK.encode()) + delimited(OBJECT_TAG, bookmark(revision, event_type == INITIAL_END))
                return delimited(EVENT_TAG, shown)
            return codec.watch_event(event_type.encode(), value, revision, metadata_only)

        return encode

    def tagged(self, take: Callable[[bytes], bytes]) -> Encode:
        """Events as type, a zero byte and the message, for who encodes further."""

        def encode(event_type: str, value: bytes, revision: int) -> bytes:
            shown, raw = self.shown(event_type, value, revision, take)
            return shown.encode() + b"\0" + raw

        return encode

    def shown(self, event_type: str, value: bytes, revision: int, take: Callable[[bytes], bytes] | None = None) -> tuple[str, bytes]:
        """An event of the hub as clients see it: -> (type, message in this version). For front-ends that encode events themselves."""
        return BOOKMARK if event_type == INITIAL_END else event_type, self.object(event_type, value, revision, take or self.whole)


def bookmark(revision: int, initial_end: bool) -> bytes:
    """A message that holds only the revision reached."""
    metadata: dict[str, Any] = {"resourceVersion": str(revision)}
    if initial_end:
        metadata["annotations"] = {INITIAL_END_ANNOTATION: "true"}
    return delimited(METADATA_TAG, codec.encode(OBJECT_META, metadata))
