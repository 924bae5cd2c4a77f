"""Server reflection, v1 and v1alpha, so that grpcurl and its like work without files: which file holds a symbol, and what that file needs.

The index is built when somebody asks for the first time. grpcio-reflection has no v1, and finds no methods, fields or values by name.
Source: grpc/reflection/v1/reflection.proto; both versions have the same form.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, text_format

from kcore.machinery.scheme import Scheme

SERVICES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
METHODS = frozenset(f"/{service}/ServerReflectionInfo" for service in SERVICES)


class ReflectionHandler(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Answers for the reflection services."""

    def __init__(self, scheme: Scheme) -> None:
        self.scheme = scheme
        self.handler: grpc.RpcMethodHandler[Any, Any] | None = None

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Find the handler of a call."""
        if handler_call_details.method not in METHODS:
            return None
        if self.handler is None:
            self.handler = self.made()
        return self.handler

    def made(self) -> grpc.RpcMethodHandler[Any, Any]:
        """Build the handler over all of proto/, health and reflection."""
        from grpc_health.v1 import health_pb2
        from grpc_reflection.v1alpha import reflection_pb2

        alpha = _file(reflection_pb2)
        stable = text_format.Parse(str(alpha).replace("v1alpha", "v1"), descriptor_pb2.FileDescriptorProto())
        index = Index([*self.scheme.files.file, _file(health_pb2), alpha, stable])

        async def reflect(requests: AsyncIterator[Any], _context: Any) -> AsyncIterator[Any]:
            async for request in requests:
                yield answer(index, request)

        return grpc.stream_stream_rpc_method_handler(
            reflect,
            request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
            response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
        )


class Index:
    """Which file holds what. `symbols` has full names, `extensions` the name of the extended message and the number."""

    def __init__(self, files: Iterable[Any]) -> None:
        self.files = {file.name: file for file in files}
        self.services: list[str] = []
        self.symbols: dict[str, str] = {}
        self.extensions: dict[tuple[str, int], str] = {}
        for file in self.files.values():
            prefix = f"{file.package}." if file.package else ""
            self.services += [prefix + service.name for service in file.service]
            self.symbols |= dict.fromkeys(names_in(file, prefix), file.name)
            self.extensions |= {(each.extendee.removeprefix("."), each.number): file.name for each in extensions_in(file)}

    def with_imports(self, name: str) -> list[bytes]:
        """A file and all that it imports, each once and before what it imports itself."""
        done: dict[str, None] = {}
        self._finish(name, done)
        return [self.files[each].SerializeToString() for each in reversed(done)]

    def _finish(self, name: str, done: dict[str, None]) -> None:
        for imported in self.files[name].dependency:
            if imported not in done:
                self._finish(imported, done)
        done[name] = None


def answer(index: Index, request: Any) -> Any:
    """The response to one request."""
    from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionResponse

    response = ServerReflectionResponse(valid_host=request.host, original_request=request)
    asked = request.WhichOneof("message_request")
    if asked == "list_services":
        for name in sorted(index.services):
            response.list_services_response.service.add(name=name)
        return response
    if asked == "all_extension_numbers_of_type":
        name = request.all_extension_numbers_of_type
        numbers = sorted(number for extended, number in index.extensions if extended == name)
        if name in index.symbols:
            response.all_extension_numbers_response.base_type_name = name
            response.all_extension_numbers_response.extension_number.extend(numbers)
            return response
    elif file := file_for(index, request, asked):
        response.file_descriptor_response.file_descriptor_proto.extend(index.with_imports(file))
        return response
    response.error_response.error_code = grpc.StatusCode.NOT_FOUND.value[0]
    response.error_response.error_message = f"{asked or 'nothing'} is not known"
    return response


def file_for(index: Index, request: Any, asked: str | None) -> str | None:
    """The file that a request is about; None if there is none."""
    if asked == "file_by_filename":
        return request.file_by_filename if request.file_by_filename in index.files else None
    if asked == "file_containing_symbol":
        return index.symbols.get(request.file_containing_symbol)
    if asked == "file_containing_extension":
        wanted = request.file_containing_extension
        return index.extensions.get((wanted.containing_type, wanted.extension_number))
    return None


def names_in(file: Any, prefix: str) -> Iterator[str]:
    """The full names of all that a file declares."""
    for message in file.message_type:
        yield from names_in_message(message, prefix + message.name)
    for enum in file.enum_type:
        yield from names_in_enum(enum, prefix)
    for service in file.service:
        yield prefix + service.name
        yield from (f"{prefix}{service.name}.{method.name}" for method in service.method)
    yield from (prefix + each.name for each in file.extension)


def names_in_message(message: Any, name: str) -> Iterator[str]:
    """The full names of a message and all within."""
    yield name
    for part in (*message.field, *message.oneof_decl, *message.extension):
        yield f"{name}.{part.name}"
    for nested in message.nested_type:
        yield from names_in_message(nested, f"{name}.{nested.name}")
    for enum in message.enum_type:
        yield from names_in_enum(enum, f"{name}.")


def names_in_enum(enum: Any, prefix: str) -> Iterator[str]:
    """The full names of an enum and its values, which stand beside it."""
    yield prefix + enum.name
    yield from (prefix + value.name for value in enum.value)


def extensions_in(part: Any) -> Iterator[Any]:
    """The extensions that a file or a message declares."""
    yield from part.extension
    for message in part.message_type if hasattr(part, "message_type") else part.nested_type:
        yield from extensions_in(message)


def _file(module: Any) -> descriptor_pb2.FileDescriptorProto:
    """The descriptor of a generated module."""
    return descriptor_pb2.FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
