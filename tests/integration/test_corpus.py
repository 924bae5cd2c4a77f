"""A folder of manifests is applied to a control plane of processes, and what is refused says why."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.lint.sources import ROOT

TIMEOUT_S = 120.0

SHOP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: till}
spec:
  replicas: 2
  selector: {matchLabels: {app: till}}
  template:
    metadata: {labels: {app: till}}
    spec: {containers: [{name: till, image: registry.k8s.io/pause:3.10}]}
---
apiVersion: v1
kind: Service
metadata: {name: till}
spec: {selector: {app: till}, ports: [{port: 80}]}
"""
OLD = """
apiVersion: extensions/v1beta1
kind: Deployment
metadata: {name: old}
"""
ELSEWHERE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: nobody-brings-it}
---
apiVersion: v1
kind: Service
metadata: {name: wrong}
spec: {ports: [{port: 0}]}
"""


def corpus(base: Path, **files: str) -> tuple[int, dict[str, Any]]:
    """Apply files as a corpus; -> exit status and report."""
    for name, text in files.items():
        path = base / "manifests" / f"{name.replace('_', '-')}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    report = base / "report.json"
    command = [sys.executable, "-m", "bench.load.corpus", str(base), "--nodes", "2", "--json", str(report)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert report.exists(), done.stderr
    found: dict[str, Any] = json.loads(report.read_text())
    return done.returncode, found


def test_a_corpus_is_applied_and_its_shop_runs(tmp_path: Path) -> None:
    code, report = corpus(tmp_path, microservices_demo=SHOP, old=OLD, elsewhere=ELSEWHERE, empty="just a text\n")
    assert code == 0
    assert report["shop_runs"] and report["applied"] == 3
    assert report["namespaces_made"] == ["nobody-brings-it", "microservices-demo"]
    assert [broken["source"] for broken in report["no_objects"]] == ["manifests/empty.yaml"]
    reasons = {refusal["source"]: (refusal["reason"], refusal["message"]) for refusal in report["refusals"]}
    assert reasons["manifests/old.yaml"] == ("not served", 'no matches for kind "Deployment" in version "extensions/v1beta1"')
    assert reasons["manifests/elsewhere.yaml"][0] == "Invalid" and len(reasons) == 2


def test_a_corpus_without_a_shop_that_runs_fails(tmp_path: Path) -> None:
    code, report = corpus(tmp_path, elsewhere=ELSEWHERE)
    assert code == 1 and not report["shop_runs"] and report["applied"] == 1


NODES = """sn,cpu_milli,memory_mib,gpu,model
a,8000,16384,0,
b,16000,32768,2,T4
c,16000,32768,2,P100
"""
PODS = """name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase
p0,2000,1024,1,500,T4,LS,Running
p1,3000,1024,0,0,,LS,Running
p2,1000,1024,2,1000,P100|V100,LS,Running
p3,1000,1024,1,1000,G3,LS,Running
"""


def test_the_nodes_of_a_trace_are_filled_with_its_pods(tmp_path: Path) -> None:
    (tmp_path / "openb").mkdir()
    (tmp_path / "openb" / "nodes.csv").write_text(NODES)
    (tmp_path / "openb" / "pods.csv").write_text(PODS)
    code, report = corpus(tmp_path, microservices_demo=SHOP)
    assert code == 0
    found = report["openb"]
    assert (found["nodes"], found["pods"], found["kinds"], found["kinds_waiting"], found["refused"]) == (3, 4, 4, 4, 0)
    assert found["full"] and found["used_percent"]["gpu"] >= 50 and found["used_percent"]["cpu"] > 80
    assert sum(found["placed_by_pass"]) == found["placed"] and found["waiting"] == 4
