"""The data directory: layout, and files that appear whole and private."""

import os
from pathlib import Path

import pytest

from kcore.base.config import DataDir, Endpoints, read_json, write_private, write_private_json


def test_the_default_is_in_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert DataDir.at(None).path == tmp_path / ".kcore"
    assert DataDir.at("~/x").path == tmp_path / "x"


def test_a_relative_directory_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert DataDir.at("x").path == tmp_path / "x"


def test_folders_are_for_their_owner_only(tmp_path: Path) -> None:
    directory = DataDir(tmp_path / "data")
    directory.make()
    directory.make()
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in directory.path.iterdir()} == dict.fromkeys(
        ["run", "logs", "pki"], "0o700"
    )


def test_endpoints_leave_out_what_is_not_served_and_come_back(tmp_path: Path) -> None:
    directory = DataDir(tmp_path)
    assert Endpoints.read(directory) is None
    endpoints = Endpoints(grpc="127.0.0.1:6444", token="secret")
    endpoints.write(directory)
    assert read_json(directory.endpoints) == {"grpc": "127.0.0.1:6444", "token": "secret"}
    assert Endpoints.read(directory) == endpoints
    assert "secret" not in repr(endpoints)


def test_private_files_are_private_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    old_umask = os.umask(0)
    try:
        write_private(path, b"one")
    finally:
        os.umask(old_umask)
    first = path.stat()
    write_private(path, b"two")
    assert first.st_mode & 0o777 == 0o600
    assert path.read_bytes() == b"two"
    assert path.stat().st_ino != first.st_ino
    assert list(path.parent.iterdir()) == [path]


def test_a_json_file_that_holds_no_object_is_named(tmp_path: Path) -> None:
    write_private_json(tmp_path / "a", {"b": 1})
    assert read_json(tmp_path / "a") == {"b": 1}
    (tmp_path / "a").write_text("[]")
    with pytest.raises(ValueError, match="holds no JSON object"):
        read_json(tmp_path / "a")
