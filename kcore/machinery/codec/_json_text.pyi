"""From the wire to JSON text in one pass."""

from kcore.machinery.codec._table import Table

class Unusual(Exception): ...

def json_text(table: Table, raw: bytes, api_version: str = "", kind: str = "", after: bytes = b"") -> bytes: ...
