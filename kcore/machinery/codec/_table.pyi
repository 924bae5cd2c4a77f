"""Tables that drive the codec: one for each message, built from its descriptor when it is first used."""

from collections.abc import Callable
from typing import Any, Self, final

class DecodeError(ValueError): ...

@final
class Table:
    name: str
    specs: tuple[tuple[Any, ...], ...]
    is_root: bool
    api_version: str
    kind: str
    def __new__(cls, name: str, resolve: Callable[[str], tuple[Any, ...]]) -> Self: ...
    def describe(self) -> tuple[tuple[Any, ...], ...]: ...
    def slot_names(self) -> frozenset[str]: ...
    def wrapped(self, value: Any) -> dict[str, Any]: ...
