from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

@final
@dataclass
class Mutation:
    revision: int
    sub: int
    key: bytes
    value: bytes | None
    create_revision: int = 0
    version: int = 0
    lease: int = 0

@final
@dataclass
class Compare:
    key: bytes
    target: Literal["mod", "create", "version", "value", "lease"]
    result: Literal["=", "!=", "<", ">"]
    operand: int | bytes
    range_end: bytes = b""

@final
@dataclass
class Put:
    key: bytes
    value: bytes
    lease: int = 0

@final
@dataclass
class Delete:
    key: bytes
    range_end: bytes = b""

@final
@dataclass
class Range:
    key: bytes
    range_end: bytes = b""
    limit: int = 0

@final
@dataclass
class Txn:
    compares: Sequence[Compare] = ()
    success: Sequence[Put | Delete | Range] = ()
    failure: Sequence[Put | Delete | Range] = ()
