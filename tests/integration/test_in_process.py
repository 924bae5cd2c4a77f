"""`kcore up --in-process`: one process, all parts, and what outsiders find there."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kcore.base import service
from kcore.base.config import DataDir, Endpoints, read_json

TIMEOUT_S = 60.0
PORTS = ("--port", "0", "--grpc-port", "0", "--etcd-port", "0")


def kcore(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "kcore", *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[DataDir]:
    directory = DataDir(tmp_path / "data")
    yield directory
    for holder in service.running(directory).values():
        holder.send(signal.SIGKILL)


def up(directory: DataDir, *more: str) -> subprocess.CompletedProcess[str]:
    return kcore("up", "--in-process", "--data-dir", str(directory.path), "--nodes", "2", *PORTS, *more, "--detach")


def test_pods_run_in_one_process_that_stops_when_asked(directory: DataDir) -> None:
    started = up(directory)
    assert started.returncode == 0, started.stderr
    holders = service.running(directory)
    assert holders.keys() == {"supervisor", "apiserver", "scheduler", "controllers", "nodes"}
    assert len({holder.pid for holder in holders.values()}) == 1
    load = kcore("load", "pods", "--count", "20", "--data-dir", str(directory.path), "--json", "-")
    assert load.returncode == 0, load.stderr
    assert json.loads(load.stdout)["running_per_s"] > 0
    assert kcore("down", "--data-dir", str(directory.path)).returncode == 0
    assert service.running(directory) == {} and not directory.endpoints.exists()


def test_what_was_written_is_there_again_after_a_kill(directory: DataDir) -> None:
    assert up(directory).returncode == 0
    assert kcore("load", "pods", "--count", "5", "--data-dir", str(directory.path)).returncode == 0
    holder = service.running(directory)["supervisor"]
    holder.send(signal.SIGKILL)
    assert holder.wait(TIMEOUT_S)
    again = up(directory)
    assert again.returncode == 0, again.stderr
    assert len(kcore("get", "pods", "-o", "name", "--data-dir", str(directory.path)).stdout.split()) == 5


def test_a_second_one_says_who_is_there(directory: DataDir) -> None:
    assert up(directory, "--parts", "apiserver,nodes").returncode == 0
    endpoints = Endpoints.read(directory)
    second = up(directory)
    assert second.returncode != 0
    assert f"in use by another kcore up, process {service.running(directory)['supervisor'].pid}" in second.stderr
    assert Endpoints.read(directory) == endpoints and read_json(directory.part_state("apiserver")) is not None
