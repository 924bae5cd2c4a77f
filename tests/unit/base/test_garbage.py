"""The garbage collector comes back after it was held back, and only if it was there."""

import gc

import pytest

from kcore.base import garbage


def test_it_is_held_back_and_comes_back_whatever_happens() -> None:
    def fail() -> None:
        with garbage.held_back():
            assert not gc.isenabled()
            raise KeyError

    assert gc.isenabled()
    with pytest.raises(KeyError):
        fail()
    assert gc.isenabled()


def test_who_has_switched_it_off_finds_it_so() -> None:
    gc.disable()
    try:
        with garbage.held_back(), garbage.held_back():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
