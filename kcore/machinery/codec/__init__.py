"""Objects between wire (protobuf bytes), dict (Kubernetes JSON form) and the envelope in which bytes are stored and sent.

Guarantees
- `decode(encode(obj)) == normalise(obj)`, and `encode(decode(raw)) == raw` for bytes that Kubernetes' encoder wrote.
- Malformed bytes raise DecodeError and are never read beyond their end; nesting is bounded. Unknown fields in bytes are dropped.
- `json_text(raw) == orjson.dumps(decode(raw))`, but for embedded JSON, which keeps the blanks it was stored with.
- A dict of the wrong shape raises DecodeError with the sentence of Kubernetes' decoder; unknown and doubled fields are reported by path.
- A sub-message never occurs twice in what is written, spliced bytes included.

A message is named in full (`kcore.api.core.v1.Pod`) or by its table. Tables come from the descriptors, each built when it is first used.
The compiled modules are the only implementation; this package is the door to them. Any thread may call it. It must never know a kind.
Source: apimachinery `pkg/runtime/serializer/protobuf` and `pkg/runtime/serializer/json`.
"""

from kcore.machinery.codec._envelope import envelope, only, open_envelope, splice_resource_version, watch_event
from kcore.machinery.codec._lazy import LazyObject
from kcore.machinery.codec._table import DecodeError, Table
from kcore.machinery.codec.edits import Splice, numbers, status_part
from kcore.machinery.codec.forms import MAGIC, decode, decode_object, encode, encode_object, json_text, lazy, normalise, splice
from kcore.machinery.codec.strict import duplicates as strict_duplicates
from kcore.machinery.codec.strict import in_order as strict_in_order
from kcore.machinery.codec.tables import table

__all__ = [
    "MAGIC", "DecodeError", "LazyObject", "Splice", "Table", "decode", "decode_object", "encode", "encode_object", "envelope", "json_text",
    "lazy", "normalise", "numbers", "only", "open_envelope", "splice", "splice_resource_version", "status_part", "strict_duplicates",
    "strict_in_order", "table", "watch_event",
]  # fmt: skip
