"""A real API server on loopback, as a user of the generated stubs meets it: TLS and tokens, typed calls, one holder, kill -9."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from kcore.api.bulk.v1 import bulk_service_pb2_grpc
from kcore.api.core.v1 import config_map_pb2, config_map_service_pb2, config_map_service_pb2_grpc
from kcore.api.meta.v1 import meta_pb2
from kcore.base.config import DataDir, Endpoints
from tests.integration.plane import COMMAND_TIMEOUT_S, FREE_PORTS, process, wait_for
from tests.lint.sources import ROOT

CALL_S = 20.0


@dataclass
class Server:
    """`kcore apiserver` as a process of its own."""

    directory: DataDir
    arguments: tuple[str, ...] = ()
    running: subprocess.Popen[bytes] | None = None
    channels: list[grpc.Channel] = field(default_factory=list)

    def start(self) -> Server:
        command = [sys.executable, "-m", "kcore", "apiserver", "--data-dir", str(self.directory.path), *FREE_PORTS, *self.arguments]
        self.running = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)
        wait_for(lambda: Endpoints.read(self.directory) is not None or self.ended(), "the addresses of the API server")
        assert not self.ended()
        grpc.channel_ready_future(self.channel(token="")).result(CALL_S)
        return self

    def ended(self) -> bool:
        return self.running is not None and self.running.poll() is not None

    @property
    def endpoints(self) -> Endpoints:
        found = Endpoints.read(self.directory)
        assert found is not None
        return found

    def channel(self, token: str | None = None) -> grpc.Channel:
        """A channel that sends a token, the admin's unless told; '' sends none."""
        where = self.endpoints
        assert where.grpc is not None
        token = where.token if token is None else token
        if where.ca is None:
            made = grpc.insecure_channel(where.grpc)
        else:
            trust = grpc.ssl_channel_credentials(Path(where.ca).read_bytes())
            if token:
                trust = grpc.composite_channel_credentials(trust, grpc.access_token_call_credentials(token))
            made = grpc.secure_channel(where.grpc, trust)
        self.channels.append(made)
        return made

    def configmaps(self, token: str | None = None) -> Any:
        return config_map_service_pb2_grpc.ConfigMapServiceStub(self.channel(token))

    def kill(self) -> None:
        """Kill -9."""
        assert self.running is not None
        self.running.kill()
        self.running.wait(CALL_S)

    def stop(self) -> int:
        """SIGTERM; -> the exit status."""
        assert self.running is not None
        self.running.terminate()
        return self.running.wait(CALL_S)

    def close(self) -> None:
        for channel in self.channels:
            channel.close()
        if not self.ended():
            self.kill()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A served data directory."""
    made = Server(DataDir(tmp_path / "data")).start()
    yield made
    made.close()


def write_request(name: str, version: str = "", **data: str) -> Any:
    made = config_map_pb2.ConfigMap(data=data)
    made.metadata.name = name
    if version:
        made.metadata.resourceVersion = version
    return config_map_service_pb2.ConfigMapWriteRequest(namespace="default", name=name, object=made)


def named(name: str) -> Any:
    return meta_pb2.GetRequest(namespace="default", name=name)


def kubernetes_status(error: grpc.RpcError) -> Any:
    """The Status in a failure's details."""
    [data] = [value for key, value in error.trailing_metadata() if key == "grpc-status-details-bin"]
    return meta_pb2.Status.FromString(status_pb2.Status.FromString(data).details[0].value)


def test_typed_calls_do_what_they_say(server: Server) -> None:
    api = server.configmaps()
    made = api.Create(write_request("c", a="1"), timeout=CALL_S)
    assert api.Get(named("c"), timeout=CALL_S).data == {"a": "1"}
    watch = api.Watch(meta_pb2.WatchRequest(namespace="default", resource_version=made.metadata.resourceVersion), timeout=CALL_S)
    changed = api.Update(write_request("c", made.metadata.resourceVersion, a="2"), timeout=CALL_S)
    with pytest.raises(grpc.RpcError) as failed:
        api.Update(write_request("c", made.metadata.resourceVersion, a="3"), timeout=CALL_S)
    assert failed.value.code() is grpc.StatusCode.ABORTED
    status = kubernetes_status(failed.value)
    assert (status.code, status.reason, status.details.kind) == (409, "Conflict", "configmaps")
    [event] = next(watch).events
    assert (event.type, event.object.metadata.resourceVersion) == ("MODIFIED", changed.metadata.resourceVersion)
    watch.cancel()
    assert [item.metadata.name for item in api.List(meta_pb2.ListRequest(namespace="default"), timeout=CALL_S).items] == ["c"]
    api.Delete(meta_pb2.DeleteRequest(namespace="default", name="c"), timeout=CALL_S)
    with pytest.raises(grpc.RpcError) as failed:
        api.Get(named("c"), timeout=CALL_S)
    assert failed.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_stream_is_there_before_it_has_anything_to_tell(server: Server) -> None:
    """Clients such as tonic hand a stream over when its headers come, and send on it only then."""
    quiet = server.configmaps().Watch(meta_pb2.WatchRequest(namespace="quiet"), timeout=CALL_S)
    requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
    bulk = bulk_service_pb2_grpc.BulkServiceStub(server.channel()).Write(iter(requests.get, None), timeout=CALL_S)
    for stream in (quiet, bulk):
        stream.initial_metadata()
        assert stream.is_active()
        stream.cancel()
    requests.put(None)


def test_only_who_has_a_token_is_let_in(server: Server) -> None:
    for token, code in (("", grpc.StatusCode.PERMISSION_DENIED), ("wrong", grpc.StatusCode.UNAUTHENTICATED)):
        with pytest.raises(grpc.RpcError) as failed:
            server.configmaps(token).Get(named("c"), timeout=CALL_S)
        assert failed.value.code() is code
    assert oct(server.directory.endpoints.stat().st_mode & 0o777) == "0o600"


def test_health_and_reflection_are_open_to_everybody(server: Server) -> None:
    channel = server.channel(token="")
    answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=CALL_S)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    database = ProtoReflectionDescriptorDatabase(channel)
    services = set(database.get_services())
    assert {"kcore.api.core.v1.PodService", "kcore.api.bulk.v1.BulkService", "grpc.health.v1.Health"} <= services
    described = database.FindFileContainingSymbol("kcore.api.core.v1.PodService")
    assert [service.name for service in described.service] == ["PodService"]


def test_tokens_of_a_file_are_added(tmp_path: Path) -> None:
    file = tmp_path / "tokens.csv"
    file.write_text('letmein,alice,7,"a,system:masters"\n')
    made = Server(DataDir(tmp_path / "data"), ("--token-auth-file", str(file))).start()
    made.configmaps("letmein").Create(write_request("c"), timeout=CALL_S)
    assert made.configmaps().Get(named("c"), timeout=CALL_S).metadata.uid
    made.close()


def test_plain_text_is_served_on_loopback_only(tmp_path: Path) -> None:
    made = Server(DataDir(tmp_path / "data"), ("--insecure",)).start()
    assert made.endpoints.ca is None
    made.close()
    refused = process("apiserver", "--data-dir", str(tmp_path / "open"), *FREE_PORTS, "--insecure", "--bind", "0.0.0.0")
    assert refused.code != 0
    assert "loopback" in refused.err
    assert len(refused.err.strip().splitlines()) == 1


def test_a_second_server_on_the_same_directory_says_who_holds_it(server: Server) -> None:
    second = process("apiserver", "--data-dir", str(server.directory.path), *FREE_PORTS)
    assert second.code != 0
    assert server.running is not None
    assert str(server.running.pid) in second.err


def test_what_was_acknowledged_survives_kill_9(server: Server) -> None:
    api = server.configmaps()
    versions = {}
    for i in range(50):
        versions[f"c{i}"] = api.Create(write_request(f"c{i}", i=str(i)), timeout=CALL_S).metadata.resourceVersion
    server.kill()
    server.start()
    listed = server.configmaps().List(meta_pb2.ListRequest(namespace="default"), timeout=CALL_S)
    assert {item.metadata.name: item.metadata.resourceVersion for item in listed.items} == versions
    assert int(server.configmaps().Create(write_request("next"), timeout=CALL_S).metadata.resourceVersion) > max(
        map(int, versions.values())
    )


def test_sigterm_ends_a_server_and_its_open_watches(server: Server) -> None:
    watch = server.configmaps().Watch(
        meta_pb2.WatchRequest(namespace="default", send_initial_events=True, allow_bookmarks=True, resource_version_match="NotOlderThan"),
        timeout=COMMAND_TIMEOUT_S,
    )
    assert next(watch).events[0].type == "BOOKMARK"
    assert server.stop() == 0
    assert list(watch) == [] and watch.code() is grpc.StatusCode.OK
