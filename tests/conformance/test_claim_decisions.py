"""What kube-scheduler 1.37.2 decides about claims, volumes and devices, against kcore: its own plugins were asked about random clusters.

Beside the decision, the devices are compared that each claim gets, and how they are to be set up. Mixed ones have volumes, devices, taints
and wishes about other pods.
"""

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from kcore.machinery import quantity
from kcore.scheduler.cycle import explain, schedule
from kcore.scheduler.evaluation import Evaluations
from kcore.scheduler.ingest import pod_row
from kcore.scheduler.reserving.plan import reserve_all
from kcore.scheduler.snapshot import snapshot
from kcore.testing.oracle import wire

RECORDINGS = Path(__file__).parent / "recordings"
COUNTS = {"devices": 287, "volumes": 276, "mixed": 158}
"""So many recordings there are."""

RECORDED_AT = 1_790_000_000.0
"""Between the times that recordings name, by which claims wait for devices too long, or not yet."""


def read(name: str) -> list[dict[str, Any]]:
    with lzma.open(RECORDINGS / f"{name}.jsonl.xz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


SCENARIOS = {scenario["id"]: scenario for name in COUNTS for scenario in read(name)}


def test_every_recording_is_there() -> None:
    assert len(SCENARIOS) == sum(COUNTS.values())


@pytest.mark.parametrize("scenario_id", SCENARIOS)
def test_the_decision_is_the_recorded_one(scenario_id: str) -> None:
    scenario = SCENARIOS[scenario_id]
    result, pod = scenario["result"], pod_row(wire(scenario["pod"]))
    others = ((each["kind"], wire(each)) for each in scenario["objects"])
    columns, preemptor = snapshot(map(wire, scenario["nodes"]), map(wire, scenario["pods"]), others)
    columns.devices.now = RECORDED_AT
    decision = schedule(pod, columns, Evaluations(), lambda _: 0, preemptor)
    assert decision.message == result["message"]
    assert list(decision.rejected_by) == result.get("plugins", [])
    explanation = explain(pod, columns)
    assert decision.failed or sorted(explanation.feasible) == result["feasible"]
    assert {plugin: row for plugin, row in explanation.scores.items() if any(row.values())} == result.get("scores", {})
    if "chosen" in result:
        assert result["chosen"] in explanation.best
        parts = reserve_all(pod, decision.needs, decision.device_needs, result["chosen"], columns)
        known = {each["metadata"]["name"] for each in scenario["objects"] if each["kind"] == "ResourceClaim"}
        given = {key.partition("/")[2]: value for part in parts for key, value in getattr(part, "allocations", {}).items()}
        allocations = {name: comparable(value) for name, value in given.items() if name in known}
        assert allocations == {name: comparable(value) for name, value in result.get("allocations", {}).items()}


def comparable(allocation: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is drawn by chance, and in which of several ways a quantity is written."""
    results = [dict(result) for result in allocation["devices"].get("results") or ()]
    for result in results:
        result.pop("shareID", None)
        amounts = result.get("consumedCapacity") or {}
        result["consumedCapacity"] = {name: quantity.parse(text).nano for name, text in amounts.items()}
    return {**allocation, "devices": {**allocation["devices"], "results": results}}
