"""Programs in other languages, and all that proto/README.md shows, against `kcore up`. Run by `make clients`: it needs the languages.

Each program takes the same walk and prints the same transcript; what it did is also seen from the server's side.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import grpc
import pytest

from kcore.api.core.v1 import pod_service_pb2_grpc
from kcore.api.meta.v1 import meta_pb2
from kcore.base.config import DataDir, Endpoints
from tests.clients.page import sections
from tests.clients.workshop import HOME, NEEDS, WALKS, lay_out, run
from tests.integration.plane import DEADLINE_S, Plane, wait_for

SECTIONS = dict(sections())
TRANSCRIPT = (Path(__file__).parent / "transcript.txt").read_text()
PODS = [f"walk-{number}" for number in range(7)]


@pytest.fixture(scope="session")
def plane() -> Iterator[Plane]:
    """A control plane where a user has it: in the home folder."""
    shutil.rmtree(HOME / ".kcore", ignore_errors=True)
    made = Plane(DataDir(HOME / ".kcore"))
    started = made.up("--nodes", "2")
    try:
        assert started.code == 0, started
        wait_for(lambda: made.objects("serviceaccounts", "default", "default"), "the service account")
        yield made
    finally:
        made.end()


@cache
def built(name: str) -> tuple[int, str, str]:
    """Run a section of the page; -> exit status, output, complaints."""
    lay_out(name.lower(), NEEDS[name], SECTIONS[name].files)
    done = run(name.lower(), SECTIONS[name].script)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", SECTIONS)
def test_the_page_does_what_it_says(plane: Plane, name: str) -> None:
    code, output, complaints = built(name)
    assert code == 0, f"{output[-4000:]}\n{complaints[-8000:]}"
    assert SECTIONS[name].printed
    differences = SECTIONS[name].differences(output)
    assert not differences, "\n".join(differences)


@pytest.mark.parametrize("name", WALKS)
def test_every_client_takes_the_same_walk(plane: Plane, name: str) -> None:
    namespace = f"walk-{name.lower()}"
    applied = plane.kcore("apply", "-f", "-", stdin=f"{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}")
    assert applied.code == 0, applied
    wait_for(lambda: plane.objects("serviceaccounts", namespace, "default"), "the service account")
    before = Seen(plane, namespace)
    assert built(name)[0] == 0
    done = run(name.lower(), WALKS[name], str(plane.directory.endpoints), namespace)
    assert (done.stdout, done.returncode) == (TRANSCRIPT, 0), done.stderr[-8000:]
    history = before.history()
    assert {pod: seen["tier"] for pod, seen in history.items() if seen["tier"]} == {
        "walk-0": ["front"],
        "walk-1": ["back"],
        "walk-2": ["back"],
        "walk-3": ["front", "middle"],
    }
    assert {pod: seen["node"] for pod, seen in history.items()} == {pod: [f"node-{number % 2}"] for number, pod in enumerate(PODS)}


class Seen:
    """What the server tells of the pods of a namespace from now on."""

    def __init__(self, plane: Plane, namespace: str) -> None:
        where = Endpoints.read(plane.directory)
        assert where is not None
        assert where.ca is not None
        tls = grpc.ssl_channel_credentials(Path(where.ca).read_bytes())
        credentials = grpc.composite_channel_credentials(tls, grpc.access_token_call_credentials(where.token))
        self.channel = grpc.secure_channel(where.grpc, credentials)
        self.pods: Any = pod_service_pb2_grpc.PodServiceStub(self.channel)
        self.namespace = namespace
        self.revision = self.pods.List(meta_pb2.ListRequest(namespace=namespace)).metadata.resourceVersion

    def history(self) -> dict[str, dict[str, list[str]]]:
        """Pod -> the tiers and nodes that it had, one after the other, up to the end of them all."""
        found: dict[str, dict[str, list[str]]] = {}
        left = set(PODS)
        asked = meta_pb2.WatchRequest(namespace=self.namespace, resource_version=self.revision)
        for response in self.pods.Watch(asked, timeout=DEADLINE_S):
            for event in response.events:
                pod = event.object
                seen = found.setdefault(pod.metadata.name, {"tier": [], "node": []})
                for what, value in (("tier", pod.metadata.labels.get("tier", "")), ("node", pod.spec.nodeName)):
                    if value and value not in seen[what]:
                        seen[what].append(value)
                if event.type == "DELETED":
                    left.discard(pod.metadata.name)
            if not left:
                self.channel.close()
                return found
        raise AssertionError(f"{left} were not deleted")
