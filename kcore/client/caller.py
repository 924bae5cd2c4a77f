"""What all calls of a client share: its transport, its retries, and the options that writes carry."""

from __future__ import annotations

from kcore.api.meta.v1 import meta_pb2
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.client import retry
from kcore.client.transport import Transport


class Caller:
    """Carries calls out, again where that is safe (``kcore.client.retry``)."""

    def __init__(self, transport: Transport, clock: Clock, entropy: Entropy, field_manager: str) -> None:
        self.transport = transport
        self.clock = clock
        self.entropy = entropy
        self.field_manager = field_manager

    async def read(self, method: str, request: bytes) -> bytes:
        """Make a call that changes nothing."""
        return await retry.call(lambda: self.transport.unary(method, request), retry.READS, self.clock, self.entropy)

    async def write(self, method: str, request: bytes) -> bytes:
        """Make a call that changes something."""
        return await retry.call(lambda: self.transport.unary(method, request), retry.WRITES, self.clock, self.entropy)

    async def once(self, method: str, request: bytes) -> bytes:
        """Make a call whose failure is an answer."""
        return await self.transport.unary(method, request)

    def write_options(self, dry_run: bool = False, field_manager: str = "") -> meta_pb2.WriteOptions | None:
        """Return the options of a write; None if there are none."""
        manager = field_manager or self.field_manager
        if not dry_run and not manager:
            return None
        return meta_pb2.WriteOptions(dry_run=["All"] if dry_run else [], field_manager=manager or None)

    def write_options_bytes(self, dry_run: bool = False, field_manager: str = "") -> bytes:
        """Return the options of a write as bytes; empty if there are none."""
        options = self.write_options(dry_run, field_manager)
        return options.SerializeToString() if options else b""
