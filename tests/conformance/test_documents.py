"""Discovery, version and health as Kubernetes 1.37.2 answers, from the scheme alone: no server, no store."""

from __future__ import annotations

import json
import lzma
import urllib.parse
from pathlib import Path
from typing import Any

import pytest

from kcore.apiserver.discovery import Check, Document, Documents, health
from kcore.machinery import route, scheme, status
from tests.conformance.replay import Response, Run, Server

HERE = Path(__file__).parent
CHECKS = [Check("etcd", lambda: None)]
NOT_FOUND = Document("text/plain; charset=utf-8", b"404 page not found\n", 404)


def read(path: str) -> bytes:
    with lzma.open(HERE / path) as file:
        return file.read()


SCENARIOS = [json.loads(line) for line in read("recordings/documents.jsonl.xz").splitlines()]


class DocumentServer(Server):
    """A `replay.Server` that has documents, and nothing else."""

    def __init__(self) -> None:
        super().__init__("http://documents", "token")
        self.documents = Documents(scheme.load(), "10.0.0.1:6443")

    def request(
        self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes | None = None, who: str = "admin"
    ) -> Response:
        """Answer one request."""
        split = urllib.parse.urlsplit("http://documents" + target)
        query = route.parse_query(split.query)
        try:
            found = self.documents.answer(method, split.path, (headers or {}).get("Accept", ""), query)
            if found is None and split.path.startswith(("/healthz", "/livez", "/readyz")):
                found = health.answer(split.path, query, CHECKS)
        except status.StatusError as error:
            unkept = {"cache-control": "no-cache, private"}
            found = Document("application/json", json.dumps(error.status).encode(), error.status["code"], unkept)
        answer = found or NOT_FOUND
        headers = answer.headers | ({"content-type": answer.content_type} if answer.content_type else {})
        sent = {name: [value] for name, value in headers.items()}
        return Response(answer.status, sent, b"" if method == "HEAD" else answer.body)


@pytest.fixture(scope="module")
def server() -> DocumentServer:
    return DocumentServer()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["id"])
def test_documents_are_those_of_kubernetes(server: DocumentServer, scenario: dict[str, Any]) -> None:
    assert Run(server, scenario, record=False).execute() == []


@pytest.mark.parametrize("root", ["api", "apis"])
def test_aggregated_discovery_lists_what_kubernetes_lists_in_its_order(server: DocumentServer, root: str) -> None:
    wanted = json.loads(read("reference/discovery.json.xz"))[root]
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    assert json.loads(server.request("GET", f"/{root}", {"Accept": accept}).data) == wanted
