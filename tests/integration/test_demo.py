"""`kcore demo`: a shop that runs, and what is shown of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.shell import run

SHOWN = "$ kubectl get deployments,services --all-namespaces\n"
ANSWERS = """#!/bin/sh
test "$1" = --kubeconfig && shift
test -s "$1" && shift
echo "asked: $*"
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that is on the PATH: nothing so far. What is temporary lies in it, too."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("answers", [ANSWERS, "#!/bin/sh\necho asked: in vain >&2; exit 1\n"], ids=["it answers", "it fails"])
def test_a_demo_ends_with_what_kubectl_shows(programs: Path, answers: str) -> None:
    (programs / "kubectl").write_text(answers)
    (programs / "kubectl").chmod(0o755)
    done = run("demo", "--nodes", "5")
    assert done.code == 0, done
    before, _, after = done.out.partition(SHOWN)
    assert "storefront" in before
    asked = "get deployments,services --all-namespaces" if answers == ANSWERS else "in vain"
    assert after == f"asked: {asked}\n\nStopped, and cleaned up.\n"


def test_a_demo_needs_no_kubectl(programs: Path) -> None:
    done = run("demo", "--nodes", "5")
    assert done.code == 0, done
    assert "storefront" in done.out and SHOWN not in done.out
    assert not list(programs.glob("kcore-demo-*")), "nothing is left behind"
