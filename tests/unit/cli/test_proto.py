"""`kcore proto` hands on what proto/ holds, and nothing of kcore's own build."""

from __future__ import annotations

import json
from pathlib import Path

from tests.integration.shell import run
from tests.lint.sources import ROOT

PROTO = ROOT / "proto"


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_all_sources_and_what_buf_needs_are_written(tmp_path: Path) -> None:
    done = run("proto", "--out", str(tmp_path / "new" / "proto"), "--json")
    written = files(tmp_path / "new" / "proto")
    assert sorted(json.loads(done.out)["files"]) == sorted(written)
    left_out = {name for name in files(PROTO) if "__pycache__" not in name} - written.keys()
    assert left_out == {"__init__.py", "derive_services.py"}
    assert all(data == (PROTO / name).read_bytes() for name, data in written.items())


def test_what_was_there_is_brought_up_to_date(tmp_path: Path) -> None:
    (tmp_path / "buf.yaml").write_text("old")
    done = run("proto", "--out", str(tmp_path))
    assert done.out == f"{len(files(tmp_path))} files in {tmp_path}; {tmp_path}/README.md says how to go on\n"
    assert (tmp_path / "buf.yaml").read_bytes() == (PROTO / "buf.yaml").read_bytes()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    done = run("proto", "--out", str(tmp_path / "taken"))
    assert (done.code, done.err.count("\n")) == (2, 1)
