"""Invariants that are checked where tests run, and cost one attribute look-up elsewhere.

``KCORE_VERIFY=1`` (the test suite sets it) switches them on:

    if verify.ON:
        verify.that(self._is_sorted(), "keys of the index are in order")
"""

import os
from typing import Final

ON: Final = os.environ.get("KCORE_VERIFY") == "1"
"""Whether costly invariants are checked in this process."""


def that(holds: bool, invariant: str) -> None:
    """Stop on a broken invariant: a programmer's error, which nobody catches."""
    if not holds:
        raise AssertionError(f"broken invariant: {invariant}")
