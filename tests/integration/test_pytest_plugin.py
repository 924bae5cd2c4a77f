"""The pytest plugin: a clean cluster for each test that asks for one, and nothing for the others; and the README's example of it."""

import re
import subprocess
import sys
from pathlib import Path

from tests.lint.sources import ROOT

TIMEOUT_S = 120.0
INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"


def pytest_of(folder: Path, text: str, *arguments: str, ini: str = "") -> subprocess.CompletedProcess[str]:
    """Run pytest on one file, as a project of its own."""
    (folder / "pytest.ini").write_text(INI + ini)
    (folder / "test_it.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


MAPS = """
from kcore.api.core.v1.config_map_pb2 import ConfigMap
import pytest

def create(cluster, name):
    cluster.client.configmaps.create(ConfigMap(metadata={"name": name, "namespace": "default"}))

def names(cluster):
    return [found.metadata.name for found in cluster.client.configmaps.list(namespace="default").items]
"""


def test_every_test_starts_clean_in_one_cluster(tmp_path: Path) -> None:
    text = MAPS + """
seen = []

@pytest.mark.parametrize("turn", range(4))
def test_it(kcore, turn):
    assert names(kcore) == []
    create(kcore, "mine")
    seen.append(kcore.directory)
    assert len(set(seen)) == 1
"""
    done = pytest_of(tmp_path, text)
    assert done.returncode == 0 and "4 passed" in done.stdout, done.stdout


def test_what_a_session_fixture_makes_stays(tmp_path: Path) -> None:
    text = MAPS + """
@pytest.fixture(scope="session", autouse=True)
def prepared(kcore_session):
    create(kcore_session, "for-all")

@pytest.mark.parametrize("turn", range(2))
def test_it(kcore, turn):
    assert names(kcore) == ["for-all"]
    kcore.client.configmaps.delete("for-all", namespace="default")
"""
    done = pytest_of(tmp_path, text)
    assert done.returncode == 0 and "2 passed" in done.stdout, done.stdout


def test_markers_and_the_ini_file_choose_parts_nodes_and_time(tmp_path: Path) -> None:
    text = """
import pytest

def test_ini(kcore):
    assert kcore.parts.keys() == {"controllers", "nodes"} and len(kcore.client.nodes.list().items) == 2

@pytest.mark.kcore(nodes=0, virtual_time=True)
class TestAll:
    def test_class(self, kcore):
        assert kcore.parts.keys() == {"controllers"} and kcore.clock.now()

    @pytest.mark.kcore(nodes=1)
    def test_closest(self, kcore):
        assert len(kcore.client.nodes.list().items) == 1 and kcore.clock.now()
"""
    done = pytest_of(tmp_path, text, ini="kcore_nodes = 2\nkcore_parts = controllers\n")
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout


def test_a_part_that_dies_fails_its_test_and_no_other(tmp_path: Path) -> None:
    text = MAPS + """
async def dies(client):
    raise KeyError("oh")

def test_first(kcore):
    kcore.run(kill)

async def kill(cluster):
    part = cluster.parts["scheduler"]
    await part.stop()
    part._task = __import__("asyncio").create_task(dies(None))
    await __import__("asyncio").sleep(0)

def test_second(kcore):
    create(kcore, "mine")
"""
    done = pytest_of(tmp_path, text)
    assert "2 passed, 1 error" in done.stdout and "PartFailed: scheduler ended: KeyError('oh')" in done.stdout, done.stdout


def test_nothing_is_imported_until_a_test_asks(tmp_path: Path) -> None:
    text = """
import sys

def test_without():
    loaded = {name for name in sys.modules if name.split(".")[0] in ("kcore", "grpc", "google", "numpy", "lmdb")}
    assert loaded == {"kcore", "kcore.testing", "kcore.testing.pytest_plugin"}
"""
    done = pytest_of(tmp_path, text)
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout


def section() -> str:
    """What the README says about testing an operator."""
    return (ROOT / "README.md").read_text().partition("### Test an operator")[2].partition("\n## ")[0]


def example() -> str:
    """Its first piece of code."""
    found = re.search(r"^```python\n(.*?)^```", section(), re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def programs() -> dict[str, str]:
    """Its further pieces, by the name of the file that each begins with."""
    return {name: text for text, name in re.findall(r"^```python\n(# (\S+\.py)\n.*?)^```", section(), re.DOTALL | re.MULTILINE)}


def test_the_example_of_the_readme_passes(tmp_path: Path) -> None:
    done = pytest_of(tmp_path, example())
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout


def test_the_example_of_the_readme_fails_where_the_operator_does_nothing(tmp_path: Path) -> None:
    broken = example().replace("await client.services.create(service)", "pass")
    broken = broken.replace("wait_for(lambda:", "wait_for(timeout_s=1.0, predicate=lambda:")
    done = pytest_of(tmp_path, broken)
    assert "2 failed, 1 passed" in done.stdout and "did not come true within 1 s" in done.stdout, done.stdout


def lay_out(folder: Path) -> str:
    """Write the programs of the README; -> the test of them."""
    for name, text in programs().items():
        (folder / name).write_text(text)
    return programs()["test_greeter.py"]


def test_the_program_of_the_readme_is_tested_as_a_process_through_a_kubeconfig(tmp_path: Path) -> None:
    done = pytest_of(tmp_path, lay_out(tmp_path))
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout


def test_the_program_of_the_readme_fails_where_it_greets_nobody(tmp_path: Path) -> None:
    text = lay_out(tmp_path).replace("wait_for(lambda:", "wait_for(timeout_s=1.0, predicate=lambda:")
    (tmp_path / "greeter.py").write_text("")
    done = pytest_of(tmp_path, text)
    assert "1 failed" in done.stdout and "did not come true within 1 s" in done.stdout, done.stdout
