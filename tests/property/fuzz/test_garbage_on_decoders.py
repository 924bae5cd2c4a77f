"""Garbage on every decoder: it is read or refused, whatever it is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.fuzz.decoders import decoders
from tests.property.fuzz.garbage import nearly


@pytest.mark.parametrize("name", sorted(decoders()))
def test_garbage_is_read_or_refused(name: str) -> None:
    decoder = decoders()[name]
    for seed in decoder.seeds:
        decoder.survives(seed)

    @settings(max_examples=150)
    @given(nearly(st.sampled_from(decoder.seeds)))
    def garbage_is_survived(data: bytes) -> None:
        decoder.survives(data)

    garbage_is_survived()
