"""From the wire to a dict: Kubernetes' JSON form of a message, in one pass over its bytes."""

from typing import Any

from kcore.machinery.codec._table import Table

def decode(table: Table, raw: bytes, api_version: str = "", kind: str = "") -> dict[str, Any]: ...
