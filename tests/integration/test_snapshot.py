"""`kcore snapshot`: saved while a load runs, restored into a new directory, and what is no snapshot is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kcore.base.config import DataDir
from tests.integration import shell
from tests.integration.plane import Plane, wait_for
from tests.lint.sources import ROOT

COUNT = 1_500
LEADERS = ("kube-controller-manager", "kube-scheduler")


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    plane = Plane(DataDir(tmp_path_factory.mktemp("snapshot") / "data"))
    assert plane.up("--nodes", "20").code == 0
    yield plane
    plane.end()


@pytest.fixture(scope="module")
def saved(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot taken in the middle of a load."""
    file = tmp_path_factory.mktemp("file") / "snapshot"
    loading = [sys.executable, "-m", "kcore", "load", "pods", "--count", str(COUNT), "--data-dir", str(plane.directory.path)]
    with subprocess.Popen(loading, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as load:
        wait_for(lambda: plane.objects("pods"), "the first pod")
        told = plane.kcore("snapshot", "save", str(file), "--json")
        assert load.wait() == 0
    assert told.code == 0, told.err
    assert told.json()["path"] == str(file)
    assert file.stat().st_mode & 0o777 == 0o600
    return file


def versions(objects: list[dict[str, Any]]) -> dict[str, str]:
    return {found["metadata"]["uid"]: found["metadata"]["resourceVersion"] for found in objects}


def test_a_restored_plane_has_the_objects_of_one_revision_and_goes_on(plane: Plane, saved: Path, tmp_path: Path) -> None:
    again = Plane(DataDir(tmp_path / "again"))
    restored = again.kcore("snapshot", "restore", str(saved), "--json")
    assert restored.code == 0, restored.err
    revision = restored.json()["revision"]
    assert again.up("--parts", "apiserver").code == 0
    try:
        leases = again.objects("coordination.k8s.io/leases", "kube-system")
        assert {lease["metadata"]["name"]: lease["spec"].get("holderIdentity") for lease in leases} == dict.fromkeys(LEADERS)
        found, now = again.objects("pods"), versions(plane.objects("pods"))
        assert 0 < len(found) <= COUNT
        assert versions(found).keys() <= now.keys()
        assert all(int(version) <= revision for version in versions(found).values())
        unchanged = {uid for uid, version in now.items() if int(version) <= revision}
        assert {uid: now[uid] for uid in unchanged}.items() <= versions(found).items()
        made = shell.run(
            "apply", "-f", "-", "--data-dir", str(tmp_path / "again"),
            stdin=json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "later"}}),
        )  # fmt: skip
        assert made.code == 0, made.err
        (later,) = again.objects("configmaps", "default", "later")
        assert int(later["metadata"]["resourceVersion"]) > revision
        sentence = shell.Shell(tmp_path / "again").bad("snapshot", "restore", str(saved))
        assert "is held by process" in sentence
    finally:
        again.end()


def test_a_directory_with_a_store_is_left_alone(saved: Path, tmp_path: Path) -> None:
    where = shell.Shell(tmp_path)
    where.good("snapshot", "restore", str(saved))
    assert where.bad("snapshot", "restore", str(saved)).endswith("is there already: a snapshot is restored into a new folder")


def test_what_is_no_whole_snapshot_is_refused_and_writes_nothing(saved: Path, tmp_path: Path) -> None:
    data = saved.read_bytes()
    cases = {
        "cut": (data[: len(data) // 2], "the snapshot is cut off after"),
        "damaged": (data[:2_000] + bytes([data[2_000] ^ 1]) + data[2_001:], "the snapshot is damaged"),
        "else": (b"{}", "the file is no snapshot of kcore"),
    }
    for name, (content, sentence) in cases.items():
        (tmp_path / name).write_bytes(content)
        said = shell.Shell(tmp_path / "data").bad("snapshot", "restore", str(tmp_path / name))
        assert said.startswith(f"{tmp_path / name}: {sentence}")
    assert not (tmp_path / "data").exists()
    assert "No such file" in shell.Shell(tmp_path / "data").bad("snapshot", "restore", str(tmp_path / "none"))


def test_a_save_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "kept"
    file.write_text("before")
    assert "no control plane runs" in shell.Shell(tmp_path / "nothing").bad("snapshot", "save", str(file))
    assert file.read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]


def test_nobody_without_a_token_gets_one(plane: Plane, tmp_path: Path) -> None:
    endpoints = json.loads(plane.directory.endpoints.read_text())
    done = shell.run("snapshot", "save", str(tmp_path / "file"), "--server", endpoints["grpc"], "--ca", endpoints["ca"])
    assert done.code == 1
    assert list(tmp_path.iterdir()) == []
