"""What an authorizer says."""

from __future__ import annotations

from typing import Final, NamedTuple


class Decision(NamedTuple):
    """Whether something is allowed, and why; an authorizer that does not allow it leaves it to the next."""

    allowed: bool
    reason: str = ""


ALLOWED: Final = Decision(True)
NO_OPINION: Final = Decision(False)
