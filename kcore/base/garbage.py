"""The garbage collector, held back where it could only lose time."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_back() -> Iterator[None]:
    """Collect nothing meanwhile: what imports and starts make stays, tens of thousands of objects that would be looked through in vain."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
