"""Answers of Kubernetes 1.37.2 that the HTTPS port must give: every recorded request again, to a control plane in one process and to one of
processes.

The pass rate of each area is printed, and may only rise: FLOORS are what was reached, in scenarios. What is red is explained in KNOWN.md.
"""

from __future__ import annotations

import json
import lzma
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kcore.base.config import DataDir
from tests.integration.plane import Plane

REPLAY = Path(__file__).parent / "replay.py"
RECORDINGS = Path(__file__).parent / "recordings"
FLOORS = {
    "admission": 20,
    "apply": 124,
    "authz": 26,
    "defaults": 135,
    "delete": 224,
    "list": 220,
    "meta": 119,
    "patch": 161,
    "services": 49,
    "subresources": 54,
    "tables": 144,
    "validation": 1134,
    "watch": 76,
}
TOKENS = 'admin-token,admin,1,"system:masters"\nuser-token,alice,2,"developers"\n'
WORKERS = "8"


def scenarios(area: str) -> list[str]:
    """The scenarios of an area, a line each."""
    with lzma.open(RECORDINGS / f"{area}.jsonl.xz", "rt") as file:
        return list(file)


@pytest.fixture(scope="module", params=["in one process", "of processes"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """An API server alone, as `replay.py` is told of it: neither scheduler nor controllers disturb what the recordings expect."""
    folder = tmp_path_factory.mktemp("plane")
    (folder / "tokens.csv").write_text(TOKENS)
    plane = Plane(DataDir(folder / "data"))
    form = ["--in-process"] if request.param == "in one process" else []
    started = plane.up("--parts", "apiserver", "--token-auth-file", str(folder / "tokens.csv"), *form)
    assert started.code == 0, started
    where = json.loads(plane.directory.endpoints.read_text())
    try:
        yield ["--server", where["rest"], "--token", "admin-token", "--user-token", "user-token", "--ca", where["ca"]]
    finally:
        plane.end()


@pytest.mark.slow
@pytest.mark.parametrize("area", sorted(FLOORS))
def test_answers_are_those_of_kubernetes(server: list[str], area: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = scenarios(area)
    (tmp_path / "asked.jsonl").write_text("".join(asked))
    told = tmp_path / "told.json"
    command = [sys.executable, str(REPLAY), "run", *server, "--workers", WORKERS, "--json", str(told), str(tmp_path / "asked.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert told.exists(), done.stderr
    failures = {name: found for name, found in json.loads(told.read_text()).items() if found}
    passed = len(asked) - len(failures)
    with capsys.disabled():
        print(f"\n{area}: {passed}/{len(asked)} scenarios as Kubernetes answers")
    report = Path(os.environ.get("KCORE_RECORDINGS_REPORT", tmp_path)) / f"{area}.json"
    report.write_text(json.dumps(failures, indent=1))
    assert passed >= FLOORS[area]
