"""Which message, RPC and body a resource has, as handles that everything in the client is asked with.

A handle imports the kind's message only when somebody needs it; method names come from the options of the services, as the server reads
them, so no list of verbs stands here.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf.message import Message

from kcore.api.options.v1 import options_pb2
from kcore.base.features import Features
from kcore.machinery import scheme
from kcore.machinery.scheme import KindSpec

_METHOD: Any = options_pb2.method
_NO_FILE = descriptor_pb2.FileDescriptorProto()


class Resource:
    """The handle of one resource; there is one per resource and process, so handles compare by identity."""

    def __init__(self, spec: KindSpec) -> None:
        self.spec = spec
        self.group = spec.group
        self.version = spec.version
        self.kind = spec.kind
        self.resource = spec.resource
        self.namespaced = spec.namespaced

    def __repr__(self) -> str:
        return f"Resource({self})"

    def __str__(self) -> str:
        return f"{self.resource}.{self.group}" if self.group else self.resource

    @property
    def api_version(self) -> str:
        """What the kind's objects say in `apiVersion`."""
        return self.spec.api_version

    @cached_property
    def message(self) -> type[Any]:
        """The class of the kind's objects."""
        return scheme.everything().message_class(self.spec.message)

    @cached_property
    def list_message(self) -> type[Any]:
        """The class of a list of the kind's objects."""
        return scheme.everything().message_class(self.spec.list_message)

    @cached_property
    def _methods(self) -> dict[tuple[str, str], tuple[str, str]]:
        """By verb and subresource: the RPC's path and the full name of its answer's message."""
        file = _files().get(self.spec.file.removesuffix(".proto") + "_service.proto", _NO_FILE)
        found = {}
        for service in file.service:
            for method in service.method:
                rule = method.options.Extensions[_METHOD]
                found[rule.verb, rule.subresource] = f"/{file.package}.{service.name}/{method.name}", method.output_type.lstrip(".")
        return found

    def method(self, verb: str, subresource: str = "") -> str:
        """Return the path of the RPC for a verb, such as `/kcore.api.core.v1.PodService/Create`.

        Raises  LookupError if the resource has none
        """
        return self._rpc(verb, subresource)[0]

    def answer(self, verb: str, subresource: str = "") -> type[Any]:
        """Return the class of what an RPC answers.

        Raises  LookupError if the resource has none
        """
        return scheme.everything().message_class(self._rpc(verb, subresource)[1])

    def rpcs(self) -> dict[str, tuple[str, str]]:
        """Return verb and subresource of each RPC's path, for those who play the server."""
        return {path: rpc for rpc, (path, _) in self._methods.items()}

    def _rpc(self, verb: str, subresource: str) -> tuple[str, str]:
        found = self._methods.get((verb, subresource))
        if found is None:
            raise LookupError(f"{self} has no RPC for {verb}{f' {subresource}' if subresource else ''}")
        return found

    def body(self, subresource: str) -> type[Any]:
        """Return the class of a subresource's body: Binding, Eviction, Scale ..., or that of the kind itself."""
        own = self.spec.subresources[subresource].body
        if own == self.spec.gvk:
            return self.message
        full_name = scheme.everything().message_of(f"{own.group}/{own.version}", own.kind)
        if full_name is None:
            raise LookupError(f"{self}/{subresource} has a body of unknown kind {own.kind}")
        return scheme.everything().message_class(full_name)


@cache
def _files() -> dict[str, descriptor_pb2.FileDescriptorProto]:
    return {file.name: file for file in scheme.everything().files.file}


@cache
def _handle(message: str) -> Resource:
    return Resource(next(spec for spec in scheme.everything().kinds.values() if spec.message == message))


@cache
def resource(group: str, version: str, plural: str) -> Resource:
    """Return the handle of a resource by its plural name; the core group is ''.

    Raises  LookupError if there is no such resource
    """
    return _known(scheme.everything().resources, (group, version, plural))


@cache
def of_kind(group: str, version: str, kind: str) -> Resource:
    """Return the handle of a kind's resource.

    Raises  LookupError if there is no such kind
    """
    return _known(scheme.everything().kinds, (group, version, kind))


def of_message(message: Message | type[Message]) -> Resource:
    """Return the handle that an object, or the class of one, belongs to.

    Raises  LookupError if objects of that class are no resource
    """
    full_name = message.DESCRIPTOR.full_name
    if full_name not in _messages():
        raise LookupError(f"{full_name} is not the message of a resource")
    return _handle(full_name)


@cache
def find(word: str) -> Resource:
    """Return the handle that a person means by `pods`, `po` or `deployments.apps`.

    Raises  LookupError if nobody does
    """
    spec = scheme.everything().find(word)
    if spec is None:
        raise LookupError(f"there is no resource {word!r}")
    return _handle(spec.message)


def served(features: Features | None = None) -> list[Resource]:
    """Return the handles of all resources that a server with these features has, None for all there are, in the order of discovery."""
    found = scheme.everything() if features is None else scheme.load(features)
    return [_handle(spec.message) for spec in found.served()]


@cache
def _messages() -> frozenset[str]:
    return frozenset(spec.message for spec in scheme.everything().kinds.values())


def _known(table: Any, name: tuple[str, str, str]) -> Resource:
    spec = table.get(name)
    if spec is None:
        raise LookupError(f"there is no {name[2]} in {name[0] or 'the core group'} {name[1]}")
    return _handle(spec.message)
