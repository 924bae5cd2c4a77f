"""An HTTP request becomes a Request of the pipeline, its Outcome the answer that the client takes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from kcore.apiserver import components, strategy
from kcore.apiserver.authentication import Authenticator, chain, keys
from kcore.apiserver.authentication.keys import SigningKey
from kcore.apiserver.authorization import of_path
from kcore.apiserver.discovery import health
from kcore.apiserver.discovery.documents import Documents
from kcore.apiserver.entry.failures import as_status
from kcore.apiserver.entry.gate import Caller, Seat
from kcore.apiserver.objects import Outcome
from kcore.apiserver.pipeline import Pipeline
from kcore.apiserver.reads import list_bytes
from kcore.apiserver.rest import encoding, media, pod_log, tables
from kcore.apiserver.rest.media import JSON, PROTOBUF, TABLE, Form
from kcore.apiserver.rest.streams import Streams, error_event, partial_envelope
from kcore.base import limits
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.machinery import codec, field_error, request_options, status
from kcore.machinery.request import WRITES, Request, manager_of
from kcore.machinery.route import parse_query, route
from kcore.machinery.scheme import KindSpec
from kcore.watch import WatchExpired

Object = dict[str, Any]
Exposition = Callable[[], bytes]
Header = tuple[bytes, bytes]
WHOLE_LIST = 1 << 62
TEXT = "text/plain; charset=utf-8"
METRICS = "text/plain; version=0.0.4; charset=utf-8"
BROWSERS = ("curl/", "Wget/", "Mozilla/5.0")
NOT_KEPT: Header = (b"cache-control", b"no-cache, private")
KEPT: Header = (b"cache-control", b"public, max-age=3600")


@dataclass(slots=True)
class HttpRequest:
    """A request as the HTTP server hands it over.

    headers  by lower-case name, the first of each
    path     as sent, like `query`
    flow     what every answer says of the flow that the request belongs to, known once there is a user
    """

    method: str
    path: str
    query: str
    headers: dict[bytes, bytes]
    body: bytes = b""
    connection: str = ""
    certificate: bytes | None = None
    impersonation: list[tuple[str, str]] = field(default_factory=list)
    flow: tuple[Header, ...] = ()

    def header(self, name: bytes) -> str:
        """A header's value, '' without one."""
        return self.headers.get(name, b"").decode("latin-1")


@dataclass(slots=True)
class Answer:
    """What goes back: a body, or pieces of one as they come."""

    code: int
    body: bytes | AsyncGenerator[bytes, None]
    content_type: str
    headers: list[Header] = field(default_factory=list)


class RestFrontend:
    """The front-end. Thread: the event loop's."""

    def __init__(
        self, pipeline: Pipeline, authenticator: Authenticator, clock: Clock, entropy: Entropy, key: SigningKey, exposition: Exposition
    ) -> None:
        """Put it together.

        key         whose public half is published
        exposition  writes the metrics of this process
        """
        self.pipeline, self.authenticator, self.clock, self.entropy = pipeline, authenticator, clock, entropy
        self.streams = Streams(pipeline.reads, clock)
        self.documents, self.key, self.exposition = Documents(pipeline.scheme), key, exposition
        self.gate = pipeline.gate

    async def handle(self, http: HttpRequest) -> Answer:
        """Answer a request, whatever it is."""
        warnings: list[str] = []
        try:
            return await self.answered(http, warnings)
        except Exception as error:  # the outermost handler of a front-end
            found = as_status(error)
            return failed(found, http, warnings + found.warnings)

    async def answered(self, http: HttpRequest, warnings: list[str]) -> Answer:
        """Answer a request. Raises StatusError; `warnings` then hold what is to be warned of all the same."""
        authorization = http.header(b"authorization") or None
        warnings += chain.warnings(authorization)
        user = self.authenticator.authenticate(authorization, http.certificate, http.impersonation)
        query = parse_query(http.query)
        try:
            request = route(http.method, http.path, query, self.pipeline.scheme.resources)
        except status.StatusError:
            self.pipeline.authorizer.require(user, of_path(http.method, http.path, query))  # who may not ask is not told what there is
            raise
        if request is None:
            asked = of_path(http.method, http.path, query)
            async with self.placed(self.gate.seat_of_path(Caller(user, http.connection), asked), http):
                self.pipeline.authorizer.require(user, asked)
                return self.document(http, query)
        request.user = user
        async with self.placed(self.gate.seat(request, http.connection), http):
            try:
                self.pipeline.permitted(request)
            except status.StatusError as error:
                if error.reason != "Forbidden":
                    self.pipeline.authorizer.require(user, of_path(http.method, http.path, query))
                raise
            return await self.resource(http, request, warnings)

    def placed(self, seat: Seat, http: HttpRequest) -> Seat:
        """A place, of which the answer says to which flow it belongs."""
        http.flow = seat.flow.headers
        return seat

    def document(self, http: HttpRequest, query: dict[str, list[str]]) -> Answer:
        """What is no object: discovery, OpenAPI, health, version. Raises StatusError."""
        path = unquote(http.path)
        if path == "/metrics":
            return Answer(200, self.exposition(), METRICS, [NOT_KEPT])
        if path == keys.JWKS_PATH:
            return Answer(200, self.key.jwks(), keys.JWKS_TYPE, [KEPT])
        if path == keys.CONFIGURATION_PATH:
            return Answer(200, keys.configuration(keys.ISSUER, http.header(b"host")), JSON, [KEPT])
        if path.strip("/").partition("/")[0] in health.ENDPOINTS:
            found = health.answer(path, query, (health.Check("etcd", lambda: components.store_trouble(self.pipeline.reads.hub.storage)),))
        else:
            found = self.documents.answer(http.method, path, http.header(b"accept"), query, http.header(b"if-none-match"))
        if found is None:
            return Answer(404, b"404 page not found\n", TEXT)
        headers = [(name.encode(), value.encode()) for name, value in found.headers.items()]
        if len(found.body) >= limits.GZIP_BODY_BYTES and "gzip" in http.header(b"accept-encoding"):
            return Answer(found.status, found.compressed(), found.content_type, [*headers, (b"content-encoding", b"gzip")])
        return Answer(found.status, found.body, found.content_type, headers)

    async def resource(self, http: HttpRequest, request: Request, warnings: list[str]) -> Answer:
        """Answer a request about objects."""
        spec = self.pipeline.resolve(request)
        warnings += self.pipeline.deprecation(spec)
        form = form_of(http, request, self.pipeline.scheme.shown_as_rows(spec, request.subresource) is not None)
        if request.verb == "list":
            return await self.page(request, spec, form, warnings)
        if request.verb == "watch":
            return await self.watch(request, spec, form, warnings)
        if request.subresource == "log":
            return self.log(request, spec, warnings)
        if request.verb not in WRITES:
            _, found = await self.pipeline.read_since(request)
            return self.object(found, spec, request, form, warnings)
        request.body, request.content_type = http.body, http.header(b"content-type") or JSON
        request.manager = manager_of(http.header(b"user-agent"))
        outcome = await self.pipeline.written(request)
        if outcome.removed and request.verb == "delete" and spec.resource not in strategy.RETURNS_DELETED:
            shown = status.success(spec.resource, spec.group, outcome.name, outcome.uid)
            body, content_type = encoding.status_object(shown, form)
            return Answer(200, body, content_type, headers_of(outcome.all_warnings()))
        return self.object(outcome, spec, request, form, outcome.all_warnings())

    # one object

    def object(self, outcome: Outcome, spec: KindSpec, request: Request, form: Form, warnings: list[str]) -> Answer:
        """An object, or what else an outcome holds, in the form asked for."""
        code = 201 if outcome.created else 200
        headers = headers_of(warnings)
        if outcome.kind == "Status" and outcome.message == encoding.STATUS_MESSAGE and form.transform:
            form = Form(form.media)
        if not form.transform:
            body = encoding.message(outcome.raw, outcome.message, outcome.api_version, outcome.kind, form)
            return Answer(code, body, form.media, headers)
        if outcome.kind.endswith("List"):
            return Answer(code, self.transformed(outcome.raw, spec, request, form), form.media, headers)
        if form.transform == TABLE:
            of = self.pipeline.scheme.shown_as_rows(spec, request.subresource) or spec
            shown = tables.of(of, tables.version_of(outcome.raw), [outcome.raw], include_of(request), form.version, self.clock.now())
            return Answer(code, encoding.dump(shown, form), form.media, headers)
        check_list(form, self.pipeline.scheme.stored_version(spec), outcome.kind, False)
        if form.media == PROTOBUF:
            raw = self.pipeline.reads.metadata_of(spec, outcome.raw)
            return Answer(code, partial_envelope(raw, form.version), PROTOBUF, headers)
        return Answer(code, encoding.dump(tables.partial(outcome.raw, form.version), form), form.media, headers)

    def log(self, request: Request, spec: KindSpec, warnings: list[str]) -> Answer:
        """What a container printed, and goes on to print if that is asked for."""
        pod, log = self.pipeline.open_log(request)
        headers = headers_of(warnings)
        if log is None:
            return Answer(204, b"", TEXT, headers)
        first = log.feed(pod, self.clock.now())
        if not log.follows:
            return Answer(200, first.data, TEXT, headers)
        pieces = pod_log.follow(self.pipeline.reads, self.clock, spec, request, pod, log, first)
        return Answer(200, pieces, TEXT, headers)

    # many objects

    async def page(self, request: Request, spec: KindSpec, form: Form, warnings: list[str]) -> Answer:
        """A list, or a page of one."""
        if form.transform == TABLE:
            tables.check_include(include_of(request))
        metadata_only = form.transform == media.PARTIAL_LIST
        raw = await self.pipeline.reads.list_raw(spec, request.namespace, request.options, WHOLE_LIST, metadata_only)
        if not form.transform:
            body = encoding.message(raw, spec.list_message, spec.api_version, f"{spec.kind}List", form)
        else:
            body = self.transformed(raw, spec, request, form)
        return Answer(200, body, form.media, headers_of(warnings))

    def transformed(self, raw: bytes, spec: KindSpec, request: Request, form: Form) -> bytes:
        """A list as a Table or a PartialObjectMetadataList."""
        metadata, objects = tables.parts_of(spec.list_message)(raw)
        if form.transform == TABLE:
            return encoding.dump(tables.of(spec, metadata, objects, include_of(request), form.version, self.clock.now()), form)
        check_list(form, self.pipeline.scheme.stored_version(spec), f"{spec.kind}List", True)
        if form.media == PROTOBUF:
            only_metadata = [self.pipeline.reads.metadata_of(spec, each) for each in objects]
            return codec.envelope(f"meta.k8s.io/{form.version}", media.PARTIAL_LIST, list_bytes(metadata, only_metadata))
        return encoding.dump(tables.partial_list(metadata, objects, form.version), form)

    async def watch(self, request: Request, spec: KindSpec, form: Form, warnings: list[str]) -> Answer:
        """The changes of a resource, as they come."""
        include = include_of(request)
        if form.transform == TABLE:
            tables.check_include(include)
        options = request.options
        if not options.get("timeoutSeconds"):
            options["timeoutSeconds"] = limits.WATCH_SECONDS_MIN * (1 + self.entropy.random())
        encode = self.streams.encoder(spec, form, include)
        content_type = JSON if form.media == JSON else f"{form.media};stream=watch"
        headers = headers_of(warnings)
        if self.pipeline.reads.is_future(options):
            return Answer(200, self.streams.future(spec, request.namespace, options, form, encode), content_type, headers)
        try:
            watcher = await self.pipeline.reads.open_watch(spec, request.namespace, options, encode)
        except WatchExpired as error:
            return Answer(200, once(error_event(status.expired(str(error)).status, form)), content_type, headers)
        return Answer(200, self.streams.events(spec, watcher, options, form), content_type, headers)


def check_list(form: Form, stored: KindSpec, kind: str, is_list: bool) -> None:
    """Refuse to show a list as one object, or an object as a list. Raises StatusError (406)."""
    if (form.transform == media.PARTIAL_LIST) != is_list:
        group = stored.group.partition(".")[0] or "core"
        what = f"{'a' if is_list else 'not a'} list (*{group}.{kind})"
        raise status.failure("NotAcceptable", f"you requested {form.transform}, but the requested object is {what}")


async def once(piece: bytes) -> AsyncGenerator[bytes, None]:
    """A stream of one piece."""
    yield piece


def form_of(http: HttpRequest, request: Request, as_rows: bool) -> Form:
    """The form of the answer to a request about what can be shown as a Table, or not. Raises StatusError (406)."""
    form = media.choose(http.header(b"accept"), as_rows)
    pretty = request.options.get("pretty")
    if pretty is None:
        wanted = form.pretty or http.header(b"user-agent").startswith(BROWSERS)
    else:
        wanted = request_options.is_true(pretty)
    return form._replace(pretty=wanted)


def include_of(request: Request) -> str:
    """How much of each object a Table's rows hold."""
    include: str = request.options.get("includeObject") or ""
    return include


def headers_of(warnings: list[str]) -> list[Header]:
    """The headers of an answer."""
    headers = [NOT_KEPT]
    headers.extend((b"warning", f"299 - {field_error.quote(sentence)}".encode()) for sentence in dict.fromkeys(warnings))
    return headers


def failed(error: status.StatusError, http: HttpRequest, warnings: list[str]) -> Answer:
    """The answer to a request that failed."""
    form = Form() if error.reason == "NotAcceptable" else media.for_errors(http.header(b"accept"))
    body, content_type = encoding.status_object(error.status, form)
    headers = headers_of(warnings)
    if seconds := (error.status.get("details") or {}).get("retryAfterSeconds"):
        headers.append((b"retry-after", str(seconds).encode()))
    return Answer(error.code, body, content_type, headers)
