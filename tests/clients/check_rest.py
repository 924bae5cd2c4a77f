"""Client libraries of Kubernetes, unmodified, over HTTPS against `kcore up`: each takes the same walk. Run by `make clients`."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kcore.base.config import DataDir
from tests.clients.check_kubectl import desk
from tests.clients.workshop import WORKSHOP, environment, lay_out, run
from tests.integration.plane import DEADLINE_S, Plane, wait_for
from tests.unit.apiserver.rest.test_requests_of_components import recorded

REST = Path(__file__).parent / "rest"
TRANSCRIPT = (REST / "transcript.txt").read_text()
VENV = "test -d venv || python3 -m venv venv; venv/bin/python -m pip install --quiet --disable-pip-version-check "


@dataclass(frozen=True)
class Library:
    """How a client library is brought and built, and the walk taken with it. A build that was made before is quick."""

    needs: tuple[str, ...]
    build: str
    walk: str = ""


LIBRARIES = {
    "kubernetes": Library(("python3",), VENV + "kubernetes==37.0.2", 'venv/bin/python walk.py "$@"'),
    "kubernetes_asyncio": Library(("python3",), VENV + "kubernetes_asyncio==36.1.0", 'venv/bin/python walk.py "$@"'),
    "go": Library(("go",), "go build -o bin/ ./walk ./informers ./components", 'bin/walk "$@"'),
    "node": Library(("node", "npm"), "test -d node_modules || npm ci --silent --no-audit --no-fund", 'node walk.js "$@"'),
    "java": Library(
        ("java", "javac", "mvn"),
        "mvn -q -B compile dependency:build-classpath -Dmdep.outputFile=target/classpath",
        'java -cp "target/classes:$(cat target/classpath)" walk.Walk "$@"',
    ),
    "rust": Library(("cargo", "cc"), "cargo build --quiet --locked", 'target/debug/walk "$@"'),
    "kopf": Library(("python3",), VENV + "kopf==1.45.2"),
}
"""A folder of rest/ each."""


@pytest.fixture(scope="module")
def plane() -> Iterator[Plane]:
    """A control plane without nodes: the walk is about configuration."""
    made = Plane(DataDir(WORKSHOP / "plane-rest"))
    shutil.rmtree(made.directory.path, ignore_errors=True)
    started = made.up("--nodes", "0")
    try:
        assert started.code == 0, started
        yield made
    finally:
        made.end()


@cache
def built(name: str) -> str:
    """Bring a library and build what uses it; -> the folder."""
    folder = f"rest/{name}"
    lay_out(folder, LIBRARIES[name].needs, {})
    done = run(folder, LIBRARIES[name].build)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-8000:]}"
    return folder


def taken(plane: Plane, name: str, program: str, namespace: str) -> subprocess.CompletedProcess[str]:
    """Run a program of a library in a namespace of its own."""
    _, set_up = desk(plane, Path(sys.executable).parent, namespace)
    return run(built(name), program, namespace, more={"KUBECONFIG": set_up["KUBECONFIG"]})


@pytest.mark.parametrize("name", [name for name, library in LIBRARIES.items() if library.walk])
def test_every_client_library_takes_the_same_walk(plane: Plane, name: str) -> None:
    done = taken(plane, name, LIBRARIES[name].walk, f"walk-{name.replace('_', '-')}")
    assert (done.stdout, done.returncode) == (TRANSCRIPT, 0), done.stderr[-4000:]


def test_client_go_follows_applies_scales_and_elects(plane: Plane) -> None:
    done = taken(plane, "go", 'bin/informers "$@"', "informers")
    assert (done.stdout, done.returncode) == ((REST / "informers.txt").read_text(), 0), done.stderr[-4000:]


def test_components_send_what_is_recorded_of_them(tmp_path: Path) -> None:
    alone = Plane(DataDir(tmp_path / "plane"))
    try:
        started = alone.up("--parts", "apiserver", "--in-process")
        assert started.code == 0, started
        done = run(built("go"), "bin/components", more={"KUBECONFIG": str(alone.directory.kubeconfig)})
    finally:
        alone.end()
    assert done.returncode == 0, done.stderr[-4000:]
    assert [form(line) for line in map(json.loads, done.stdout.splitlines())] == [form(line) for line in recorded()]


def form(line: dict[str, Any]) -> tuple[str, ...]:
    """How a request is sent and answered, without what differs from run to run."""
    query = re.sub(r"timeout(?:Seconds)?=\w+", "", line["Query"])
    return query, *(line[name] for name in ("User", "Method", "Path", "Accept", "ContentType", "Code", "Answer", "Kind"))


def test_an_operator_of_kopf_sees_a_map_come_change_and_go(plane: Plane) -> None:
    with greeter(plane, "greeted") as printed:
        for who, line in (("Ada", "created: Ada"), ("Bob", "changed: Ada to Bob")):
            name_guest(plane, "greeted", who)
            wait_for(lambda line=line: line in printed.read_text(), line)
            wait_for(lambda who=who: greeting(plane) == f"hello, {who}", f"the greeting of {who}")
        (event,) = [event for event in plane.objects("events", "greeted") if event["reason"] == "Greeted"]
        assert (event["message"], event["involvedObject"]["name"]) == ("said hello to Ada", "guest")
        assert plane.kcore("delete", "configmap", "guest", "-n", "greeted").code == 0
        wait_for(lambda: greeting(plane) is None, "the end of the map, which the operator's finalizer holds")
        assert printed.read_text().splitlines() == ["created: Ada", "changed: Ada to Bob", "deleted: hello, Bob"]


def name_guest(plane: Plane, namespace: str, who: str) -> None:
    """Name whom to greet."""
    metadata = f"{{name: guest, namespace: {namespace}, labels: {{greet: me}}}}"
    text = f"{{apiVersion: v1, kind: ConfigMap, metadata: {metadata}, data: {{who: {who}}}}}"
    applied = plane.kcore("apply", "-f", "-", stdin=text)
    assert applied.code == 0, applied


def greeting(plane: Plane) -> str | None:
    """What the operator wrote; None once the map is gone."""
    found = plane.objects("configmaps", "greeted", "guest")
    return found[0]["data"].get("greeting", "") if found else None


@contextmanager
def greeter(plane: Plane, namespace: str) -> Iterator[Path]:
    """The operator runs as a process; -> the file of what it prints."""
    folder, set_up = desk(plane, Path(sys.executable).parent, namespace)
    command = ["venv/bin/kopf", "run", "--standalone", "--namespace", namespace, "greeter.py"]
    printed, complaints = folder / "printed", folder / "complaints"
    with printed.open("w") as out, complaints.open("w") as err:
        more = {**environment(), "KUBECONFIG": set_up["KUBECONFIG"]}
        running = subprocess.Popen(command, cwd=WORKSHOP / built("kopf"), env=more, stdout=out, stderr=err)
        try:
            yield printed
            assert running.poll() is None, complaints.read_text()[-4000:]
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(DEADLINE_S)
    assert running.returncode in (0, 130, -signal.SIGINT), complaints.read_text()[-4000:]
