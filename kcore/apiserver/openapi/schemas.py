"""From a message and the options of its fields to its JSON schema, in OpenAPI 3 and 2. Pure.

Two dialects differ in how they refer to a schema: version 3 wraps a reference that has company (`allOf`), version 2 does not, and knows no
`oneOf`.

Source: CONTRACT A4; kube-openapi `pkg/generators`, `pkg/schemaconv`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf import descriptor_pb2

from kcore.api.options.v1 import options_pb2
from kcore.apiserver.openapi import names
from kcore.apiserver.openapi.comments import shared
from kcore.machinery.codec import tables
from kcore.machinery.scheme import META, Scheme

Schema = dict[str, Any]
Message = descriptor_pb2.DescriptorProto
Field = descriptor_pb2.FieldDescriptorProto

DEFAULT, REQUIRED = "default", "required"
"""What `published` can say of a field."""

GVK: Final = "x-kubernetes-group-version-kind"
OF_ALL_GROUPS: Final = ("DeleteOptions", "WatchEvent")
"""Kinds of meta that every group knows as its own, too."""
OF_CORE: Final = frozenset(("APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "Status", *OF_ALL_GROUPS))
"""Kinds of meta that are in the core group."""
TYPED: Final = frozenset(f"{META}.{kind}" for kind in OF_CORE - {"WatchEvent"})
"""Of these, the ones that say what they are; nothing in their declarations tells."""
ANYTHING: Final = "kcore.api.apiextensions.v1.JSON"
"""The message that stands for any JSON at all."""

SCALARS: Final[dict[int, Schema]] = {
    Field.TYPE_BOOL: {"type": "boolean"},
    Field.TYPE_INT32: {"type": "integer", "format": "int32"},
    Field.TYPE_INT64: {"type": "integer", "format": "int64"},
    Field.TYPE_DOUBLE: {"type": "number", "format": "double"},
    Field.TYPE_STRING: {"type": "string"},
    Field.TYPE_BYTES: {"type": "string", "format": "byte"},
}
ZEROS: Final[dict[int, Any]] = {
    Field.TYPE_BOOL: False, Field.TYPE_INT32: 0, Field.TYPE_INT64: 0, Field.TYPE_DOUBLE: 0, Field.TYPE_STRING: "",
}  # fmt: skip
"""What a field is where nothing was said, if JSON always shows it."""

FORMS: Final[dict[int, Schema]] = {
    options_pb2.JSON_FORM_TIME: {"type": "string", "format": "date-time"},
    options_pb2.JSON_FORM_MICRO_TIME: {"type": "string", "format": "date-time"},
    options_pb2.JSON_FORM_QUANTITY: {"oneOf": [{"type": "string"}, {"type": "number"}]},
    options_pb2.JSON_FORM_INT_OR_STRING: {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
    options_pb2.JSON_FORM_RAW: {"type": "object"},
    options_pb2.JSON_FORM_DURATION: {"type": "string"},
}
FORMS_V2: Final[dict[int, Schema]] = {
    **FORMS,
    options_pb2.JSON_FORM_QUANTITY: {"type": "string"},
    options_pb2.JSON_FORM_INT_OR_STRING: {"type": "string", "format": "int-or-string"},
}
TYPE_META: Final = {
    "apiVersion": "The group and version in which the object is written, such as `apps/v1`.",
    "kind": "The type of the object, in CamelCase; it follows from the address of a request and cannot be changed.",
}

PARTS: Final = {
    "metadata": "What every object has: name, namespace, labels, annotations, and what the server notes of it.",
    "spec": "What is wanted.",
    "status": "What was found; written by the server and by controllers, not by those who want something.",
    "items": "The objects, in the order of namespaces and names.",
}
"""What the parts are that kinds have in common; a comment of a kind's own goes before."""
OF_LIST: Final = "The state that the list shows, and where it goes on."


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a version of OpenAPI writes schemas."""

    prefix: str
    wraps: bool
    forms: Mapping[int, Schema]

    def reference(self, message: str) -> Schema:
        return {"$ref": f"{self.prefix}{names.of(message)}"}


V3: Final = Dialect("#/components/schemas/", True, FORMS)
V2: Final = Dialect("#/definitions/", False, FORMS_V2)


@dataclass(slots=True)
class Schemas:
    """The schemas of a scheme in one dialect.

    comments  what proto/ says of a message (`kcore.api.core.v1.Pod`) or a field (`kcore.api.core.v1.PodSpec.nodeName`)
    """

    scheme: Scheme
    dialect: Dialect
    comments: Mapping[str, str]
    _made: dict[str, Schema] = field(default_factory=dict)

    def closure(self, roots: Iterable[str]) -> dict[str, Schema]:
        """The schemas of some messages and of all that they refer to, by name, sorted."""
        seen: set[str] = set()
        rest = list(roots)
        while rest:
            message = rest.pop()
            if message not in seen:
                seen.add(message)
                rest.extend(self.referred(message))
        return dict(sorted((names.of(message), self.schema(message)) for message in seen))

    def referred(self, message: str) -> Iterator[str]:
        """The messages that a message's schema refers to."""
        declared = self.scheme.messages[message]
        for each in declared.field if self._is_object(message) or self._is_list(message) else ():
            value = tables.map_value(declared, each) or each
            if value.type == Field.TYPE_MESSAGE:
                inner = value.type_name[1:]
                yield from self.referred(inner) if self._inlined(each, value) or self._is_list(inner) else (inner,)

    def schema(self, message: str) -> Schema:
        """The schema of a message; made once, and shared: nobody changes it."""
        found = self._made.get(message)
        if found is None:
            found = self._made[message] = self._schema(message)
        return found

    def information(self, facts: Mapping[str, str], optional: Iterable[str]) -> Schema:
        """The schema of the document of `/version`, which is no message: facts by name, some of which an older server lacks."""
        always = [name for name in facts if name not in optional]
        properties = {name: {"type": "string"} | ({"default": ""} if name in always else {}) for name in sorted(facts)}
        return {"type": "object", "properties": properties, "required": always}

    def _schema(self, message: str) -> Schema:
        declared = self.scheme.messages[message]
        schema: Schema = {"description": self.comments[message]} if message in self.comments else {}
        form = tables.form(declared)
        if message == ANYTHING:
            return schema
        if form != options_pb2.JSON_FORM_UNSPECIFIED:
            return schema | self.dialect.forms.get(form, {})
        schema["type"] = "object"
        if properties := dict(self._properties(message, declared)):
            schema["properties"] = dict(sorted(properties.items()))
        if required := list(self._required(declared)):
            schema["required"] = required
        if kinds := self._kinds(message, declared):
            schema[GVK] = kinds
        return schema | _message_extensions(declared)

    def _properties(self, message: str, declared: Message) -> Iterator[tuple[str, Schema]]:
        if tables.type_meta(declared) is not None or message in TYPED:
            yield from ((name, {"description": text, "type": "string"}) for name, text in TYPE_META.items())
        for each in declared.field:
            value = tables.map_value(declared, each)
            if self._inlined(each, value or each):
                inlined = each.type_name[1:]
                yield from self._properties(inlined, self.scheme.messages[inlined])
            else:
                comment = self.comments.get(f"{message}.{each.name}") or _part(declared, each) or shared(message, each.name)
                yield each.json_name, ({"description": comment} if comment else {}) | self._property(each, value)

    def _required(self, declared: Message) -> Iterator[str]:
        """The fields that an object must have, those of inlined messages included."""
        for each in declared.field:
            rules = tables.rule(each)
            if self._inlined(each, each):
                yield from self._required(self.scheme.messages[each.type_name[1:]])
            elif rules.required or REQUIRED in rules.published:
                yield each.json_name

    def _inlined(self, each: Field, value: Field) -> bool:
        return tables.rule(each).inline and value.type == Field.TYPE_MESSAGE

    def _property(self, each: Field, value: Field | None) -> Schema:
        rules = tables.rule(each)
        if value is not None:
            schema: Schema = {"type": "object", "additionalProperties": self._element(value, rules)}
        elif each.label == Field.LABEL_REPEATED:
            schema = {"type": "array", "items": self._element(each, rules)}
        else:
            schema = self._single(each, rules)
        return schema | _field_extensions(rules)

    def _element(self, value: Field, rules: options_pb2.FieldRule) -> Schema:
        if value.type == Field.TYPE_MESSAGE:
            return self._of_type(value.type_name[1:])
        return SCALARS[value.type] | ({"enum": sorted(rules.enum_values)} if rules.enum_values else {})

    def _of_type(self, message: str) -> Schema:
        """A reference, or what stands in its place for a list that has a message of its own on the wire alone."""
        declared = self.scheme.messages[message]
        if self._is_list(message):
            return {"type": "array", "items": self._element(declared.field[0], tables.rule(declared.field[0]))}
        return self.dialect.reference(message)

    def _single(self, each: Field, rules: options_pb2.FieldRule) -> Schema:
        schema = self._element(each, rules)
        if self.dialect.wraps and "$ref" in schema:
            schema = {"allOf": [schema]}
        if DEFAULT in rules.published:
            schema["default"] = json.loads(rules.default_json) if rules.default_json else ZEROS[each.type]
        elif each.type != Field.TYPE_MESSAGE:
            if rules.emit_empty and rules.always and each.type in ZEROS:
                schema["default"] = ZEROS[each.type]
        elif rules.always and self._is_object(each.type_name[1:]):
            schema["default"] = {}
        return schema

    def _is_object(self, message: str) -> bool:
        return tables.form(self.scheme.messages[message]) == options_pb2.JSON_FORM_UNSPECIFIED

    def _is_list(self, message: str) -> bool:
        return tables.form(self.scheme.messages[message]) == options_pb2.JSON_FORM_LIST

    def _kinds(self, message: str, declared: Message) -> list[Schema]:
        """The kinds that objects of a message say they are."""
        package, _, kind = message.rpartition(".")
        if package == META and kind not in OF_CORE:
            return []
        if tables.type_meta(declared) is None and kind not in OF_CORE:
            return []
        return [{"group": self.scheme.package_groups.get(package, ""), "kind": kind, "version": package.rpartition(".")[2]}]


def _part(declared: Message, each: Field) -> str:
    """The description of a part that kinds, or lists, have in common; empty for any other field."""
    if tables.type_meta(declared) is None:
        return ""
    return OF_LIST if each.type_name.endswith(".ListMeta") else PARTS.get(each.name, "")


def _message_extensions(declared: Message) -> Schema:
    options: Any = declared.options
    found: Schema = {}
    if options.HasExtension(options_pb2.map_type):
        found["x-kubernetes-map-type"] = options.Extensions[options_pb2.map_type]
    if options.HasExtension(options_pb2.union):
        union = options.Extensions[options_pb2.union]
        fields = {name: name[0].upper() + name[1:] for name in union.fields}
        named = {"discriminator": union.discriminator} if union.discriminator else {}
        found["x-kubernetes-unions"] = [{**named, "fields-to-discriminateBy": fields}]
    return found


def _field_extensions(rules: options_pb2.FieldRule) -> Schema:
    found: Schema = {}
    if rules.list_type:
        found["x-kubernetes-list-type"] = rules.list_type
    if rules.map_keys:
        found["x-kubernetes-list-map-keys"] = list(rules.map_keys)
    if rules.map_type:
        found["x-kubernetes-map-type"] = rules.map_type
    if rules.patch_strategy:
        found["x-kubernetes-patch-strategy"] = ",".join(rules.patch_strategy)
    if rules.patch_merge_key:
        found["x-kubernetes-patch-merge-key"] = rules.patch_merge_key
    return found
