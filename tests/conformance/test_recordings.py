"""Answers of Kubernetes 1.37.2 that the HTTPS port must give: every recorded request again, to a control plane in one process and to one of
processes; tables, which show ages, to one that takes today for the day on which they were recorded. What is about objects alone goes
through the gRPC port as well, and has to be answered the same.

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
from tests.conformance.over_grpc import OverGrpc, adapted
from tests.conformance.replay import execute_all
from tests.integration.plane import Plane

REPLAY = Path(__file__).parent / "replay.py"
RECORDINGS = Path(__file__).parent / "recordings"
FLOORS = {
    "admission": 22,
    "apply": 124,
    "authz": 26,
    "defaults": 140,
    "delete": 224,
    "list": 220,
    "meta": 119,
    "odd": 615,
    "patch": 161,
    "services": 49,
    "subresources": 62,
    "validation": 1138,
    "watch": 76,
}
TABLES = 154
OVER_GRPC = {"apply": 93, "defaults": 139, "delete": 191, "patch": 159, "services": 49, "subresources": 30, "validation": 1096}
"""Of the areas that are about objects."""

TOKENS = 'admin-token,admin,1,"system:masters"\nuser-token,alice,2,"developers"\n'
WORKERS = "8"


def scenarios(area: str) -> list[str]:
    """The scenarios of an area, a line each."""
    with lzma.open(RECORDINGS / f"{area}.jsonl.xz", "rt") as file:
        return list(file)


def endpoints(directory: DataDir) -> dict[str, str]:
    """Where a server is."""
    found: dict[str, str] = json.loads(directory.endpoints.read_text())
    return found


def as_told(where: dict[str, str]) -> list[str]:
    """A server as `replay.py` is told of it."""
    return ["--server", where["rest"], "--token", "admin-token", "--user-token", "user-token", "--ca", where["ca"]]


@pytest.fixture(scope="module", params=["in one process", "of processes"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An API server alone: neither scheduler nor controllers disturb what the recordings expect."""
    folder = tmp_path_factory.mktemp("plane")
    (folder / "tokens.csv").write_text(TOKENS)
    plane = Plane(DataDir(folder / "data"))
    form = ["--in-process"] if request.param == "in one process" else []
    started = plane.up("--parts", "apiserver", "--token-auth-file", str(folder / "tokens.csv"), *form)
    assert started.code == 0, started
    try:
        yield endpoints(plane.directory)
    finally:
        plane.end()


@pytest.fixture
def server_on_a_day(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An API server alone, on the day of the recordings."""
    (tmp_path / "tokens.csv").write_text(TOKENS)
    command = [sys.executable, "-m", "tests.conformance.on_a_day", str(tmp_path / "data"), str(tmp_path / "tokens.csv")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            yield endpoints(DataDir(tmp_path / "data"))
        finally:
            process.terminate()


def passed(server: dict[str, str], area: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> int:
    """How many scenarios of an area are answered as Kubernetes answers them; told, and the differences kept."""
    asked = scenarios(area)
    (folder / "asked.jsonl").write_text("".join(asked))
    told = folder / "told.json"
    command = [sys.executable, str(REPLAY), "run", *as_told(server), "--workers", WORKERS, "--json", str(told), str(folder / "asked.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert told.exists(), done.stderr
    failures = {name: found for name, found in json.loads(told.read_text()).items() if found}
    count = len(asked) - len(failures)
    with capsys.disabled():
        print(f"\n{area}: {count}/{len(asked)} scenarios as Kubernetes answers")
    report = Path(os.environ.get("KCORE_RECORDINGS_REPORT", folder)) / f"{area}.json"
    report.write_text(json.dumps(failures, indent=1))
    return count


@pytest.mark.slow
@pytest.mark.parametrize("area", sorted(FLOORS))
def test_answers_are_those_of_kubernetes(server: dict[str, str], area: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert passed(server, area, tmp_path, capsys) >= FLOORS[area]


@pytest.mark.slow
def test_tables_are_those_of_kubernetes(server_on_a_day: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert passed(server_on_a_day, "tables", tmp_path, capsys) >= TABLES


@pytest.mark.slow
@pytest.mark.parametrize("server", ["in one process"], indirect=True)
@pytest.mark.parametrize("area", sorted(OVER_GRPC))
def test_answers_over_grpc_are_the_same(server: dict[str, str], area: str, capsys: pytest.CaptureFixture[str]) -> None:
    over_grpc = OverGrpc(server["grpc"], "admin-token", Path(server["ca"]).read_bytes())
    asked = [found for line in scenarios(area) if (found := adapted(json.loads(line))) is not None]
    failures = {name: found for name, found in execute_all(over_grpc, asked, int(WORKERS)).items() if found}
    count = len(asked) - len(failures)
    with capsys.disabled():
        print(f"\n{area} over gRPC: {count}/{len(asked)}")
    assert count >= OVER_GRPC[area], failures
