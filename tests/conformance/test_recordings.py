"""Answers of Kubernetes 1.37.2 that the pipeline must give, for the kinds with rules of their own.

Defaulting, validation, deletion, lists, merge patches, addresses of Services, subresources. Of the last five areas the recordings hold only
scenarios that need nothing which comes with the REST front-end (other forms of an answer, other patches, tokens, logs).
The pass rate of each kind is printed, and may only rise: FLOORS are what was reached, in percent.
"""

from __future__ import annotations

import asyncio
import json
import lzma
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kcore.apiserver.server import ApiServer
from kcore.base.clock import SystemClock
from kcore.base.entropy import SystemEntropy
from kcore.machinery import scheme
from kcore.store import Engine
from tests.conformance.pipeline_server import PipelineServer
from tests.conformance.replay import Run

RECORDINGS = Path(__file__).parent / "recordings"
RESOURCES = frozenset((
    "namespaces", "nodes", "pods", "podtemplates", "bindings", "services", "endpoints", "endpointslices", "configmaps", "secrets",
    "serviceaccounts", "events", "replicationcontrollers", "replicasets", "deployments", "statefulsets", "daemonsets", "jobs",
    "controllerrevisions", "leases", "priorityclasses", "poddisruptionbudgets",
))  # fmt: skip
FLOORS = {"defaults": 100, "validation": 92, "delete": 100, "list": 98, "patch": 92, "services": 97, "subresources": 93}
RESOURCE = re.compile(r"^/apis?/(?:[^/]+/)?v[^/]+/(?:namespaces/[^/]+/)?([a-z]+)")


def resource_of(path: str) -> str:
    """The resource that a path is about; '' for one that is served in its other version only."""
    found = RESOURCE.match(path)
    return found[1] if found and not path.startswith("/apis/events.k8s.io") else ""


def scenarios(area: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(resource, scenario) of an area, where all steps are about the kinds that this test knows."""
    with lzma.open(RECORDINGS / f"{area}.jsonl.xz", "rt") as file:
        for line in file:
            scenario = json.loads(line)
            touched = {resource_of(step["path"]) for step in scenario["steps"] if "path" in step}
            if touched and touched <= RESOURCES:
                yield min(touched, key=lambda name: name == "namespaces"), scenario


@pytest.mark.parametrize("area", sorted(FLOORS))
def test_answers_are_those_of_kubernetes(area: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loop = asyncio.new_event_loop()
    storage = Engine(tmp_path / "store", SystemClock(), SystemEntropy(), sync=False, threaded=False)
    server = ApiServer(scheme.load(), storage, SystemClock(), SystemEntropy(), ["10.96.0.0/16"])
    loop.run_until_complete(server.bootstrap())
    front = PipelineServer(server.pipeline, loop)
    rates: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    failures: dict[str, list[str]] = {}
    for resource, scenario in scenarios(area):
        found = Run(front, scenario, record=False).execute()
        rates[resource][0] += not found
        rates[resource][1] += 1
        if found:
            failures[str(scenario["id"])] = found
    storage.close()
    loop.close()
    passed, total = (sum(rate[i] for rate in rates.values()) for i in (0, 1))
    with capsys.disabled():
        print(f"\n{area}: {passed}/{total} scenarios as Kubernetes answers")
        for resource, (good, all_) in sorted(rates.items()):
            print(f"  {resource:22}{good:4}/{all_}")
    report = Path(os.environ.get("KCORE_RECORDINGS_REPORT", tmp_path)) / f"{area}.json"
    report.write_text(json.dumps(failures, indent=1))
    assert 100 * passed >= FLOORS[area] * total
