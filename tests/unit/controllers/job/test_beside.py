"""What is beside the job controller: Jobs whose time is over, tracked pods without Job, Jobs of others, changes that are gathered."""

from typing import Any

import pytest

from kcore.api.meta.v1 import meta_pb2
from kcore.base import limits
from kcore.controllers.job.pods import JOBS, TRACKING
from kcore.controllers.job.ttl_after_finished import left_s
from tests.property.controllers.batch_world import job
from tests.property.controllers.world import pod
from tests.unit.controllers.cluster import PODS, Cluster, run


def finished(ttl_s: int | None, at: int = 100) -> Any:
    found = job("work", 1, 1)
    found.metadata.namespace = "default"
    if ttl_s is not None:
        found.spec.ttlSecondsAfterFinished = ttl_s
    found.status.conditions.add(type="SuccessCriteriaMet", status="True").lastTransitionTime.seconds = at - 50
    found.status.conditions.add(type="Complete", status="True").lastTransitionTime.seconds = at
    return found


@pytest.mark.parametrize(("ttl_s", "now", "left"), [(10, 104.0, 6.0), (10, 200.0, 0.0), (0, 100.0, 0.0), (None, 500.0, None)])
def test_the_time_to_live_counts_from_the_end(ttl_s: int | None, now: float, left: float | None) -> None:
    assert left_s(finished(ttl_s), now) == left


def test_a_job_that_goes_on_or_goes_already_is_left_alone() -> None:
    going = finished(0)
    going.metadata.deletionTimestamp.seconds = 1
    assert left_s(going, 500.0) is None
    running = job("work", 1, 1, ttlSecondsAfterFinished=0)
    assert left_s(running, 500.0) is None


def test_finished_jobs_go_when_their_time_is_over() -> None:
    async def story(here: Cluster) -> None:
        here.server.create(JOBS, finished(60, int(here.clock.now())))
        await here.start()
        await here.clock.sleep(59)
        assert not here.all(JOBS)["work"].metadata.HasField("deletionTimestamp")
        await here.clock.sleep(2)
        assert list(here.all(JOBS)["work"].metadata.finalizers) == ["foregroundDeletion"]

    run(story, "ttl-after-finished")


def tracked(name: str, owner: Any = None) -> Any:
    found = pod(name, job="work")
    found.metadata.namespace = "default"
    found.metadata.finalizers.append(TRACKING)
    if owner is not None:
        found.metadata.ownerReferences.add(apiVersion="batch/v1", kind="Job", name="work", uid=owner.metadata.uid, controller=True)
    return found


def test_only_pods_without_job_are_let_go() -> None:
    async def story(here: Cluster) -> None:
        made = here.server.create(JOBS, finished(None))
        here.server.create(PODS, tracked("kept", made))
        here.server.create(PODS, tracked("loose"))
        await here.start()
        await here.clock.sleep(5)
        assert {name: list(found.metadata.finalizers) for name, found in here.all(PODS).items()} == {"kept": [TRACKING], "loose": []}
        here.server.delete(JOBS, "default", "work", meta_pb2.DeleteOptions(propagationPolicy="Background"))
        await here.clock.sleep(5)
        assert not here.all(PODS)["kept"].metadata.finalizers

    run(story, "job-orphan")


def test_a_job_of_another_controller_gets_no_pods() -> None:
    async def story(here: Cluster) -> None:
        for name, manager in (("ours", "kubernetes.io/job-controller"), ("theirs", "example.com/other")):
            made = job(name, 1, 1, managedBy=manager)
            made.metadata.namespace = "default"
            here.server.create(JOBS, made)
        await here.start()
        await here.clock.sleep(5)
        assert [found.metadata.labels["job"] for found in here.all(PODS).values()] == ["ours"]
        assert not here.all(JOBS)["theirs"].HasField("status")

    run(story, "job")


def test_orphans_of_a_jobs_selector_are_adopted_and_tracked() -> None:
    async def story(here: Cluster) -> None:
        loose = here.pod("loose", "n1", job="work")
        made = job("work", 1, 1)
        made.metadata.namespace = "default"
        here.server.create(JOBS, made)
        await here.start()
        await here.clock.sleep(5)
        (found,) = here.all(PODS).values()
        assert found.metadata.uid == loose.metadata.uid and list(found.metadata.finalizers) == [TRACKING]

    run(story, "job")


def test_changes_of_pods_are_gathered_before_their_job_is_looked_at() -> None:
    async def story(here: Cluster) -> None:
        made = job("work", 2, 2)
        made.metadata.namespace = "default"
        here.server.create(JOBS, made)
        await here.start()
        await here.clock.sleep(5)
        written = []
        here.server.subscribe(lambda mutations: written.extend(one for one in mutations if one.resource is JOBS))
        for name in here.all(PODS):
            here.change(PODS, f"default/{name}", lambda found: setattr(found.status, "phase", "Succeeded"), "status")
            await here.clock.sleep(limits.JOB_GATHER_S / 4)
        assert written == []
        await here.clock.sleep(limits.JOB_GATHER_S)
        assert [len(one.new.status.uncountedTerminatedPods.succeeded) for one in written] == [2, 0]

    run(story, "job")


def test_pods_that_a_success_policy_ends_are_not_counted_as_failed_when_they_are_seen_to_go() -> None:
    async def story(here: Cluster) -> None:
        made = job("work", 2, 2, indexed=True)
        made.metadata.namespace = "default"
        made.spec.successPolicy.rules.add(succeededIndexes="0")
        here.server.create(JOBS, made)
        await here.start()
        await here.clock.sleep(5)
        name = next(name for name in here.all(PODS) if name.startswith("work-0-"))
        here.change(PODS, f"default/{name}", lambda found: setattr(found.status, "phase", "Succeeded"), "status")
        await here.clock.sleep(5)
        status = here.all(JOBS)["work"].status
        assert (status.succeeded, status.failed, status.completedIndexes) == (1, 0, "0")
        assert [item.type for item in status.conditions] == ["SuccessCriteriaMet", "Complete"]
        assert list(here.all(PODS)) == [name]

    run(story, "job")
