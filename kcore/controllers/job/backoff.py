"""When the next pod of a Job may be made: later and later the more pods failed in a row.

A record counts failures since the last success. It is kept in memory and read from the finished pods that are still there when a process
begins; what is lost with pods that are gone makes the next pod come sooner, not later.

Source: Kubernetes `pkg/controller/job/backoff_utils.go`. Differs from upstream: there a restart forgets the record altogether.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from kcore.base import limits
from kcore.controllers.job.pods import failures_of, finished_at, ignored_failures_of


class Record(NamedTuple):
    """Failures since the last success, and when the last of them was (unix seconds)."""

    failures: int = 0
    last_at: float = 0.0


def follow(record: Record, succeeded: Iterable[Any], failed: Iterable[Any]) -> Record:
    """Return a record after more pods have finished."""
    successes, failures = [finished_at(pod) for pod in succeeded], [finished_at(pod) for pod in failed]
    if successes:
        record = Record()
        failures = [time for time in failures if time > max(successes)]
    return Record(record.failures + len(failures), max(failures)) if failures else record


def wait_s(record: Record, now: float) -> float:
    """Return how long the next pod has to wait; 0.0 if it need not."""
    if not record.failures:
        return 0.0
    pause_s = min(limits.JOB_BACKOFF_S * float(1 << min(record.failures - 1, 30)), limits.JOB_BACKOFF_S_MAX)
    return max(0.0, record.last_at + pause_s - now)


def index_wait_s(failed: Any | None, now: float) -> float:
    """Return how long the next pod of an index has to wait, given its last failed one."""
    if failed is None:
        return 0.0
    return wait_s(Record(failures_of(failed) + ignored_failures_of(failed) + 1, finished_at(failed)), now)
