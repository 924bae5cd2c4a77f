import numpy as np
from numpy.typing import NDArray

def take_in(
    slots: NDArray[np.int64],
    counts: NDArray[np.int32],
    seen: NDArray[np.int32],
    codes: NDArray[np.int32],
    counted: NDArray[np.uint8],
    weight: int,
    sums: NDArray[np.int64],
) -> int: ...
def skew(
    sums: NDArray[np.int64],
    domains: NDArray[np.uint8],
    own: int,
    max_skew: int,
    min_domains: int,
    code: int,
    verdicts: NDArray[np.int64],
) -> int: ...
def judge(sums: NDArray[np.int64], values: NDArray[np.int32], without: int, code: int, verdicts: NDArray[np.int64]) -> int: ...
def mark(codes: NDArray[np.int32], verdicts: NDArray[np.int64], count: int, marks: NDArray[np.int64]) -> None: ...
def distinct(codes: NDArray[np.int32], mask: NDArray[np.uint8], count: int, found: NDArray[np.uint8]) -> int: ...
def add_spread(
    codes: NDArray[np.int32],
    sums: NDArray[np.int64],
    weight: float,
    constant: float,
    begin: bool,
    count: int,
    scores: NDArray[np.float64],
) -> None: ...
def normalise_spread(scores: NDArray[np.float64], mask: NDArray[np.uint8], count: int, out: NDArray[np.int64]) -> None: ...
def add_sums(codes: NDArray[np.int32], sums: NDArray[np.int64], count: int, scores: NDArray[np.int64]) -> None: ...
def normalise_affinity(scores: NDArray[np.int64], mask: NDArray[np.uint8], count: int, out: NDArray[np.int64]) -> None: ...
def weigh(base: NDArray[np.int64], scores: NDArray[np.int64], weight: int, count: int, totals: NDArray[np.int64]) -> None: ...
