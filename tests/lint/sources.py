"""The files that lint looks at, and their syntax trees, read once."""

import ast
import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

TAKEN_OVER = {f"tests/conformance/{name}.py" for name in ("replay", "replay_controllers", "controller_world", "controller_snapshot")}
"""The comparers that came with the recordings, kept as they came, so that both sides judge alike."""


def python_files(*folders: str) -> list[Path]:
    """Return the handwritten Python files below folders."""
    files = (file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    return sorted(file for file in files if not file.is_relative_to(ROOT / "kcore" / "api"))


def cython_files() -> list[Path]:
    """Return all Cython files."""
    return sorted(file for pattern in ("*.pyx", "*.pxd") for file in (ROOT / "ext").rglob(pattern))


def shown(file: Path) -> str:
    """Return a file's path as people write it."""
    return str(file.relative_to(ROOT))


@functools.cache
def text(file: Path) -> str:
    """Return a file's text."""
    return file.read_text()


@functools.cache
def tree(file: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(text(file), shown(file))


def imported(file: Path) -> set[str]:
    """Return the dotted names that a file imports anywhere, each with the names taken from it."""
    names: set[str] = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def tracked() -> list[str]:
    """Return the paths that git would commit: those it knows and those it does not ignore."""
    listing = subprocess.check_output(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True)
    return sorted(path for path in listing.split("\0") if path and (ROOT / path).exists())
