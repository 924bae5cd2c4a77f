"""What is told of replays: of each, and of each policy over its seeds, as values that JSON can say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from kcore.simulate.trace.replay import NAMESPACE, Replay
from kcore.simulate.trace.workload import GPU, Workload

Report = dict[str, Any]

PERCENTILES: Final = (50, 90, 99)
REASONS_SHOWN: Final = 10
"""Reasons for which pods are left without a node that are told, the commonest ones."""


def result(replay: Replay, workload: Workload, load: Mapping[str, Mapping[str, float]]) -> Report:
    """Return the figures of one replay.

    placed    how many pods got a node, at_once of them without waiting; left: those that never did, waiting_at_end when the last one came
    wait_s    of those that got a node
    mean      over the samples: the part of each resource that was asked for, the part of free devices that was wasted
    """
    came = set(replay.waited) & {f"{NAMESPACE}/{name}" for name in workload.names}
    waits = np.array([replay.waited[key] for key in came])
    series = _series(replay)
    return {
        "pods": len(workload),
        "rounds": workload.rounds,
        "window_s": workload.span_s,
        "load": load,
        "placed": len(came),
        "at_once": int((waits == 0).sum()),
        "waiting_at_end": replay.waiting_at_end,
        "left": len(workload) - len(came),
        "preempted": replay.preempted,
        "wait_s": _waits(waits),
        "mean": {name: _mean(values) for name, values in series.items() if name not in ("at_s", "waiting", "running")},
        "reasons": dict(Counter(replay.left.values()).most_common(REASONS_SHOWN)),
        "series": series,
    }


def compared(runs: Sequence[Report]) -> list[Report]:
    """Return the mean over seeds of each policy, and how far seeds are from it at most."""
    found = []
    for policy in dict.fromkeys(run["policy"] for run in runs):
        own = [_figures(run) for run in runs if run["policy"] == policy]
        known = {name: np.array([value for each in own if (value := each[name]) is not None]) for name in own[0]}
        means = {name: float(values.mean()) if len(values) else None for name, values in known.items()}
        spread = {name: float(abs(values - values.mean()).max()) if len(values) else None for name, values in known.items()}
        found.append({"policy": policy, "seeds": len(own), "mean": means, "spread": spread})
    return found


def _figures(run: Report) -> dict[str, float | None]:
    """Return what of a replay is compared, flat."""
    pods = max(run["pods"], 1)
    parts = {name: run[name] / pods for name in ("placed", "at_once", "waiting_at_end", "left")}
    waits = {f"wait_{name}_s": value for name, value in run["wait_s"].items()}
    return {**parts, **waits, **run["mean"]}


def _waits(waits: Any) -> dict[str, float | None]:
    if not len(waits):
        return dict.fromkeys(("mean", *(f"p{each}" for each in PERCENTILES), "max"))
    found = {f"p{each}": float(np.percentile(waits, each)) for each in PERCENTILES}
    return {"mean": float(waits.mean()), **found, "max": float(waits.max())}


def _series(replay: Replay) -> dict[str, list[Any]]:
    """Return the samples by what they tell; fragmentation: the part of free devices that is wasted, None where none is free."""
    samples = replay.samples
    used = {name: [round(each.used[name], 6) for each in samples] for name in (samples[0].used if samples else ())}
    found: dict[str, list[Any]] = {"at_s": [each.at_s for each in samples], **used}
    if GPU in used:
        found["fragmentation"] = [round(each.wasted / each.free, 6) if each.free else None for each in samples]
    return {**found, "waiting": [each.waiting for each in samples], "running": [each.running for each in samples]}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [each for each in values if each is not None]
    return round(sum(known) / len(known), 6) if known else None
