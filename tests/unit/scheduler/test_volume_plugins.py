"""The four plugins of volumes: what the recordings do not show."""

import pytest

from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.scheduler.columns import Columns
from kcore.scheduler.core import Core
from kcore.scheduler.cycle import explain, schedule
from kcore.scheduler.evaluation import Evaluations
from kcore.scheduler.events import NodeChanged, PodGone
from kcore.scheduler.plugins.node_volume_limits import NodeVolumeLimits
from kcore.scheduler.plugins.volume_binding import VolumeBinding
from kcore.scheduler.plugins.volume_restrictions import VolumeRestrictions
from kcore.scheduler.plugins.volume_zone import VolumeZone
from kcore.scheduler.queue import State
from kcore.scheduler.rows import Account, Expression, PodRow, Term
from kcore.scheduler.volumes.asks import ClaimUse, Disk, PodVolumes
from kcore.scheduler.volumes.catalog import StorageChanged
from kcore.scheduler.volumes.migration import BETA_REGION, BETA_ZONE, GCE, REGION, ZONE, Sources, driver_terms, migrated
from kcore.scheduler.volumes.rows import Attachment, Driver, Limits, Room, Row
from tests.unit.scheduler.pods import node
from tests.unit.scheduler.storage import AT_ONCE, GIB, MADE, WAITS, bound, claim, using, volume

EBS = Disk(("ebs", "v1"), False)


def cluster(*rows: Row, nodes: int = 3) -> Columns:
    columns = Columns()
    for number in range(nodes):
        columns.set_node(node(f"n{number}", host=f"n{number}", **{"topology.kubernetes.io/zone": f"z{number}"}))
    for row in rows:
        columns.catalog.set(row)
    return columns


def attached_rows(*names: str) -> list[Row]:
    return [row for name in names for row in (bound(name, f"v{name}"), volume(f"v{name}", driver="csi", handle=f"h{name}"))]


def feasible(pod: PodRow, columns: Columns) -> str:
    return " ".join(explain(pod, columns).feasible)


def why(pod: PodRow, columns: Columns) -> str:
    return schedule(pod, columns, Evaluations(), lambda _: 0).message.partition(": ")[2]


def test_a_bound_volume_is_reached_where_its_terms_hold():
    columns = cluster(bound("a", "v"), volume("v", at=("n1", "n2")))
    assert feasible(using("p", "a"), columns) == "n1 n2"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ((), 'persistentvolumeclaim "a" not found. not found'),
        ((claim("a", "at-once"), AT_ONCE), "pod has unbound immediate PersistentVolumeClaims. not found"),
        ((claim("a", "none"),), "pod has unbound immediate PersistentVolumeClaims. not found"),
        ((claim("a", volume_name="v"), WAITS), "pod has unbound immediate PersistentVolumeClaims. not found"),
        ((bound("a", "v"),), 'persistentvolume "v" not found. not found'),
        ((claim("a", terminating=True),), 'persistentvolumeclaim "a" is being deleted. not found'),
        ((bound("a", "v", lost=True),), 'persistentvolumeclaim "a" bound to non-existent persistentvolume "v". not found'),
    ],
)
def test_a_claim_that_cannot_be_used_keeps_the_pod_waiting_whatever_the_node(rows: tuple[Row, ...], said: str):
    assert why(using("p", "a"), cluster(*rows)) == said


def test_a_claim_made_from_a_pods_template_must_be_its_own():
    pod = using("p")
    volumes = PodVolumes((ClaimUse("default/p-scratch", owner="uid-p"),))
    pod = pod._replace(ask=pod.ask._replace(volumes=volumes))
    assert why(pod, cluster()) == (
        'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-scratch". not found'
    )
    stranger = cluster(claim("p-scratch", "made", owner="uid-q"), MADE)
    assert why(pod, stranger) == "PVC default/p-scratch was not created for pod default/p (pod is not owner). not found"
    assert feasible(pod, cluster(claim("p-scratch", "made", owner="uid-p"), MADE)) == "n0 n1 n2"


def test_a_volume_that_names_the_claim_goes_before_all_others():
    rows = (WAITS, claim("a"), volume("small"), volume("mine", size=9, at=("n2",), claim="default/a", free=False))
    assert feasible(using("p", "a"), cluster(*rows)) == "n2"


def test_two_claims_never_choose_the_same_volume():
    rows = (WAITS, claim("a"), claim("b"), volume("v0", at=("n0",)), volume("v1", at=("n1",)), volume("w1", size=5, at=("n1",)))
    assert feasible(using("p", "a", "b"), cluster(*rows)) == "n1"


def test_a_claim_goes_on_to_the_node_that_was_chosen_for_it():
    assert feasible(using("p", "a"), cluster(MADE, claim("a", "made", selected="n1"))) == "n1"


def test_of_rooms_that_overlap_only_one_that_is_large_enough_counts():
    rows = (MADE, Driver("example.com/maker", True), claim("a", "made", 4))
    rooms = (Room("x/a", "made", (), 8 * GIB, 2 * GIB), Room("x/b", "made", (), 16 * GIB, 16 * GIB))
    columns = cluster(*rows, *rooms)
    assert explain(using("p", "a"), columns).scores["VolumeBinding"] == {"n0": 75, "n1": 75, "n2": 75}
    assert why(using("p", "a"), cluster(*rows, rooms[0])).startswith("3 node(s) did not have enough free storage.")


def test_a_claim_for_one_pod_is_free_again_when_that_pod_is_gone():
    columns = cluster(bound("a", "v")._replace(access_modes=("ReadWriteOncePod",)), volume("v"))
    holder = using("q", "a")
    columns.place("n0", holder.account)
    assert feasible(using("p", "a"), columns) == ""
    columns.displace("n0", holder.account)
    assert feasible(using("p", "a"), columns) == "n0 n1 n2"


def test_readers_share_a_disk_and_a_writer_shares_it_with_nobody():
    columns = cluster()
    columns.place("n0", using("r", disks=(Disk(("gce", "d"), True),)).account)
    columns.place("n1", using("w", disks=(Disk(("gce", "d"), False),)).account)
    assert feasible(using("p", disks=(Disk(("gce", "d"), True),)), columns) == "n0 n2"
    assert feasible(using("p", disks=(Disk(("gce", "d"), False),)), columns) == "n2"


def test_a_volume_that_is_attached_already_takes_no_further_place():
    rows = (Limits("n0", (("csi", 1),)), Limits("n1", (("csi", 1),)), Limits("n2", (("csi", 0),)))
    bound_rows = [row for name in "ab" for row in (bound(name, f"v{name}"), volume(f"v{name}", driver="csi", handle=f"h{name}"))]
    columns = cluster(*rows, *bound_rows)
    columns.place("n0", using("q", "a").account)
    assert feasible(using("p", "a"), columns) == "n0 n1"
    assert feasible(using("p", "b"), columns) == "n1"


def test_a_placed_pods_claim_counts_by_its_class_until_it_is_bound_and_by_its_volume_then():
    columns = cluster(AT_ONCE, Limits("n0", (("example.com/maker", 1), ("csi", 1))), claim("a", "at-once"))
    columns.place("n0", using("q", "a").account)
    assert columns.usage.held(0)[3] == {"example.com/maker": 1}
    columns.catalog.set(volume("v", "at-once", driver="csi", handle="h"))
    columns.catalog.set(bound("a", "v", "at-once"))
    columns.recount("default/a")
    assert columns.usage.held(0)[3] == {"csi": 1}


def test_what_is_attached_to_a_node_for_no_pod_takes_a_place_there():
    rows = (Limits("n0", (("csi", 1),)), Limits("n1", (("csi", 1),)), *attached_rows("a", "b"))
    columns = cluster(*rows, Attachment("va", "csi", "n0", "vb"), Attachment("other", "else", "n1", "vb"))
    assert feasible(using("p", "a"), columns) == "n1 n2"
    columns.place("n0", using("q", "b").account)
    assert feasible(using("p", "b"), columns) == "n0 n1 n2"
    columns.displace("n0", using("q", "b").account)
    columns.catalog.remove(Attachment, "va")
    assert feasible(using("p", "a"), columns) == "n0 n1 n2"


def test_an_attachment_that_comes_or_goes_counts_in_the_next_decision():
    core = Core(VirtualClock(), SeededEntropy(1))
    for name in ("n0", "n1"):
        core.node_changed(node(name))
        core.row_changed(Limits(name, (("csi", 1),)))
    for row in (*attached_rows("a", "b", "c"), Attachment("va", "csi", "n0", "vb"), Attachment("vc", "csi", "n1", "vc")):
        core.row_changed(row)
    core.pod_changed(using("p", "a"))
    assert [attempt.decision.node for attempt in core.decide(1).waiting] == [None]
    core.row_deleted(Attachment, "vc")
    assert core.queue.state("default/p") is not State.UNSCHEDULABLE


def test_a_node_must_have_a_driver_that_says_so():
    rows = (Driver("csi", False, required=True), Limits("n0", (), drivers=("csi",)), Limits("n1", (), drivers=("else",)))
    columns = cluster(*rows, *attached_rows("a"))
    assert feasible(using("p", "a"), columns) == "n0"
    columns.catalog.remove(Limits, "n0")
    assert why(using("p", "a"), columns).startswith("3 csi CSI driver is not installed on the node.")
    of_old = bound("b", "vb"), volume("vb", driver="csi", handle="h", plugin="kubernetes.io/old")
    for row in of_old:
        columns.catalog.set(row)
    assert feasible(using("p", "b"), columns) == "n0 n2"


def test_a_disk_that_a_pod_names_is_attached_by_the_driver_that_took_it_over():
    columns = cluster(Limits("n0", (("ebs.csi.aws.com", 1),)))
    volumes = PodVolumes(attached=(("ebs.csi.aws.com", "vol-1"),))
    asked = using("p")
    asked = asked._replace(ask=asked.ask._replace(volumes=volumes))
    assert feasible(asked, columns) == "n0 n1 n2"
    columns.place("n0", Account(volumes=PodVolumes(attached=(("ebs.csi.aws.com", "vol-2"),))))
    assert feasible(asked, columns) == "n1 n2"
    columns.place("n0", Account(volumes=volumes))
    assert feasible(asked, columns) == "n0 n1 n2"


def test_a_migrated_volume_is_reached_where_its_driver_says():
    terms = (Term((Expression("host", "In", ("n0", "n1")),), ()),)
    moved = (Term((Expression("host", "In", ("n1",)),), ()),)
    old = volume("v", plugin="kubernetes.io/gce-pd", moved=moved)._replace(affinity=terms)
    columns = cluster(bound("a", "v"), old, Limits("n0", (), migrated=("kubernetes.io/gce-pd",)))
    assert feasible(using("p", "a"), columns) == "n1"
    columns.catalog.set(Limits("n0", ()))
    assert feasible(using("p", "a"), columns) == "n0 n1"


def test_a_volume_that_names_the_claim_serves_it_only_in_its_class():
    rows = (WAITS, claim("a"), volume("mine", "other", claim="default/a"), volume("any", at=("n1",)))
    assert feasible(using("p", "a"), cluster(*rows)) == "n1"


@pytest.mark.parametrize(
    ("sources", "labels", "handle"),
    [
        (Sources(gce="d"), {}, "projects/UNSPECIFIED/zones/UNSPECIFIED/disks/d"),
        (Sources(gce="d"), {ZONE: "us-a-1"}, "projects/UNSPECIFIED/zones/us-a-1/disks/d"),
        (Sources(gce="d"), {ZONE: "us-a-1__us-a-2"}, "projects/UNSPECIFIED/regions/us-a/disks/d"),
        (Sources(gce="d"), {ZONE: "us-a-1__us-b-1"}, None),
        (Sources(ebs="aws://us-a-1/vol-1"), {}, "vol-1"),
        (Sources(ebs="vol-1"), {}, "vol-1"),
        (Sources(ebs="aws://us-a-1/disk"), {}, None),
        (Sources(azure="/d", azure_kind="Managed"), {}, "/d"),
        (Sources(azure="/d", azure_kind="Dedicated"), {}, None),
        (Sources(cinder="v"), {}, "v"),
        (Sources(), {}, None),
    ],
)
def test_a_driver_knows_a_disk_of_old_by_its_own_handle(sources: Sources, labels: dict[str, str], handle: str | None):
    found = migrated(sources, labels)
    assert (found.handle if found else None) == handle


@pytest.mark.parametrize(
    ("terms", "labels", "becomes"),
    [
        ((("zone", ZONE, "a"),), {}, (("zone", GCE.topology, "a"),)),
        ((("zone", BETA_ZONE, "a"), ("region", BETA_REGION, "r")), {}, (("zone", GCE.topology, "a"), ("region", REGION, "r"))),
        ((("disk", "disk", "ssd"),), {ZONE: "a__b"}, (("disk", "disk", "ssd"), ("zone", GCE.topology, "a", "b"))),
        ((("zone", ZONE, "a"),), {ZONE: "b"}, (("zone", GCE.topology, "a"),)),
        ((), {BETA_ZONE: "b"}, (("zone", GCE.topology, "b"),)),
        ((("disk", "disk", "ssd"),), {}, (("disk", "disk", "ssd"),)),
    ],
)
def test_zones_of_a_disk_of_old_are_said_in_the_terms_of_its_driver(terms: tuple, labels: dict[str, str], becomes: tuple):
    def term(expressions: tuple) -> tuple[Term, ...] | None:
        return (Term(tuple(Expression(key, "In", values) for _, key, *values in expressions), ()),) if expressions else None

    def plain(found: tuple[Term, ...] | None) -> list:
        return [[(each.key, list(each.values)) for each in one.expressions] for one in found or ()]

    assert plain(driver_terms(GCE, term(terms), labels)) == plain(term(becomes))


def test_a_node_without_zone_labels_takes_volumes_of_any_zone():
    zoned = volume("v")._replace(labels=(("topology.kubernetes.io/zone", "z1__z2"),))
    columns = cluster(bound("a", "v"), zoned)
    columns.set_node(node("bare"))
    assert feasible(using("p", "a"), columns) == "n1 n2 bare"


def test_a_label_of_old_on_a_volume_means_todays_label_of_a_node():
    zoned = volume("v")._replace(labels=(("failure-domain.beta.kubernetes.io/zone", "z1"),))
    columns = cluster(bound("a", "v"), zoned)
    columns.set_node(node("old", **{"failure-domain.beta.kubernetes.io/zone": "z1"}))
    assert feasible(using("p", "a"), columns) == "n1 old"


def test_each_plugin_is_woken_by_what_can_help_it():
    pod, other = using("p", "a", disks=(EBS,)).ask, using("q", "b").account
    moved = NodeChanged(node("n"), node("n", zone="b"))
    came = StorageChanged(None, claim("a"))
    changed = StorageChanged(claim("a"), bound("a", "v"))
    cases = [
        (VolumeRestrictions(), NodeChanged(None, node("n")), True),
        (VolumeRestrictions(), moved, False),
        (VolumeRestrictions(), PodGone("n", using("q", "a").account), True),
        (VolumeRestrictions(), PodGone("n", Account(volumes=PodVolumes(disks=(EBS,)))), True),
        (VolumeRestrictions(), PodGone("n", other), False),
        (VolumeRestrictions(), came, True),
        (VolumeRestrictions(), changed, False),
        (NodeVolumeLimits(), PodGone("n", other), True),
        (NodeVolumeLimits(), PodGone("n", Account()), False),
        (NodeVolumeLimits(), came, True),
        (NodeVolumeLimits(), StorageChanged(None, Limits("n", (("csi", 1),))), True),
        (NodeVolumeLimits(), StorageChanged(Limits("n", (("csi", 1),)), Limits("n", (("csi", 2),))), True),
        (NodeVolumeLimits(), StorageChanged(Limits("n", (("csi", 2),)), Limits("n", (("csi", 1),))), False),
        (NodeVolumeLimits(), StorageChanged(Limits("n", (("csi", 2),)), Limits("n", ())), True),
        (NodeVolumeLimits(), StorageChanged(Limits("n", ()), Limits("n", (), drivers=("csi",))), True),
        (NodeVolumeLimits(), StorageChanged(Attachment("a", "csi", "n", "v"), Attachment("a", "csi", "n", "v")), True),
        (NodeVolumeLimits(), StorageChanged(None, Attachment("a", "csi", "n", "v")), False),
        (NodeVolumeLimits(), StorageChanged(Driver("d", False, required=True), Driver("d", False)), True),
        (NodeVolumeLimits(), PodGone("n", Account(volumes=PodVolumes(attached=(("d", "h"),)))), True),
        (VolumeBinding(), StorageChanged(Limits("n", ()), Limits("n", (), migrated=("p",))), True),
        (VolumeBinding(), StorageChanged(Limits("n", ()), Limits("n", (("csi", 1),))), False),
        (VolumeBinding(), moved, True),
        (VolumeBinding(), NodeChanged(node("n"), node("n", cpu=1)), False),
        (VolumeBinding(), changed, True),
        (VolumeBinding(), StorageChanged(None, claim("b")), False),
        (VolumeBinding(), StorageChanged(None, volume("v")), True),
        (VolumeBinding(), StorageChanged(None, volume("v", claim="default/b")), False),
        (VolumeBinding(), StorageChanged(None, MADE), True),
        (VolumeBinding(), StorageChanged(MADE, MADE._replace(waits=False)), False),
        (VolumeBinding(), StorageChanged(Room("x/a", "made", (), 1, 1), Room("x/a", "made", (), 2, 2)), True),
        (VolumeBinding(), StorageChanged(Room("x/a", "made", (), 2, 2), Room("x/a", "made", (), 1, 1)), False),
        (VolumeBinding(), StorageChanged(Driver("d", True), Driver("d", False)), True),
        (VolumeZone(), moved, True),
        (VolumeZone(), changed, True),
        (VolumeZone(), StorageChanged(volume("v"), volume("v", size=2)), False),
        (VolumeZone(), StorageChanged(volume("v"), volume("v")._replace(labels=(("a", "b"),))), True),
        (VolumeZone(), StorageChanged(None, AT_ONCE), False),
        (VolumeZone(), StorageChanged(None, WAITS), True),
    ]
    for plugin, event, wakes in cases:
        assert plugin.wakes(event, pod) is wakes, (plugin.name, event)
