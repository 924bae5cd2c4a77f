"""Server reflection, so that grpcurl works without files; the descriptors are put into a pool when somebody asks for the first time."""

from __future__ import annotations

from typing import Any

import grpc

from kcore.machinery.scheme import Scheme

PREFIX = "/grpc.reflection."
METHOD = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


class ReflectionHandler(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Answers for the reflection service."""

    def __init__(self, scheme: Scheme) -> None:
        self.scheme = scheme
        self.handler: grpc.RpcMethodHandler[Any, Any] | None = None

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Find the handler of a call."""
        if handler_call_details.method != METHOD:
            return None
        if self.handler is None:
            self.handler = self.made()
        return self.handler

    def made(self) -> grpc.RpcMethodHandler[Any, Any]:
        """Build the servicer over all of proto/."""
        from google.protobuf import descriptor_pool
        from grpc_health.v1 import health_pb2
        from grpc_reflection.v1alpha import reflection, reflection_pb2

        pool = descriptor_pool.DescriptorPool()
        for file in self.scheme.files.file:
            pool.Add(file)
        health = health_pb2.DESCRIPTOR
        pool.AddSerializedFile(health.serialized_pb)
        names = [f"{file.package}.{service.name}" for file in self.scheme.files.file for service in file.service]
        names += ["grpc.health.v1.Health", reflection.SERVICE_NAME]
        servicer: Any = (
            reflection.aio.ReflectionServicer(names, pool) if hasattr(reflection, "aio") else reflection.ReflectionServicer(names, pool)
        )
        return grpc.stream_stream_rpc_method_handler(
            servicer.ServerReflectionInfo,
            request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
            response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
        )
