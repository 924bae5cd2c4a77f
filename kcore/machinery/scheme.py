"""Which kinds there are and what each is like, read from the one descriptor set that proto/ compiles to.

The set is parsed once (about 7 ms); a kind's message class is imported only when somebody asks for it, and kcore itself never imports
service stubs.
Source: the options in `kcore/api/options/v1/options.proto`.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf.message import Message

from kcore.api.options.v1 import options_pb2
from kcore.base.features import NO_FEATURES, Features
from kcore.machinery.codec import tables
from kcore.machinery.gvk import GroupVersionKind, GroupVersionResource, join_api_version

PACKAGE = "kcore.api."
META = "kcore.api.meta.v1"


@dataclass(frozen=True, slots=True)
class Subresource:
    """A subresource and the kind of its body."""

    name: str
    body: GroupVersionKind
    verbs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Column:
    """A table column in CRD printer-column form; an empty `json_path` is computed by the kind's module."""

    name: str
    type: str
    format: str
    priority: int
    json_path: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class KindSpec:
    """Everything the options say of a kind that has a resource, or is the body of a subresource."""

    group: str
    version: str
    kind: str
    resource: str
    singular: str
    namespaced: bool
    verbs: frozenset[str]
    subresources: dict[str, Subresource]
    short_names: tuple[str, ...]
    categories: tuple[str, ...]
    storage: str
    converted: bool
    generation: bool
    columns: tuple[Column, ...]
    selectable_fields: tuple[str, ...]
    message: str
    list_message: str
    file: str
    order: int
    feature_gate: str = ""

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` in the core group."""
        return join_api_version(self.group, self.version)

    @property
    def gvk(self) -> GroupVersionKind:
        return GroupVersionKind(self.group, self.version, self.kind)

    @property
    def gvr(self) -> GroupVersionResource:
        return GroupVersionResource(self.group, self.version, self.resource)

    @property
    def prefix(self) -> bytes:
        """The start of the keys of this kind's objects in the store."""
        return f"/registry/{self.storage}/".encode()

    @property
    def service(self) -> str:
        """Full name of the kind's gRPC service."""
        return f"{self.message}Service"

    def key(self, namespace: str, name: str) -> bytes:
        """The key of an object: Kubernetes' own storage layout."""
        where = f"{namespace}/{name}" if self.namespaced else name
        return f"/registry/{self.storage}/{where}".encode()


class Scheme:
    """The kinds by all their names. Immutable after construction; any thread may use it."""

    def __init__(self, files: descriptor_pb2.FileDescriptorSet) -> None:
        self.files = files
        self.messages: dict[str, descriptor_pb2.DescriptorProto] = {}
        self.file_of: dict[str, str] = {}
        self.package_groups: dict[str, str] = {META: ""}
        specs: list[KindSpec] = []
        self.bodies: dict[GroupVersionKind, KindSpec] = {}
        for file in files.file:
            for message in file.message_type:
                full = f"{file.package}.{message.name}"
                self.messages[full], self.file_of[full] = message, file.name
                options: Any = message.options
                if options.HasExtension(options_pb2.kind):
                    rule = options.Extensions[options_pb2.kind]
                    self.package_groups.setdefault(file.package, rule.group)
                    spec = _spec(file, message, rule)
                    if rule.resource:
                        specs.append(spec)
                    else:
                        self.bodies[spec.gvk] = spec
        specs.sort(key=lambda spec: spec.order)
        self._take(specs)

    def _take(self, specs: list[KindSpec]) -> None:
        self.kinds: dict[GroupVersionKind, KindSpec] = {spec.gvk: spec for spec in specs}
        self.resources: dict[GroupVersionResource, KindSpec] = {spec.gvr: spec for spec in specs}
        self.in_storage: dict[str, KindSpec] = {spec.storage: spec for spec in self.stored()}

    def with_features(self, features: Features) -> Scheme:
        """Return what a server has with these features on: the scheme without the kinds that belong to others."""
        found = copy.copy(self)
        found._take([spec for spec in self.kinds.values() if not spec.feature_gate or spec.feature_gate in features])
        return found

    def served(self) -> Iterator[KindSpec]:
        """The kinds, each once: in its storage version, which alone has a typed service."""
        return (spec for spec in self.kinds.values() if not spec.converted)

    def stored(self) -> Iterator[KindSpec]:
        """The kinds whose objects are kept in the store."""
        return (spec for spec in self.served() if spec.storage)

    def stored_version(self, spec: KindSpec) -> KindSpec:
        """The version in which a kind is stored; the given one if it has no other."""
        return self.in_storage[spec.storage] if spec.converted else spec

    def shown_as_rows(self, spec: KindSpec, subresource: str) -> KindSpec | None:
        """The kind whose columns show a resource, or a part of it, as a Table; None if it is not shown as one."""
        if subresource in ("", "status"):
            return spec if spec.storage else None
        part = spec.subresources.get(subresource)
        found = self.bodies.get(part.body) if part else None
        return found if found and found.columns else None

    def find(self, word: str) -> KindSpec | None:
        """The kind that a person means by `pods`, `pod`, `po`, `deployments.apps` or `deploy`; None if nobody does."""
        name, _, group = word.lower().partition(".")
        for spec in self.served():
            if group and spec.group != group and not spec.group.startswith(f"{group}."):
                continue
            if name in (spec.resource, spec.singular, spec.kind.lower(), *spec.short_names):
                return spec
        return None

    def message_of(self, api_version: str, kind: str) -> str | None:
        """Full message name of a kind, a list or another top-level message such as Status; None if there is none."""
        group, _, version = api_version.rpartition("/")
        of_meta = f"{META}.{kind}"
        return self._names.get((group, version, kind)) or (of_meta if version == "v1" and of_meta in self.messages else None)

    def message_class(self, full_name: str) -> type[Message]:
        """The generated class of a message; its module is imported at the first call."""
        return message_class(self.file_of[full_name], full_name.rpartition(".")[2])

    @cached_property
    def _names(self) -> dict[tuple[str, str, str], str]:
        names: dict[tuple[str, str, str], str] = {}
        for full in self.messages:
            package, _, kind = full.rpartition(".")
            if (group := self.package_groups.get(package)) is not None:
                names[group, package.rpartition(".")[2], kind] = full
        return names


@cache
def message_class(file: str, name: str) -> type[Message]:
    """The class of a message in a file such as `kcore/api/core/v1/pod.proto`."""
    module = importlib.import_module(file.removesuffix(".proto").replace("/", ".") + "_pb2")
    found: type[Message] = getattr(module, name)
    return found


def _spec(file: descriptor_pb2.FileDescriptorProto, message: descriptor_pb2.DescriptorProto, rule: Any) -> KindSpec:
    own = GroupVersionKind(rule.group, rule.version, message.name)
    listed = f"{message.name}List"
    return KindSpec(
        group=rule.group,
        version=rule.version,
        kind=message.name,
        resource=rule.resource,
        singular=rule.singular,
        namespaced=rule.namespaced,
        verbs=frozenset(rule.verbs),
        subresources={sub.name: Subresource(sub.name, _body(sub.kind, own), frozenset(sub.verbs)) for sub in rule.subresources},
        short_names=tuple(rule.short_names),
        categories=tuple(rule.categories),
        storage=rule.storage,
        converted=rule.converted,
        generation=rule.generation,
        columns=tuple(Column(c.name, c.type, c.format, c.priority, c.json_path, c.description) for c in rule.columns),
        selectable_fields=tuple(rule.selectable_fields),
        message=f"{file.package}.{message.name}",
        list_message=f"{file.package}.{listed}" if any(m.name == listed for m in file.message_type) else "",
        file=file.name,
        order=rule.discovery_order,
        feature_gate=rule.feature_gate,
    )


def _body(reference: str, own: GroupVersionKind) -> GroupVersionKind:
    if not reference:
        return own
    *group, version, kind = reference.split("/")
    return GroupVersionKind(group[0] if group else "", version, kind)


@cache
def everything() -> Scheme:
    """The scheme of this build, with the kinds of all features."""
    return Scheme(tables.descriptor_set())


@cache
def load(features: Features = NO_FEATURES) -> Scheme:
    """What a server with these features on serves."""
    return everything().with_features(features)
