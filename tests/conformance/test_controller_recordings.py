"""What the controllers of Kubernetes 1.37.2 left behind, and the controllers here must: recorded stories, told again over HTTPS.

A story is mostly waiting, so that every fifth of each controller is told in the suite; `KCORE_CONTROLLER_RECORDINGS=all` tells all (five
minutes on an idle machine). Scheduler and kubelets are played by the tool, which goes on when nothing happens for a moment: on a busy
machine a moment is not always enough, so what differs is told once more, with longer moments and few others beside it.
"""

from __future__ import annotations

import json
import lzma
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kcore.base.config import DataDir
from tests.integration.plane import Plane

REPLAY = Path(__file__).parent / "replay_controllers.py"
RECORDINGS = Path(__file__).parent / "recordings" / "controllers.jsonl.xz"
NOT_BUILT = {"cronjob", "csr", "endpointslicemirroring", "hpa", "pvbinder", "pvprotection", "tokensecret"}
NEEDS_A_BINDER = "statefulset/pvc"
"""Stories of claims in which the controller that binds them speaks too."""

ONE_IN = 5
FIRST, AGAIN = ("--workers", "12"), ("--workers", "4", "--beat-ms", "400", "--quiet-ms", "2000")
TOKENS = 'admin-token,admin,1,"system:masters"\n'

Story = dict[str, Any]


def stories() -> list[Story]:
    """The stories of the controllers that there are; without `all`, some of each, and none that waits long or is large."""
    with lzma.open(RECORDINGS, "rt") as file:
        found = [json.loads(line) for line in file]
    known = [story for story in found if story["area"] not in NOT_BUILT and not story["id"].startswith(NEEDS_A_BINDER)]
    if os.environ.get("KCORE_CONTROLLER_RECORDINGS") == "all":
        return known
    by_area: dict[str, list[Story]] = defaultdict(list)
    for story in known:
        if story["id"] != "podgc/orphaned" and not story["id"].endswith("/many"):
            by_area[story["area"]].append(story)
    return [story for area in by_area.values() for story in area[::ONE_IN]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[list[str]]:
    """An API server and the controllers."""
    (tmp_path / "tokens.csv").write_text(TOKENS)
    plane = Plane(DataDir(tmp_path / "data"))
    started = plane.up("--parts", "apiserver,controllers", "--token-auth-file", str(tmp_path / "tokens.csv"))
    assert started.code == 0, started
    where = json.loads(plane.directory.endpoints.read_text())
    try:
        yield ["--server", where["rest"], "--token", "admin-token", "--ca", where["ca"]]
    finally:
        plane.end()


def told(server: list[str], wanted: list[Story], folder: Path, options: tuple[str, ...]) -> dict[str, list[str]]:
    """Tell stories; -> what differs, by story."""
    (folder / "asked.jsonl").write_text("".join(f"{json.dumps(story)}\n" for story in wanted))
    command = [sys.executable, str(REPLAY), "run", *server, *options, "--json", str(folder / "told.json"), str(folder / "asked.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (folder / "told.json").exists(), done.stderr
    found: dict[str, list[str]] = json.loads((folder / "told.json").read_text())
    return found


@pytest.mark.slow
def test_controllers_leave_behind_what_those_of_kubernetes_do(
    server: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = stories()
    differing = told(server, wanted, tmp_path, FIRST)
    if differing:
        differing = told(server, [story for story in wanted if story["id"] in differing], tmp_path, AGAIN)
    counts = Counter(story["area"] for story in wanted)
    same = Counter(story["area"] for story in wanted if story["id"] not in differing)
    with capsys.disabled():
        print("\ncontrollers:", ", ".join(f"{area} {same[area]}/{count}" for area, count in counts.items()))
    assert differing == {}
