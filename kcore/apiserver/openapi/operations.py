"""Every operation that is served, as both versions of OpenAPI need it: from verbs and subresources of the kinds. Pure.

Source: CONTRACT A4, A6, A7; apiserver `pkg/endpoints/installer.go`, `pkg/endpoints/openapi`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from kcore.apiserver import strategy
from kcore.apiserver.discovery.groups import Group, GroupVersion
from kcore.apiserver.openapi import names, parameters
from kcore.apiserver.openapi.parameters import Parameter
from kcore.apiserver.openapi.schemas import Schema
from kcore.machinery import request
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.scheme import META, KindSpec, Scheme, Subresource

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
OBJECT: Final = (JSON, PROTOBUF, YAML)
STREAM: Final = (JSON, f"{JSON};stream=watch", PROTOBUF, f"{PROTOBUF};stream=watch", YAML)
DISCOVERY: Final = (JSON, YAML, PROTOBUF)
TEXT: Final = (*OBJECT, "text/plain")
ANY: Final = ("*/*",)
KEYS: Final = "application/jwk-set+json"
PATCHES: Final = (
    "application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)  # fmt: skip

CODES: Final = {200: "OK", 201: "Created", 202: "Accepted"}
STATUS, DELETE_OPTIONS, PATCH = f"{META}.Status", f"{META}.DeleteOptions", f"{META}.Patch"
WATCH_EVENT, STRING = f"{META}.WatchEvent", ""
PROXY, LOG, OPTIONS_SUFFIX, LOG_OPTIONS = "proxy", "log", "Options", "kcore.api.core.v1.PodLogOptions"
CONNECT_METHODS: Final = {
    "delete": request.DELETE, "get": request.GET, "head": "", "options": "", "patch": request.PATCH, "post": request.CREATE,
    "put": request.UPDATE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of a path. `answers` are messages by HTTP code, STRING for a text; `produces` the media types of an answer."""

    path: str
    method: str
    id: str
    tag: str
    description: str
    produces: tuple[str, ...]
    answers: tuple[tuple[int, str], ...]
    action: str = ""
    kind: GroupVersionKind | None = None
    parameters: tuple[Parameter, ...] = ()
    body: str = ""
    consumes: tuple[str, ...] = ANY


@dataclass(frozen=True, slots=True)
class Place:
    """A collection of objects in paths: of one namespace, of all, or of the cluster."""

    spec: KindSpec
    version: GroupVersion
    prefix: str
    namespaced: bool

    def id(self, verb: str, middle: str = "", suffix: str = "") -> str:
        """The name of an operation: `readCoreV1NamespacedPodStatus`."""
        scope = "Namespaced" if self.namespaced else ""
        return f"{verb}{group_name(self.version.group)}{self.version.version.capitalize()}{middle}{scope}{self.spec.kind}{suffix}"

    @property
    def named(self) -> tuple[Parameter, ...]:
        """The parameters in its path."""
        return (parameters.NAMESPACE,) if self.namespaced else ()

    def operation(
        self,
        verb: str,
        method: str,
        action: str,
        description: str,
        answers: tuple[tuple[int, str], ...],
        own: tuple[Parameter, ...],
        *,
        tail: str = "",
        middle: str = "",
        suffix: str = "",
        kind: GroupVersionKind | None = None,
        produces: tuple[str, ...] = OBJECT,
        body: str = "",
        consumes: tuple[str, ...] = ANY,
    ) -> Operation:
        """An operation on the collection, on an object (`tail` is `/{name}`) or below it. `own` are its parameters besides these."""
        named = (parameters.NAME._replace(description=f"The name of the {self.spec.kind}."),) if tail else ()
        return Operation(
            path=f"{self.prefix}{tail}",
            method=method,
            id=self.id(verb, middle, suffix),
            tag=tag(self.version),
            description=description,
            produces=produces,
            answers=answers,
            action=action,
            kind=kind or self.spec.gvk,
            parameters=(*self.named, *named, *own),
            body=body,
            consumes=consumes,
        )


def group_name(group: str) -> str:
    """A group within names of operations: `RbacAuthorization`."""
    return "".join(part.capitalize() for part in group.removesuffix(".k8s.io").split(".")) or "Core"


def tag(version: GroupVersion) -> str:
    """What tools sort operations by: `rbacAuthorization_v1`."""
    name = group_name(version.group)
    return f"{name[0].lower()}{name[1:]}_{version.version}"


def of_version(scheme: Scheme, version: GroupVersion) -> Iterator[Operation]:
    """All operations of a group and version."""
    root, name = f"/{version.path}/", group_name(version.group) + version.version.capitalize()
    yield _single(root, f"get{name}APIResources", tag(version), "list the resources", f"{META}.APIResourceList")
    for spec in version.kinds:
        where = "namespaces/{namespace}/" if spec.namespaced else ""
        place = Place(spec, version, f"{root}{where}{spec.resource}", spec.namespaced)
        yield from _collection(place)
        yield from _objects(place)
        for sub in spec.subresources.values():
            yield from _subresource(scheme, place, sub)
        if spec.namespaced and request.LIST in spec.verbs:
            yield _list(Place(spec, version, f"{root}{spec.resource}", namespaced=False), "ForAllNamespaces")
        if request.WATCH in spec.verbs:
            yield from _watches(spec, version, f"{root}watch/", where)


def of_group(group: Group) -> Operation:
    """The operation of `/apis/GROUP/`, or of `/api/`."""
    name = group_name(group.name)
    if not group.name:
        return _single("/api/", "getCoreAPIVersions", "core", "list the versions", f"{META}.APIVersions")
    return _single(f"/apis/{group.name}/", f"get{name}APIGroup", f"{name[0].lower()}{name[1:]}", "describe the group", f"{META}.APIGroup")


def of_server() -> dict[str, Operation]:
    """What belongs to no group, by the name of its document."""
    issuer, keys = ".well-known/openid-configuration", "openid/v1/jwks"
    return {
        issuer: _single(
            f"/{issuer}/", "getServiceAccountIssuerOpenIDConfiguration", "WellKnown", "describe who issues tokens", STRING, (JSON,)
        ),
        "apis": _single("/apis/", "getAPIVersions", "apis", "list the groups", f"{META}.APIGroupList"),
        keys: _single(f"/{keys}/", "getServiceAccountIssuerOpenIDKeyset", "openid", "list the keys of tokens", STRING, (KEYS,)),
        "version": _single("/version/", "getCodeVersion", "version", "describe this server", names.INFO, (JSON,)),
    }


def _single(
    path: str, name: str, label: str, description: str, message: str, produces: tuple[str, ...] = DISCOVERY
) -> Operation:
    return Operation(path, "get", name, label, description, produces, ((200, message),))


def paths(
    served: Iterable[Operation], write: Callable[[Operation, list[Parameter]], Schema], parameter: Callable[[Parameter], Schema]
) -> Schema:
    """Operations by path and method, as a version of OpenAPI writes them; the parameters that all methods of a path take stand there."""
    by_path: dict[str, list[Operation]] = defaultdict(list)
    for operation in served:
        by_path[operation.path].append(operation)
    found: Schema = {}
    for path, methods in sorted(by_path.items()):
        common = shared(methods)
        found[path] = {each.method: write(each, sorted(set(each.parameters) - set(common))) for each in methods}
        if common:
            found[path]["parameters"] = [parameter(each) for each in common]
    return found


def shared(methods: Iterable[Operation]) -> list[Parameter]:
    """The parameters that all operations of a path have."""
    first, *rest = methods
    return sorted(each for each in first.parameters if all(each in other.parameters for other in rest))


def _collection(place: Place) -> Iterator[Operation]:
    spec = place.spec
    if request.LIST in spec.verbs:
        yield _list(place)
    if request.CREATE in spec.verbs:
        yield _create(place, spec.message)
    if request.DELETE_COLLECTION in spec.verbs:
        own = (*parameters.PRETTY, *parameters.SELECT, *parameters.DELETE)
        text, found = f"delete collection of {spec.kind}", ((200, STATUS),)
        yield place.operation("delete", "delete", "deletecollection", text, found, own, middle="Collection", body=DELETE_OPTIONS)


def _list(place: Place, suffix: str = "") -> Operation:
    text, found = f"list or watch objects of kind {place.spec.kind}", ((200, place.spec.list_message),)
    return place.operation("list", "get", "list", text, found, (*parameters.PRETTY, *parameters.LIST), suffix=suffix, produces=STREAM)


def _create(place: Place, message: str, tail: str = "", suffix: str = "", kind: GroupVersionKind | None = None) -> Operation:
    text = f"create {suffix.lower()} of a {place.spec.kind}" if suffix else f"create a {place.spec.kind}"
    found = tuple((code, message) for code in (200, 201, 202))
    own = (*parameters.PRETTY, *parameters.WRITE)
    return place.operation("create", "post", "post", text, found, own, tail=tail, suffix=suffix, kind=kind, body=message)


def _objects(place: Place) -> Iterator[Operation]:
    spec = place.spec
    yield from _of_object(place, spec.verbs, spec.message, spec.gvk)
    if request.DELETE in spec.verbs:
        message = spec.message if spec.resource in strategy.RETURNS_DELETED else STATUS
        found, own = ((200, message), (202, message)), (*parameters.PRETTY, *parameters.DELETE)
        yield place.operation("delete", "delete", "delete", f"delete a {spec.kind}", found, own, tail="/{name}", body=DELETE_OPTIONS)


def _of_object(
    place: Place, verbs: Iterable[str], message: str, kind: GroupVersionKind, tail: str = "/{name}", suffix: str = ""
) -> Iterator[Operation]:
    """Read, replace and patch an object, or a part of it."""
    what = f"{suffix.lower()} of the specified {place.spec.kind}" if suffix else f"the specified {place.spec.kind}"
    pretty, changed = parameters.PRETTY, ((200, message), (201, message))
    if request.GET in verbs:
        yield place.operation("read", "get", "get", f"read {what}", changed[:1], pretty, tail=tail, suffix=suffix, kind=kind)
    if request.UPDATE in verbs:
        text, own = f"replace {what}", (*pretty, *parameters.WRITE)
        yield place.operation("replace", "put", "put", text, changed, own, tail=tail, suffix=suffix, kind=kind, body=message)
    if request.PATCH in verbs:
        text, own = f"partially update {what}", (*pretty, *parameters.PATCH)
        yield place.operation(
            "patch", "patch", "patch", text, changed, own, tail=tail, suffix=suffix, kind=kind, body=PATCH, consumes=PATCHES
        )


def _subresource(scheme: Scheme, place: Place, sub: Subresource) -> Iterator[Operation]:
    tail, suffix = f"/{{name}}/{sub.name}", sub.name.capitalize()
    message = scheme.message_of(sub.body.api_version, sub.body.kind)
    assert message is not None, "the body of a subresource is a kind"
    if sub.body.kind.endswith(OPTIONS_SUFFIX):
        yield from _connections(place, sub, tuple(parameters.of_options(scheme.messages[message])))
    elif sub.name == LOG:
        own = (*parameters.PRETTY, *parameters.of_options(scheme.messages[LOG_OPTIONS]))
        text, found = f"read log of the specified {place.spec.kind}", ((200, STRING),)
        yield place.operation("read", "get", "get", text, found, own, tail=tail, suffix=suffix, produces=TEXT)
    else:
        yield from _of_object(place, sub.verbs, message, sub.body, tail, suffix)
        if request.CREATE in sub.verbs:
            yield _create(place, message, tail, suffix, sub.body)


def _connections(place: Place, sub: Subresource, options: tuple[Parameter, ...]) -> Iterator[Operation]:
    """The methods of a subresource that is a connection to something else; a proxy passes all of them on, for paths below, too."""
    tails = {f"/{{name}}/{sub.name}": (sub.name.capitalize(), options)}
    if sub.name == PROXY:
        tails[f"/{{name}}/{sub.name}/{{path}}"] = (f"{sub.name.capitalize()}WithPath", (parameters.PATH, *options))
    for method, verb in CONNECT_METHODS.items():
        if verb in sub.verbs or (sub.name == PROXY and not verb):
            text, found = f"connect {method.upper()} requests to {sub.name} of {place.spec.kind}", ((200, STRING),)
            for tail, (suffix, own) in tails.items():
                yield place.operation(
                    "connect", method, "connect", text, found, own, tail=tail, middle=method.capitalize(), suffix=suffix, kind=sub.body,
                    produces=ANY,
                )  # fmt: skip


def _watches(spec: KindSpec, version: GroupVersion, prefix: str, where: str) -> Iterator[Operation]:
    """The older paths of watches."""
    place = Place(spec, version, f"{prefix}{where}{spec.resource}", spec.namespaced)
    yield _watch(place, "watchlist", suffix="List")
    yield _watch(place, "watch", tail="/{name}")
    if spec.namespaced:
        yield _watch(Place(spec, version, f"{prefix}{spec.resource}", namespaced=False), "watchlist", suffix="ListForAllNamespaces")


def _watch(place: Place, action: str, tail: str = "", suffix: str = "") -> Operation:
    text, own = f"watch changes to {'an object' if tail else 'objects'} of kind {place.spec.kind}", (*parameters.PRETTY, *parameters.LIST)
    return place.operation("watch", "get", action, text, ((200, WATCH_EVENT),), own, tail=tail, suffix=suffix, produces=STREAM)
