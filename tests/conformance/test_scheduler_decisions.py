"""Decisions of kube-scheduler 1.37.2 on recorded clusters, against kcore's: all of them."""

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from kcore.testing.oracle import decide
from tests.conformance.check_scheduler import compare

RECORDINGS = Path(__file__).parent / "recordings" / "scheduler.jsonl.xz"

COUNT = 682
"""So many recordings there are."""


def read(path: Path) -> list[dict[str, Any]]:
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


SCENARIOS = {scenario["id"]: scenario for scenario in read(RECORDINGS)}


def test_every_recording_is_there() -> None:
    assert len(SCENARIOS) == COUNT


@pytest.mark.parametrize("scenario_id", SCENARIOS)
def test_the_decision_is_the_recorded_one(scenario_id: str) -> None:
    scenario = SCENARIOS[scenario_id]
    answer = decide({key: value for key, value in scenario.items() if key != "result"})
    if scenario["result"]["attempted"]:
        assert set(answer) >= {"feasible", "scores", "total", "chosen", "nominated", "victims", "reasons", "message"}
        assert answer["unschedulablePlugins"] == sorted(scenario["result"].get("unschedulablePlugins") or ())
    assert {check: difference for check, difference in compare(scenario, answer).items() if difference} == {}
