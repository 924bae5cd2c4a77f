import numpy as np
from numpy.typing import NDArray

def clear(
    slots: NDArray[np.int64],
    first: NDArray[np.int64],
    length: NDArray[np.int64],
    priority: NDArray[np.int64],
    started: NDArray[np.float64],
    begin: NDArray[np.int64],
    resources: NDArray[np.int64],
    amounts: NDArray[np.int64],
    place_of: NDArray[np.int64],
    own: int,
    left: NDArray[np.int64],
    kinds: NDArray[np.int8],
    costs: NDArray[np.float64],
    codes: NDArray[np.int64],
) -> None: ...
