"""Leads while it holds a coordination/v1 Lease: the acting half of ``decide``.

    elector = LeaderElector(client, "kube-system", "kube-scheduler", identity)
    await elector.run(schedule)         # waits for the Lease, then runs `schedule` as long as it is held

When the Lease is lost, `schedule` is cancelled and `run` returns: the process ends or starts over, since what it knew as leader is stale.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from math import inf
from typing import Any

from kcore.api.coordination.v1.lease_pb2 import Lease
from kcore.api.meta.v1 import meta_pb2
from kcore.base import limits, log, metrics
from kcore.client.client import Client
from kcore.client.election import decide as election
from kcore.client.election.decide import Create, ElectionConfig, Observed, Record, StepDown, Update, Wait
from kcore.machinery.status import StatusError

_LOG = log.get("client.leader")
_DEFAULT = ElectionConfig()


class LeaderElector:
    """One candidate for one Lease. Time and chance are the client's."""

    def __init__(
        self,
        client: Client,
        namespace: str,
        name: str,
        identity: str,
        config: ElectionConfig = _DEFAULT,
        on_leading: Callable[[bool], None] | None = None,
    ) -> None:
        """Be a candidate.

        on_leading  is told when leading begins and ends
        """
        self.identity = identity
        self.is_leading = False
        self._client = client
        self._calls = client.of(Lease)
        self._namespace, self._name, self._config = namespace, name, config
        self._on_leading = on_leading
        self._observed = Observed(None, client.clock.monotonic())
        self._lease: Lease | None = None

    @property
    def holder(self) -> str:
        """Who led when it last looked; empty if nobody did."""
        return self._observed.record.holder if self._observed.record else ""

    async def run(self, lead: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Wait for the Lease, lead, and return when leading has ended: the Lease was lost, or `lead` returned.

        The Lease is given up if `lead` returns, or this is cancelled. What `lead` raises is raised here.
        """
        await self._acquire()
        leading = asyncio.create_task(lead(), name=f"lead-{self._name}")
        renewing = asyncio.create_task(self._renew(), name=f"renew-{self._name}")
        self._set_leading(True)
        try:
            await asyncio.wait({leading, renewing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            is_lost = renewing.done()
            for task in (leading, renewing):
                task.cancel()
            await asyncio.gather(leading, renewing, return_exceptions=True)
            self._set_leading(False)
            if not is_lost:
                await self._release()
        for task in (leading, renewing):
            if not task.cancelled():
                task.result()

    async def _acquire(self) -> None:
        while True:
            decision = await self._step()
            if self._observed.renewed_at is not None:
                return
            period_s = decision.seconds if isinstance(decision, Wait) else self._config.retry_period_s
            await self._client.clock.sleep(period_s * (1.0 + (limits.LEASE_JITTER - 1.0) * self._client.entropy.random()))

    async def _renew(self) -> None:
        while True:
            await self._client.clock.sleep(min(self._config.retry_period_s, self._time_left_s()))
            decision = await self._step()
            if isinstance(decision, StepDown):
                _LOG.warning("leading ends", lease=self._name, identity=self.identity, reason=decision.reason)
                self._observed = replace(self._observed, renewed_at=None)
                return

    async def _step(self) -> election.Decision:
        """Look at the Lease, decide, act. A server that does not answer holds up neither the next look nor the end of leading."""
        try:
            async with asyncio.timeout(min(self._config.retry_period_s * 2, self._time_left_s())):
                await self._observe()
                decision = self._decide()
                await self._act(decision)
                return decision
        except StatusError as error:
            if error.reason not in ("Conflict", "AlreadyExists"):
                _LOG.warning("lease failed", lease=self._name, reason=error.reason, message=error.message)
        except TimeoutError:
            _LOG.warning("lease timed out", lease=self._name)
        decision = self._decide()
        return decision if isinstance(decision, StepDown) else Wait(self._config.retry_period_s)

    def _time_left_s(self) -> float:
        """Return how long a leader may go on without a renewal; without end for others."""
        renewed_at = self._observed.renewed_at
        if renewed_at is None:
            return inf
        return max(0.0, renewed_at + self._config.renew_deadline_s - self._client.clock.monotonic())

    def _decide(self) -> election.Decision:
        clock = self._client.clock
        return election.decide(self._observed, clock.monotonic(), clock.now(), self.identity, self._config)

    async def _observe(self) -> None:
        try:
            self._take(await self._calls.get(self._name, namespace=self._namespace))
        except StatusError as error:
            if error.reason != "NotFound":
                raise
            self._take(None)

    def _take(self, lease: Lease | None) -> None:
        record = record_of(lease) if lease is not None else None
        if record != self._observed.record:
            self._observed = replace(self._observed, record=record, changed_at=self._client.clock.monotonic())
        self._lease = lease

    async def _act(self, decision: election.Decision) -> None:
        if isinstance(decision, Create | Update):
            started_at = self._client.clock.monotonic()
            self._take(await self._write(decision.record))
            self._observed = replace(self._observed, renewed_at=started_at)

    async def _write(self, record: Record) -> Lease:
        lease = Lease()
        if self._lease is not None:
            lease.CopyFrom(self._lease)
        else:
            lease.metadata.name, lease.metadata.namespace = self._name, self._namespace
        write_record(lease, record)
        write: Callable[[Lease], Awaitable[Lease]] = self._calls.create if self._lease is None else self._calls.update
        return await write(lease)

    async def _release(self) -> None:
        """Give the Lease up if it is still ours; failing is no harm, it runs out."""
        record = self._observed.record
        if record is None or record.holder != self.identity:
            return
        try:
            async with asyncio.timeout(self._config.retry_period_s):
                self._take(await self._write(election.released(record, self._client.clock.now())))
        except (StatusError, TimeoutError) as error:
            _LOG.info("lease was not given up", lease=self._name, message=str(error))
        self._observed = replace(self._observed, renewed_at=None)

    def _set_leading(self, leading: bool) -> None:
        self.is_leading = leading
        metrics.LEADER_ELECTION_STATUS.set(float(leading), self._name)
        _LOG.info("leading" if leading else "not leading", lease=self._name, identity=self.identity)
        if self._on_leading is not None:
            self._on_leading(leading)


def record_of(lease: Lease) -> Record:
    """Read what a Lease says."""
    spec = lease.spec
    return Record(
        spec.holderIdentity, spec.leaseDurationSeconds, _seconds(spec.acquireTime), _seconds(spec.renewTime), spec.leaseTransitions
    )


def write_record(lease: Lease, record: Record) -> None:
    """Write a record into a Lease."""
    spec = lease.spec
    spec.holderIdentity = record.holder
    spec.leaseDurationSeconds = record.duration_s
    spec.acquireTime.CopyFrom(_micro_time(record.acquired_at))
    spec.renewTime.CopyFrom(_micro_time(record.renewed_at))
    spec.leaseTransitions = record.transitions


def _seconds(time: meta_pb2.MicroTime) -> float:
    return time.seconds + time.nanos / 1e9


def _micro_time(seconds: float) -> meta_pb2.MicroTime:
    micros = round(seconds * 1e6)
    return meta_pb2.MicroTime(seconds=micros // 1_000_000, nanos=micros % 1_000_000 * 1000)
