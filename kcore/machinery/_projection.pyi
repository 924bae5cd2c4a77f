"""Chosen fields of a message, read from its bytes into a tuple."""

from typing import Any, final

from kcore.machinery.codec._table import Table

@final
class Node:
    def __init__(self, table: Table, children: tuple[Child, ...]) -> None: ...

@final
class Child:
    field: int
    def __init__(
        self, field: int, take: int, slot: int, node: Node | None, slots: tuple[int, ...] | None, zeros: tuple[Any, ...] | None, also: Child | None
    ) -> None: ...

def project(root: Node, zeros: tuple[Any, ...], raw: bytes) -> tuple[Any, ...]: ...
