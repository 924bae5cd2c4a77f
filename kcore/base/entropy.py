"""Chance as an interface: uids, name suffixes and jitter come from here, so that one seed repeats a whole run.

Secrets (keys, tokens) do not: those who make them use ``secrets``.
"""

import random
import uuid
from typing import Protocol

from kcore.base import limits

NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Characters of generated names: no vowels and nothing that looks like one, so that no word comes out.

Source: apimachinery ``util/rand``."""


class Entropy(Protocol):
    """Draw what must differ from case to case."""

    def uid(self) -> str:
        """Return a new uid: the text of a random (version 4) UUID."""
        ...

    def name_suffix(self) -> str:
        """Return what ``generateName`` appends."""
        ...

    def random(self) -> float:
        """Return a number in [0, 1)."""
        ...

    def randrange(self, n: int) -> int:
        """Return a number in [0, n)."""
        ...


class SystemEntropy:
    """The operating system's randomness: for uids byte by byte, since clients take them for unique; else as the seed."""

    def __init__(self) -> None:
        self._random = random.Random()
        self.random = self._random.random
        self.randrange = self._random.randrange

    def uid(self) -> str:
        """Return a uid made of the kernel's random bytes."""
        return str(uuid.uuid4())

    def name_suffix(self) -> str:
        """Return a suffix."""
        return _name_suffix(self._random)


class SeededEntropy:
    """The same draws for the same seed; never for a cluster that others can reach, since its uids can be foretold."""

    def __init__(self, seed: int | str) -> None:
        self.seed = seed
        self._random = random.Random(seed)
        self.random = self._random.random
        self.randrange = self._random.randrange

    def uid(self) -> str:
        """Return a uid made of the next 128 bits."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def name_suffix(self) -> str:
        """Return the next suffix."""
        return _name_suffix(self._random)


def _name_suffix(source: random.Random) -> str:
    return "".join(source.choices(NAME_ALPHABET, k=limits.NAME_SUFFIX_LENGTH))
