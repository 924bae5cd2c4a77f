"""A StatefulSet and a ReplicationController run in processes that speak gRPC; their controllers are killed during a rollout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kcore.base.config import DataDir
from tests.integration.plane import Plane, wait_for

SETS = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 3
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {terminationGracePeriodSeconds: 1, containers: [{name: db, image: "db:1"}]}
---
apiVersion: v1
kind: ReplicationController
metadata: {name: old}
spec:
  replicas: 2
  template:
    metadata: {labels: {app: old}}
    spec: {containers: [{name: old, image: "old:1"}]}
"""
WITH_CLAIM = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: disk}
spec:
  selector: {matchLabels: {app: disk}}
  template:
    metadata: {labels: {app: disk}}
    spec: {containers: [{name: disk, image: "disk:1"}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    plane = Plane(DataDir(tmp_path_factory.mktemp("walk") / "data"))
    started = plane.up("--nodes", "3")
    assert started.code == 0, started.err
    yield plane
    plane.end()


def ready(plane: Plane, app: str) -> dict[str, dict[str, Any]]:
    """The pods of a workload that are ready, by name."""
    found = plane.objects("pods", "default", selector=f"app={app}")
    return {
        pod["metadata"]["name"]: pod
        for pod in found
        if not pod["metadata"].get("deletionTimestamp")
        and any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions") or ())
    }


def state(plane: Plane) -> dict[str, Any]:
    (found,) = plane.objects("apps/statefulsets", "default", "db")
    status: dict[str, Any] = found["status"]
    return status


def test_pods_of_both_run_and_are_ready(plane: Plane) -> None:
    applied = plane.kcore("apply", "-f", "-", stdin=SETS)
    assert applied.out.splitlines() == ["statefulset.apps/db created", "replicationcontroller/old created"], applied.err
    wait_for(lambda: sorted(ready(plane, "db")) == ["db-0", "db-1", "db-2"], "pods of the StatefulSet")
    wait_for(lambda: len(ready(plane, "old")) == 2, "pods of the ReplicationController")
    for ordinal, (name, pod) in enumerate(sorted(ready(plane, "db").items())):
        assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == (name, "db")
        assert pod["metadata"]["labels"]["apps.kubernetes.io/pod-index"] == str(ordinal)


def test_a_new_template_is_rolled_out_though_the_controllers_are_killed(plane: Plane) -> None:
    before = plane.restarts("controllers")
    assert before is not None
    assert plane.kcore("apply", "-f", "-", stdin=SETS.replace("db:1", "db:2")).code == 0
    plane.kill("controllers")
    wait_for(lambda: (plane.restarts("controllers") or 0) > before, "new controllers")
    wait_for(lambda: state(plane).get("updatedReplicas") == 3 and state(plane).get("readyReplicas") == 3, "the new template")
    assert {pod["spec"]["containers"][0]["image"] for pod in ready(plane, "db").values()} == {"db:2"}
    assert [pod["metadata"]["name"] for pod in plane.objects("pods", "default", selector="app=db")] == ["db-0", "db-1", "db-2"]
    assert len(plane.objects("pods", "default", selector="app=old")) == 2
    wait_for(lambda: state(plane)["currentRevision"] == state(plane)["updateRevision"], "the new revision to be current")
    assert len(plane.objects("apps/controllerrevisions", "default")) == 2


def test_a_pod_with_a_claim_that_is_not_bound_stays_pending_and_says_why(plane: Plane) -> None:
    assert plane.kcore("apply", "-f", "-", stdin=WITH_CLAIM).code == 0
    wait_for(lambda: plane.objects("persistentvolumeclaims", "default", "data-disk-0"), "the claim")
    wait_for(lambda: "FailedScheduling" in plane.kcore("describe", "pod", "disk-0").out, "an Event of the scheduler")
    assert plane.objects("pods", "default", "disk-0")[0]["status"]["phase"] == "Pending"


def test_deleting_them_takes_their_pods_but_not_the_claims(plane: Plane) -> None:
    for kind, name in (("statefulset", "db"), ("statefulset", "disk"), ("replicationcontroller", "old")):
        assert plane.kcore("delete", kind, name).code == 0
    wait_for(lambda: not plane.objects("pods", "default") and not plane.objects("apps/controllerrevisions", "default"), "no pod")
    assert [claim["metadata"]["name"] for claim in plane.objects("persistentvolumeclaims", "default")] == ["data-disk-0"]
