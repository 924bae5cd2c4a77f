from collections.abc import Callable
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from kcore.scheduler._ranking import Ranking

LARGE: int

@final
class Wanted:
    def __new__(
        cls,
        amounts: tuple[tuple[str, int], ...],
        rows: dict[str, int],
        balanced: tuple[int, int],
        scored: tuple[int, int],
        fit_weight: int,
        balance_weight: int,
    ) -> Self: ...

@final
class Loads:
    def __new__(
        cls,
        allocatable: NDArray[np.int64],
        requested: NDArray[np.int64],
        nonzero: NDArray[np.int64],
        pod_limit: NDArray[np.int64],
        pod_count: NDArray[np.int64],
    ) -> Self: ...
    def count(self, slot: int, amounts: tuple[tuple[str, int], ...], rows: dict[str, int], cpu: int, memory: int, sign: int) -> None: ...
    def changed(self, slot: int) -> None: ...
    def judge(
        self, wanted: Wanted, mask: NDArray[np.uint8], base: int, bases: NDArray[np.int64] | None, ranking: Ranking
    ) -> None: ...
    def judge_slots(
        self,
        slots: NDArray[np.int64],
        wanted: Wanted,
        mask: NDArray[np.uint8],
        base: int,
        bases: NDArray[np.int64] | None,
        ranking: Ranking,
    ) -> bool: ...
    def place(
        self,
        most: int,
        wanted: Wanted,
        mask: NDArray[np.uint8],
        base: int,
        bases: NDArray[np.int64] | None,
        ranking: Ranking,
        amounts: tuple[tuple[str, int], ...],
        rows: dict[str, int],
        cpu: int,
        memory: int,
        randrange: Callable[[int], int],
    ) -> list[tuple[int, int, int, int]]: ...
