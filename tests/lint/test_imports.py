"""Who may import what: the layers of pyproject.toml, the homes of third-party libraries, and the purity of what decides."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.lint.sources import ROOT, imported, python_files, shown

LIBRARY_HOMES = {
    "aiohttp": ("kcore/load/",),
    "cel_expr_python": ("kcore/machinery/cel/",),
    "greenlet": ("kcore/apiserver/entry/aside.py",),
    "lmdb": ("kcore/store/",),
    "numpy": ("kcore/scheduler/", "kcore/simulate/", "kcore/load/", "kcore/watch/"),
    "pyroute2": ("kcore/network/kernel.py",),
    "uvicorn": ("kcore/apiserver/", "kcore/serve/"),
    "click": ("kcore/cli/",),
    "rich": ("kcore/cli/", "kcore/load/", "kcore/simulate/"),
    "matplotlib": ("kcore/load/", "kcore/simulate/"),
    "prometheus_client": ("kcore/serve/",),
}
"""Libraries that only some places may know."""

PACKAGE_HOMES = {
    "kcore.store": ("kcore/store/", "kcore/watch/", "kcore/apiserver/", "kcore/serve/", "kcore/testing/"),
    "kcore.watch": ("kcore/watch/", "kcore/apiserver/", "kcore/serve/", "kcore/testing/"),
    "kcore.testing": ("kcore/testing/",),
}
"""Packages that only some others may know."""

PURE = ("kcore/machinery/", "kcore/network/ipam.py", "kcore/network/plan.py", "kcore/network/subnet.py", "kcore/base/restarts.py")
"""Folders and files whose modules decide: values in, values out. ``PURE_NAMES`` adds to them wherever they lie."""

PURE_NAMES = {"plan.py", "decide.py", "cycle.py", "columns.py", "snapshot.py", "queue.py", "podstate.py", "expectations.py", "adoption.py"}

IMPURE = {"asyncio", "time", "socket", "random", "threading", "secrets", "subprocess", "selectors", "grpc", "uvloop"}
"""What brings a clock, chance, a socket or a thread."""

GENERATED_STUBS = "_pb2_grpc"
"""Stubs are for users; importing them costs half a second."""


def offenders(library: str, homes: tuple[str, ...], files: list[Path]) -> list[str]:
    return [
        shown(file)
        for file in files
        if not shown(file).startswith(homes) and any(name == library or name.startswith(f"{library}.") for name in imported(file))
    ]


def test_layers_and_contracts_hold() -> None:
    result = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("library", LIBRARY_HOMES)
def test_a_library_is_known_only_at_home(library: str) -> None:
    assert offenders(library, LIBRARY_HOMES[library], python_files("kcore")) == []


@pytest.mark.parametrize("package", PACKAGE_HOMES)
def test_a_package_is_known_only_where_it_may_be(package: str) -> None:
    assert offenders(package, PACKAGE_HOMES[package], python_files("kcore")) == []


def test_what_decides_has_no_clock_chance_socket_or_thread() -> None:
    found = []
    for file in python_files("kcore"):
        if shown(file).startswith(PURE) or (file.name in PURE_NAMES and not shown(file).startswith("kcore/client/")):
            found += [f"{shown(file)} imports {name}" for name in sorted(imported(file) & IMPURE)]
    assert found == []


def test_kcore_never_imports_service_stubs() -> None:
    assert [shown(file) for file in python_files("kcore") if any(GENERATED_STUBS in name for name in imported(file))] == []


def test_every_imported_library_is_declared_and_every_declared_one_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = {"matplotlib", "pytest", "hypothesis"}
    module_names = {
        "grpcio": "grpc",
        "grpcio-health-checking": "grpc_health",
        "grpcio-reflection": "grpc_reflection",
        "grpcio-status": "grpc_status",
        "protobuf": "google",
        "PyYAML": "yaml",
        "prometheus-client": "prometheus_client",
        "PyJWT": "jwt",
    }
    declared = {requirement.split(">=")[0].strip() for requirement in project["dependencies"]}
    modules = {module_names.get(name, name.replace("-", "_")) for name in declared}
    used = {name.split(".")[0] for file in python_files("kcore") for name in imported(file)}
    used |= {"httptools", "websockets"}  # by which uvicorn parses
    foreign = used - set(sys.stdlib_module_names) - {"kcore", "__future__"} - optional
    assert sorted(foreign - modules) == [], "imported but not declared in pyproject.toml"
    assert sorted(modules - used) == [], "declared in pyproject.toml but imported nowhere"


@pytest.mark.parametrize("part", ["apiserver", "scheduler", "controllers", "nodes"])
def test_a_part_starts_without_the_others(part: str) -> None:
    """What a part imports, it waits for at its start and holds in memory as long as it runs."""
    strangers = {"apiserver": "scheduler controllers agent network", "scheduler": "apiserver controllers agent network store watch"}
    strangers |= {"controllers": "apiserver scheduler agent store watch", "nodes": "apiserver scheduler controllers store watch"}
    program = f"import sys, kcore.serve.{part}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    unwanted = {f"kcore.{name}" for name in strangers[part].split()} | {"yaml", "prometheus_client", "http.server", "click", "rich"}
    if part == "apiserver":
        unwanted.discard("click")  # which its HTTP server takes along
    assert sorted(unwanted.intersection(loaded)) == []
