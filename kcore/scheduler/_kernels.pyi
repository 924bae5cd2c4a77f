import numpy as np
from numpy.typing import NDArray

def fit(
    allocatable: NDArray[np.int64],
    requested: NDArray[np.int64],
    pod_limit: NDArray[np.int64],
    pod_count: NDArray[np.int64],
    rows: NDArray[np.int64],
    amounts: NDArray[np.int64],
    start: int,
    stop: int,
    codes: NDArray[np.int64],
) -> None: ...
def least_allocated(
    allocatable: NDArray[np.int64],
    nonzero: NDArray[np.int64],
    cpu: int,
    memory: int,
    feasible: NDArray[np.uint8],
    start: int,
    stop: int,
    scores: NDArray[np.int64],
) -> None: ...
def balanced_allocation(
    allocatable: NDArray[np.int64],
    requested: NDArray[np.int64],
    cpu: int,
    memory: int,
    feasible: NDArray[np.uint8],
    start: int,
    stop: int,
    scores: NDArray[np.int64],
) -> None: ...
def keep_passing(codes: NDArray[np.int64], start: int, stop: int, feasible: NDArray[np.uint8]) -> int: ...
