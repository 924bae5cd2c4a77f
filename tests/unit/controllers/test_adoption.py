"""Claims: owned, adopted, released; and the indexes by which candidates are found."""

from typing import Any

from kcore.client.lister import Lister, Store
from kcore.controllers import adoption
from tests.property.controllers.world import PODS, REPLICASETS, pod, replicaset


def owner(name: str = "web", uid: str = "u-web") -> Any:
    found = replicaset(name, 1)
    found.metadata.uid, found.metadata.namespace = uid, "default"
    return found


def owned(found: Any, by: Any) -> Any:
    adoption.set_controller(found, by, REPLICASETS)
    return found


def member(name: str, **labels: str) -> Any:
    found = pod(name, **labels)
    found.metadata.namespace, found.metadata.uid, found.metadata.resourceVersion = "default", f"u-{name}", "7"
    return found


def names(found: list[Any]) -> list[str]:
    return [item.metadata.name for item in found]


def claimed(by: Any, *candidates: Any) -> tuple[list[str], list[str], list[str]]:
    claim = adoption.claim(by, adoption.selector_of(by.spec.selector), candidates)
    return names(claim.owned), names(claim.adopt), names(claim.release)


def test_own_matching_pods_are_kept_orphans_adopted_and_strays_released() -> None:
    web = owner()
    found = claimed(web, owned(member("a", app="web"), web), member("b", app="web"), owned(member("c", app="x"), web), member("d", app="x"))
    assert found == (["a"], ["b"], ["c"])


def test_pods_of_another_controller_are_left_alone_even_if_they_match() -> None:
    assert claimed(owner(), owned(member("a", app="web"), owner("other", "u-other"))) == ([], [], [])


def test_a_successor_of_the_same_name_does_not_own_what_its_predecessor_had() -> None:
    assert claimed(owner(uid="u-new"), owned(member("a", app="web"), owner(uid="u-old"))) == ([], [], [])


def test_an_owner_that_is_being_deleted_neither_adopts_nor_releases() -> None:
    web = owner()
    web.metadata.deletionTimestamp.seconds = 1
    assert claimed(web, owned(member("a", app="web"), web), member("b", app="web"), owned(member("c", app="x"), web)) == (["a"], [], [])


def test_an_orphan_that_is_being_deleted_is_not_adopted() -> None:
    ending = member("a", app="web")
    ending.metadata.deletionTimestamp.seconds = 1
    assert claimed(owner(), ending) == ([], [], [])


def test_adoption_keeps_other_owners_and_is_refused_if_the_pod_changed() -> None:
    found = member("a", app="web")
    found.metadata.ownerReferences.add(apiVersion="v1", kind="Node", name="n", uid="u-n")
    patch = adoption.adoption(PODS, found, owner(), REPLICASETS)
    meta = patch.body["metadata"]
    assert (meta["uid"], meta["resourceVersion"]) == ("u-a", "7")
    assert [reference["kind"] for reference in meta["ownerReferences"]] == ["Node", "ReplicaSet"]
    assert meta["ownerReferences"][1]["controller"] and meta["ownerReferences"][1]["blockOwnerDeletion"]


def test_release_takes_only_the_owners_reference() -> None:
    web = owner()
    found = owned(member("a", app="x"), web)
    assert adoption.release(PODS, found, web).body["metadata"]["ownerReferences"] is None
    found.metadata.ownerReferences.add(apiVersion="v1", kind="Node", name="n", uid="u-n")
    kept = adoption.release(PODS, found, web).body["metadata"]["ownerReferences"]
    assert kept == [{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u-n"}]


def indexed(*objects: Any, selectors: bool = False) -> Lister[Any]:
    store: Store[Any] = Store()
    if selectors:
        store.add_index(adoption.SELECTOR, adoption.by_selector)
    else:
        store.add_index(adoption.CONTROLLER, adoption.by_controller)
        store.add_index(adoption.ORPHAN, adoption.by_orphan_label)
    for found in objects:
        store.put(f"{found.metadata.namespace}/{found.metadata.name}", found)
    return Lister(store)


def test_candidates_are_own_pods_and_orphans_that_may_match() -> None:
    web = owner()
    own, orphan, other = owned(member("a", app="x"), web), member("b", app="web", tier="1"), member("c", app="other")
    elsewhere = member("d", app="web")
    elsewhere.metadata.namespace = "elsewhere"
    lister = indexed(own, orphan, other, elsewhere)
    assert names(adoption.candidates(lister, web, adoption.selector_of(web.spec.selector))) == ["a", "b"]


def test_a_selector_of_expressions_looks_at_all_orphans_of_its_namespace() -> None:
    web = owner()
    web.spec.selector.matchLabels.clear()
    web.spec.selector.matchExpressions.add(key="app", operator="Exists")
    lister = indexed(member("a", app="1"), member("b"))
    selector = adoption.selector_of(web.spec.selector)
    assert names(adoption.candidates(lister, web, selector)) == ["a", "b"]
    assert claimed(web, *adoption.candidates(lister, web, selector))[1] == ["a"]


def test_an_orphan_finds_those_whose_selector_matches() -> None:
    web, other, by_expression = owner(), owner("other", "u-o"), owner("any", "u-x")
    by_expression.spec.selector.matchLabels.clear()
    by_expression.spec.selector.matchExpressions.add(key="app", operator="Exists")
    lister = indexed(web, other, by_expression, selectors=True)
    assert sorted(names(adoption.matching(lister, member("a", app="web")))) == ["any", "web"]
    assert names(adoption.matching(lister, member("b", tier="1"))) == []


def test_a_controller_is_resolved_by_uid_not_by_name() -> None:
    web = owner()
    lister = indexed(web, selectors=True)
    assert adoption.resolve(lister, owned(member("a"), web), "ReplicaSet") is web
    assert adoption.resolve(lister, owned(member("a"), owner(uid="u-old")), "ReplicaSet") is None
    assert adoption.resolve(lister, owned(member("a"), web), "Job") is None
    assert adoption.resolve(lister, member("a"), "ReplicaSet") is None
