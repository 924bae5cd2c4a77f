"""What other tools find: ruff, mypy, stubtest for each compiled module."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.lint.sources import ROOT, cython_files, shown


def run(*command: str) -> str:
    """Run a tool; return its complaint, or nothing."""
    result = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    return "" if result.returncode == 0 else result.stdout + result.stderr


def compiled_modules() -> list[str]:
    files = [file for file in cython_files() if file.suffix == ".pyx"]
    return [".".join(file.relative_to(ROOT / "ext").with_suffix("").parts) for file in files]


def test_ruff_finds_nothing() -> None:
    assert run("ruff", "check", "--quiet", ".") == ""


def test_mypy_finds_nothing() -> None:
    assert run("mypy", "--strict") == ""


@pytest.mark.parametrize("module", compiled_modules())
def test_a_compiled_module_has_a_stub(module: str) -> None:
    assert (ROOT / Path(*module.split("."))).with_suffix(".pyi").is_file()


def test_every_stub_belongs_to_a_compiled_module() -> None:
    stubs = [file for file in (ROOT / "kcore").rglob("*.pyi") if not file.is_relative_to(ROOT / "kcore" / "api")]
    assert [shown(file) for file in stubs if ".".join(file.relative_to(ROOT).with_suffix("").parts) not in compiled_modules()] == []


def test_stubs_tell_the_truth() -> None:
    config = ["--mypy-config-file", "pyproject.toml", "--allowlist", str(Path(__file__).with_name("stubtest_allowed.txt"))]
    assert run("mypy.stubtest", *config, "--ignore-unused-allowlist", *compiled_modules()) == ""
