"""What parts still want to create about objects that a reset took away."""

import pytest

from kcore.api.core.v1.event_pb2 import Event
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.base import limits
from kcore.testing import oracle
from kcore.testing.ghosts import Ghosts, uid_of


def test_what_names_a_ghost_is_refused_and_nothing_else() -> None:
    ghosts = Ghosts()
    event = Event(metadata={"name": "e", "namespace": "default"}, involvedObject={"uid": "u1"}).SerializeToString()
    owned = Pod(metadata={"name": "p", "ownerReferences": [{"uid": "u2"}, {"uid": "u1"}]}).SerializeToString()
    free = Pod(metadata={"name": "u1", "uid": "u1"}).SerializeToString()
    assert [ghosts.refusal(kind, raw) for kind, raw in (("events", event), ("pods", owned), ("pods", free))] == [None, None, None]
    ghosts.add(["u1"])
    refusals = [ghosts.refusal(kind, raw) for kind, raw in (("events", event), ("pods", owned), ("pods", free))]
    assert [refusal and refusal.reason for refusal in refusals] == ["Forbidden", "Forbidden", None]


def test_the_oldest_ghosts_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TESTING_GHOSTS_MAX", 3)
    ghosts = Ghosts()
    ghosts.add(["a", "b"])
    ghosts.add(["c", "d", "e"])
    assert list(ghosts.uids) == ["c", "d", "e"]


def test_the_uid_of_a_stored_object_is_read() -> None:
    assert uid_of(oracle.encode({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "uid": "u"}, "spec": {}})) == "u"
