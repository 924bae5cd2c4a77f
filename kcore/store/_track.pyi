from typing import Self, final

@final
class Track:
    def __new__(cls, key: bytes) -> Self: ...

@final
class Order: ...

@final
class Walk:
    def __new__(cls, order: Order, start: bytes, end: bytes) -> Self: ...
