from typing import final

from typing_extensions import disjoint_base

from kcore.store._index import KeyIndex
from kcore.store._values import Mutation, Put, Txn
from kcore.store.group import Group
from kcore.store.storage import RangeResult, StoreError

@disjoint_base
class Pending:
    records: list[Mutation]
    starts: list[int]
    first_chunk: int
    size: int
    def __init__(self, first_chunk: int, chunk_bytes_max: int) -> None: ...
    def write(self, index: KeyIndex, put: Put, revision: int, sub: int) -> int: ...
    def erase(self, index: KeyIndex, key: bytes, revision: int, sub: int) -> int: ...
    def cut(self, count: int) -> list[Mutation]: ...

@final
class EvaluatedTxn:
    succeeded: bool
    revision: int
    responses: list[int | RangeResult]
    group: Group | None
    def __init__(self, succeeded: bool, revision: int, responses: list[int | RangeResult], group: Group | None) -> None: ...
    async def durable(self) -> None: ...

@disjoint_base
class Head:
    index: KeyIndex
    open: Group
    head_revision: int
    room_bytes: int
    failure: StoreError | None
    flush_planned: bool
    def submit(self, txn: Txn) -> EvaluatedTxn: ...
