"""Costly invariants: on where tests run, and deadly when broken."""

import pytest

from kcore.base import verify


def test_invariants_are_checked_where_tests_run() -> None:
    assert verify.ON


def test_a_broken_invariant_stops() -> None:
    verify.that(True, "all is well")
    with pytest.raises(AssertionError, match="broken invariant: keys are in order"):
        verify.that(False, "keys are in order")
