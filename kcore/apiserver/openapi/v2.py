"""OpenAPI 2: one document of everything. Pure.

Source: CONTRACT A4; kube-openapi `pkg/builder`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

from kcore.apiserver.discovery import build
from kcore.apiserver.discovery.groups import Group
from kcore.apiserver.openapi import names, operations, v3
from kcore.apiserver.openapi.operations import Operation
from kcore.apiserver.openapi.parameters import Parameter
from kcore.apiserver.openapi.schemas import GVK, OF_ALL_GROUPS, Schema, Schemas
from kcore.machinery.scheme import META

SCHEMES: Final = ["https"]


def document(schemas: Schemas, groups: Iterable[Group]) -> Schema:
    """The document. `schemas` are those of the dialect V2."""
    groups = tuple(groups)
    served = list(_served(schemas, groups))
    messages = {message for operation in served for _, message in operation.answers} | {operation.body for operation in served}
    definitions = schemas.closure(messages & schemas.scheme.messages.keys())
    definitions[names.INFO] = schemas.information(build.version(), build.OPTIONAL)
    return {
        "swagger": "2.0",
        "info": v3.INFO,
        "paths": operations.paths(served, partial(_operation, schemas), _parameter),
        "definitions": dict(sorted((definitions | own_kinds(definitions, groups)).items())),
        "securityDefinitions": v3.SECURITY,
        "security": [{name: []} for name in v3.SECURITY],
    }


def own_kinds(definitions: dict[str, Schema], groups: Iterable[Group]) -> dict[str, Schema]:
    """The definitions of kinds that every group has as its own, too."""
    versions = sorted((version.group, version.version) for group in groups for version in group.versions)
    return {
        name: definitions[name] | {GVK: [{"group": group, "kind": kind, "version": version} for group, version in versions]}
        for kind in OF_ALL_GROUPS
        if (name := names.of(f"{META}.{kind}")) in definitions
    }


def _served(schemas: Schemas, groups: Iterable[Group]) -> Iterator[Operation]:
    yield from operations.of_server().values()
    for group in groups:
        yield operations.of_group(group)
        for version in group.versions:
            yield from operations.of_version(schemas.scheme, version)


def _operation(schemas: Schemas, operation: Operation, own: list[Parameter]) -> Schema:
    found: Schema = {
        "description": operation.description,
        "consumes": list(operation.consumes),
        "produces": list(operation.produces),
        "schemes": SCHEMES,
        "tags": [operation.tag],
        "operationId": operation.id,
    }
    parameters = [_parameter(each) for each in own]
    if operation.body:
        required = {} if operation.body == operations.DELETE_OPTIONS else {"required": True}
        parameters.insert(0, {"name": "body", "in": "body", **required, "schema": schemas.dialect.reference(operation.body)})
    if parameters:
        found["parameters"] = parameters
    found["responses"] = {f"{code}": _answer(schemas, code, message) for code, message in operation.answers}
    found["responses"]["401"] = {"description": "Unauthorized"}
    if operation.action:
        found["x-kubernetes-action"] = operation.action
    if operation.kind:
        found[GVK] = operation.kind._asdict()
    return found


def _answer(schemas: Schemas, code: int, message: str) -> Schema:
    return {"description": operations.CODES[code], "schema": schemas.dialect.reference(message) if message else {"type": "string"}}


def _parameter(parameter: Parameter) -> Schema:
    found: Schema = {"name": parameter.name, "in": parameter.place, "description": parameter.description, "type": parameter.type}
    return found | ({"required": True} if parameter.place == "path" else {}) | {"uniqueItems": True}
