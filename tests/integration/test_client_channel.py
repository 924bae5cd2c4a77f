"""The gRPC transport against a gRPC server of this process that answers with bytes."""

import asyncio
import json

import grpc
import grpc.aio
import pytest
from google.protobuf import any_pb2
from google.rpc import status_pb2

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.core.v1.pod_service_pb2 import PodWatchResponse
from kcore.client import channel, connect, failures, items
from kcore.client.channel import GrpcTransport
from kcore.machinery import status
from kcore.machinery.status import StatusError

FAILURE = status.not_found("pods", "", "a")


def trailer(error):
    detail = any_pb2.Any(type_url="type.googleapis.com/kcore.api.meta.v1.Status", value=failures.to_message(error).SerializeToString())
    return (("grpc-status-details-bin", status_pb2.Status(code=5, details=[detail]).SerializeToString()),)


class Handler(grpc.GenericRpcHandler):
    """Get fails with a Status, List hangs, Watch sends one event and expires, Write echoes."""

    def __init__(self):
        self.seen = []

    def service(self, call):
        self.seen.append((call.method, dict(call.invocation_metadata)))
        match call.method.rpartition("/")[2]:
            case "Get":
                return grpc.unary_unary_rpc_method_handler(self.get)
            case "List":
                return grpc.unary_unary_rpc_method_handler(self.hang)
            case "Watch":
                return grpc.unary_stream_rpc_method_handler(self.watch)
            case "Write":
                return grpc.stream_stream_rpc_method_handler(self.write)
        return None

    async def get(self, request, context):
        await context.abort(grpc.StatusCode.NOT_FOUND, "no", trailer(FAILURE))

    async def hang(self, request, context):
        await asyncio.Event().wait()

    async def watch(self, request, context):
        response = PodWatchResponse()
        response.events.add(type="ADDED", object=Pod(metadata={"name": "a", "resourceVersion": "3"}))
        yield response.SerializeToString()
        await context.abort(grpc.StatusCode.OUT_OF_RANGE, "old", trailer(status.expired("old")))

    async def write(self, requests, context):
        async for _ in requests:
            yield b"\x0a\x04\x12\x02ok"


@pytest.fixture
async def server():
    handler = Handler()
    made = grpc.aio.server()
    made.add_generic_rpc_handlers((handler,))
    port = made.add_insecure_port("127.0.0.1:0")
    await made.start()
    yield handler, f"127.0.0.1:{port}", made
    await made.stop(None)


async def test_a_failure_arrives_as_the_servers_status_and_the_token_goes_along(server):
    handler, address, _ = server
    async with await connect.connect(address, insecure=True, token="secret") as client:
        with pytest.raises(StatusError) as error:
            await client.pods.get("a", namespace="default")
    assert error.value.status == FAILURE.status
    method, metadata = handler.seen[0]
    assert method == "/kcore.api.core.v1.PodService/Get"
    assert metadata["authorization"] == "Bearer secret"
    assert metadata["user-agent"].startswith("kcore ")


async def test_a_watch_ends_with_the_reason_of_the_server(server):
    async with await connect.connect(server[1], insecure=True) as client:
        watch = client.pods.watch_raw()
        assert [(e.type, e.key, e.revision) for e in await watch.read()] == [("ADDED", "a", 3)]
        with pytest.raises(StatusError) as error:
            await watch.read()
        assert error.value.reason == "Expired"
        watch.cancel()
        watch.cancel()


async def test_bulk_writes_share_a_stream(server):
    handler, address, _ = server
    async with await connect.connect(address, insecure=True) as client:
        item = items.create(Pod(metadata={"name": "a"}))
        for _ in range(3):
            (result,) = await client.bulk.write([item])
            assert result.name == "ok"
        assert (await client.bulk.submit(item)).name == "ok"
    assert [method.rpartition("/")[2] for method, _ in handler.seen] == ["Write"]


async def test_a_call_has_a_deadline(server):
    transport = GrpcTransport(server[1], insecure=True, connections=2)
    with pytest.raises(StatusError) as error:
        await transport.unary("/kcore.api.core.v1.PodService/List", b"", timeout_s=0.05)
    assert error.value.reason == "Timeout"
    await transport.close()


async def test_a_method_that_the_server_does_not_have_is_not_allowed(server):
    async with await connect.connect(server[1], insecure=True) as client:
        with pytest.raises(StatusError) as error:
            await client.pods.delete("a", namespace="default")
    assert error.value.reason == "MethodNotAllowed"


async def test_a_server_that_goes_away_fails_streams_and_calls(server):
    _, address, made = server
    async with await connect.connect(address, insecure=True) as client:
        await client.bulk.write([items.create(Pod(metadata={"name": "a"}))])
        await made.stop(None)
        with pytest.raises(StatusError) as error:
            await client.pods.create(Pod(metadata={"name": "a"}))
        assert error.value.reason == "ServiceUnavailable"
        with pytest.raises(StatusError) as error:
            await client.bulk.write([items.create(Pod(metadata={"name": "a"}))])
        assert error.value.reason == "ServiceUnavailable"


async def test_calls_after_closing_fail_as_any_other(server):
    client = await connect.connect(server[1], insecure=True)
    await client.close()
    with pytest.raises(StatusError):
        await client.pods.create(Pod(metadata={"name": "a"}))


async def test_no_server_in_time_is_a_timeout():
    with pytest.raises(StatusError, match="could not be reached within"):
        await connect.to_endpoint(connect.Endpoint("127.0.0.1:1", None, "", insecure=True), timeout_s=0.2)


async def test_a_data_folder_leads_to_its_server(server, tmp_path):
    (tmp_path / "endpoints.json").write_text(json.dumps({"grpc": server[1], "token": "admin"}))
    (tmp_path / "part.token").write_text("mine\n")
    assert connect.read_endpoint(tmp_path) == connect.Endpoint(server[1], None, "admin", insecure=True)
    async with await connect.from_endpoints(tmp_path, token_file=tmp_path / "part.token") as client:
        with pytest.raises(StatusError):
            await client.pods.get("a", namespace="default")
    assert server[0].seen[0][1]["authorization"] == "Bearer mine"


def test_plain_connections_are_for_loopback():
    with pytest.raises(ValueError, match="loopback"):
        GrpcTransport("192.0.2.1:6444", insecure=True)
    assert channel.is_loopback("[::1]:5")
    assert not channel.is_loopback("example.org:5")
