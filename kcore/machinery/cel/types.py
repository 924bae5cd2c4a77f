"""The messages that expressions know by name, as descriptors that the type checker reads.

A field is `string`, `int`, `bool`, `double`, `dyn`, the name of another message here, or `list` or `map` of strings. What expressions call
`Object.spec` is `Object_spec` here: the checker would take the first part for a package, which may not be named as a message is.

Source: Kubernetes apiserver `pkg/admission/plugin/cel/compile.go`, `pkg/cel/mutation`, dynamic-resource-allocation `cel/compile.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, struct_pb2

Fields = Mapping[str, str]

_KIND: Final[Fields] = {"group": "string", "version": "string", "kind": "string"}
_RESOURCE: Final[Fields] = {"group": "string", "version": "string", "resource": "string"}

ADMISSION: Final[Mapping[str, Fields]] = {
    "kubernetes.GroupVersionKind": _KIND,
    "kubernetes.GroupVersionResource": _RESOURCE,
    "kubernetes.UserInfo": {"username": "string", "uid": "string", "groups": "list<string>", "extra": "dyn"},
    "kubernetes.AdmissionRequest": {
        "kind": "kubernetes.GroupVersionKind", "resource": "kubernetes.GroupVersionResource", "subResource": "string",
        "requestKind": "kubernetes.GroupVersionKind", "requestResource": "kubernetes.GroupVersionResource",
        "requestSubResource": "string", "name": "string", "namespace": "string", "operation": "string",
        "userInfo": "kubernetes.UserInfo", "dryRun": "bool", "options": "dyn",
    },
    "kubernetes.NamespaceMetadata": {
        "name": "string", "generateName": "string", "namespace": "string", "labels": "map<string>", "annotations": "map<string>",
        "UID": "string", "creationTimestamp": "dyn", "deletionGracePeriodSeconds": "int", "deletionTimestamp": "dyn",
        "generation": "int", "resourceVersion": "string", "finalizers": "list<string>",
    },
    "kubernetes.NamespaceSpec": {"finalizers": "list<string>"},
    "kubernetes.NamespaceStatus": {"phase": "string"},
    "kubernetes.Namespace": {
        "metadata": "kubernetes.NamespaceMetadata", "spec": "kubernetes.NamespaceSpec", "status": "kubernetes.NamespaceStatus",
    },
}
MUTATION: Final[Mapping[str, Fields]] = {"JSONPatch": {"op": "string", "path": "string", "from": "string", "value": "dyn"}}
DEVICE: Final[Mapping[str, Fields]] = {
    "kubernetes.DRADevice": {"driver": "string", "attributes": "dyn", "capacity": "dyn", "allowMultipleAllocations": "bool"},
}

_SCALARS: Final = {
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "int": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
    "double": descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE,
}
_DYNAMIC: Final = ".google.protobuf.Value"
_MESSAGE: Final = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
_REPEATED: Final = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
_OPTIONAL: Final = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL


def pool(messages: Iterable[tuple[str, Fields]]) -> descriptor_pool.DescriptorPool:
    """Build a pool of descriptors of messages."""
    made = descriptor_pool.DescriptorPool()
    values = descriptor_pb2.FileDescriptorProto()
    struct_pb2.DESCRIPTOR.CopyToProto(values)
    made.Add(values)
    files: dict[str, descriptor_pb2.FileDescriptorProto] = {}
    for name, fields in messages:
        package, _, own = name.rpartition(".")
        file = files.setdefault(package, descriptor_pb2.FileDescriptorProto(
            name=f"expressions/{package or 'top'}.proto", package=package, syntax="proto3", dependency=[values.name],
        ))
        message = file.message_type.add(name=own)
        for number, (field, kind) in enumerate(fields.items(), 1):
            _add_field(message, field, kind, number)
    for file in files.values():
        made.Add(file)
    return made


def _add_field(message: Any, name: str, kind: str, number: int) -> None:
    field = message.field.add(name=name, json_name=name, number=number, label=_OPTIONAL)
    if kind == "list<string>":
        field.label, field.type = _REPEATED, _SCALARS["string"]
    elif kind == "map<string>":
        entry = message.nested_type.add(name=f"{name[:1].upper()}{name[1:]}Entry")
        entry.options.map_entry = True
        for place, part in enumerate(("key", "value"), 1):
            entry.field.add(name=part, number=place, label=_OPTIONAL, type=_SCALARS["string"])
        field.label, field.type, field.type_name = _REPEATED, _MESSAGE, entry.name
    elif kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type, field.type_name = _MESSAGE, _DYNAMIC if kind == "dyn" else f".{kind}"
