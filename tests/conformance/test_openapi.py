"""OpenAPI documents beside those of Kubernetes 1.37.2: the same schemas, operations and parameters, descriptions apart."""

from __future__ import annotations

import csv
import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from kcore.apiserver.discovery import Documents
from kcore.machinery import scheme

HERE = Path(__file__).parent / "reference"
OWN_SCHEMAS = "#/components/schemas/"
RESOURCE, CORE = "io.k8s.api.resource.v1.", "io.k8s.api.core.v1."
PROPS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"

DIFFERENT = {
    # Fields that proto/ does not have yet.
    f"{RESOURCE}DeviceDerivedAttribute": "missing",
    f"{RESOURCE}DeviceCounterConsumption/properties/compatibilityGroups": "missing",
    f"{RESOURCE}DeviceSubRequest/properties/derivedAttributes": "missing",
    f"{RESOURCE}ExactDeviceRequest/properties/derivedAttributes": "missing",
    f"{CORE}NodeSystemInfo/properties/runningInUserNamespace": "missing",
    # A reference alone, where kcore wraps every reference.
    **{
        f"{PROPS}/properties/{name}{part}": word
        for name in ("additionalItems", "additionalProperties", "example", "externalDocs", "items", "not")
        for part, word in (("/$ref", "missing"), ("/allOf", "more"))
    },
}


def read(name: str) -> bytes:
    with lzma.open(HERE / name) as file:
        return file.read()


@pytest.fixture(scope="module")
def documents() -> Documents:
    return Documents(scheme.load())


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(read("openapi.json.xz"))
    return found


def published(documents: Documents, name: str) -> dict[str, Any]:
    found = documents.answer("GET", f"/openapi/v3/{name}")
    assert found is not None and found.status == 200, name
    return orjson.loads(found.body)  # type: ignore[no-any-return]


def index(documents: Documents) -> dict[str, Any]:
    found = documents.answer("GET", "/openapi/v3")
    assert found is not None
    return orjson.loads(found.body)["paths"]  # type: ignore[no-any-return]


def differences(wanted: Any, found: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in wanted.keys() | found.keys():
            place = f"{path}/{key}"
            if key == "description" and not path.endswith("/properties"):
                continue
            if key not in found:
                yield place, "missing"
            elif key not in wanted:
                yield place, "more"
            elif key == "required" and not path.endswith("/properties"):
                yield from ((place, "other") for _ in set(wanted[key]) ^ set(found[key]))
            else:
                yield from differences(wanted[key], found[key], place)
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for one, other in zip(wanted, found, strict=True):
            yield from differences(one, other, path)
    elif wanted != found:
        yield path, "other"


def test_there_is_a_document_of_everything(documents: Documents, reference: dict[str, Any]) -> None:
    assert sorted(index(documents)) == sorted(reference["index"])


def test_schemas_are_those_of_kubernetes(documents: Documents, reference: dict[str, Any]) -> None:
    found: dict[str, Any] = {}
    for name in index(documents):
        for schema, body in published(documents, name)["components"].get("schemas", {}).items():
            if schema not in reference["variants"].get(name, {}):
                found.setdefault(schema, body)
                assert found[schema] == body, f"{schema} differs between documents"
    different = {place.removeprefix("/"): word for place, word in differences(reference["schemas"], found, "")}
    assert different == DIFFERENT


def test_kinds_that_every_group_has_say_so_in_its_document(documents: Documents, reference: dict[str, Any]) -> None:
    for name, schemas in reference["variants"].items():
        found = published(documents, name)["components"]["schemas"]
        for schema, body in schemas.items():
            assert list(differences(body, found[schema], schema)) == [], name


def test_operations_and_parameters_are_those_of_kubernetes(documents: Documents) -> None:
    wanted = {
        (row["path"], row["verb"]): (row["operationId"], row["x-kubernetes-action"], row["gvk"], row["parameters"])
        for row in csv.DictReader(read("openapi-paths.tsv.xz").decode().splitlines(), delimiter="\t")
    }
    found = {}
    for name in index(documents):
        for path, item in published(documents, name)["paths"].items():
            common = item.pop("parameters", [])
            for method, operation in item.items():
                gvk = operation.get("x-kubernetes-group-version-kind", {})
                parameters = ",".join(each["name"] for each in common + operation.get("parameters", []))
                kind = "/".join(gvk[part] for part in ("group", "version", "kind")) if gvk else ""
                found[path, method] = (operation["operationId"], operation.get("x-kubernetes-action", ""), kind, parameters)
    assert found == wanted


EXPLAINED = {
    "api/v1": "Pod Service ConfigMap Secret Namespace Node PersistentVolumeClaim PersistentVolume ServiceAccount Endpoints Event "
    "LimitRange ResourceQuota PodTemplate ReplicationController",
    "apis/apps/v1": "Deployment StatefulSet DaemonSet ReplicaSet DeploymentList",
    "apis/batch/v1": "Job CronJob",
    "apis/networking.k8s.io/v1": "Ingress IngressClass NetworkPolicy",
    "apis/autoscaling/v2": "HorizontalPodAutoscaler",
    "apis/policy/v1": "PodDisruptionBudget",
    "apis/rbac.authorization.k8s.io/v1": "Role RoleBinding ClusterRole ClusterRoleBinding",
    "apis/discovery.k8s.io/v1": "EndpointSlice",
    "apis/coordination.k8s.io/v1": "Lease",
    "apis/storage.k8s.io/v1": "StorageClass",
    "apis/scheduling.k8s.io/v1": "PriorityClass",
}
"""Kinds that people ask `kubectl explain` about."""


@pytest.mark.parametrize("path", EXPLAINED)
def test_every_field_of_the_commonest_kinds_is_described(documents: Documents, path: str) -> None:
    """`kubectl explain` shows these; a field without a comment in proto/ has no description, but for what is shared."""
    schemas = published(documents, path)["components"]["schemas"]
    todo = [name for name in schemas if name.rpartition(".")[2] in EXPLAINED[path].split()]
    assert len(todo) == len(EXPLAINED[path].split())
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += [each.removeprefix(OWN_SCHEMAS) for each in references(schemas[name])]
            properties = schemas[name].get("properties", {})
            assert [field for field, schema in properties.items() if not schema.get("description")] == [], name


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref" and isinstance(inner, str):
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_document_holds_what_it_refers_to(documents: Documents) -> None:
    for name in index(documents):
        document = published(documents, name)
        schemas = document["components"].get("schemas", {})
        assert {each.removeprefix(OWN_SCHEMAS) for each in references(document)} <= schemas.keys(), name


def test_the_older_document_has_all_operations_and_definitions_of_the_newer_ones(documents: Documents) -> None:
    found = documents.answer("GET", "/openapi/v2", "application/json")
    assert found is not None
    older = orjson.loads(found.body)
    assert {each.removeprefix("#/definitions/") for each in references(older)} <= older["definitions"].keys()
    paths, schemas = set(), set()
    for name in index(documents):
        document = published(documents, name)
        paths |= {(path, method) for path, item in document["paths"].items() for method in item}
        schemas |= document["components"].get("schemas", {}).keys()
    assert {(path, method) for path, item in older["paths"].items() for method in item} == paths
    assert older["definitions"].keys() == schemas


def test_the_right_hash_may_be_kept_and_another_is_sent_to_it(documents: Documents) -> None:
    place = index(documents)["apis/apps/v1"]["serverRelativeURL"]
    path, _, value = place.partition("?hash=")
    right = Documents(scheme.load(), now=lambda: 0.0).answer("GET", path, "", {"hash": [value]})
    assert right is not None and right.headers["cache-control"] == "public, immutable"
    assert right.headers["expires"] == "Fri, 01 Jan 1971 00:00:00 GMT" and right.etag == f'"{value}"'
    other = documents.answer("GET", path, "", {"hash": ["OLD"]})
    assert other is not None and (other.status, other.headers["location"]) == (301, place)
    plain = documents.answer("GET", path)
    assert plain is not None and "cache-control" not in plain.headers
