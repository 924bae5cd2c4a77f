from collections.abc import Hashable
from typing import Any, final

_Projection = tuple[str, str, dict[str, str], dict[str, str]]

NAME: int
FIELD: int
LABEL: int
NAMESPACE: int
ANY: int

@final
class FanoutIndex:
    def __len__(self) -> int: ...
    def add(self, watcher: Hashable, criterion: int, first: str, second: str) -> None: ...
    def remove(self, watcher: Hashable, criterion: int, first: str, second: str) -> None: ...
    @property
    def is_plain(self) -> bool: ...
    def interested(self, before: _Projection | None, after: _Projection | None) -> list[Any]: ...
