"""OpenAPI 3: a document for each group and version, and for what belongs to none. Pure.

Source: CONTRACT A4; KEP-2896; kube-openapi `pkg/handler3`, observed answers of 1.37.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from kcore.apiserver.discovery import build
from kcore.apiserver.discovery.groups import Group, GroupVersion
from kcore.apiserver.openapi import names, operations
from kcore.apiserver.openapi.operations import Operation
from kcore.apiserver.openapi.parameters import Parameter
from kcore.apiserver.openapi.schemas import GVK, OF_ALL_GROUPS, Schema, Schemas
from kcore.machinery.scheme import META

SECURITY: Final = {
    "BearerToken": {"description": "A bearer token", "in": "header", "name": "authorization", "type": "apiKey"},
}
INFO: Final = {"title": "Kubernetes", "version": f"v{build.MAJOR}.{build.MINOR}.{build.PATCH}"}


def documents(groups: Iterable[Group]) -> dict[str, GroupVersion | Group | None]:
    """What there is a document of, by name (`api/v1`, `apis/apps`), sorted; None for what belongs to no group."""
    found: dict[str, GroupVersion | Group | None] = dict.fromkeys(operations.of_server())
    for group in groups:
        found[f"apis/{group.name}" if group.name else "api"] = group
        found |= {version.path: version for version in group.versions}
    return dict(sorted(found.items()))


def document(schemas: Schemas, name: str, of: GroupVersion | Group | None) -> Schema:
    """The document of a name."""
    if isinstance(of, GroupVersion):
        served = list(operations.of_version(schemas.scheme, of))
    else:
        served = [operations.of_group(of) if of else operations.of_server()[name]]
    messages = {message for operation in served for _, message in operation.answers} | {operation.body for operation in served}
    found = schemas.closure(messages & schemas.scheme.messages.keys())
    if names.INFO in messages:
        found[names.INFO] = schemas.information(build.version(), build.OPTIONAL)
    if isinstance(of, GroupVersion):
        found |= own_kinds(found, of)
    served_paths = operations.paths(served, partial(_operation, schemas), _parameter)
    components: Schema = {"schemas": found} if found else {}
    return {"openapi": "3.0.0", "info": INFO, "paths": served_paths, "components": {**components, "securitySchemes": SECURITY}}


def own_kinds(found: Mapping[str, Schema], version: GroupVersion) -> dict[str, Schema]:
    """The schemas of kinds that every group has as its own, too, with the group of the document."""
    changed = {}
    for kind in OF_ALL_GROUPS if version.group else ():
        name = names.of(f"{META}.{kind}")
        if name in found:
            own = {"group": version.group, "kind": kind, "version": version.version}
            changed[name] = found[name] | {GVK: [*found[name][GVK], own]}
    return changed


def _operation(schemas: Schemas, operation: Operation, own: list[Parameter]) -> Schema:
    found: Schema = {"tags": [operation.tag], "description": operation.description, "operationId": operation.id}
    if own:
        found["parameters"] = [_parameter(each) for each in own]
    if operation.body:
        content = {media_type: {"schema": schemas.dialect.reference(operation.body)} for media_type in operation.consumes}
        found["requestBody"] = {"content": content} | ({"required": True} if operation.body != operations.DELETE_OPTIONS else {})
    found["responses"] = {f"{code}": _answer(schemas, operation, code, message) for code, message in operation.answers}
    found["responses"]["401"] = {"description": "Unauthorized"}
    if operation.action:
        found["x-kubernetes-action"] = operation.action
    if operation.kind:
        found[GVK] = operation.kind._asdict()
    return found


def _answer(schemas: Schemas, operation: Operation, code: int, message: str) -> Schema:
    schema: dict[str, Any] = schemas.dialect.reference(message) if message else {"type": "string"}
    content = {media_type: {"schema": schema} for media_type in operation.produces}
    return {"description": operations.CODES[code], "content": content}


def _parameter(parameter: Parameter) -> Schema:
    found: Schema = {"name": parameter.name, "in": parameter.place, "description": parameter.description}
    if parameter.place == "path":
        found["required"] = True
    return {**found, "schema": {"type": parameter.type, "uniqueItems": True}}
