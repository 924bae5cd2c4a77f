"""Get, list and watch, from the objects that the hub keeps: nothing is decoded, the revision is spliced into the stored bytes.

Source: CONTRACT A8, A9, A10.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from kcore.apiserver import body_text, components
from kcore.apiserver.objects import Outcome
from kcore.apiserver.views import Forms, delimited
from kcore.base import limits, metrics
from kcore.base.clock import Clock
from kcore.machinery import codec, conversion, fields, labels, request_options, status
from kcore.machinery.field_error import quote
from kcore.machinery.files import snapshot
from kcore.machinery.scheme import KindSpec, Scheme
from kcore.store.storage import StoreError
from kcore.watch import Hub, Item, Projected, Watcher, WatchExpired, WatchSpec

LIST_META = "kcore.api.meta.v1.ListMeta"
UINT64 = 1 << 64
REVISION_DIGITS_MAX = len(str(UINT64))
METADATA_TAG, ITEM_TAG = b"\x0a", b"\x12"
TOKEN_VERSION = "meta.k8s.io/v1"
EXPIRED_CONTINUE = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue "
    "parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token "
    "results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and "
    "now may show up in the list."
)

MADE = {"componentstatuses": components.statuses}
"""Resources of which nothing is stored: what makes their objects, from the store, when they are read."""

Options = dict[str, Any]


class Token(NamedTuple):
    """Where a list goes on: the revision it shows (-1: the newest) and the key to begin with."""

    revision: int
    start: str


def write_token(token: Token) -> str:
    """A token as clients carry it."""
    return base64.urlsafe_b64encode(orjson.dumps({"v": TOKEN_VERSION, "rv": token.revision, "start": token.start})).rstrip(b"=").decode()


def read_token(text: str) -> Token:
    """Raises StatusError (400) for what is no token."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise bad_token(body_text.json_error(data, "latin-1")) from None
    except (binascii.Error, ValueError) as error:
        raise bad_token(str(error)) from error
    version, revision, start = (found.get(name) if isinstance(found, dict) else None for name in ("v", "rv", "start"))
    if version != TOKEN_VERSION:
        raise bad_token(f"server does not recognize this encoded version {version}")
    if not isinstance(revision, int) or revision == 0:
        raise bad_token(f"incorrect encoded start resourceVersion (version {version})")
    if not isinstance(start, str) or not start or "/../" in f"/{start}/":
        raise bad_token(f"empty or invalid encoded start key (version {version})")
    return Token(revision, start)


def bad_token(why: str) -> status.StatusError:
    """The answer to a continue token that this server did not make."""
    return status.bad_request(f"invalid continue token: continue key is not valid: {why}")


def revision_of(text: str, of_list: bool = True) -> int:
    """A resourceVersion as a revision, 0 if there is none. Raises StatusError: 400 for a list, 500 for a get or a watch, as upstream."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        why = f"resourceVersion: Invalid value: {quote(text)}: strconv.ParseUint: parsing {quote(text)}: invalid syntax"
        raise status.bad_request(f"invalid resource version: {why}") if of_list else status.unknown(why)
    counting = text.lstrip("0") or "0"
    number = int(counting) if len(counting) <= REVISION_DIGITS_MAX else UINT64
    if number >= UINT64:
        why = f"resourceVersion: Invalid value: {quote(text)}: strconv.ParseUint: parsing {quote(text)}: value out of range"
        raise status.bad_request(f"invalid resource version: {why}") if of_list else status.unknown(why)
    return number


def selection(spec: KindSpec, namespace: str, options: Options) -> WatchSpec:
    """What a list, watch or collection request selects. Raises StatusError (400)."""
    if any(len(options.get(name) or "") > limits.SELECTOR_CHARS_MAX for name in ("labelSelector", "fieldSelector")):
        raise status.bad_request(f"a selector has at most {limits.SELECTOR_CHARS_MAX} characters")
    try:
        wanted = labels.parse(options["labelSelector"]) if options.get("labelSelector") else None
        chosen = fields.parse(options["fieldSelector"]) if options.get("fieldSelector") else None
    except (labels.SelectorError, fields.FieldSelectorError) as error:
        raise status.bad_request(str(error)) from error
    if chosen is not None:
        known = (
            {"metadata.name", "metadata.namespace", *spec.selectable_fields}
            if spec.namespaced
            else {"metadata.name", *spec.selectable_fields}
        )
        for term in chosen.terms:
            if term.field not in known:
                raise status.bad_request(fields.unsupported(term.field, spec.group, spec.version, spec.kind, spec.selectable_fields))
        chosen = conversion.fields(spec, chosen)
    return WatchSpec(namespace if spec.namespaced else "", "", wanted, chosen, bool(options.get("allowWatchBookmarks")))


class Reads:
    """The reading half of the API server. Thread: the event loop's."""

    def __init__(self, scheme: Scheme, hub: Hub, clock: Clock) -> None:
        self.scheme, self.hub, self.clock = scheme, hub, clock
        self.forms: dict[str, Forms] = {}

    def forms_of(self, spec: KindSpec) -> Forms:
        """The encodings of a kind, made at its first use."""
        found = self.forms.get(spec.message)
        if found is None:
            found = self.forms[spec.message] = Forms(spec, self.scheme.stored_version(spec))
        return found

    # everything

    async def snapshot(self) -> AsyncIterator[bytes]:
        """All that is stored, at what is now the newest revision, as pieces of a snapshot's file."""
        storage = self.hub.storage
        writer = snapshot.Writer(storage.revision)
        piece = bytearray(writer.header())
        for key in storage.keys(b"", b"\0"):
            kv = storage.get(key, writer.revision)
            assert kv is not None, "the key was there at that revision"
            piece += writer.entry(**kv._asdict(), lease_ttl_seconds=storage.lease_ttl_s(kv.lease) if kv.lease else None)
            if len(piece) >= limits.SNAPSHOT_PIECE_BYTES:
                yield bytes(piece)
                piece.clear()
        yield bytes(piece) + writer.end()

    # get

    async def get_since(self, spec: KindSpec, namespace: str, name: str, options: Options) -> Outcome:
        """An object as it is at a resourceVersion or later. Raises StatusError (404, 500, 504)."""
        if wanted := revision_of(options.get("resourceVersion") or "", of_list=False):
            await self.reached(wanted)
        return self.get(spec, namespace, name)

    def get(self, spec: KindSpec, namespace: str, name: str) -> Outcome:
        """An object as it is durably. Raises StatusError (404)."""
        if not spec.storage:
            return self.get_made(spec, name)
        item = self.hub.get(spec.storage, spec.key(namespace, name))
        if item is None:
            raise status.not_found(spec.resource, spec.group, name)
        raw = codec.splice_resource_version(self.forms_of(spec).whole(item.value), item.revision)
        return Outcome(spec.message, spec.api_version, spec.kind, raw, revision=item.revision, name=name)

    def get_made(self, spec: KindSpec, name: str) -> Outcome:
        """An object that is stored nowhere. Raises StatusError (404)."""
        found = next((obj for obj in MADE[spec.resource](self.hub.storage) if obj["metadata"]["name"] == name), None)
        if found is None:
            raise status.not_found(spec.singular, spec.group, name)
        return Outcome(spec.message, spec.api_version, spec.kind, codec.encode(spec.message, found), name=name)

    # list

    def collection(self, spec: KindSpec, namespace: str, options: Options) -> tuple[bytes, list[tuple[str, str]]]:
        """What a request about a collection is about: the list's message, and (namespace, name) of each object.

        Raises  StatusError (400, 422)
        """
        request_options.check("list", options)
        wanted = selection(spec, namespace, options)
        limit = max(0, options.get("limit") or 0) or None
        start = spec.prefix + read_token(options["continue"]).start.encode() if options.get("continue") else b""
        found = list(itertools.islice(self.hub.select(spec.storage, wanted, start), limit))
        metadata: Options = {"resourceVersion": str(self.hub.revision)}
        if len(found) == limit:
            self.go_on(spec, wanted, found[-1][0], self.hub.revision, metadata)
        whole = self.forms_of(spec).whole
        raw = list_bytes(metadata, (codec.splice_resource_version(whole(item.value), item.revision) for _, item in found))
        return raw, [(item.projected.namespace, item.projected.name) for _, item in found]

    async def list_raw(self, spec: KindSpec, namespace: str, options: Options, size_max: int, metadata_only: bool) -> bytes:
        """A page of a list as its message's bytes.

        size_max  bytes after which the page ends, whatever the limit
        """
        request_options.check("list", options)
        wanted = selection(spec, namespace, options)
        if not spec.storage:
            return self.list_made(spec, wanted, metadata_only)
        revision, start, limit = await self.position(spec, options)
        now = revision in (0, self.hub.revision)
        shown = self.hub.revision if now else revision
        try:
            found = self.hub.select(spec.storage, wanted, start) if now else self.hub.select_at(spec.storage, wanted, shown, start)
            items, last = self.page(spec, found, limit, size_max, metadata_only)
        except StoreError as error:
            raise self.gone(error, options) from error
        metadata: Options = {"resourceVersion": str(shown)}
        if last is not None:
            self.go_on(spec, wanted, last, shown, metadata)
        return list_bytes(metadata, items)

    def list_made(self, spec: KindSpec, wanted: WatchSpec, metadata_only: bool) -> bytes:
        """Objects that are stored nowhere; they have a name and no labels, and one page holds them all."""
        found = [
            {"metadata": obj["metadata"]} if metadata_only else obj
            for obj in MADE[spec.resource](self.hub.storage)
            if wanted.matches(Projected("", name := obj["metadata"]["name"], {}, {"metadata.name": name}))
        ]
        return list_bytes({}, (codec.encode(spec.message, obj) for obj in found))

    def go_on(self, spec: KindSpec, wanted: WatchSpec, last: bytes, revision: int, metadata: Options) -> None:
        """Say in a full page's metadata where the next one begins, if anything is left."""
        left = self.left(spec, wanted.namespace, last, revision)
        if left:
            metadata["continue"] = write_token(Token(revision, last.removeprefix(spec.prefix).decode() + "\0"))
            if wanted.labels is None and wanted.fields is None:
                metadata["remainingItemCount"] = left

    def left(self, spec: KindSpec, namespace: str, last: bytes, revision: int) -> int:
        """How many objects come after a key, whatever is selected."""
        if revision == self.hub.revision:
            return len(self.hub.keys(spec.storage, last + b"\0", namespace))
        prefix = spec.prefix + (f"{namespace}/".encode() if namespace else b"")
        return self.hub.storage.range(last + b"\0", prefix[:-1] + b"0", revision, 1).count

    async def position(self, spec: KindSpec, options: Options) -> tuple[int, bytes, int]:
        """-> (revision to show, 0 for the newest; key to begin with; limit)."""
        # Any state will do for resourceVersion 0: upstream answers from its cache, which knows no pages.
        limit: int = 0 if options.get("resourceVersion") == "0" else options.get("limit") or 0
        if options.get("continue"):
            token = read_token(options["continue"])
            if options.get("resourceVersion") not in (None, "", "0"):
                raise status.bad_request("specifying resource version is not allowed when using continue")
            return max(token.revision, 0), spec.prefix + token.start.encode(), limit
        wanted = revision_of(options.get("resourceVersion") or "")
        if wanted:
            await self.reached(wanted)
        exact = options.get("resourceVersionMatch") == request_options.EXACT or (
            limit and wanted and not options.get("resourceVersionMatch")
        )
        return (wanted if exact else 0), b"", limit

    async def reached(self, revision: int) -> None:
        """Wait for a revision that is not there yet. Raises StatusError (504)."""
        try:
            async with asyncio.timeout(limits.TOO_LARGE_REVISION_WAIT_S):
                await self.hub.reached(revision)
        except TimeoutError:
            raise status.too_large_resource_version(revision, self.hub.revision) from None

    def page(
        self, spec: KindSpec, found: Iterator[tuple[bytes, Item]], limit: int, size_max: int, metadata_only: bool
    ) -> tuple[list[bytes], bytes | None]:
        """-> (messages, last key if the page is full)."""
        take = self.forms_of(spec).only_metadata if metadata_only else self.forms_of(spec).whole
        items: list[bytes] = []
        size = 0
        last = b""
        for key, item in found:
            if items and size + len(item.value) > size_max:
                return items, last
            items.append(codec.splice_resource_version(take(item.value), item.revision))
            size += len(items[-1])
            last = key
            if len(items) == limit:
                return items, last
        return items, None

    def gone(self, error: StoreError, options: Options) -> status.StatusError:
        """The answer to a list of a revision that cannot be read."""
        if error.kind != "compacted":
            return status.internal(str(error))
        if not options.get("continue"):
            return status.too_old_resource_version(revision_of(options.get("resourceVersion") or ""), self.hub.storage.compact_revision)
        expired = status.expired(EXPIRED_CONTINUE)
        expired.status["metadata"] = {"continue": write_token(Token(-1, read_token(options["continue"]).start))}
        return expired

    # watch

    async def watch(self, spec: KindSpec, namespace: str, options: Options, metadata_only: bool) -> AsyncIterator[bytes]:
        """The changes of a resource, a typed response at a time; StatusError (410) if history is gone or the client is too slow."""
        forms = self.forms_of(spec)
        async for batch in self.batches(spec, namespace, options, forms.typed_metadata if metadata_only else forms.typed):
            yield b"".join(batch)

    async def watch_events(
        self, spec: KindSpec, namespace: str, options: Options, metadata_only: bool
    ) -> AsyncIterator[list[tuple[str, bytes]]]:
        """The changes of a resource as (type, message)."""
        forms = self.forms_of(spec)
        async for batch in self.batches(spec, namespace, options, forms.raw_metadata if metadata_only else forms.raw):
            events = []
            for data in batch:
                event_type, _, raw = data.partition(b"\0")
                events.append((event_type.decode(), raw))
            yield events

    async def batches(self, spec: KindSpec, namespace: str, options: Options, encode: Any) -> AsyncIterator[list[bytes]]:
        """What `encode` makes of the changes of a resource, some at a time. Raises StatusError."""
        try:
            watcher = await self.open_watch(spec, namespace, options, encode)
        except WatchExpired as error:
            raise status.expired(str(error)) from error
        async for batch in self.drain(spec, watcher, options):
            yield batch

    async def open_watch(self, spec: KindSpec, namespace: str, options: Options, encode: Any) -> Watcher:
        """Begin to watch; whoever does must drain the watcher. Raises StatusError (400, 422, 504), and WatchExpired if history is gone."""
        request_options.check("watch", options)
        wanted = selection(spec, namespace, options)
        after = revision_of(options.get("resourceVersion") or "", of_list=False)
        if after:
            await self.reached(after)
        initial_end = bool(options.get("sendInitialEvents"))
        watcher = self.hub.watch(
            spec.storage, wanted, encode, None if initial_end or not after else after, initial_end and wanted.bookmarks
        )
        watcher.idle_since = self.clock.monotonic()
        return watcher

    async def await_future(self, options: Options) -> None:
        """Wait for the revision that a watch begins after, as long as the watch may take."""
        try:
            async with asyncio.timeout(options.get("timeoutSeconds") or None):
                await self.hub.reached(revision_of(options.get("resourceVersion") or "", of_list=False))
        except TimeoutError:
            return

    def is_future(self, options: Options) -> bool:
        """Whether a watch begins after a revision that is not there yet. Raises StatusError (422, 500)."""
        request_options.check("watch", options)
        return revision_of(options.get("resourceVersion") or "", of_list=False) > self.hub.revision

    async def drain(self, spec: KindSpec, watcher: Watcher, options: Options) -> AsyncGenerator[list[bytes], None]:
        """What a watcher sees until its time is over. Raises StatusError (410) if its client is too slow."""
        try:
            async with asyncio.timeout(options.get("timeoutSeconds") or None):
                while batch := await watcher.next_batch():
                    metrics.WATCH_EVENTS.inc(spec.group, spec.resource, spec.version, amount=len(batch))
                    yield batch
        except WatchExpired as error:
            raise status.expired(str(error)) from error
        except TimeoutError:
            return
        finally:
            self.hub.unwatch(spec.storage, watcher)

    def metadata_of(self, spec: KindSpec, raw: bytes) -> bytes:
        """A message cut down to its metadata."""
        return self.forms_of(spec).metadata_of(raw)


def list_bytes(metadata: Options, items: Iterable[bytes]) -> bytes:
    """The message of a list: its metadata and its items."""
    parts = [delimited(METADATA_TAG, codec.encode(LIST_META, metadata))]
    parts.extend(delimited(ITEM_TAG, item) for item in items)
    return b"".join(parts)
