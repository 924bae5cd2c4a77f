"""From a dict to the wire, byte for byte as Kubernetes' encoder writes it."""

from typing import Any

from kcore.machinery.codec._table import Table

def encode(table: Table, obj: dict[str, Any]) -> bytes: ...
def encode_field(table: Table, name: str, value: Any) -> bytes: ...
