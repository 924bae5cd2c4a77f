"""Pods as peers: what is counted where, which wishes of placed pods concern another pod, and the default selector."""

from kcore.scheduler.peers.index import PeerIndex
from kcore.scheduler.peers.owners import Owners
from kcore.scheduler.rows import Expression, Owner, Peer, PodAffinity, PodPreference, PodSelector, PodTerm

WEB = (Expression("app", "In", ("web",)),)
TEAM = (Expression("team", "In", ("x",)),)


def peer(app: str, namespace: str = "default", **more) -> Peer:
    return Peer(namespace, (("app", app),), **more)


def test_a_tally_counts_the_pods_there_are_and_those_that_come_and_go():
    index = PeerIndex(4)
    for slot in (0, 2, 2):
        index.place(peer("web"), slot)
    index.place(peer("db"), 1)
    tally = index.tally(PodSelector(WEB, ("default",)))
    assert tally.counts.tolist() == [1, 0, 2, 0]
    index.place(peer("web"), 3)
    index.place(peer("web", "other"), 3)
    index.displace(peer("web"), 2)
    assert tally.counts.tolist() == [1, 0, 1, 1]
    assert index.tally(PodSelector(WEB, ("default",))) is tally


def test_terminating_pods_count_only_where_they_are_meant():
    index = PeerIndex(2)
    index.place(peer("web"), 0)
    selector = PodSelector(WEB, ("default",))
    all_pods, living = index.tally(selector), index.tally(selector, living=True)
    assert index.replace(peer("web"), peer("web", terminating=True), 0)
    assert (all_pods.counts[0], living.counts[0]) == (1, 0)


def test_a_pod_that_shows_something_nobody_looks_at_changes_nothing():
    index = PeerIndex(2)
    tally = index.tally(PodSelector(WEB, ("default",)))
    index.place(peer("web"), 1)
    zoned = Peer("default", (("app", "web"), ("zone", "a")))
    assert not index.replace(peer("web"), zoned, 1)
    index.displace(zoned, 1)
    assert tally.counts.tolist() == [0, 0]


def test_a_selector_of_namespaces_is_counted_anew_when_one_comes_to_be_meant():
    index = PeerIndex(2)
    index.place(peer("web", "other"), 1)
    selector = PodSelector(WEB, (), TEAM)
    before, named = index.tally(selector), index.tally(PodSelector(WEB, ("other",)))
    assert index.set_namespace("other", {"team": "x"})
    assert (before.kept, named.kept) == (False, True)
    assert index.tally(selector).counts.tolist() == [0, 1]
    assert not index.set_namespace("other", {"team": "x"})
    assert index.set_namespace("other", None)
    assert index.tally(selector).counts.tolist() == [0, 0]


def test_wishes_of_placed_pods_concern_those_they_mean_as_long_as_a_pod_holds_them():
    index = PeerIndex(2)
    nobody = PodPreference(5, PodTerm(PodSelector(()), "zone"))
    wish = PodAffinity(avoided=(PodTerm(PodSelector(WEB, ("default",)), "zone"),), preferred=(nobody,))
    holders = [peer("db", affinity=wish), peer("cache", affinity=wish)]
    for slot, holder in enumerate(holders):
        index.place(holder, slot)
    (held,) = index.concerning(peer("web"))
    tally = index.holders(held)
    assert tally.counts.tolist() == [1, 1]
    assert index.concerning(peer("db")) == ()
    for slot, holder in enumerate(holders):
        assert index.concerning(peer("web")) == (held,)
        index.displace(holder, slot)
    assert index.concerning(peer("web")) == ()
    assert not tally.kept
    index.place(holders[0], 0)
    assert index.concerning(peer("web"))[0].number != held.number


def test_a_wish_is_counted_once_somebody_is_concerned_and_twice_where_it_is_named_twice():
    index = PeerIndex(2)
    term = PodTerm(PodSelector(WEB, ("default",)), "zone")
    index.place(peer("db", affinity=PodAffinity(avoided=(term, term))), 1)
    assert index.tallies() == {}
    (held,) = index.concerning(peer("web"))
    assert index.holders(held).counts.tolist() == [0, 2]
    index.place(peer("cache", affinity=PodAffinity(avoided=(term,))), 0)
    assert index.holders(held).counts.tolist() == [1, 2]


def test_above_the_bound_the_tally_asked_for_longest_ago_is_dropped(monkeypatch):
    monkeypatch.setattr("kcore.scheduler.peers.index.SCHEDULER_TALLIES_MAX", 2)
    index = PeerIndex(1)
    index.place(peer("web"), 0)
    selectors = [PodSelector(WEB, names) for names in (("default",), ("default", "b"), ("default", "c"))]
    first, second = map(index.tally, selectors[:2])
    assert index.tally(selectors[0]) is first
    index.tally(selectors[2])
    assert (first.kept, second.kept, index.drop_count) == (True, False, 1)
    index.place(peer("web"), 0)
    assert (first.counts[0], second.counts[0]) == (2, 1)


def test_the_default_selector_joins_services_and_the_workload():
    owners, owner = Owners(), Owner("ReplicaSet", "r")
    web = Peer("default", (("app", "web"), ("tier", "front")))
    owners.set_service("default", "a", {"app": "web"})
    owners.set_service("default", "b", {"app": "web", "tier": "front"})
    owners.set_service("default", "c", {"app": "web", "tier": "back"})
    owners.set_service("other", "d", {"app": "web"})
    owners.set_service("default", "e", {})
    front, app = Expression("tier", "In", ("front",)), Expression("app", "In", ("web",))
    assert owners.selector(web, owner) == (app, front)
    more = (app, Expression("hash", "Exists", ()))
    owners.set_workload("default", owner, more)
    assert owners.selector(web, owner) == (app, front, more[1])
    assert owners.selector(web, None) == (app, front)
    assert owners.selector(web._replace(namespace="other"), owner) == (app,)
    owners.set_service("default", "b", {"app": "db"})
    owners.set_service("default", "a", None)
    owners.set_workload("default", owner, None)
    assert owners.selector(web, owner) == ()
