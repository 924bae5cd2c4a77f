"""Chosen fields of a message, read from its bytes into a tuple."""

from typing import Any, Self, final

from kcore.machinery.codec._table import Table

@final
class Node:
    def __new__(cls, table: Table, children: tuple[Child, ...]) -> Self: ...

@final
class Child:
    field: int
    def __new__(
        cls, field: int, take: int, slot: int, node: Node | None, slots: tuple[int, ...] | None, zeros: tuple[Any, ...] | None, also: Child | None
    ) -> Self: ...

def project(root: Node, zeros: tuple[Any, ...], raw: bytes) -> tuple[Any, ...]: ...
