"""Every document that follows from the scheme, by path: discovery, `/version`, the list of paths, OpenAPI.

Source: CONTRACT A3, A4, A5.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import orjson

from kcore.apiserver.discovery import accept, aggregated, build, groups, legacy
from kcore.apiserver.discovery.document import Document, Kept, etag_of
from kcore.apiserver.discovery.groups import Group, GroupVersion
from kcore.apiserver.rest import media
from kcore.machinery import codec, status
from kcore.machinery.scheme import Scheme

if TYPE_CHECKING:
    from kcore.apiserver.openapi.published import Published

AGGREGATED: Final = ("apidiscovery.k8s.io", "v2", "APIGroupDiscoveryList")
AGGREGATED_PARAMETERS: Final = ";".join(f"{name}={value}" for name, value in zip(accept.TRANSFORM, AGGREGATED, strict=True))
GET: Final = "GET"
META: Final = "kcore.api.meta.v1"
NOT_KEPT: Final = {"cache-control": "no-cache, private"}
OTHER_PATHS: Final = (
    "/.well-known/openid-configuration", "/healthz", "/healthz/ping", "/livez", "/livez/ping", "/metrics", "/openapi/v2", "/openapi/v3",
    "/openid/v1/jwks", "/readyz", "/readyz/ping", "/version",
)  # fmt: skip
"""What `GET /` lists besides discovery."""

Query = Mapping[str, Sequence[str]]
Make = Callable[[], dict[str, Any]]


class Documents:
    """Answers requests for documents. How a front-end uses it:

        documents = Documents(scheme, address="10.0.0.1:6443")           # builds nothing yet
        found = documents.answer("GET", "/apis/apps/v1", headers_accept, query, if_none_match)
        if found is None: ...                                            # no document's path: text `404 page not found`, or a resource

    path   as in the URL, percent-escapes resolved; one slash at its end makes no difference
    query  as `machinery.route.parse_query` reads it
    now    unix seconds, for headers that say until when a document may be kept
    Of the answer, `status`, `content_type`, `headers` (lower case: etag, vary, cache-control, expires, location) and `body` are sent as
    they are; `compressed()` is the body in gzip, made once. A HEAD is answered like a GET, less the body.
    Raises StatusError (404, 405, 406), which goes out in the form of any other.
    """

    def __init__(self, scheme: Scheme, address: str = "", now: Callable[[], float] = time.time) -> None:
        self._scheme = scheme
        self._address = address
        self._now = now
        self._groups = {group.name: group for group in groups.of(scheme)}
        self._kept = Kept()

    def answer(self, method: str, path: str, accepts: str = "", query: Query | None = None, if_none_match: str = "") -> Document | None:
        """The answer to a request, or None if the path is no document's."""
        found = self._found(method, path, accepts, query or {})
        return found and found.unless(if_none_match)

    def _found(self, method: str, path: str, accepts: str, query: Query) -> Document | None:
        parts = path[1:].removesuffix("/").split("/") if path.startswith("/") else []
        match parts:
            case [""]:
                return self._plain("paths", self._paths)
            case ["version"]:
                _check_get(method)
                return self._plain("version", build.version)
            case ["openapi", "v2"]:
                return self._openapi.v2(accepts)
            case ["openapi", "v3"]:
                return self._openapi.index()
            case ["openapi", "v3", *name]:
                return self._openapi.document("/".join(name), accepts, query)
            case ["api" | "apis"]:
                return self._root(method, parts[0], accepts, query)
            case ["apis", group] if group in self._groups and group:
                return self._legacy(path, "APIGroup", lambda: legacy.api_group(self._groups[group]), accepts, query)
            case ["api", version] | ["apis", _, version] if self._group(parts) is not None:
                return self._resources(method, self._group(parts), version, accepts, query)
        return None

    @cached_property
    def _openapi(self) -> Published:
        """What few clients ask for is imported and read when the first one does."""
        from kcore.apiserver.openapi.published import Published

        return Published(self._scheme, tuple(self._groups.values()), self._kept, self._now)

    def _group(self, parts: Sequence[str]) -> Group | None:
        name = parts[1] if parts[0] == "apis" else groups.CORE
        return self._groups.get(name) if name or parts[0] == "api" else None

    def _root(self, method: str, root: str, accepts: str, query: Query) -> Document:
        """`/api` or `/apis`: aggregated if that is the first form that the client takes."""
        chosen = accept.choose(accepts, media.MEDIA_TYPES, (AGGREGATED,))
        core = self._groups[groups.CORE]
        if chosen is not None and chosen.transform:
            listed = [core] if root == "api" else [group for group in self._groups.values() if group is not core]
            return self._aggregated(root, chosen.media_type, listed)
        if root == "apis":
            return self._legacy(root, "APIGroupList", lambda: legacy.api_group_list(self._groups.values()), accepts, query)
        _check_get(method)
        accept.check_route(accepts)
        return self._legacy(root, "APIVersions", lambda: legacy.api_versions(core, self._address), accepts, query)

    def _resources(self, method: str, group: Group | None, version: str, accepts: str, query: Query) -> Document:
        """`/api/v1` or `/apis/GROUP/VERSION`. Raises StatusError: NotFound for a version that is not served."""
        found = next((known for known in group.versions if known.version == version), None) if group else None
        if found is None:
            raise status.no_such_resource()
        _check_get(method)
        accept.check_route(accepts)
        return self._legacy(found.path, "APIResourceList", lambda: self._resource_list(found), accepts, query)

    def _resource_list(self, version: GroupVersion) -> dict[str, Any]:
        return legacy.api_resource_list(version, legacy.stored_kinds(self._groups.values()))

    def _aggregated(self, root: str, media_type: str, listed: Iterable[Group]) -> Document:
        def make() -> Document:
            message = "kcore.api.apidiscovery.v2.APIGroupDiscoveryList"
            body = written(aggregated.group_discovery_list(listed), media_type, message, pretty=False)
            headers = {"etag": etag_of(body), "vary": "Accept", "cache-control": "public"}
            return Document(f"{media_type};{AGGREGATED_PARAMETERS}", body, headers=headers)

        return self._kept.get(("aggregated", root, media_type), make)

    def _legacy(self, path: str, kind: str, make: Make, accepts: str, query: Query) -> Document:
        """A document in the form of an object. Raises StatusError: NotAcceptable."""
        chosen = accept.choose(accepts, media.MEDIA_TYPES)
        if chosen is None:
            raise status.not_acceptable(media.MEDIA_TYPES)
        pretty = chosen.pretty or any(value.lower() in ("1", "true") for value in query.get("pretty", ()))
        key = ("legacy", path.strip("/"), chosen.media_type, str(pretty))

        def document() -> Document:
            return Document(chosen.media_type, written(make(), chosen.media_type, f"{META}.{kind}", pretty), headers=NOT_KEPT)

        return self._kept.get(key, document)

    def _plain(self, name: str, make: Make) -> Document:
        """A document that has one form only."""

        def document() -> Document:
            return Document(media.JSON, orjson.dumps(make(), option=orjson.OPT_INDENT_2), headers=NOT_KEPT)

        return self._kept.get(("plain", name), document)

    def _paths(self) -> dict[str, Any]:
        """The document of `/`."""
        found = {"/api", "/apis", *OTHER_PATHS}
        for group in self._groups.values():
            found |= {f"/{version.path}" for version in group.versions} | ({f"/apis/{group.name}"} if group.name else set())
        return {"paths": sorted(found)}


def written(obj: dict[str, Any], media_type: str, message: str, pretty: bool) -> bytes:
    """An object in one of the forms of objects. `message` is its full name."""
    if media_type == media.PROTOBUF:
        return codec.envelope(obj.get("apiVersion", "v1"), obj["kind"], codec.encode(message, obj))
    if media_type == media.YAML:
        from kcore.apiserver.rest import yaml_text

        return yaml_text.dump(obj)
    return orjson.dumps(obj, option=orjson.OPT_INDENT_2) if pretty else orjson.dumps(obj, option=orjson.OPT_APPEND_NEWLINE)


def _check_get(method: str) -> None:
    if method != GET:
        raise status.method_not_allowed()
