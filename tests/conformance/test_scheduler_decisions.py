"""Decisions of kube-scheduler 1.37.2 on recorded clusters, against kcore's.

A recording is taken if all features that its generator put in are decided by the plugins that there are. `python3 -m
tests.conformance.test_scheduler_decisions RECORDINGS` writes the recordings taken and prints their ids.
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

FEATURES = set(
    """
    combined ephemeral-storage extended-resources finished-pods host-ports image-locality init-containers large
    node-affinity-match-fields node-affinity-preferred node-affinity-required node-not-ready node-selector other-scheduler
    overcommitted overhead pod-level-resources pods-limit prefer-no-schedule preemption-never resize-status resources
    scheduling-gates sidecars taints terminating-pods tolerations unschedulable-node zero-requests
    """.split()  # noqa: SIM905
)
"""What the plugins of this version decide. A feature is left out if any of its recordings needs another plugin: never-fits (required pod
affinity), pods-on-missing-node (pod affinity and spread), nominated-pods (nominations come with preemption)."""

IDS = """
    s0000 s0001 s0002 s0003 s0004 s0005 s0006 s0007 s0008 s0009 s0010 s0011 s0012 s0013 s0014 s0015 s0016 s0017 s0018 s0036 s0041 s0053
    s0059 s0060 s0062 s0063 s0065 s0069 s0070 s0071 s0072 s0073 s0074 s0075 s0076 s0077 s0078 s0079 s0080 s0081 s0082 s0083 s0084 s0085
    s0086 s0087 s0105 s0110 s0122 s0128 s0129 s0131 s0132 s0134 s0138 s0139 s0140 s0141 s0142 s0143 s0144 s0145 s0146 s0147 s0148 s0149
    s0150 s0151 s0152 s0153 s0154 s0155 s0173 s0178 s0195 s0196 s0198 s0202 s0203 s0204 s0205 s0206 s0207 s0208 s0209 s0210 s0211 s0212
    s0213 s0214 s0215 s0216 s0217 s0218 s0219 s0237 s0242 s0259 s0260 s0262 s0266 s0267 s0268 s0269 s0270 s0271 s0272 s0273 s0274 s0275
    s0276 s0277 s0278 s0279 s0280 s0281 s0282 s0283 s0301 s0306 s0323 s0324 s0326 s0330 s0331 s0332 s0333 s0334 s0335 s0336 s0337 s0338
    s0339 s0340 s0341 s0342 s0343 s0344 s0345 s0346 s0347 s0365 s0370 s0387 s0388 s0390 s0398 s0403 s0404 s0424 s0428 s0438 s0442 s0446
    s0458 s0466 s0476 s0480 s0481 s0482 s0495 s0498 s0505 s0509 s0513 s0516 s0518 s0523 s0527 x0056 x0057 x0058 x0059 x0060 x0061 x0062
    x0079 x0080 x0081 x0082 x0083
""".split()  # noqa: SIM905
"""The recordings that are taken."""


def read(path: Path) -> list[dict[str, Any]]:
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


SCENARIOS = {scenario["id"]: scenario for scenario in read(RECORDINGS)}


def test_every_recording_that_needs_only_these_features_is_there() -> None:
    assert list(SCENARIOS) == IDS
    assert {feature for scenario in SCENARIOS.values() for feature in scenario["features"]} == FEATURES


@pytest.mark.parametrize("scenario_id", IDS)
def test_the_decision_is_the_recorded_one(scenario_id: str) -> None:
    scenario = SCENARIOS[scenario_id]
    answer = decide({key: value for key, value in scenario.items() if key != "result"})
    if scenario["result"]["attempted"]:
        assert set(answer) >= {"feasible", "scores", "total", "chosen", "reasons", "message"}
        wanted, found = scenario["result"]["message"] or "", answer["message"]
        assert found in (wanted, wanted.partition(" preemption:")[0])
        answer.pop("message")
    assert {check: difference for check, difference in compare(scenario, answer).items() if difference} == {}


def test_most_messages_have_the_preemption_part_too() -> None:
    waiting = [scenario for scenario in SCENARIOS.values() if scenario["result"]["attempted"] and scenario["result"]["bound"] is None]
    equal = [scenario for scenario in waiting if decide(scenario)["message"] == scenario["result"]["message"]]
    assert len(equal) == len(waiting) > 0


def take(recordings: Path) -> None:
    """Write the recordings that need only these features."""
    taken = [scenario for scenario in read(recordings) if set(scenario["features"]) <= FEATURES]
    with lzma.open(RECORDINGS, "wt", preset=9, encoding="utf-8") as file:
        file.writelines(json.dumps(scenario, separators=(",", ":")) + "\n" for scenario in taken)
    print(*(scenario["id"] for scenario in taken))


if __name__ == "__main__":
    take(Path(sys.argv[1]))
