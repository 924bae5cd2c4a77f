from typing import TypeVar

_Event = TypeVar("_Event", bound=tuple[str, bytes, str, int])

def split_watch(response: bytes, event_class: type[_Event]) -> list[_Event]: ...
