"""`kcore load pods` beyond the plain load: Deployments, rhythms, pods that come and go, templates in turn, pictures."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from kcore.base.config import DataDir
from tests.integration.plane import Plane
from tests.integration.shell import Shell, run

PNG = b"\x89PNG\r\n"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    plane = Plane(DataDir(tmp_path_factory.mktemp("load") / "data"))
    started = plane.up("--nodes", "3")
    assert started.code == 0, started.err
    yield Shell(plane.directory.path)
    assert plane.kcore("down").code == 0


@pytest.fixture
def space(shell: Shell, request: pytest.FixtureRequest) -> str:
    """A namespace of the test's own."""
    name = "t" + re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test"))[-40:].strip("-")
    shell.good("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
    return name


def test_a_load_of_deployments_counts_their_pods_and_cleans_up(shell: Shell, space: str) -> None:
    found = shell.good("load", "pods", "--count", "25", "--kind", "deployments", "-n", space, "--json", "-").json()
    assert (found["count"], found["pending"], found["failed"]) == (25, 0, 0)
    assert found["running_per_s"] > 0 and found["bind_ms"]["p50"] >= found["create_ms"]["p50"] > 0
    deployments = shell.good("get", "deployments", "-n", space, "-o", "json").json()["items"]
    assert sorted(each["spec"]["replicas"] for each in deployments) == [5, 10, 10]
    again = shell.good("load", "pods", "--count", "5", "--kind", "deployments", "--via", "unary", "-n", space, "--cleanup")
    assert again.lines()[0].startswith("5 pods on 3 nodes in ")
    assert len(shell.good("get", "deployments", "-n", space, "-o", "name").lines()) == 3


@pytest.mark.parametrize("kind", ["pods", "deployments"])
def test_pods_come_and_go_and_are_measured_apart(shell: Shell, space: str, kind: str) -> None:
    churn = ("--churn", "20", "--churn-time", "0.5")
    done = shell.good("load", "pods", "--count", "20", "--kind", kind, *churn, "-n", space, "--json", "-").json()
    assert done["count"] == 20 and done["churn"]["rate"] == 20
    assert done["churn"]["deleted"] == done["churn"]["running"] == 10
    assert done["churn"]["delete_ms"]["p50"] > 0 and done["churn"]["run_ms"]["p50"] >= done["churn"]["bind_ms"]["p50"] > 0
    pods = shell.good("get", "pods", "-n", space, "-o", "json").json()["items"]
    assert Counter(pod["status"]["phase"] for pod in pods) == {"Running": 20}


def test_what_came_and_went_is_told_in_a_table(shell: Shell, space: str) -> None:
    done = shell.good("load", "pods", "--count", "5", "--churn", "10", "--churn-time", "0.2", "--cleanup", "-n", space)
    assert "then 2 pods deleted, 10 a second, and 2 run in their place" in done.lines()
    assert [line.split()[0] for line in done.lines()[-3:]] == ["gone", "bound", "running"]


@pytest.mark.parametrize("kind", ["pods", "deployments"])
def test_any_api_server_is_loaded_by_its_kubeconfig(shell: Shell, space: str, tmp_path: Path, kind: str) -> None:
    config = tmp_path / "config"
    config.write_bytes(DataDir(shell.directory).kubeconfig.read_bytes())
    stranger = ("load", "pods", "--via", "rest", "--kubeconfig", str(config), "--data-dir", str(tmp_path / "nothing"), "-n", space)
    churn = ("--vary", "--churn", "20", "--churn-time", "0.5", "--json", "-")
    found = run(*stranger, "--count", "20", "--kind", kind, "--in-flight", "4", *churn).json()
    assert (found["count"], found["nodes"], found["pending"], found["failed"]) == (20, 3, 0, 0)
    assert found["running_per_s"] > 0 and found["run_ms"]["p50"] >= found["bind_ms"]["p50"] >= found["create_ms"]["p50"] > 0
    assert found["churn"]["deleted"] == found["churn"]["running"] == 10
    pods = shell.good("get", "pods", "-n", space, "-o", "json").json()["items"]
    assert Counter(pod["status"]["phase"] for pod in pods) == {"Running": 20}
    if kind == "pods":
        assert len({pod["metadata"]["labels"]["index"] for pod in pods}) == 20
    assert run(*stranger, "--count", "3", "--kind", kind, "--cleanup").code == 0
    assert len(shell.good("get", kind, "-n", space, "-o", "name").lines()) == (20 if kind == "pods" else 2)


def test_what_an_api_server_refuses_over_http_is_told(shell: Shell, tmp_path: Path) -> None:
    done = shell("load", "pods", "--via", "rest", "--count", "2", "-n", "nowhere")
    assert done.code == 1 and 'a create was refused: namespaces "nowhere" not found' in done.err
    assert "2 creates were refused" in done.out
    config = tmp_path / "config"
    config.write_text(DataDir(shell.directory).kubeconfig.read_text().replace('"token": "', '"token": "x'))
    assert shell.bad("load", "pods", "--via", "rest", "--count", "1", "--kubeconfig", str(config)) == "Unauthorized"
    config.write_text('{"current-context": "gone"}')
    lost = shell.bad("load", "pods", "--via", "rest", "--count", "1", "--kubeconfig", str(config))
    assert lost.endswith("'gone' is none of the contexts")


@pytest.mark.parametrize("pattern", ["steady", "poisson", "burst"])
def test_a_load_keeps_its_rhythm(shell: Shell, space: str, pattern: str) -> None:
    found = shell.good(
        "load", "pods", "--count", "20", "--rate", "20", "--pattern", pattern, "--seed", "3", "-n", space, "--json", "-"
    ).json()
    assert found["count"] == 20 and found["pending"] == 0
    if pattern == "steady":
        assert found["created_per_s"] < 22


def test_templates_are_taken_in_turn(shell: Shell, space: str, tmp_path: Path) -> None:
    file = tmp_path / "pods.yaml"
    one = "{{apiVersion: v1, kind: Pod, metadata: {{name: x}}, spec: {{containers: [{{name: c, image: 'mine:{}'}}]}}}}\n"
    file.write_text(one.format(1) + "---\n" + one.format(2))
    shell.good("load", "pods", "--count", "5", "--template", str(file), "-n", space)
    pods = shell.good("get", "pods", "-n", space, "-o", "json").json()["items"]
    assert Counter(pod["spec"]["containers"][0]["image"] for pod in pods) == {"mine:1": 3, "mine:2": 2}


def test_latencies_are_drawn(shell: Shell, space: str, tmp_path: Path) -> None:
    picture = tmp_path / "latency.png"
    shell.good("load", "pods", "--count", "10", "--plot", str(picture), "-n", space)
    assert picture.read_bytes().startswith(PNG) and picture.stat().st_size > 5_000


def test_what_would_fail_only_after_the_load_is_refused_before_it(shell: Shell, space: str, tmp_path: Path) -> None:
    count = ("load", "pods", "--count", "1", "-n", space)
    nowhere = str(tmp_path / "nowhere" / "file.png")
    assert shell.bad(*count, "--plot", nowhere) == f"{nowhere}: there is no such folder"
    assert shell.bad(*count, "--pattern", "burst").startswith("Invalid value for --pattern: burst is a rhythm at some --rate")
    tells = shell.bad(*count, "--kubeconfig", str(DataDir(shell.directory).kubeconfig))
    assert tells.startswith("Invalid value for --kubeconfig: tells of a server that is reached --via rest")
    assert shell.good("get", "pods", "-n", space, "-o", "name").out == ""
