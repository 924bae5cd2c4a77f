"""schemathesis makes requests of the OpenAPI documents, unlikely ones too: none breaks the server, and answers are what the documents say.

A sample of the groups, small enough for every run. Run by `make clients`.
"""

from __future__ import annotations

import json
import shutil
import ssl
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest

from kcore.base.config import DataDir
from tests.clients.workshop import WORKSHOP, lay_out, run
from tests.integration.plane import Plane

FOLDER = "schemathesis"
BUILD = "test -d venv || python3 -m venv venv; venv/bin/python -m pip install --quiet --disable-pip-version-check schemathesis==4.32.5"
CHECKS = "not_a_server_error,content_type_conformance,response_schema_conformance,response_headers_conformance"
COMMAND = f"""
venv/bin/st run document.json --url "$1" -H "Authorization: Bearer $2" --tls-verify "$3" --phases fuzzing --max-examples 5 --seed 1 \\
    --checks {CHECKS} --exclude-path-regex /watch/ --request-timeout 30 --suppress-health-check all --warnings off --no-color
"""
SAMPLE = ("apis/coordination.k8s.io/v1", "apis/node.k8s.io/v1", "apis/policy/v1", "apis/scheduling.k8s.io/v1", "version")


@pytest.fixture(scope="module")
def plane() -> Iterator[Plane]:
    """An API server alone."""
    made = Plane(DataDir(WORKSHOP / "plane-schema"))
    shutil.rmtree(made.directory.path, ignore_errors=True)
    started = made.up("--parts", "apiserver")
    try:
        assert started.code == 0, started
        lay_out(FOLDER, ("python3",), {})
        built = run(FOLDER, BUILD)
        assert built.returncode == 0, built.stderr
        yield made
    finally:
        made.end()


@pytest.mark.parametrize("group", SAMPLE)
def test_whatever_is_asked_is_answered_as_documented(plane: Plane, group: str) -> None:
    where = json.loads(plane.directory.endpoints.read_text())
    asked = Request(f"{where['rest']}/openapi/v3/{group}", headers={"Authorization": f"Bearer {where['token']}"})
    with urlopen(asked, context=ssl.create_default_context(cafile=where["ca"])) as document:
        (WORKSHOP / FOLDER / "document.json").write_bytes(document.read())
    done = run(FOLDER, COMMAND, where["rest"], where["token"], where["ca"], more={"SCHEMATHESIS_HOOKS": "hooks"})
    assert done.returncode == 0, done.stdout[-8000:]
