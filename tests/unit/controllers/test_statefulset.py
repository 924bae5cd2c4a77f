"""What the StatefulSet controller meets beside its plan: refusals, names that others have, claims on their way out, lost histories."""

from typing import Any

from kcore.api.apps.v1.controller_revision_pb2 import ControllerRevision
from kcore.api.core.v1.persistent_volume_claim_pb2 import PersistentVolumeClaim
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.controllers import history, stateful_pods, statefulset
from kcore.controllers.adoption import controller_of
from kcore.machinery import status
from tests.property.controllers import world
from tests.property.controllers.world import CLAIMS, REVISIONS, STATEFULSETS
from tests.unit.controllers.cluster import PODS, Cluster, run

FORBIDDEN = status.failure("Forbidden", "exceeded quota")


def create(cluster: Cluster, object_: Any, resource: Any, **metadata: Any) -> Any:
    object_.metadata.namespace = "default"
    for name, value in metadata.items():
        setattr(object_.metadata, name, value)
    return cluster.server.create(resource, object_)


def web(replicas: int = 1) -> Any:
    found = world.statefulset("web", replicas)
    found.metadata.namespace = "default"
    return found


def names(found: dict[str, Any]) -> list[str]:
    return sorted(found)


def test_a_refused_claim_is_told_and_its_pod_waits_for_it():
    async def story(cluster: Cluster) -> None:
        await cluster.start()
        cluster.transport.fail("create", FORBIDDEN, resource="persistentvolumeclaims", times=3)
        create(cluster, web(), STATEFULSETS)
        await cluster.clock.sleep(0.001)
        assert names(cluster.all(PODS)) == []
        await cluster.clock.sleep(10)
        assert (names(cluster.all(CLAIMS)), names(cluster.all(PODS))) == (["data-web-0"], ["web-0"])
        assert {message for _, _, message in cluster.events("FailedCreate")} == {
            "Create Claim data-web-0 for Pod web-0 in StatefulSet web failed error: exceeded quota",
            "Create Pod web-0 in StatefulSet web failed error: failed to create PVC data-web-0: exceeded quota",
        }

    run(story, "statefulset")


def test_a_pod_that_has_the_name_is_left_alone_until_it_is_gone():
    async def story(cluster: Cluster) -> None:
        await cluster.start()
        create(cluster, Pod(), PODS, name="web-0")
        create(cluster, web(), STATEFULSETS)
        await cluster.clock.sleep(20)
        assert controller_of(cluster.all(PODS)["web-0"]) is None
        assert cluster.events("FailedCreate") == []
        cluster.delete(PODS, "web-0", "default")
        await cluster.clock.sleep(60)
        assert controller_of(cluster.all(PODS)["web-0"]).kind == "StatefulSet"

    run(story, "statefulset")


def test_a_pod_waits_until_its_old_claim_is_gone():
    async def story(cluster: Cluster) -> None:
        await cluster.start()
        claim = PersistentVolumeClaim()
        claim.metadata.finalizers.append("example.com/held")
        create(cluster, claim, CLAIMS, name="data-web-0")
        cluster.delete(CLAIMS, "data-web-0", "default")
        create(cluster, web(), STATEFULSETS)
        await cluster.clock.sleep(5)
        assert names(cluster.all(PODS)) == []
        cluster.change(CLAIMS, "default/data-web-0", lambda found: found.metadata.ClearField("finalizers"))
        await cluster.clock.sleep(0.5)
        assert names(cluster.all(PODS)) == ["web-0"]
        assert "finalizers" not in str(cluster.all(CLAIMS)["data-web-0"])

    run(story, "statefulset")


def test_a_revision_whose_name_is_taken_gets_another_and_the_collision_is_counted():
    async def story(cluster: Cluster) -> None:
        await cluster.start()
        wanted = history.new_revision(web(), STATEFULSETS, statefulset.HASH_LABEL, 1, 0)
        other = ControllerRevision(revision=1)
        other.data.raw = b"{}"
        create(cluster, other, REVISIONS, name=wanted.metadata.name)
        create(cluster, web(), STATEFULSETS)
        await cluster.clock.sleep(5)
        state = cluster.all(STATEFULSETS)["web"].status
        assert state.collisionCount == 1
        assert state.updateRevision != wanted.metadata.name
        assert stateful_pods.revision_of(cluster.all(PODS)["web-0"]) == state.updateRevision

    run(story, "statefulset")


def test_revisions_of_a_former_set_are_adopted_and_used_again():
    async def story(cluster: Cluster) -> None:
        await cluster.start()
        orphan = history.new_revision(web(), STATEFULSETS, statefulset.HASH_LABEL, 7, 0)
        orphan.metadata.ClearField("ownerReferences")
        create(cluster, orphan, REVISIONS)
        made = create(cluster, web(), STATEFULSETS)
        await cluster.clock.sleep(5)
        (found,) = cluster.all(REVISIONS).values()
        assert (found.revision, controller_of(found).uid) == (7, made.metadata.uid)
        assert cluster.all(STATEFULSETS)["web"].status.updateRevision == orphan.metadata.name

    run(story, "statefulset")


def test_ordinals_follow_from_canonical_names_only():
    set_, found = web(), Pod()
    ordinals = []
    for name in ("web-0", "web-12", "web-01", "web-", "web-x", "web-1-2", "webb-1", "web-٣", "web-2147483648"):
        found.metadata.name = name
        ordinals.append(stateful_pods.ordinal_of(set_, found))
    assert ordinals == [0, 12, -1, -1, -1, -1, -1, -1, -1]
