"""What a case makes of writes that are refused."""

from types import SimpleNamespace
from typing import Any

import pytest

from kcore.client import items
from kcore.client.items import Item
from kcore.load.bench.plane import BenchError
from kcore.load.scheduling.run import Run
from kcore.machinery import status
from kcore.machinery.status import StatusError

WRITES = [items.bind("p", "n", namespace="default")]


def a_run(error: StatusError) -> Any:
    async def write(part: list[Item]) -> list[Any]:
        return [SimpleNamespace(error=error) for _ in part]

    run = Run.__new__(Run)
    run.client = SimpleNamespace(bulk=SimpleNamespace(write=write))  # type: ignore[assignment]
    return run


async def test_what_a_controller_has_made_before_is_taken_where_it_may_exist() -> None:
    run = a_run(status.already_exists("", "serviceaccounts", "default"))
    await run.write(WRITES, may_exist=True)
    with pytest.raises(BenchError, match=r"a write was refused: .* already exists"):
        await run.write(WRITES)


async def test_any_other_refusal_ends_the_case() -> None:
    with pytest.raises(BenchError, match=r"a write was refused: .*: no"):
        await a_run(status.conflict("", "pods", "p", "no")).write(WRITES, may_exist=True)
