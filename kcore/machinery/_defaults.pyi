"""Values put where a dict has none: the defaults that options state, for a whole object in one pass."""

from typing import Any, Self, final

@final
class Step:
    def __new__(cls, name: str, default: Any, zero_too: bool, shape: int, made: bool, plan: Plan | None) -> Self: ...

@final
class Plan:
    def fill(self, steps: tuple[Step, ...]) -> None: ...
    def apply(self, obj: dict[str, Any]) -> None: ...
