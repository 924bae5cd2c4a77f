"""Reflection's answers to all that a client can ask."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.reflection_pb2 import ExtensionRequest, ServerReflectionRequest

from kcore.apiserver.rpc_reflection import METHODS, Index, ReflectionHandler, answer
from kcore.machinery.scheme import load

FIELD_OPTIONS = "google.protobuf.FieldOptions"


@pytest.fixture(scope="module")
def index() -> Index:
    return Index(load().files.file)


def files(index: Index, **asked: Any) -> list[FileDescriptorProto]:
    response = answer(index, ServerReflectionRequest(**asked))
    return [FileDescriptorProto.FromString(data) for data in response.file_descriptor_response.file_descriptor_proto]


@pytest.mark.parametrize(
    ("symbol", "file"),
    [
        ("kcore.api.core.v1.PodService", "kcore/api/core/v1/pod_service.proto"),
        ("kcore.api.core.v1.PodService.Create", "kcore/api/core/v1/pod_service.proto"),
        ("kcore.api.core.v1.Pod", "kcore/api/core/v1/pod.proto"),
        ("kcore.api.core.v1.Pod.spec", "kcore/api/core/v1/pod.proto"),
        ("kcore.api.options.v1.JSON_FORM_LIST", "kcore/api/options/v1/options.proto"),
        ("kcore.api.options.v1.field", "kcore/api/options/v1/options.proto"),
    ],
)
def test_a_symbol_of_any_sort_is_found(index: Index, symbol: str, file: str) -> None:
    assert files(index, file_containing_symbol=symbol)[0].name == file


def test_a_file_comes_with_all_that_it_imports(index: Index) -> None:
    found = files(index, file_by_filename="kcore/api/core/v1/pod_service.proto")
    assert len({file.name for file in found}) == len(found)
    pool = DescriptorPool()
    for file in reversed(found):
        pool.Add(file)
    assert pool.FindServiceByName("kcore.api.core.v1.PodService").FindMethodByName("Create").input_type.name == "PodWriteRequest"


def test_options_are_found_by_their_numbers(index: Index) -> None:
    numbers = answer(index, ServerReflectionRequest(all_extension_numbers_of_type=FIELD_OPTIONS)).all_extension_numbers_response
    assert numbers.base_type_name == FIELD_OPTIONS
    assert numbers.extension_number
    for number in numbers.extension_number:
        wanted = ExtensionRequest(containing_type=FIELD_OPTIONS, extension_number=number)
        assert files(index, file_containing_extension=wanted)[0].name == "kcore/api/options/v1/options.proto"


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"file_containing_symbol": "kcore.api.core.v1.Nothing"},
        {"file_by_filename": "kcore/api/core/v1/nothing.proto"},
        {"all_extension_numbers_of_type": "kcore.api.core.v1.Nothing"},
        {"file_containing_extension": {"containing_type": FIELD_OPTIONS, "extension_number": 1}},
    ],
)
def test_what_is_not_there_is_not_found(index: Index, asked: dict[str, Any]) -> None:
    request = ServerReflectionRequest(**asked)
    response = answer(index, request)
    assert response.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
    assert response.original_request == request


async def test_both_versions_are_served_and_described() -> None:
    handler = ReflectionHandler(load()).made()

    async def asked() -> Any:
        yield ServerReflectionRequest(list_services="")
        for method in METHODS:
            yield ServerReflectionRequest(file_containing_symbol=method[1:].partition("/")[0])

    services, *described = [response async for response in handler.stream_stream(asked(), None)]
    names = [service.name for service in services.list_services_response.service]
    assert {"kcore.api.core.v1.PodService", "grpc.health.v1.Health", *(method[1:].partition("/")[0] for method in METHODS)} <= set(names)
    packages = {FileDescriptorProto.FromString(found.file_descriptor_response.file_descriptor_proto[0]).package for found in described}
    assert packages == {"grpc.reflection.v1", "grpc.reflection.v1alpha"}
