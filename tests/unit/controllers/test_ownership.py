"""Who is told of an object's owners."""

from __future__ import annotations

from typing import Any

from kcore.client.lister import Lister, Store
from kcore.controllers import adoption
from kcore.controllers.controller import Claimant
from kcore.controllers.ownership import Ownership
from tests.unit.controllers.test_adoption import member, owned, owner


def alike(name: str) -> Any:
    """Another owner with the selector of the first."""
    found = owner(name, f"u-{name}")
    found.spec.selector.CopyFrom(owner().spec.selector)
    return found


class Told:
    """An ownership with two kinds of owners, and what it made of changes."""

    def __init__(self, *sets: Any, jobs: tuple[Any, ...] = (), looks_at_new: bool = True) -> None:
        self.looked: list[str] = []
        self.shown: list[tuple[str, str, bool]] = []
        self.ownership = Ownership()
        for kind, owners in (("ReplicaSet", sets), ("Job", jobs)):
            store: Store[Any] = Store()
            store.add_index(adoption.SELECTOR, adoption.by_selector)
            for each in owners:
                store.put(f"default/{each.metadata.name}", each)
            claimant = Claimant(kind, Lister(store), self.seen, looks_at_new)
            self.ownership.add(claimant, lambda key, kind=kind: self.looked.append(f"{kind} {key}"))

    def seen(self, key: str, object_: Any, *, gone: bool) -> None:
        self.shown.append((key, object_.metadata.name, gone))

    def by(self, old: Any, new: Any) -> list[str]:
        self.looked.clear()
        self.ownership.changed(old, new)
        return self.looked


def test_an_owned_object_concerns_its_own_controller_alone() -> None:
    web = owner()
    told = Told(web, owner("other", "u-other"), jobs=(owner("j", "u-j"),))
    pod = owned(member("a", app="web"), web)
    assert told.by(None, pod) == ["ReplicaSet default/web"]
    assert told.shown == [("default/web", "a", False)]


def test_an_orphan_concerns_all_whose_selector_matches() -> None:
    told = Told(owner(), alike("other"), jobs=(alike("j"),))
    assert sorted(told.by(None, member("a", app="web"))) == ["Job default/j", "ReplicaSet default/other", "ReplicaSet default/web"]
    assert told.by(None, member("b", app="else")) == [] and told.shown == []


def test_an_orphan_whose_labels_stay_concerns_nobody_again() -> None:
    told = Told(owner())
    assert told.by(member("a", app="web"), member("a", app="web")) == []
    assert told.by(member("a", app="else"), member("a", app="web")) == ["ReplicaSet default/web"]


def test_an_object_that_changes_hands_concerns_both() -> None:
    web, other = owner(), alike("other")
    told = Told(web, other)
    assert told.by(owned(member("a"), web), owned(member("a"), other)) == ["ReplicaSet default/web", "ReplicaSet default/other"]
    assert told.shown == [("default/other", "a", False)]
    assert told.by(owned(member("a", app="web"), other), member("a", app="web")) == [
        "ReplicaSet default/other", "ReplicaSet default/web", "ReplicaSet default/other",
    ]  # fmt: skip


def test_the_last_state_of_an_object_that_went_is_shown_to_its_owner() -> None:
    web = owner()
    told = Told(web)
    assert told.by(owned(member("a"), web), None) == ["ReplicaSet default/web"]
    assert told.shown == [("default/web", "a", True)]
    assert told.by(member("a", app="web"), None) == []


def test_a_claimant_may_wait_for_more_than_a_new_object() -> None:
    web = owner()
    told = Told(web, looks_at_new=False)
    assert told.by(None, owned(member("a"), web)) == [] and told.shown == [("default/web", "a", False)]
    assert told.by(owned(member("a"), web), None) == ["ReplicaSet default/web"]


def test_an_orphan_on_its_way_out_concerns_nobody() -> None:
    told = Told(owner())
    ending = member("a", app="web")
    ending.metadata.deletionTimestamp.seconds = 1
    assert told.by(None, ending) == []


def test_an_owner_of_another_uid_or_an_unknown_kind_is_not_concerned() -> None:
    told = Told(owner())
    assert told.by(None, owned(member("a", app="web"), owner(uid="u-old"))) == []
    pod = owned(member("a", app="web"), owner())
    pod.metadata.ownerReferences[0].kind = "Elsewhere"
    assert told.by(None, pod) == [] and told.shown == []
