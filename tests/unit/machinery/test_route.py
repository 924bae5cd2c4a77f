"""From path and method to verb, resource and name."""
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from kcore.machinery import route
from kcore.machinery.gvk import GroupVersionResource
from kcore.machinery.request import Request
from kcore.machinery.status import StatusError

ALL = frozenset(("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"))


@dataclass(frozen=True)
class Sub:
    verbs: frozenset[str]


@dataclass(frozen=True)
class Resource:
    namespaced: bool
    verbs: frozenset[str] = ALL
    subresources: Mapping[str, Sub] = field(default_factory=dict)


STATUS = Sub(frozenset(("get", "update", "patch")))
RESOURCES = {
    GroupVersionResource("", "v1", "pods"): Resource(
        True, subresources={"status": STATUS, "binding": Sub(frozenset(("create",))), "proxy": Sub(frozenset(("create", "get")))},
    ),
    GroupVersionResource("", "v1", "namespaces"): Resource(
        False, ALL - {"deletecollection"}, {"status": STATUS, "finalize": Sub(frozenset(("update",)))},
    ),
    GroupVersionResource("", "v1", "bindings"): Resource(True, frozenset(("create",))),
    GroupVersionResource("apps", "v1", "deployments"): Resource(True),
}


def routed(method: str, path: str, query: str = "") -> Request | None:
    return route.route(method, path, route.parse_query(query), RESOURCES)


def short(method: str, path: str, query: str = "") -> tuple[str, str, str, str, str]:
    request = routed(method, path, query)
    assert request is not None
    return request.verb, request.resource, request.subresource, request.namespace, request.name


@pytest.mark.parametrize(
    ("method", "path", "query", "expected"),
    [
        ("GET", "/api/v1/pods", "", ("list", "pods", "", "", "")),
        ("GET", "/api/v1/pods", "watch=1", ("watch", "pods", "", "", "")),
        ("GET", "/api/v1/pods", "watch=false", ("list", "pods", "", "", "")),
        ("GET", "/api/v1/namespaces/d/pods/p", "", ("get", "pods", "", "d", "p")),
        ("POST", "/api/v1/namespaces/d/pods", "", ("create", "pods", "", "d", "")),
        ("DELETE", "/api/v1/namespaces/d/pods", "", ("deletecollection", "pods", "", "d", "")),
        ("PUT", "/api/v1/namespaces/d/pods/p/status", "", ("update", "pods", "status", "d", "p")),
        ("POST", "/api/v1/namespaces/d/pods/p/binding", "", ("create", "pods", "binding", "d", "p")),
        ("GET", "/api/v1/namespaces", "", ("list", "namespaces", "", "", "")),
        ("PATCH", "/api/v1/namespaces/d", "", ("patch", "namespaces", "", "", "d")),
        ("PUT", "/api/v1/namespaces/d/finalize", "", ("update", "namespaces", "finalize", "", "d")),
        ("GET", "/apis/apps/v1/namespaces/d/deployments/a%2Db", "", ("get", "deployments", "", "d", "a-b")),
        ("GET", "/api/v1/watch/namespaces/d/pods", "", ("watch", "pods", "", "d", "")),
        ("GET", "/api/v1/namespaces/d/pods/p/proxy/a/b", "", ("get", "pods", "proxy", "d", "p")),
        ("DELETE", "/api/v1/namespaces/d/pods/p/proxy", "", ("delete", "pods", "proxy", "d", "p")),
    ],
)
def test_a_path_becomes_a_request(method: str, path: str, query: str, expected: tuple[str, ...]) -> None:
    assert short(method, path, query) == expected


def test_the_old_watch_of_one_object_selects_its_name() -> None:
    request = routed("GET", "/api/v1/watch/namespaces/d/pods/p", "fieldSelector=a%3Db")
    assert request is not None
    assert (request.verb, request.name, request.options["fieldSelector"]) == ("watch", "", "a=b,metadata.name=p")


def test_a_proxy_keeps_the_rest_of_the_path() -> None:
    request = routed("GET", "/api/v1/namespaces/d/pods/p/proxy/a/b")
    assert request is not None
    assert (request.subpath, request.resource_path) == ("a/b", "pods/proxy")


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1", "/apis/apps", "/apis/apps/v1", "/healthz", "/apis/none.example.com/v1/things"])
def test_other_paths_are_not_for_the_pipeline(path: str) -> None:
    assert routed("GET", path) is None


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/api/v1/nothings", 404), ("GET", "/api/v1/namespaces/d/pods/p/scale", 404), ("GET", "/api/v1/pods/p", 404),
        ("GET", "/api/v1/namespaces/d/namespaces/x", 404), ("GET", "/api/v1/namespaces/d/pods/p/status/x", 404),
        ("GET", "/apis/apps/v9/deployments", 404),
        ("POST", "/api/v1/pods", 405), ("DELETE", "/api/v1/pods", 405), ("DELETE", "/api/v1/namespaces", 405),
        ("PUT", "/api/v1/namespaces/d/pods", 405),
        ("POST", "/api/v1/namespaces/d/pods/p", 405), ("POST", "/api/v1/namespaces/d/pods/p/status", 405),
        ("HEAD", "/api/v1/namespaces/d/pods", 405),
        ("GET", "/api/v1/namespaces/d/bindings", 405), ("POST", "/api/v1/watch/pods", 405), ("GET", "/api/v1/namespaces/d/pods/..", 400),
    ],
)
def test_what_leads_nowhere_says_so(method: str, path: str, code: int) -> None:
    with pytest.raises(StatusError, match=r".+") as caught:
        routed(method, path)
    assert caught.value.code == code
