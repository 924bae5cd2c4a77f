"""A DaemonSet and Jobs run in processes that speak gRPC; their controllers are killed in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kcore.base.config import DataDir
from tests.integration.plane import Plane, wait_for

BATCH = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {terminationGracePeriodSeconds: 1, containers: [{name: agent, image: "agent:1"}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: work}
spec:
  completions: 6
  parallelism: 2
  completionMode: Indexed
  template:
    spec: {restartPolicy: Never, containers: [{name: work, image: "work:1"}]}
"""
FAILING = """
apiVersion: batch/v1
kind: Job
metadata: {name: failing}
spec:
  backoffLimit: 0
  ttlSecondsAfterFinished: 2
  template:
    metadata: {annotations: {kcore.io/exit-code: "3", kcore.io/exit-after: "0s"}}
    spec: {restartPolicy: Never, containers: [{name: work, image: "work:1"}]}
"""


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    plane = Plane(DataDir(tmp_path_factory.mktemp("walk") / "data"))
    started = plane.up("--nodes", "3")
    assert started.code == 0, started.err
    yield plane
    plane.end()


def status_of(plane: Plane, resource: str, name: str) -> dict[str, Any]:
    (found,) = plane.objects(resource, "default", name)
    status: dict[str, Any] = found.get("status") or {}
    return status


def conditions(plane: Plane, name: str) -> list[str]:
    """The conditions of a Job that hold, in their order."""
    return [each["type"] for each in status_of(plane, "batch/jobs", name).get("conditions") or () if each["status"] == "True"]


def test_a_daemonset_has_a_pod_on_each_node(plane: Plane) -> None:
    applied = plane.kcore("apply", "-f", "-", stdin=BATCH)
    assert applied.out.splitlines() == ["daemonset.apps/agent created", "job.batch/work created"], applied.err
    wait_for(lambda: status_of(plane, "apps/daemonsets", "agent").get("numberAvailable") == 3, "available daemon pods")
    pods = plane.objects("pods", "default", selector="app=agent")
    assert len({pod["spec"]["nodeName"] for pod in pods}) == len(pods) == 3


def test_each_index_of_a_job_is_counted_once_though_the_controllers_are_killed(plane: Plane) -> None:
    before = plane.restarts("controllers")
    assert before is not None
    wait_for(lambda: status_of(plane, "batch/jobs", "work").get("succeeded"), "a first completion")
    plane.kill("controllers")
    wait_for(lambda: (plane.restarts("controllers") or 0) > before, "new controllers")
    wait_for(lambda: conditions(plane, "work") == ["SuccessCriteriaMet", "Complete"], "completion")
    status = status_of(plane, "batch/jobs", "work")
    assert (status["succeeded"], status["completedIndexes"], status.get("failed", 0)) == (6, "0-5", 0)
    pods = plane.objects("pods", "default", selector="job-name=work")
    assert sorted(pod["spec"]["hostname"] for pod in pods) == [f"work-{index}" for index in range(6)]
    assert not any(pod["metadata"].get("finalizers") for pod in pods)


def test_a_new_template_reaches_all_nodes(plane: Plane) -> None:
    assert plane.kcore("apply", "-f", "-", stdin=BATCH.split("---")[0].replace("agent:1", "agent:2")).code == 0
    wait_for(lambda: status_of(plane, "apps/daemonsets", "agent").get("observedGeneration") == 2, "a status of the new template")
    wait_for(lambda: status_of(plane, "apps/daemonsets", "agent").get("updatedNumberScheduled") == 3, "new daemon pods")
    wait_for(lambda: status_of(plane, "apps/daemonsets", "agent").get("numberAvailable") == 3, "available daemon pods")
    assert {pod["spec"]["containers"][0]["image"] for pod in plane.objects("pods", "default", selector="app=agent")} == {"agent:2"}
    assert len(plane.objects("apps/controllerrevisions", "default")) == 2


def test_a_job_that_fails_says_so_and_goes_when_its_time_is_over(plane: Plane) -> None:
    assert plane.kcore("apply", "-f", "-", stdin=FAILING).code == 0
    wait_for(lambda: conditions(plane, "failing") == ["FailureTarget", "Failed"], "failure")
    assert "BackoffLimitExceeded" in plane.kcore("describe", "job", "failing").out
    wait_for(lambda: not plane.objects("batch/jobs", "default", "failing"), "the Job to go")
    wait_for(lambda: not plane.objects("pods", "default", selector="job-name=failing"), "its pods to go")


def test_deleting_them_takes_their_pods(plane: Plane) -> None:
    assert plane.kcore("delete", "daemonset", "agent").code == 0
    assert plane.kcore("delete", "job", "work").code == 0
    wait_for(lambda: not plane.objects("pods", "default") and not plane.objects("apps/controllerrevisions", "default"), "no pod")
