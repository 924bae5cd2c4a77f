"""Claims and volumes that are in use stay."""

from kcore.api.core.v1.persistent_volume_claim_pb2 import PersistentVolumeClaim
from kcore.api.core.v1.persistent_volume_pb2 import PersistentVolume
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.storage.v1.volume_attributes_class_pb2 import VolumeAttributesClass
from kcore.controllers import volume_protection
from kcore.controllers.volume_protection import BOUND, CLAIMS, CLASSES, FINALIZERS, VOLUMES, claims_of, classes_of, plan
from tests.unit.controllers.cluster import PODS, Cluster, run

FINALIZER = FINALIZERS[CLAIMS]


def claim(name, *finalizers):
    return PersistentVolumeClaim(metadata={"name": name, "namespace": "default", "finalizers": finalizers})


def user_of(name, node):
    """A pod that names the claim of its own name."""
    pod = Pod(metadata={"name": name, "namespace": "default"})
    pod.spec.nodeName, pod.status.phase = node, "Succeeded"
    pod.spec.volumes.add(name="v").volumeSource.persistentVolumeClaim.claimName = name
    return pod


def wanted(actions):
    return [list(action.object.metadata.finalizers) for action in actions]


def test_the_finalizer_comes_at_once_and_goes_when_nothing_needs_its_object():
    assert wanted(plan(CLAIMS, claim("c"), is_needed=False)) == [[FINALIZER]]
    assert wanted(plan(CLAIMS, claim("c", "other"), is_needed=False)) == [["other", FINALIZER]]
    assert plan(CLAIMS, claim("c", FINALIZER), is_needed=False) == []
    going = claim("c", "other", FINALIZER)
    going.metadata.deletionTimestamp.seconds = 1
    assert plan(CLAIMS, going, is_needed=True) == []
    assert wanted(plan(CLAIMS, going, is_needed=False)) == [["other"]]
    going.metadata.finalizers.remove(FINALIZER)
    assert plan(CLAIMS, going, is_needed=False) == []


def test_a_pod_names_claims_of_its_own_and_those_made_for_it():
    pod = Pod(metadata={"name": "p", "namespace": "n"})
    pod.spec.volumes.add(name="a").volumeSource.persistentVolumeClaim.claimName = "c"
    pod.spec.volumes.add(name="b").volumeSource.ephemeral.SetInParent()
    pod.spec.volumes.add(name="d").volumeSource.emptyDir.SetInParent()
    assert claims_of(pod) == ["n/c", "n/p-b"]


def test_a_claim_stays_until_the_pods_that_have_it_are_gone():
    async def story(cluster: Cluster):
        for name in ("used", "unused", "wanted"):
            cluster.server.create(CLAIMS, claim(name, FINALIZER))
        cluster.node("n1")
        cluster.server.create(PODS, user_of("used", "n1"))
        cluster.server.create(PODS, user_of("wanted", ""))
        await cluster.start()
        for name in ("used", "unused", "wanted"):
            cluster.delete(CLAIMS, name, "default")
        await cluster.clock.sleep(2)
        assert set(cluster.all(CLAIMS)) == {"used"}
        cluster.delete(PODS, "used", "default", grace_s=0)
        await cluster.clock.sleep(2)
        assert cluster.all(CLAIMS) == {}

    run(story, volume_protection.OF_CLAIMS)


def test_a_volume_stays_while_it_is_bound():
    async def story(cluster: Cluster):
        for name in ("bound", "free"):
            cluster.server.create(VOLUMES, PersistentVolume(metadata={"name": name, "finalizers": [FINALIZERS[VOLUMES]]}))
        cluster.change(VOLUMES, "bound", lambda volume: setattr(volume.status, "phase", BOUND), "status")
        await cluster.start()
        cluster.delete(VOLUMES, "bound")
        cluster.delete(VOLUMES, "free")
        await cluster.clock.sleep(2)
        assert set(cluster.all(VOLUMES)) == {"bound"}
        cluster.change(VOLUMES, "bound", lambda volume: setattr(volume.status, "phase", "Released"), "status")
        await cluster.clock.sleep(2)
        assert cluster.all(VOLUMES) == {}

    run(story, volume_protection.OF_VOLUMES)


def test_a_claim_names_the_classes_that_it_wishes_for_has_and_is_to_have():
    found = claim("c")
    assert classes_of(found) == []
    found.spec.volumeAttributesClassName = found.status.currentVolumeAttributesClassName = "slow"
    found.status.modifyVolumeStatus.targetVolumeAttributesClassName = "fast"
    assert classes_of(found) == ["slow", "fast"]
    volume = PersistentVolume(metadata={"name": "v"})
    volume.spec.volumeAttributesClassName = "slow"
    assert classes_of(volume) == ["slow"]


def test_a_class_of_attributes_stays_while_a_claim_or_a_volume_names_it():
    async def story(cluster: Cluster):
        for name in ("claimed", "held", "unused"):
            cluster.server.create(CLASSES, VolumeAttributesClass(metadata={"name": name, "finalizers": [FINALIZERS[CLASSES]]}))
        wish, volume = claim("c"), PersistentVolume(metadata={"name": "v"})
        wish.spec.volumeAttributesClassName, volume.spec.volumeAttributesClassName = "claimed", "held"
        cluster.server.create(CLAIMS, wish)
        cluster.server.create(VOLUMES, volume)
        await cluster.start()
        for name in ("claimed", "held", "unused"):
            cluster.delete(CLASSES, name)
        await cluster.clock.sleep(2)
        assert set(cluster.all(CLASSES)) == {"claimed", "held"}
        cluster.delete(CLAIMS, "c", "default")
        cluster.change(VOLUMES, "v", lambda found: setattr(found.spec, "volumeAttributesClassName", "other"))
        await cluster.clock.sleep(2)
        assert cluster.all(CLASSES) == {}

    run(story, volume_protection.OF_CLASSES)
