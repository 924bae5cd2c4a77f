"""Decisions of kube-scheduler 1.37.2 on recorded clusters, against kcore's.

A recording is taken if all features that its generator put in are decided by the plugins that there are. `python3 -m
tests.conformance.test_scheduler_decisions RECORDINGS` writes the recordings taken and prints how many they are.
"""

import json
import lzma
import sys
from pathlib import Path
from typing import Any

import pytest

from kcore.testing.oracle import decide
from tests.conformance.check_scheduler import compare

RECORDINGS = Path(__file__).parent / "recordings" / "scheduler.jsonl.xz"

UNDECIDED = set(
    """
    csi-limits csi-storage-capacity dra-first-available dynamic-resources ephemeral-volume inline-volume-conflict pv-node-affinity
    pv-zone-labels rwop unbound-immediate wffc-dynamic wffc-static wffc-static-two
    """.split()  # noqa: SIM905
)
"""Features of recordings that are not here: those of volumes and devices."""

COUNT = 582
"""So many recordings have none of these."""


def read(path: Path) -> list[dict[str, Any]]:
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


SCENARIOS = {scenario["id"]: scenario for scenario in read(RECORDINGS)}


def test_every_recording_without_these_features_is_there() -> None:
    assert len(SCENARIOS) == COUNT
    assert not {feature for scenario in SCENARIOS.values() for feature in scenario["features"]} & UNDECIDED


@pytest.mark.parametrize("scenario_id", SCENARIOS)
def test_the_decision_is_the_recorded_one(scenario_id: str) -> None:
    scenario = SCENARIOS[scenario_id]
    answer = decide({key: value for key, value in scenario.items() if key != "result"})
    if scenario["result"]["attempted"]:
        assert set(answer) >= {"feasible", "scores", "total", "chosen", "nominated", "victims", "reasons", "message"}
        assert answer["unschedulablePlugins"] == sorted(scenario["result"].get("unschedulablePlugins") or ())
    assert {check: difference for check, difference in compare(scenario, answer).items() if difference} == {}


def take(recordings: Path) -> None:
    """Write the recordings without these features."""
    taken = [scenario for scenario in read(recordings) if not set(scenario["features"]) & UNDECIDED]
    with lzma.open(RECORDINGS, "wt", preset=9, encoding="utf-8") as file:
        file.writelines(json.dumps(scenario, separators=(",", ":")) + "\n" for scenario in taken)
    print(len(taken))


if __name__ == "__main__":
    take(Path(sys.argv[1]))
