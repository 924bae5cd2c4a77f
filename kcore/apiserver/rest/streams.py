"""The events of a watch in the form that a client asked for.

Each form of a kind is one function, kept, so that the hub encodes an event once for all who watch in that form.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson

from kcore.apiserver.reads import Options, Reads
from kcore.apiserver.rest import encoding, tables
from kcore.apiserver.rest.media import PROTOBUF, TABLE, YAML, Form
from kcore.apiserver.views import Encode, Forms, delimited
from kcore.base.clock import Clock
from kcore.machinery import codec, status
from kcore.machinery.scheme import KindSpec
from kcore.watch import BOOKMARK, INITIAL_END, Watcher

Object = dict[str, Any]
NO_HEADS = b'"columnDefinitions":null'
FRAME = struct.Struct(">I")


def event_raw(forms: Forms, event_type: str, value: bytes, revision: int) -> tuple[str, bytes]:
    """-> (type as clients see it, the object's message)."""
    return BOOKMARK if event_type == INITIAL_END else event_type, forms.object(event_type, value, revision, forms.whole)


def text_event(event_type: str, obj: Object, form: Form) -> bytes:
    """An event in a text form."""
    shown = {"type": event_type, "object": obj}
    return b"---\n" + encoding.dump(shown, form) if form.media == YAML else encoding.dump_json(shown)


class Streams:
    """The encoders of events, by kind and form. Thread: the event loop's."""

    def __init__(self, reads: Reads, clock: Clock) -> None:
        self.reads, self.clock = reads, clock
        self.encoders: dict[tuple[str, str, Form, str], Encode] = {}

    def encoder(self, spec: KindSpec, form: Form, include: str) -> Encode:
        """The function that encodes a kind's events in a form, made at its first use."""
        key = (spec.api_version, spec.kind, form, include)
        found = self.encoders.get(key)
        if found is None:
            found = self.encoders[key] = self.made(spec, form, include)
        return found

    def made(self, spec: KindSpec, form: Form, include: str) -> Encode:
        """A new encoder."""
        if form.media == PROTOBUF:
            return protobuf_encoder(self.reads.forms_of(spec), form)
        show = self.shower(spec, form, include)
        forms = self.reads.forms_of(spec)

        def encode(event_type: str, value: bytes, revision: int) -> bytes:
            shown, raw = event_raw(forms, event_type, value, revision)
            return text_event(shown, show(codec.decode(spec.message, raw, spec.api_version, spec.kind)), form)

        return encode

    def shower(self, spec: KindSpec, form: Form, include: str) -> Callable[[Object], Object]:
        """What a form makes of an object."""
        if not form.transform:
            return lambda obj: obj
        if form.transform != TABLE:
            return lambda obj: tables.partial(obj, form.version)

        def show(obj: Object) -> Object:
            metadata = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            return tables.of(spec, metadata, [obj], include, form.version, self.clock.now(), heads=False)

        return show

    async def future(self, spec: KindSpec, namespace: str, options: Options, form: Form, encode: Encode) -> AsyncIterator[bytes]:
        """What will be seen when the revision that the watch begins after is there."""
        await self.reads.await_future(options)
        if self.reads.is_future(options):
            return
        watcher = await self.reads.open_watch(spec, namespace, options, encode)
        async for piece in self.events(spec, watcher, options, form):
            yield piece

    async def events(self, spec: KindSpec, watcher: Watcher, options: Options, form: Form) -> AsyncIterator[bytes]:
        """What a watcher sees, some events at a time; the first Table has heads. What goes wrong is the last event."""
        with_heads = form.transform == TABLE
        try:
            async for batch in self.reads.drain(spec, watcher, options):
                if with_heads:
                    with_heads = False
                    heads = b'"columnDefinitions":' + orjson.dumps(tables.definitions(spec))
                    batch = [batch[0].replace(NO_HEADS, heads, 1), *batch[1:]]
                yield b"".join(batch)
        except status.StatusError as error:
            yield error_event(error.status, form)


def protobuf_encoder(forms: Forms, form: Form) -> Encode:
    """Events as length-delimited protobuf."""
    spec = forms.spec

    def encode(event_type: str, value: bytes, revision: int) -> bytes:
        shown, raw = event_raw(forms, event_type, value, revision)
        if form.transform:
            obj = tables.partial(codec.decode(spec.message, raw, "", ""), form.version)
            enveloped = partial_envelope(obj, form.version)
        else:
            enveloped = codec.envelope(spec.api_version, spec.kind, raw)
        return protobuf_event(shown, enveloped)

    return encode


def partial_envelope(obj: Object, version: str) -> bytes:
    """A PartialObjectMetadata in its envelope."""
    return codec.envelope(f"meta.k8s.io/{version}", obj["kind"], codec.encode("kcore.api.meta.v1.PartialObjectMetadata", obj))


def protobuf_event(event_type: str, enveloped: bytes) -> bytes:
    """A WatchEvent around an object in its envelope, in an envelope, with its length before it."""
    name = event_type.encode()
    inner = delimited(b"\x0a", enveloped)
    event = codec.envelope("v1", "WatchEvent", delimited(b"\x0a", name) + delimited(b"\x12", inner))
    return FRAME.pack(len(event)) + event


def error_event(found: Object, form: Form) -> bytes:
    """The last event of a watch that failed."""
    if form.media == PROTOBUF:
        body, _ = encoding.status_object(found, form)
        return protobuf_event("ERROR", body)
    return text_event("ERROR", found, form)
