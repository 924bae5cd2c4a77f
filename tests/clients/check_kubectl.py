"""kubectl and helm, unmodified, against `kcore up`: each session in kubectl/ and helm/ is typed, and what it prints compared.

Run by `make clients`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kcore.base.config import DataDir
from tests.clients import session, tools
from tests.clients.workshop import WORKSHOP
from tests.integration.plane import Plane, wait_for

HERE = Path(__file__).parent
SESSIONS = sorted((HERE / "kubectl").glob("*.txt"))
HELM = "1.37"
HELM_SESSIONS = sorted((HERE / "helm").glob("*.txt"))
NODES = 3


@pytest.fixture(scope="module", params=tools.LAYERS)
def plane(request: pytest.FixtureRequest) -> Iterator[tuple[str, Plane]]:
    """A control plane for a version of kubectl, so that the sessions of both find the same."""
    made = Plane(DataDir(WORKSHOP / f"plane-{request.param}"))
    shutil.rmtree(made.directory.path, ignore_errors=True)
    started = made.up("--nodes", str(NODES))
    try:
        assert started.code == 0, started
        yield request.param, made
    finally:
        made.end()


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_kubectl_does_as_its_users_are_used_to(plane: tuple[str, Plane], path: Path) -> None:
    compare(*plane, path)


@pytest.mark.parametrize("plane", [HELM], indirect=True)
@pytest.mark.parametrize("path", HELM_SESSIONS, ids=lambda path: path.stem)
def test_helm_does_as_its_users_are_used_to(plane: tuple[str, Plane], path: Path) -> None:
    compare(*plane, path)


def compare(version: str, server: Plane, path: Path) -> None:
    """Type a session and compare it with its file."""
    folder, environment = desk(server, tools.folder_of(version), path.stem)
    shutil.copytree(HERE / "helm" / "charts", folder / "charts")
    wanted = session.read(path)
    found = session.run(wanted, folder, environment)
    if os.environ.get("KCORE_REWRITE"):
        (other,) = tools.LAYERS.keys() - {version}
        session.write(path, [session.accepted(old, new, version, other) for old, new in zip(wanted, found, strict=True)])
    differences = [f"{new}the file says:\n{old}" for old, new in zip(session.of_version(wanted, version), found, strict=True) if old != new]
    assert not differences, "\n".join(differences)


def desk(server: Plane, programs: Path, name: str) -> tuple[Path, dict[str, str]]:
    """A folder to work in, and an environment in which kubectl is on the PATH and works in a namespace of its own."""
    folder = WORKSHOP / "desks" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config = folder / "kubeconfig"
    shutil.copy(server.directory.kubeconfig, config)
    applied = server.kcore("apply", "-f", "-", stdin=f"{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}")
    assert applied.code == 0, applied
    wait_for(lambda: server.objects("serviceaccounts", name, "default"), "the service account")
    text = config.read_text().replace('"user": "kcore"', f'"user": "kcore", "namespace": "{name}"')
    config.write_text(text)
    path = os.pathsep.join((str(programs), os.environ["PATH"]))
    return folder, {"HOME": str(folder), "KUBECONFIG": str(config), "PATH": path, "TZ": "UTC", "LC_ALL": "C"}
