"""Client libraries of Kubernetes, unmodified, over HTTPS against `kcore up`: each takes the same walk. Run by `make clients`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kcore.base.config import DataDir
from tests.clients.check_kubectl import desk
from tests.clients.workshop import WORKSHOP
from tests.integration.plane import Plane

REST = Path(__file__).parent / "rest"
TRANSCRIPT = (REST / "transcript.txt").read_text()
WALK_TIMEOUT_S = 120.0
PACKAGES = {"python": ("kubernetes==37.0.2",)}


@pytest.fixture(scope="module")
def plane() -> Iterator[Plane]:
    """A control plane without nodes: the walk is about configuration."""
    made = Plane(DataDir(WORKSHOP / "plane-rest"))
    shutil.rmtree(made.directory.path, ignore_errors=True)
    started = made.up("--nodes", "0")
    try:
        assert started.code == 0, started
        yield made
    finally:
        made.end()


def interpreter(name: str) -> Path:
    """Python with the packages of a walk."""
    home = WORKSHOP / f"rest-{name}"
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES[name]], check=True)
    return python


@pytest.mark.parametrize("name", PACKAGES)
def test_every_client_library_takes_the_same_walk(plane: Plane, name: str) -> None:
    namespace = f"walk-{name}"
    folder, environment = desk(plane, Path(sys.executable).parent, namespace)
    command = [str(interpreter(name)), str(REST / name / "walk.py"), namespace]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=WALK_TIMEOUT_S, check=False
    )
    assert (done.stdout, done.returncode) == (TRANSCRIPT, 0), done.stderr[-4000:]
