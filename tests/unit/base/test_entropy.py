"""Draws: repeatable from a seed, well formed always."""

import uuid

import pytest

from kcore.base import limits
from kcore.base.entropy import NAME_ALPHABET, Entropy, SeededEntropy, SystemEntropy


def draws(entropy: Entropy) -> list[object]:
    return [entropy.uid(), entropy.name_suffix(), entropy.random(), entropy.randrange(1000)]


def test_the_same_seed_draws_the_same() -> None:
    assert draws(SeededEntropy(7)) == draws(SeededEntropy(7))
    assert draws(SeededEntropy(7)) != draws(SeededEntropy(8))


@pytest.mark.parametrize("entropy", [SeededEntropy(1), SystemEntropy()], ids=["seeded", "system"])
def test_uids_are_random_uuids_and_suffixes_hold_only_the_alphabet(entropy: Entropy) -> None:
    uids = {entropy.uid() for _ in range(1000)}
    assert len(uids) == 1000
    assert all(uuid.UUID(uid).version == 4 and str(uuid.UUID(uid)) == uid for uid in uids)
    suffix = entropy.name_suffix()
    assert len(suffix) == limits.NAME_SUFFIX_LENGTH
    assert set(suffix) <= set(NAME_ALPHABET)
    assert 0 <= entropy.random() < 1
    assert entropy.randrange(1) == 0


def test_two_systems_draw_differently() -> None:
    assert draws(SystemEntropy()) != draws(SystemEntropy())
