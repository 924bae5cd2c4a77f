"""What is asked for, as authorizers see it: a verb on a resource, or a method on a path that is none.

`of_request` takes what the pipeline takes; `of_path` reads a path as it was sent, whether such a resource is served or not, since who may
not ask learns nothing of what there is.

Source: Kubernetes apiserver `pkg/endpoints/request/requestinfo.go`, `pkg/endpoints/filters/authorization.go`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import unquote

from kcore.machinery import fields, request_options
from kcore.machinery.request import Request

NAMESPACES: Final = "namespaces"
VERBS: Final = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
SELECTING: Final = ("list", "watch", "deletecollection")


class Attributes(NamedTuple):
    """A request without its user.

    path            set where no resource is meant; `verb` then is the method in lower case
    field_selector  of a list, watch or deletion of a collection, as text
    """

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    field_selector: str = ""
    version: str = ""

    @property
    def resource_path(self) -> str:
        """`pods`, or `pods/log`: as rules write it."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def of_request(request: Request) -> Attributes:
    """The attributes of a request of the pipeline."""
    verb, name, namespace, selector = request.verb, request.name, request.namespace, ""
    if verb == "create" and not request.subresource:
        name = ""
    elif verb in SELECTING:
        selector = request.options.get("fieldSelector") or ""
        name = selected_name(selector) if selector else ""
    if request.resource == NAMESPACES and not request.group and request.name and verb != "create":
        namespace = request.name
    return Attributes(verb, request.group, request.resource, request.subresource, namespace, name, "", selector, request.version)


def selected_name(selector: str) -> str:
    """The one name that a field selector lets through; '' if it is none, or says nothing of it."""
    try:
        return fields.parse(selector).equalities().get("metadata.name", "")
    except fields.FieldSelectorError:
        return ""


def of_path(method: str, path: str, query: Mapping[str, Sequence[str]] = {}) -> Attributes:
    """The attributes of an HTTP request.

    method  in upper case
    path    as sent, percent-escapes and all, without the query
    """
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api" and len(parts) > 2:
        return of_resource(method, "", parts[1], parts[2:], query)
    if parts[0] == "apis" and len(parts) > 3:
        return of_resource(method, parts[1], parts[2], parts[3:], query)
    return Attributes(method.lower(), path=unquote(path))


def of_resource(method: str, group: str, version: str, rest: list[str], query: Mapping[str, Sequence[str]]) -> Attributes:
    """The attributes of a request whose path leads behind a version."""
    verb = VERBS.get(method, method.lower())
    if rest[0] in ("watch", "proxy") and len(rest) > 1:
        verb, rest = rest[0], rest[1:]
    namespace = ""
    if rest[0] == NAMESPACES and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and not (len(rest) == 3 and rest[2] in ("status", "finalize")):
            rest = rest[2:]
    resource, name, subresource = [*rest, "", ""][:3]
    selector = ""
    if not name:
        verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
        if verb == "list" and any(request_options.is_true(value) for value in query.get("watch", ())[:1]):
            verb = "watch"
    if verb in SELECTING:
        selector = next(iter(query.get("fieldSelector", ())), "")
        name = name or (selected_name(selector) if selector else "")
    return Attributes(verb, group, resource, subresource, namespace, name, "", selector, version)
