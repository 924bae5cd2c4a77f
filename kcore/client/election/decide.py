"""Which of several equal processes leads: what to do next about the Lease, decided from what was seen of it.

A Lease says who holds it and since when; its holder renews it. Whoever sees the same record for a whole lease duration, by the clock of
its own (clocks of machines differ), may take it. A record that names oneself is taken at once: the identity belongs to whoever has the
part's file lock, so its former bearer is dead.

Guarantee: a leader stops leading after `renew_deadline_s` without a renewal, others start after `lease_duration_s` at the earliest; as the
first is shorter, two never lead at once while clocks run at the same speed.

Source: client-go `tools/leaderelection`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from kcore.base import limits


@dataclass(frozen=True, slots=True)
class ElectionConfig:
    """How long things take; each is longer than the next."""

    lease_duration_s: float = limits.LEASE_DURATION_S
    renew_deadline_s: float = limits.LEASE_RENEW_DEADLINE_S
    retry_period_s: float = limits.LEASE_RETRY_PERIOD_S

    def __post_init__(self) -> None:
        assert self.lease_duration_s > self.renew_deadline_s > self.retry_period_s * limits.LEASE_JITTER > 0


@dataclass(frozen=True, slots=True)
class Record:
    """What the Lease says; times in unix seconds. No holder means that it was given up."""

    holder: str
    duration_s: int
    acquired_at: float
    renewed_at: float
    transitions: int


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of the Lease.

    record           None: there is no Lease
    changed_at       when this process first saw the record as it is (monotonic)
    renewed_at       when this process last took or renewed it (monotonic); None: it does not lead
    """

    record: Record | None
    changed_at: float
    renewed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Create:
    """Create the Lease with this record."""

    record: Record


@dataclass(frozen=True, slots=True)
class Update:
    """Replace the record, if nobody else has."""

    record: Record


@dataclass(frozen=True, slots=True)
class Wait:
    """Somebody else leads; look again after this time."""

    seconds: float


@dataclass(frozen=True, slots=True)
class StepDown:
    """Stop leading: the Lease is somebody else's, or could not be renewed in time."""

    reason: str


Decision = Create | Update | Wait | StepDown


def decide(observed: Observed, now: float, wall_now: float, identity: str, config: ElectionConfig) -> Decision:
    """Decide what to do about the Lease.

    now       monotonic seconds, as in `observed`
    wall_now  unix seconds, for what the record says
    """
    if observed.renewed_at is not None:
        return _as_leader(observed, now, wall_now, identity, config)
    record = observed.record
    fresh = Record(identity, round(config.lease_duration_s), wall_now, wall_now, 0)
    if record is None:
        return Create(fresh)
    if record.holder == identity:
        return Update(replace(record, duration_s=fresh.duration_s, renewed_at=wall_now))
    left_s = observed.changed_at + max(record.duration_s, 1) - now
    if record.holder and left_s > 0:
        return Wait(min(left_s, config.retry_period_s))
    return Update(replace(fresh, transitions=record.transitions + 1))


def released(record: Record, wall_now: float) -> Record:
    """Return the record with which a leader gives the Lease up, so that others need not wait."""
    return replace(record, holder="", duration_s=1, acquired_at=wall_now, renewed_at=wall_now)


def _as_leader(observed: Observed, now: float, wall_now: float, identity: str, config: ElectionConfig) -> Decision:
    assert observed.renewed_at is not None
    record = observed.record
    if now - observed.renewed_at >= config.renew_deadline_s:
        return StepDown(f"the Lease could not be renewed for {config.renew_deadline_s:g} s")
    if record is None:
        return Create(Record(identity, round(config.lease_duration_s), wall_now, wall_now, 0))
    if record.holder != identity:
        return StepDown(f"the Lease is held by {record.holder or 'nobody'}")
    return Update(replace(record, duration_s=round(config.lease_duration_s), renewed_at=wall_now))
