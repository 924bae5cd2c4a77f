"""Apply: create an object, or bring an existing one to what a manifest says.

An update keeps what the manifest does not speak of in metadata (labels and annotations are merged). In the spec stated fields win, fields
that it leaves out keep their live values (a field that was taken out of a manifest stays therefore), maps such as selectors are replaced as
a whole, and elements of lists are matched by name. Every other part that it states is replaced. The update is made at the live
resourceVersion; nothing is written when nothing would change. Server-side apply takes its place when the server has it.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from kcore.client.client import Client
from kcore.machinery import scheme
from kcore.machinery.gvk import from_object
from kcore.machinery.scheme import KindSpec
from kcore.machinery.status import StatusError

Object = dict[str, Any]
Descriptor = Any
"""A protobuf message descriptor, whichever implementation made it."""

CREATED: Final = "created"
CONFIGURED: Final = "configured"
UNCHANGED: Final = "unchanged"
ATTEMPTS: Final = 5


class Applied(NamedTuple):
    """What became of a manifest."""

    spec: KindSpec
    namespace: str
    name: str
    outcome: str

    def __str__(self) -> str:
        return f"{self.spec.singular}{'.' + self.spec.group if self.spec.group else ''}/{self.name} {self.outcome}"


class NotServed(Exception):
    """The manifest's kind or version is none that the server has; the text is Kubernetes' own."""


def spec_of(obj: Object) -> KindSpec:
    """The kind of a manifest. Raises NotServed."""
    try:
        gvk = from_object(obj)
    except ValueError as error:
        raise NotServed(str(error)) from error
    spec = scheme.everything().kinds.get(gvk)
    if spec is None or not spec.storage:
        raise NotServed(f'no matches for kind "{gvk.kind}" in version "{gvk.api_version}"')
    return spec


async def apply(client: Client, obj: Object, namespace: str = "default") -> Applied:
    """Apply one manifest; `namespace` is for one that names none. Raises NotServed, StatusError."""
    spec = spec_of(obj)
    metadata: Object = obj.get("metadata") or {}
    where = (metadata.get("namespace") or namespace) if spec.namespaced else ""
    resource = client.dynamic.resource(spec.group, spec.version, spec.resource)
    name = metadata.get("name", "")
    for attempt in range(ATTEMPTS):
        live = await present(resource, name, where) if name else None
        if live is None:
            try:
                made = await resource.create(obj, namespace=where)
            except StatusError as error:
                if error.reason == "AlreadyExists" and name and attempt + 1 < ATTEMPTS:
                    continue
                raise
            return Applied(spec, where, made["metadata"]["name"], CREATED)
        wanted = merged(obj, live, scheme.everything().message_class(spec.message).DESCRIPTOR)
        try:
            written = await resource.update(wanted)
        except StatusError as error:
            if error.reason == "Conflict" and attempt + 1 < ATTEMPTS:
                continue
            raise
        same = written["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"]
        return Applied(spec, where, name, UNCHANGED if same else CONFIGURED)
    raise AssertionError("the last attempt returns or raises")


async def present(resource: Any, name: str, namespace: str) -> Object | None:
    """The live object, or None."""
    try:
        found: Object = await resource.get(name, namespace=namespace)
    except StatusError as error:
        if error.reason == "NotFound":
            return None
        raise
    return found


def merged(obj: Object, live: Object, descriptor: Descriptor | None = None) -> Object:
    """What an update writes: the live object with every part that the manifest states.

    descriptor  of the kind's message; it tells maps from messages
    """
    found = {**live, **{name: value for name, value in obj.items() if name not in ("metadata", "status")}}
    stated, kept = obj.get("metadata") or {}, live["metadata"]
    found["metadata"] = {**kept}
    for name in ("labels", "annotations"):
        if stated.get(name):
            found["metadata"][name] = {**(kept.get(name) or {}), **stated[name]}
    for name in ("finalizers", "ownerReferences"):
        if name in stated:
            found["metadata"][name] = stated[name]
    if isinstance(obj.get("spec"), dict) and isinstance(live.get("spec"), dict):
        found["spec"] = overlay(obj["spec"], live["spec"], part_of(descriptor, "spec"))
    return found


def overlay(stated: Any, live: Any, descriptor: Descriptor | None = None) -> Any:
    """A part of a spec: stated fields win, fields of messages that only the server filled in stay, maps are replaced as a whole."""
    if isinstance(stated, dict) and isinstance(live, dict):
        if descriptor is not None and descriptor.GetOptions().map_entry:
            return stated
        return {**live, **{name: overlay(value, live.get(name), part_of(descriptor, name)) for name, value in stated.items()}}
    if isinstance(stated, list) and isinstance(live, list):
        return [element if before is None else overlay(element, before, descriptor) for element, before in pairs(stated, live)]
    return stated


def pairs(stated: list[Any], live: list[Any]) -> list[tuple[Any, Any]]:
    """Each element with the live one that it stands for: the one of its name, or where none has a name the one at its place if the
    lists are of one length; else None."""
    names = [named(element) for element in live]
    if all(names) and len(set(names)) == len(names):
        known = dict(zip(names, live, strict=True))
        return [(element, known.get(named(element))) for element in stated]
    if list(map(named, stated)) == names:
        return list(zip(stated, live, strict=True))
    return [(element, None) for element in stated]


def named(element: Any) -> str:
    """What an element of a list goes by, where it has a name."""
    return str(element.get("name", "")) if isinstance(element, dict) else ""


def part_of(descriptor: Descriptor | None, name: str) -> Descriptor | None:
    """The message of a field; None for what holds no message, or is not known."""
    field = descriptor.fields_by_name.get(name) if descriptor is not None else None
    return field.message_type if field is not None else None
