"""`kcore up` and `down`: what up refuses, what it serves, and that it can be taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kcore.base.config import DataDir
from tests.integration.plane import Plane
from tests.integration.shell import run


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--nodes", "-1"], "Invalid value for --nodes: -1 is not in the range 0 to 10000"),
        (["--parts", "scheduler"], "Invalid value for --parts: a control plane has an apiserver"),
        (
            ["--parts", "apiserver,kubelet"],
            "Invalid value for --parts: kubelet is no part: the parts are apiserver, scheduler, controllers, nodes",
        ),
        (["--bind", "here"], "Invalid value for --bind: 'here' is no IP address"),
        (["--bind", "0.0.0.0", "--insecure"], "Invalid value for --insecure: plain text is for loopback addresses only"),
        (["--token-auth-file", "/nowhere"], "Invalid value for '--token-auth-file': File '/nowhere' does not exist"),
    ],
)
def test_up_refuses_what_must_not_be(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    done = run("up", "--detach", *arguments, "--data-dir", str(tmp_path / "data"))
    assert (done.code, done.out, done.err) == (2, "", f"kcore: {sentence} (see kcore up --help)\n")
    assert not (tmp_path / "data").exists()


def test_up_takes_further_tokens_and_says_what_is_wrong_with_them(tmp_path: Path) -> None:
    plane = Plane(DataDir(tmp_path / "data"))
    tokens = tmp_path / "tokens.csv"
    tokens.write_text("only-a-token\n")
    refused = plane.up("--parts", "apiserver", "--token-auth-file", str(tokens))
    assert (refused.code, refused.out) == (1, "") and refused.err.startswith(f"kcore: apiserver failed: {tokens}: "), refused
    tokens.write_text('secret,alice,2,"developers,system:masters"\nother,bob,3,"developers"\n')
    started = plane.up("--parts", "apiserver", "--token-auth-file", str(tokens), "--json")
    endpoints = json.loads(plane.directory.endpoints.read_text())
    report = started.json()
    served = {name: endpoints[name] for name in ("rest", "grpc")}
    assert report.pop("ready_ms") > 0 and report == {"data_dir": str(plane.directory.path), "endpoints": served}
    where = ["--server", endpoints["grpc"], "--ca", endpoints["ca"]]
    assert run("get", "namespaces", *where, "--token", "secret", "-o", "name").code == 0
    refused = run("get", "namespaces", *where, "--token", "other")
    sentence = 'namespaces is forbidden: User "bob" cannot list resource "namespaces" in API group "" at the cluster scope'
    assert (refused.code, refused.out, refused.err) == (1, "", f"kcore: {sentence}\n")
    refused = run("get", "namespaces", *where, "--token", "wrong")
    assert (refused.code, refused.out, refused.err) == (1, "", "kcore: Unauthorized\n")
    stopped = ["supervisor"]
    assert plane.kcore("down", "--json").json() == {"data_dir": str(plane.directory.path), "stopped": stopped}
    assert plane.kcore("down").out == f"nothing runs in {plane.directory.path}\n"


def test_an_insecure_server_speaks_plain_text(tmp_path: Path) -> None:
    plane = Plane(DataDir(tmp_path / "data"))
    assert plane.up("--parts", "apiserver", "--insecure").code == 0
    endpoints = json.loads(plane.directory.endpoints.read_text())
    assert "ca" not in endpoints
    assert run("get", "namespaces", "--server", endpoints["grpc"], "--insecure", "--token", endpoints["token"], "-o", "name").code == 0
    assert plane.kcore("get", "namespaces", "-o", "name").code == 0
    assert plane.kcore("down").code == 0


@pytest.mark.parametrize("in_process", [False, True])
def test_nodes_have_the_shapes_of_a_file(tmp_path: Path, in_process: bool) -> None:
    plane = Plane(DataDir(tmp_path / "data"))
    shapes = tmp_path / "shapes.yaml"
    shapes.write_text("- {count: 0}\n")
    refused = plane.up("--node-shapes", str(shapes))
    assert (refused.code, refused.err) == (1, f"kcore: {shapes}: [0].count: it has to be a number from 1 on\n")
    shapes.write_text("- {count: 2, capacity: {example.com/gpu: 8}, labels: {model: A10}}\n- {count: 1}\n")
    try:
        assert plane.up("--node-shapes", str(shapes), *(["--in-process"] if in_process else [])).code == 0
        found = plane.objects("nodes", selector="model=A10")
        assert [node["status"]["allocatable"]["example.com/gpu"] for node in found] == ["8", "8"]
        assert len(plane.objects("nodes")) == 3
    finally:
        plane.kcore("down")
