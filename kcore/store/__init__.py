"""The store: a durable key-value store with one revision for all keys, which tells of every change at once.

Guarantees
- An acknowledged write survives the death of the process and of the machine's power.
- Revisions grow by one with every writing transaction; all its writes share it.
- A read at a revision sees just what was there, for as long as it is not compacted.
- Subscribers see every mutation once, in order, and only what is durable.

Thread: everything belongs to the event loop's thread; one more thread writes. It must never know what the bytes mean.
"""

from kcore.store.engine import Engine
from kcore.store.storage import Compare, Delete, KeyValue, Mutation, Put, Range, RangeResult, Storage, StoreError, Submission, Txn

__all__ = [
    "Compare",
    "Delete",
    "Engine",
    "KeyValue",
    "Mutation",
    "Put",
    "Range",
    "RangeResult",
    "Storage",
    "StoreError",
    "Submission",
    "Txn",
]
