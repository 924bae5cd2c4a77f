"""The walk through everything: processes that speak gRPC, a Deployment and a Service, and kill -9 of each part on the way."""

from __future__ import annotations

import ipaddress
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kcore.base import service
from kcore.base.config import DataDir
from tests.integration.plane import FREE_PORTS, Plane, process, wait_for

NODES = 5
PARTS = ("controllers", "scheduler", "apiserver", "nodes")
WEB = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx:1.27, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    plane = Plane(DataDir(tmp_path_factory.mktemp("walk") / "data"))
    started = plane.up("--nodes", str(NODES))
    assert started.code == 0, started.err
    yield plane
    plane.end()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Plane]:
    plane = Plane(DataDir(tmp_path / "data"))
    yield plane
    plane.end()


def running(plane: Plane) -> dict[str, str]:
    """Address of each pod of the Deployment that runs and is ready."""
    pods = plane.objects("pods", "shop", selector="app=web")
    return {
        pod["metadata"]["name"]: pod["status"]["podIP"]
        for pod in pods
        if pod["status"]["phase"] == "Running"
        and not pod["metadata"].get("deletionTimestamp")
        and any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"]["conditions"])
    }


def listed(plane: Plane) -> set[str]:
    """Addresses in the Endpoints of the Service."""
    (endpoints,) = plane.objects("endpoints", "shop", "web")
    return {address["ip"] for subset in endpoints.get("subsets") or () for address in subset.get("addresses") or ()}


def sliced(plane: Plane) -> set[str]:
    """Ready addresses in its EndpointSlices."""
    slices = plane.objects("discovery.k8s.io/endpointslices", "shop", selector="kubernetes.io/service-name=web")
    return {
        address
        for each in slices
        for endpoint in each.get("endpoints") or ()
        if endpoint["conditions"]["ready"]
        for address in endpoint["addresses"]
    }


def scale(plane: Plane, replicas: int) -> None:
    manifest = next(document for document in WEB.split("---") if "Deployment" in document)
    done = plane.kcore("apply", "-f", "-", stdin=manifest.replace("replicas: 3", f"replicas: {replicas}"))
    assert (done.code, done.out) == (0, "deployment.apps/web configured\n"), done.err


def served(plane: Plane, count: int) -> None:
    """Wait until so many pods run and are behind the Service."""
    wait_for(lambda: len(running(plane)) == count, f"{count} running pods")
    wait_for(lambda: listed(plane) == set(running(plane).values()), "endpoints of the pods that run")
    wait_for(lambda: sliced(plane) == set(running(plane).values()), "endpoint slices of the pods that run")


def test_a_deployment_runs_behind_its_service(plane: Plane) -> None:
    applied = plane.kcore("apply", "-f", "-", stdin=WEB)
    assert applied.out.splitlines() == ["namespace/shop created", "deployment.apps/web created", "service/web created"], applied.err
    served(plane, 3)
    nodes = {node["metadata"]["name"]: ipaddress.ip_network(node["spec"]["podCIDR"]) for node in plane.objects("nodes")}
    assert len(nodes) == NODES
    for pod in plane.objects("pods", "shop"):
        assert ipaddress.ip_address(pod["status"]["podIP"]) in nodes[pod["spec"]["nodeName"]]
    assert len(set(running(plane).values())) == 3


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_comes_back_and_everything_goes_on(plane: Plane, part: str) -> None:
    before = plane.restarts(part)
    assert before is not None
    replicas = 4 + PARTS.index(part)
    plane.kill(part)
    wait_for(lambda: (plane.restarts(part) or 0) > before, f"a new {part}")
    scale(plane, replicas)
    served(plane, replicas)


def test_scaling_down_takes_pods_and_addresses_away(plane: Plane) -> None:
    scale(plane, 1)
    served(plane, 1)
    wait_for(lambda: len(plane.objects("pods", "shop")) == 1, "one pod")


def test_a_second_up_says_who_holds_the_directory(plane: Plane) -> None:
    second = plane.up()
    holder = plane.holder("supervisor").pid
    assert (second.code, second.out) == (1, "")
    assert second.err == f"kcore: {plane.directory.path} is in use by another kcore up, process {holder}\n"
    assert plane.kcore("status").code == 0


def test_secrets_are_private_and_never_logged(plane: Plane) -> None:
    tokens = [path.read_text() for path in plane.directory.pki.glob("*.token")]
    private = [
        plane.directory.endpoints,
        *plane.directory.run.glob("*.json"),
        *plane.directory.pki.glob("*.token"),
        *plane.directory.pki.glob("*.key"),
    ]
    assert len(tokens) >= 4 and len(private) > 10
    assert {oct(path.stat().st_mode & 0o777) for path in private} == {"0o600"}
    assert {oct(path.stat().st_mode & 0o777) for path in (plane.directory.path, plane.directory.pki, plane.directory.logs)} == {"0o700"}
    logs = "".join(path.read_text() for path in plane.directory.logs.iterdir())
    assert logs and [token for token in tokens if token in logs] == []


def test_everything_survives_kill_9_of_everything(plane: Plane) -> None:
    before = plane.objects("apps/deployments", "shop")[0]["metadata"]["uid"]
    plane.kill("supervisor", *PARTS)
    assert service.running(plane.directory) == {}
    assert plane.up("--nodes", str(NODES)).code == 0
    assert plane.objects("apps/deployments", "shop")[0]["metadata"]["uid"] == before
    scale(plane, 3)
    served(plane, 3)


def test_deleting_a_deployment_takes_what_it_owns(plane: Plane) -> None:
    deleted = plane.kcore("delete", "deployment", "web", "-n", "shop")
    assert (deleted.code, deleted.out) == (0, "deployment.apps/web deleted\n"), deleted.err
    wait_for(lambda: not plane.objects("apps/replicasets", "shop"), "no replica set")
    wait_for(lambda: not plane.objects("pods", "shop"), "no pod")
    wait_for(lambda: not listed(plane) and not sliced(plane), "no endpoint")


def test_deleting_a_namespace_takes_what_is_in_it(plane: Plane) -> None:
    assert plane.kcore("apply", "-f", "-", stdin=WEB).code == 0
    deleted = plane.kcore("delete", "namespace", "shop")
    assert (deleted.code, deleted.out) == (0, "namespace/shop deleted\n"), deleted.err
    assert [plane.objects(each, "shop") for each in ("pods", "services", "endpoints", "apps/deployments", "apps/replicasets")] == [[]] * 5


def test_down_stops_everything(plane: Plane) -> None:
    down = plane.kcore("down")
    assert (down.code, down.err) == (0, "") and "supervisor" in down.out
    assert service.running(plane.directory) == {}
    assert not plane.directory.endpoints.exists()
    assert plane.kcore("status").code == 3
    assert plane.kcore("get", "pods").err == f"kcore: no control plane runs in {plane.directory.path}; start one with kcore up\n"


def test_a_port_that_is_taken_fails_the_start_in_one_sentence(fresh: Plane) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = fresh.kcore("up", "--detach", "--nodes", "1", "--grpc-port", str(port))
    assert (done.code, done.out) == (1, "")
    assert done.err == (f"kcore: apiserver failed: port {port} of 127.0.0.1 cannot be opened: another program may listen there\n")
    assert service.running(fresh.directory) == {}


def test_an_attached_up_prints_addresses_and_stops_on_a_signal(fresh: Plane) -> None:
    command = [sys.executable, "-m", "kcore", "up", "--nodes", "0", "--parts", "apiserver", *FREE_PORTS]
    with subprocess.Popen([*command, "--data-dir", str(fresh.directory.path)], stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        found = json.loads(fresh.directory.endpoints.read_text()) if (where := up.stdout.readline()) else {}
        assert where == f"REST {found.get('rest')}, gRPC {found.get('grpc')}; state in {fresh.directory.path}\n"
        assert up.stdout.readline().startswith("ready in ")
        up.send_signal(signal.SIGINT)
        assert up.wait(20) == 0
    assert service.running(fresh.directory) == {}
    assert process("get", "pods", "--data-dir", str(fresh.directory.path)).code == 1
