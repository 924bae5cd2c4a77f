"""The graph of owners: what has to be looked at after which change."""

from typing import Any

from kcore.api.meta.v1 import meta_pb2
from kcore.controllers.owner_graph import Identity, OwnerGraph


def meta(uid: str, *owners: str, namespace: str = "ns", blocks: bool = False, finalizer: str = "", deleting: bool = False) -> Any:
    """Make the metadata of a ConfigMap with the name of its uid; owners are ConfigMaps unless they are written Kind/uid."""
    found = meta_pb2.ObjectMeta(uid=uid, name=uid, namespace=namespace)
    for owner in owners:
        kind, _, owner_uid = owner.rpartition("/")
        found.ownerReferences.add(apiVersion="v1", kind=kind or "ConfigMap", name=owner_uid, uid=owner_uid, blockOwnerDeletion=blocks)
    if finalizer:
        found.finalizers.append(finalizer)
    if deleting:
        found.deletionTimestamp.seconds = 1
    return found


def identity(uid: str, namespace: str = "ns", kind: str = "ConfigMap") -> Identity:
    return Identity(uid, "v1", kind, namespace, uid)


def graph_of(*metas: Any) -> OwnerGraph:
    graph = OwnerGraph()
    for found in metas:
        graph.observe("v1", "ConfigMap", found)
    graph.take_looks()
    return graph


def looks(graph: OwnerGraph) -> set[str]:
    return set(graph.take_looks())


def test_an_object_without_owners_is_not_looked_at() -> None:
    graph = OwnerGraph()
    graph.observe("v1", "ConfigMap", meta("a"))
    assert looks(graph) == set()


def test_an_owner_that_was_not_seen_is_looked_at_under_its_reference() -> None:
    graph = OwnerGraph()
    graph.observe("v1", "ConfigMap", meta("a", "o"))
    assert looks(graph) == {"o"}
    assert not graph.nodes["o"].is_observed and graph.nodes["o"].identity == identity("o")


def test_an_owner_that_is_seen_in_time_needs_no_look() -> None:
    graph = graph_of(meta("a", "o"), meta("o"))
    assert graph.nodes["o"].is_observed
    assert looks(graph) == set()


def test_dependents_of_an_owner_that_went_are_looked_at_and_remember_its_absence() -> None:
    graph = graph_of(meta("o"), meta("a", "o"), meta("b", "o"))
    graph.gone("o")
    assert looks(graph) == {"a", "b"}
    assert graph.is_absent(identity("o"))


def test_a_virtual_owner_that_is_absent_goes_and_its_dependents_are_looked_at() -> None:
    graph = graph_of(meta("a", "o"))
    graph.absent(identity("o"))
    assert looks(graph) == {"a"} and "o" not in graph.nodes and graph.is_absent(identity("o"))


def test_a_virtual_owner_goes_with_its_last_dependent() -> None:
    graph = graph_of(meta("a", "o"))
    graph.gone("a")
    assert graph.nodes == {}


def test_an_owner_in_another_namespace_is_reported_and_the_dependent_looked_at() -> None:
    graph = graph_of(meta("o", namespace="far"))
    graph.observe("v1", "ConfigMap", meta("a", "o"))
    assert looks(graph) == {"a"}
    assert graph.take_reports() == [(identity("a"), identity("o", "far"))]


def test_an_owner_seen_later_in_another_namespace_is_reported_as_well() -> None:
    graph = graph_of(meta("a", "o"))
    graph.observe("v1", "ConfigMap", meta("o", namespace="far"))
    assert looks(graph) == {"a"}
    assert graph.take_reports() == [(identity("a"), identity("o", "far"))]


def test_an_owner_of_the_cluster_may_be_referred_to_from_any_namespace() -> None:
    graph = OwnerGraph()
    graph.observe("v1", "Node", meta("n", namespace=""))
    graph.observe("v1", "ConfigMap", meta("a", "Node/n"))
    assert looks(graph) == set() and graph.take_reports() == []


def test_a_uid_under_the_wrong_kind_is_looked_at_without_report() -> None:
    graph = graph_of(meta("o"))
    graph.observe("v1", "ConfigMap", meta("a", "Secret/o"))
    assert looks(graph) == {"a"} and graph.take_reports() == []


def test_dependents_that_disagree_on_a_virtual_owner_are_tried_one_after_the_other() -> None:
    graph = graph_of(meta("a", "o"), meta("b", "Secret/o"))
    graph.absent(identity("o"))
    assert looks(graph) == {"a", "o"}
    assert graph.nodes["o"].identity == identity("o", kind="Secret")
    graph.gone("a")
    graph.absent(identity("o", kind="Secret"))
    assert looks(graph) == {"b"} and "o" not in graph.nodes


def test_an_observed_owner_outlives_what_is_said_of_other_coordinates() -> None:
    graph = graph_of(meta("o"), meta("a", "Secret/o"))
    graph.absent(identity("o", kind="Secret"))
    assert looks(graph) == {"a"} and graph.nodes["o"].is_observed
    assert graph.is_absent(identity("o", kind="Secret")) and not graph.is_absent(identity("o"))


def test_foreground_deletion_looks_at_the_object_and_all_its_dependents() -> None:
    graph = graph_of(meta("o"), meta("a", "o"), meta("b", "o"))
    graph.observe("v1", "ConfigMap", meta("o", finalizer="foregroundDeletion", deleting=True))
    assert looks(graph) == {"o", "a", "b"} and graph.nodes["o"].is_waiting
    graph.observe("v1", "ConfigMap", meta("o", finalizer="foregroundDeletion", deleting=True))
    assert looks(graph) == set()


def test_orphaning_looks_at_the_object_alone() -> None:
    graph = graph_of(meta("o"), meta("a", "o"))
    graph.observe("v1", "ConfigMap", meta("o", finalizer="orphan", deleting=True))
    assert looks(graph) == {"o"} and graph.nodes["o"].is_orphaning


def test_a_finalizer_alone_begins_nothing() -> None:
    graph = graph_of(meta("o"))
    graph.observe("v1", "ConfigMap", meta("o", finalizer="orphan"))
    assert looks(graph) == set()


def test_a_dependent_that_goes_lets_its_waiting_owner_be_looked_at() -> None:
    graph = graph_of(meta("o", finalizer="foregroundDeletion", deleting=True), meta("a", "o", blocks=True))
    graph.gone("a")
    assert looks(graph) == {"o"} and graph.nodes["o"].dependents == {}


def test_only_references_that_block_hold_an_owner_up() -> None:
    graph = graph_of(meta("o"), meta("a", "o", blocks=True), meta("b", "o"))
    assert [node.identity.uid for node in graph.nodes["o"].blocking] == ["a"]


def test_a_reference_that_no_longer_blocks_lets_the_owner_be_looked_at() -> None:
    graph = graph_of(meta("o"), meta("a", "o", blocks=True))
    graph.observe("v1", "ConfigMap", meta("a", "o"))
    assert looks(graph) == {"o"} and graph.nodes["o"].blocking == []


def test_a_removed_reference_removes_the_dependent() -> None:
    graph = graph_of(meta("o"), meta("a", "o", blocks=True))
    graph.observe("v1", "ConfigMap", meta("a"))
    assert looks(graph) == {"o"} and graph.nodes["o"].dependents == {}
