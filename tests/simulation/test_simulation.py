"""Whole clusters on virtual time: every seed comes right whatever breaks, and every planted fault is found.

Seeds run in processes of their own, one a core, under a fixed hash seed: what a seed does is the same everywhere.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.run import SEEDS

ROOT: Final = Path(__file__).parents[2]
HASH_SEED: Final = "0"
WORKERS: Final = 2


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "tests.simulation", *arguments]


def started(*arguments: str) -> subprocess.Popen[str]:
    """Start a run as the command that is printed does: what the tests of this process are told to verify besides is not asked of it."""
    environment = {name: value for name, value in os.environ.items() if name != "KCORE_VERIFY"} | {"PYTHONHASHSEED": HASH_SEED}
    return subprocess.Popen(command(*arguments), cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def outcomes(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """What became of the seeds of a process, which has to end well."""
    shown, errors = process.communicate()
    assert process.returncode == 0, f"{shown[-500:]}\n{errors}"
    return [json.loads(line) for line in shown.splitlines() if line.startswith("{")]


def broken(found: Iterable[dict[str, Any]]) -> Iterator[str]:
    """What a person needs of each seed that broke something."""
    for outcome in found:
        if outcome["wrongs"]:
            seed = outcome["seed"]
            yield "\n".join((f"seed {seed}: PYTHONHASHSEED={HASH_SEED} python -m tests.simulation {seed}", *outcome["wrongs"][:10]))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SEEDS, SEEDS // 4))
def test_every_seed_comes_right(first: int) -> None:
    size = SEEDS // 4 // WORKERS
    with ExitStack() as stack:
        ranges = [f"{start}-{start + size - 1}" for start in range(first, first + SEEDS // 4, size)]
        processes = [stack.enter_context(started(each)) for each in ranges]
        found = [outcome for process in processes for outcome in outcomes(process)]
    assert sorted(outcome["seed"] for outcome in found) == list(range(first, first + SEEDS // 4))
    assert "\n\n".join(broken(found)) == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_every_mutant_is_found(name: str) -> None:
    with started(f"0-{SEEDS - 1}", name) as process:
        found = outcomes(process)
    assert any(MUTANTS[name].found_by in wrong for wrong in found[-1]["wrongs"]), f"{name} was not found in {len(found)} seeds"


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["3", "13"])
def test_a_seed_is_the_same_history_again(seed: str) -> None:
    with started(seed) as first, started(seed) as again:
        (one,), (other,) = outcomes(first), outcomes(again)
    assert one["revision"] > 100
    assert (one["digest"], one["revision"], one["seconds"]) == (other["digest"], other["revision"], other["seconds"])
