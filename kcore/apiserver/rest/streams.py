"""The events of a watch in the form that a client asked for.

Each form of a kind is one function, kept, so that the hub encodes an event once for all who watch in that form.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import orjson

from kcore.apiserver.reads import Options, Reads
from kcore.apiserver.rest import encoding, tables
from kcore.apiserver.rest.media import PARTIAL, PARTIAL_LIST, PROTOBUF, TABLE, YAML, Form
from kcore.apiserver.views import Encode, Forms, delimited
from kcore.base.clock import Clock
from kcore.machinery import codec, status
from kcore.machinery.scheme import KindSpec
from kcore.watch import BOOKMARK, INITIAL_END, Watcher

Object = dict[str, Any]
NO_HEADS = b'"columnDefinitions":null'
FRAME = struct.Struct(">I")


def event_raw(forms: Forms, form: Form, event_type: str, value: bytes, revision: int) -> tuple[str, bytes]:
    """-> (type as clients see it, as much of the object's message as the form shows)."""
    take = forms.only_metadata if form.transform in (PARTIAL, PARTIAL_LIST) else forms.whole
    return BOOKMARK if event_type == INITIAL_END else event_type, forms.object(event_type, value, revision, take)


def text_event(event_type: str, obj: Any, form: Form) -> bytes:
    """An event in a text form."""
    if form.media == YAML:
        return b"---\n" + encoding.dump({"type": event_type, "object": obj}, form)
    # Put together here, since what orjson makes takes 4 kB however short it is, and each watch keeps what it sent last.
    return b"".join((b'{"type":"', event_type.encode(), b'","object":', orjson.dumps(obj), b"}\n"))


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
            shown, raw = event_raw(forms, form, event_type, value, revision)
            return text_event(shown, show(raw), form)

        return encode

    def shower(self, spec: KindSpec, form: Form, include: str) -> Callable[[bytes], Any]:
        """What a form makes of an object's message."""
        if not form.transform:
            return lambda raw: orjson.Fragment(codec.json_text(spec.message, raw, spec.api_version, spec.kind))
        if form.transform != TABLE:
            return lambda raw: tables.partial(raw, form.version)
        return lambda raw: tables.of(spec, tables.version_of(raw), [raw], include, form.version, self.clock.now(), heads=False)

    async def future(self, spec: KindSpec, namespace: str, options: Options, form: Form, encode: Encode) -> AsyncGenerator[bytes, None]:
        """What will be seen when the revision that the watch begins after is there."""
        await self.reads.await_future(options)
        if self.reads.is_future(options):
            return
        watcher = await self.reads.open_watch(spec, namespace, options, encode)
        async with aclosing(self.events(spec, watcher, options, form)) as pieces:
            async for piece in pieces:
                yield piece

    async def events(self, spec: KindSpec, watcher: Watcher, options: Options, form: Form) -> AsyncGenerator[bytes, None]:
        """What a watcher sees, some events at a time; the first Table has heads. What goes wrong is the last event."""
        with_heads = form.transform == TABLE
        try:
            async with aclosing(self.reads.drain(spec, watcher, options)) as batches:
                async for batch in batches:
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
        shown, raw = event_raw(forms, form, event_type, value, revision)
        if form.transform:
            return protobuf_event(shown, partial_envelope(raw, form.version))
        return protobuf_event(shown, codec.envelope(spec.api_version, spec.kind, raw))

    return encode


def partial_envelope(raw: bytes, version: str) -> bytes:
    """A message that holds nothing but metadata, as a PartialObjectMetadata in its envelope: the wire form is the same."""
    return codec.envelope(f"meta.k8s.io/{version}", PARTIAL, raw)


def protobuf_event(event_type: str, enveloped: bytes) -> bytes:
    """A WatchEvent, with its length before it: the object in it has an envelope, the event itself has none."""
    event = delimited(b"\x0a", event_type.encode()) + delimited(b"\x12", delimited(b"\x0a", enveloped))
    return FRAME.pack(len(event)) + event


def error_event(found: Object, form: Form) -> bytes:
    """The last event of a watch that failed."""
    if form.media == PROTOBUF:
        body, _ = encoding.status_object(found, form)
        return protobuf_event("ERROR", body)
    return text_event("ERROR", found, form)
