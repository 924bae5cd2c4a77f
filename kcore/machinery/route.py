"""From an HTTP method, path and query to a `Request`, by the table of kinds alone.

`/api/v1/[namespaces/NS/]RESOURCE[/NAME[/SUBRESOURCE]]`, `/apis/GROUP/VERSION/...`, and the old prefix `watch/` behind the version. What is
no path of a resource (discovery, health, OpenAPI) is None: the front-end's own business.

Source: Kubernetes apiserver `pkg/endpoints/request/requestinfo.go`, observed answers of 1.37.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol
from urllib.parse import parse_qs, unquote

from kcore.machinery import names, request_options, status
from kcore.machinery import request as requests
from kcore.machinery.gvk import GroupVersionResource
from kcore.machinery.request import Request

_NAMESPACES: Final = "namespaces"
_NAMESPACE_SUBRESOURCES: Final = ("status", "finalize")
_PROXY: Final = "proxy"
_CONNECTIONS: Final = ("log", "exec", "attach", "portforward")
_COLLECTION_VERBS: Final = {"GET": requests.LIST, "POST": requests.CREATE, "DELETE": requests.DELETE_COLLECTION}
_OBJECT_VERBS: Final = {"GET": requests.GET, "PUT": requests.UPDATE, "PATCH": requests.PATCH, "DELETE": requests.DELETE}
_SUBRESOURCE_VERBS: Final = {**_OBJECT_VERBS, "POST": requests.CREATE}

Query = Mapping[str, Sequence[str]]


class SubresourceRoute(Protocol):
    """What routing must know of a subresource."""

    @property
    def verbs(self) -> frozenset[str]: ...


class ResourceRoute(Protocol):
    """What routing must know of a resource; `scheme.KindSpec` is one."""

    @property
    def namespaced(self) -> bool: ...
    @property
    def verbs(self) -> frozenset[str]: ...
    @property
    def subresources(self) -> Mapping[str, SubresourceRoute]: ...


Resources = Mapping[GroupVersionResource, ResourceRoute]


def parse_query(text: str) -> dict[str, list[str]]:
    """Read the part of a URL behind the question mark."""
    return parse_qs(text, keep_blank_values=True)


def route(method: str, path: str, query: Query, resources: Resources) -> Request | None:
    """Find out what a request asks for.

    method     in upper case
    path       as sent, percent-escapes and all
    Returns    the request without body, content type and user; None if the path is none of a resource
    Raises     StatusError: NotFound, MethodNotAllowed, BadRequest
    """
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api" and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    legacy_watch = rest[0] == "watch" and len(rest) > 1
    if legacy_watch:
        rest = rest[1:]
    namespace, rest = _split_namespace(rest)
    return _request(method, group, version, namespace, rest, query, resources, legacy_watch)


def _split_namespace(rest: list[str]) -> tuple[str | None, list[str]]:
    """Take `namespaces/NS` off the front, unless the namespace itself is meant; None stands for no namespace in the path."""
    if rest[0] != _NAMESPACES or len(rest) < 3 or (len(rest) == 3 and rest[2] in _NAMESPACE_SUBRESOURCES):
        return None, rest
    return rest[1], rest[2:]


def _request(
    method: str, group: str, version: str, namespace: str | None, rest: list[str], query: Query, resources: Resources, legacy_watch: bool,
) -> Request | None:
    resource, name, subresource, *tail = [*rest, "", "", ""][: max(3, len(rest))]
    spec = resources.get(GroupVersionResource(group, version, resource))
    if spec is None and all(known.group != group for known in resources):
        return None
    if spec is None or _is_misplaced(spec, namespace, name) or (tail and subresource != _PROXY):
        raise status.no_such_resource()
    request = Request("", group, version, resource, subresource, namespace or "", name, subpath="/".join(tail))
    request.options = request_options.from_query(query, numbers=not name or method != "GET")
    if subresource in _CONNECTIONS:
        request.options |= request_options.from_connection(query)
    request.verb = _verb(method, spec, request, legacy_watch, anywhere=spec.namespaced and namespace is None)
    for label, value in (("Name", name), ("Namespace", namespace or "")):
        for sentence in names.path_segment(value):
            raise status.bad_request(f'{label} parameter invalid: "{value}": {sentence}')
    if legacy_watch and name:
        _select_name(request)
    return request


def _is_misplaced(spec: ResourceRoute, namespace: str | None, name: str) -> bool:
    if not spec.namespaced:
        return namespace is not None
    return namespace is None and bool(name)


def _verb(method: str, spec: ResourceRoute, request: Request, legacy_watch: bool, anywhere: bool) -> str:
    """Choose the verb; `anywhere` is a path over all namespaces, which can only be read."""
    if request.subresource:
        subresource = spec.subresources.get(request.subresource)
        if subresource is None:
            raise status.no_such_resource()
        return _allowed(_SUBRESOURCE_VERBS.get(method), subresource.verbs, request.subresource == _PROXY)
    if legacy_watch:
        return _allowed(requests.WATCH if method == "GET" else None, spec.verbs)
    if request.name:
        return _allowed(_OBJECT_VERBS.get(method), spec.verbs)
    verb = _COLLECTION_VERBS.get(method)
    if verb == requests.LIST and request.options.get("watch"):
        verb = requests.WATCH
    if anywhere and verb not in requests.READS:
        verb = None
    return _allowed(verb, spec.verbs)


def _allowed(verb: str | None, verbs: frozenset[str], connects: bool = False) -> str:
    if verb is None or (verb not in verbs and not connects):
        raise status.method_not_allowed()
    return verb


def _select_name(request: Request) -> None:
    """Turn the old `watch/RESOURCE/NAME` into a watch of the collection that sees one name."""
    term = f"metadata.name={request.name}"
    given = request.options.get("fieldSelector")
    request.options["fieldSelector"] = f"{given},{term}" if given else term
    request.name = ""
