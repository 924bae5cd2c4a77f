"""Where the programs of other languages are built: a folder a language, and a home of its own for all that their tools fetch."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.lint.sources import ROOT

WORKSHOP = ROOT / "build" / "clients"
HOME = WORKSHOP / "home"
NEEDS = {
    "Go": ("go",),
    "Node": ("node", "npm", "npx"),
    "Java": ("java", "javac", "mvn"),
    "Rust": ("cargo", "cc"),
    "Python": ("python3",),
    "grpcurl": ("go",),
}
"""What has to be on the machine; everything else the commands of the page bring."""

WALKS = {
    "Go": 'go run ./walk "$@"',
    "Node": 'node out/walk.js "$@"',
    "Java": 'java -cp "target/classes:$(cat target/classpath)" walk.Walk "$@"',
    "Rust": 'cargo run --quiet --bin walk -- "$@"',
    "Python": 'PYTHONPATH=gen venv/bin/python walk.py "$@"',
}
"""How each language's walk starts once its section of the page was run."""

COMMANDS_TIMEOUT_S = 1500.0
FRESH = ("gen", "proto", "out", "src")


def environment() -> dict[str, str]:
    """The environment of a user who has kcore, buf and the languages, and has never used them."""
    paths = [str(Path(sys.executable).parent), os.environ["PATH"]]
    return {
        **os.environ,
        "HOME": str(HOME),
        "PATH": os.pathsep.join(paths),
        "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup")),
        "CARGO_HOME": str(HOME / ".cargo"),
        "CARGO_INCREMENTAL": "0",
        "CARGO_PROFILE_DEV_DEBUG": "0",
        "MAVEN_OPTS": f"-Duser.home={HOME}",
        "GOFLAGS": "-modcacherw -buildvcs=false",
    }


def run(folder: str, script: str, *arguments: str, more: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder of the workshop, with `more` in its environment."""
    command = ["bash", "-euo", "pipefail", "-c", script, folder, *arguments]
    set_up = {**environment(), **(more or {})}
    return subprocess.run(command, cwd=WORKSHOP / folder, env=set_up, capture_output=True, text=True, timeout=COMMANDS_TIMEOUT_S)


def lay_out(folder: str, needs: tuple[str, ...], files: dict[str, str]) -> None:
    """Put programs of tests/clients and further files into a folder of the workshop; what its tools have built there stays."""
    missing = [tool for tool in needs if shutil.which(tool) is None]
    assert not missing, f"{', '.join(missing)} is not on the PATH, which the clients in {folder} need"
    place = WORKSHOP / folder
    for stale in FRESH:
        shutil.rmtree(place / stale, ignore_errors=True)
    place.mkdir(parents=True, exist_ok=True)
    programs = ROOT / "tests" / "clients" / folder
    if programs.is_dir():
        shutil.copytree(programs, place, dirs_exist_ok=True)
    for path, text in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(text)
