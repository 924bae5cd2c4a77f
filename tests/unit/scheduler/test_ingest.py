"""From bytes to rows."""

from typing import Any

from kcore.machinery import codec
from kcore.scheduler.ingest import node_row, pod_row
from kcore.scheduler.rows import (
    Expression,
    Image,
    Owner,
    Peer,
    PodAffinity,
    PodPreference,
    PodSelector,
    PodTerm,
    Preference,
    Spread,
    Taint,
    Term,
    Toleration,
)
from tests.unit.scheduler.pods import pod_bytes

HARD = "DoNotSchedule"
RC = "ReplicationController"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def ask_of(**spec: Any):
    return pod_row(pod_bytes(spec)).ask


def test_a_pod_is_who_it_is_what_it_asks_and_what_it_takes():
    row = pod_row(pod_bytes({"priority": 7, "preemptionPolicy": "Never"}))
    assert (row.key, row.uid, row.scheduler_name, row.node_name, row.priority) == ("default/a", "uid-a", "default-scheduler", "", 7)
    assert row.ask.amounts == row.account.amounts == (("cpu", 500),)
    assert (row.ask.nonzero_cpu, row.ask.nonzero_memory, row.ask.images) == (500, 200 << 20, ("web:latest",))
    assert row.ask.never_preempt
    assert not (row.finished or row.terminating or row.gates)


def test_phase_deletion_and_gates_are_seen():
    assert pod_row(pod_bytes(status={"phase": "Failed"})).finished
    assert pod_row(pod_bytes(deletionTimestamp="2026-01-01T00:00:00Z")).terminating
    assert pod_row(pod_bytes({"schedulingGates": [{"name": "x"}, {"name": "y"}]})).gates == ("x", "y")


def test_pods_of_one_template_share_their_ask():
    left = pod_row(pod_bytes(name="a", labels={"app": "x", "a": "b"}))
    right = pod_row(pod_bytes(name="b", uid="uid-b", labels={"a": "b", "app": "x"}))
    other = pod_row(pod_bytes(name="c", uid="uid-c", labels={"app": "y"}))
    assert left.ask is right.ask is other.ask
    assert left.account is right.account
    assert left.account.peer == Peer("default", (("a", "b"), ("app", "x")))
    assert other.account == left.account._replace(peer=Peer("default", (("app", "y"),)))


def test_wishes_about_other_pods_are_read_with_their_defaults():
    web = {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "old", "operator": "DoesNotExist"}]}
    terms = [
        {"topologyKey": "zone", "labelSelector": web},
        {"topologyKey": "rack", "labelSelector": {}, "namespaces": ["b", "a", "b"]},
        {"topologyKey": "rack", "namespaceSelector": {}},
    ]
    weighted = [{"weight": 7, "podAffinityTerm": terms[1]}]
    row = pod_row(
        pod_bytes(
            {
                "affinity": {
                    "podAffinity": {REQUIRED: terms[:1], PREFERRED: weighted},
                    "podAntiAffinity": {REQUIRED: terms[1:], PREFERRED: weighted},
                },
                "topologySpreadConstraints": [
                    {"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": HARD, "minDomains": 3, "nodeTaintsPolicy": "Honor"},
                    {
                        "maxSkew": 1,
                        "topologyKey": "rack",
                        "whenUnsatisfiable": "ScheduleAnyway",
                        "labelSelector": {},
                        "nodeAffinityPolicy": "Ignore",
                    },
                ],
            },
            namespace="shop",
        )
    )
    labels = (Expression("app", "In", ("web",)), Expression("old", "DoesNotExist", ()))
    anywhere, there = PodTerm(PodSelector((), ("a", "b")), "rack"), PodTerm(PodSelector(None, (), ()), "rack")
    assert row.ask.affinity == PodAffinity(
        (PodTerm(PodSelector(labels, ("shop",)), "zone"),),
        (anywhere, there),
        (PodPreference(7, anywhere), PodPreference(-7, anywhere)),
    )
    assert row.account.peer.affinity is row.ask.affinity
    assert row.ask.spread == (
        Spread("zone", 2, True, PodSelector(None, ("shop",)), 3, True, True),
        Spread("rack", 1, False, PodSelector((), ("shop",)), 1, False, False),
    )


def test_the_owner_is_the_controller_if_its_selector_counts():
    replica_set = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "u"}
    cases = [
        ([replica_set | {"controller": True}], Owner("ReplicaSet", "r")),
        ([replica_set], None),
        ([replica_set | {"apiVersion": "example.com/v1", "controller": True}], None),
        ([replica_set, {"apiVersion": "v1", "kind": RC, "name": "c", "controller": True}], Owner(RC, "c")),
        ([{"apiVersion": "batch/v1", "kind": "Job", "name": "j", "controller": True}], None),
    ]
    for references, owner in cases:
        assert pod_row(pod_bytes(ownerReferences=references)).owner == owner


def test_tolerations_and_node_terms_are_read():
    affinity = {
        "nodeAffinity": {
            REQUIRED: {
                "nodeSelectorTerms": [
                    {
                        "matchExpressions": [
                            {"key": "disk", "operator": "In", "values": ["ssd", "nvme"]},
                            {"key": "gpu", "operator": "Exists"},
                        ]
                    },
                    {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]},
                ]
            },
            PREFERRED: [{"weight": 5, "preference": {"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]}}],
        }
    }
    tolerations = [{"key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule"}, {"operator": "Exists"}]
    ask = ask_of(affinity=affinity, tolerations=tolerations, nodeSelector={"b": "2", "a": "1"})
    assert ask.required == (
        Term((Expression("disk", "In", ("ssd", "nvme")), Expression("gpu", "Exists", ())), ()),
        Term((), (Expression("metadata.name", "In", ("n1",)),)),
    )
    assert ask.preferred == (Preference(5, Term((Expression("zone", "NotIn", ("a",)),), ())),)
    assert ask.tolerations == (Toleration("k", "Equal", "v", "NoSchedule"), Toleration("", "Exists", "", ""))
    assert ask.node_selector == (("a", "1"), ("b", "2"))


def test_an_empty_preference_is_a_term_that_matches_nothing():
    affinity = {"nodeAffinity": {PREFERRED: [{"weight": 9, "preference": {}}]}}
    assert ask_of(affinity=affinity).preferred == (Preference(9, Term((), ())),)


def test_host_ports_of_containers_and_sidecars_count():
    def container(name: str, port: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"name": name, "image": "i", "ports": [{"containerPort": 1, **port}], **more}

    ask = ask_of(
        containers=[container("a", {"hostPort": 80, "protocol": "TCP"}), container("b", {})],
        initContainers=[
            container("c", {"hostPort": 81, "hostIP": "10.0.0.1", "protocol": "UDP"}, restartPolicy="Always"),
            container("d", {"hostPort": 82}),
        ],
    )
    assert ask.ports == (("0.0.0.0", "TCP", 80), ("10.0.0.1", "UDP", 81))
    assert len(ask.images) == 4


def test_pods_of_several_groups_ask_the_same():
    one, other = (pod_row(pod_bytes({"schedulingGroup": {"podGroupName": name}})) for name in ("g", "h"))
    assert (one.pod_group, other.pod_group, pod_row(pod_bytes({})).pod_group) == ("g", "h", "")
    assert one.ask is other.ask


def test_volumes_that_no_scheduler_cares_for_are_no_obstacle():
    volumes = [{"name": "a", "emptyDir": {}}, {"name": "b", "projected": {}}, {"name": "c", "hostPath": {"path": "/"}}]
    assert ask_of(volumes=volumes).volumes is None


def test_a_resize_is_read_from_the_status_of_a_placed_pod_only():
    status = {
        "phase": "Running",
        "containerStatuses": [{"name": "c", "allocatedResources": {"cpu": "2"}, "resources": {"requests": {"cpu": "1"}}}],
    }
    assert pod_row(pod_bytes({"nodeName": "n"}, status)).account.amounts == (("cpu", 2000),)
    assert pod_row(pod_bytes({}, status)).account.amounts == (("cpu", 500),)
    status["conditions"] = [{"type": "PodResizePending", "reason": "Infeasible", "status": "True"}]
    status["containerStatuses"] = []
    assert pod_row(pod_bytes({"nodeName": "n"}, status)).account.amounts == ()


def test_a_status_that_repeats_what_containers_ask_for_is_no_resize():
    def account(statuses: list[dict[str, Any]], **spec: Any):
        return pod_row(pod_bytes({"nodeName": "n", **spec}, {"phase": "Running", "containerStatuses": statuses})).account

    asked = {"requests": {"cpu": "500m"}}
    same = {"name": "c", "allocatedResources": {"cpu": "500m"}, "resources": asked}
    assert account([same]) is account([]) is account([{"name": "c"}])
    assert account([{**same, "allocatedResources": {"cpu": "700m"}}]).amounts == (("cpu", 700),)
    assert account([{**same, "resources": {"requests": {"cpu": "800m"}}}]).amounts == (("cpu", 800),)
    assert account([{"name": "c", "resources": asked}]) == account([])._replace(nonzero_cpu=500)
    other = {"name": "d", "image": "web", "resources": {"requests": {"cpu": "100m"}}}
    first = {"name": "c", "image": "web", "resources": asked}
    swapped = [{**same, "name": "d"}, {"name": "c", "allocatedResources": {"cpu": "100m"}, "resources": other["resources"]}]
    assert account(swapped, containers=[first, other]).amounts == (("cpu", 600),)
    grown = [{**same, "name": "d"}, {**same, "name": "c"}]
    assert account(grown, containers=[first, other]).amounts == (("cpu", 1000),)


def test_a_node_is_read():
    raw = codec.encode(
        "kcore.api.core.v1.Node",
        {
            "metadata": {"name": "n", "labels": {"zone": "a"}},
            "spec": {"unschedulable": True, "taints": [{"key": "k", "effect": "NoSchedule"}]},
            "status": {
                "allocatable": {"cpu": "1500m", "memory": "1Ki", "pods": "110", "example.com/gpu": "2"},
                "images": [{"names": ["a:1", "b"], "sizeBytes": 5}],
            },
        },
    )
    row = node_row(raw)
    assert (row.name, row.labels, row.unschedulable, row.taints) == ("n", {"zone": "a"}, True, (Taint("k", "", "NoSchedule"),))
    assert row.allocatable == (("cpu", 1500), ("example.com/gpu", 2), ("memory", 1024))
    assert (row.pod_limit, row.images) == (110, (Image(("a:1", "b"), 5),))
    assert node_row(raw) == row
