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
    combined default-spread-rc default-spread-replicaset default-spread-service default-spread-statefulset ephemeral-storage
    existing-affinity-required existing-anti-affinity-required existing-preferred extended-resources finished-pods host-ports image-locality
    init-containers large never-fits node-affinity-match-fields node-affinity-preferred node-affinity-required node-not-ready node-selector
    other-scheduler overcommitted overhead pod-affinity-match-label-keys pod-affinity-mixed-preferred pod-affinity-namespaces
    pod-affinity-preferred pod-affinity-required pod-affinity-self pod-anti-affinity-preferred pod-anti-affinity-required pod-level-resources
    pods-limit pods-on-missing-node prefer-no-schedule preemption-never resize-status resources scheduling-gates sidecars
    spread-empty-selector spread-hard spread-match-label-keys spread-min-domains spread-multi spread-policies spread-soft taints
    terminating-pods tolerations unschedulable-node zero-requests
    """.split()  # noqa: SIM905
)
"""What the plugins of this version decide. A feature is left out if any of its recordings needs another plugin (nominated-pods: nominations
come with preemption)."""

IDS = """
    e0000 e0001 e0002 e0003 e0004 e0005 e0006 e0007 e0008 e0009 e0010 e0011 r0000 r0001 r0002 r0003 r0011 r0012 r0013 r0015 r0016 r0017
    r0019 r0020 r0021 r0022 r0023 r0024 r0027 r0028 r0029 r0030 r0032 r0033 r0034 r0035 r0036 r0037 r0038 r0039 r0041 r0042 r0044 r0045
    r0046 r0047 r0048 r0049 r0051 r0052 r0053 s0000 s0001 s0002 s0003 s0004 s0005 s0006 s0007 s0008 s0009 s0010 s0011 s0012 s0013 s0014
    s0015 s0016 s0017 s0018 s0019 s0020 s0021 s0022 s0023 s0024 s0025 s0026 s0027 s0028 s0029 s0030 s0031 s0032 s0033 s0034 s0035 s0036
    s0037 s0038 s0039 s0040 s0041 s0053 s0059 s0060 s0062 s0063 s0064 s0065 s0069 s0070 s0071 s0072 s0073 s0074 s0075 s0076 s0077 s0078
    s0079 s0080 s0081 s0082 s0083 s0084 s0085 s0086 s0087 s0088 s0089 s0090 s0091 s0092 s0093 s0094 s0095 s0096 s0097 s0098 s0099 s0100
    s0101 s0102 s0103 s0104 s0105 s0106 s0107 s0108 s0109 s0110 s0122 s0128 s0129 s0131 s0132 s0133 s0134 s0138 s0139 s0140 s0141 s0142
    s0143 s0144 s0145 s0146 s0147 s0148 s0149 s0150 s0151 s0152 s0153 s0154 s0155 s0156 s0157 s0158 s0159 s0160 s0161 s0162 s0163 s0164
    s0165 s0166 s0167 s0168 s0169 s0170 s0171 s0172 s0173 s0174 s0175 s0176 s0177 s0178 s0195 s0196 s0197 s0198 s0202 s0203 s0204 s0205
    s0206 s0207 s0208 s0209 s0210 s0211 s0212 s0213 s0214 s0215 s0216 s0217 s0218 s0219 s0220 s0221 s0222 s0223 s0224 s0225 s0226 s0227
    s0228 s0229 s0230 s0231 s0232 s0233 s0234 s0235 s0236 s0237 s0238 s0239 s0240 s0241 s0242 s0259 s0260 s0261 s0262 s0266 s0267 s0268
    s0269 s0270 s0271 s0272 s0273 s0274 s0275 s0276 s0277 s0278 s0279 s0280 s0281 s0282 s0283 s0284 s0285 s0286 s0287 s0288 s0289 s0290
    s0291 s0292 s0293 s0294 s0295 s0296 s0297 s0298 s0299 s0300 s0301 s0302 s0303 s0304 s0305 s0306 s0323 s0324 s0325 s0326 s0330 s0331
    s0332 s0333 s0334 s0335 s0336 s0337 s0338 s0339 s0340 s0341 s0342 s0343 s0344 s0345 s0346 s0347 s0348 s0349 s0350 s0351 s0352 s0353
    s0354 s0355 s0356 s0357 s0358 s0359 s0360 s0361 s0362 s0363 s0364 s0365 s0366 s0367 s0368 s0369 s0370 s0387 s0388 s0389 s0390 s0394
    s0395 s0396 s0397 s0398 s0399 s0400 s0401 s0402 s0403 s0404 s0405 s0406 s0407 s0408 s0409 s0410 s0411 s0413 s0414 s0415 s0416 s0417
    s0418 s0419 s0420 s0421 s0423 s0424 s0425 s0426 s0427 s0428 s0429 s0430 s0431 s0432 s0433 s0434 s0435 s0436 s0438 s0439 s0440 s0441
    s0442 s0443 s0444 s0445 s0446 s0447 s0449 s0450 s0451 s0452 s0453 s0454 s0455 s0456 s0457 s0458 s0460 s0461 s0462 s0463 s0464 s0465
    s0466 s0467 s0468 s0469 s0470 s0471 s0472 s0473 s0474 s0475 s0476 s0477 s0478 s0479 s0480 s0481 s0482 s0483 s0484 s0485 s0486 s0487
    s0488 s0489 s0490 s0491 s0492 s0493 s0494 s0495 s0496 s0497 s0498 s0499 s0500 s0503 s0504 s0505 s0506 s0507 s0508 s0509 s0510 s0512
    s0513 s0514 s0515 s0516 s0517 s0518 s0519 s0520 s0521 s0522 s0523 s0524 s0525 s0526 s0527 s0528 x0056 x0057 x0058 x0059 x0060 x0061
    x0062 x0063 x0064 x0065 x0066 x0067 x0068 x0069 x0070 x0071 x0072 x0073 x0074 x0075 x0076 x0077 x0078 x0079 x0080 x0081 x0082 x0083
    x0084 x0085 x0086 x0087
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
