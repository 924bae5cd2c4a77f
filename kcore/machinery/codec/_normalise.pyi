"""A dict from a request into the form that decoding its wire form would give, in place."""

from typing import Any

from kcore.machinery.codec._table import Table

def normalise(table: Table, obj: dict[str, Any], unknown: list[str] | None = None) -> None: ...
