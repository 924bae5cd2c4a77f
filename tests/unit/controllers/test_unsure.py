"""Writes whose answers were lost, and looks that are spaced."""

from typing import Any

from kcore.controllers.actions import Create, Delete
from kcore.controllers.pace import Pace
from kcore.controllers.unsure import UnsureWrites
from tests.property.controllers.world import PODS, pod


def present(name: str, uid: str, deleting: bool = False) -> Any:
    found = pod(name)
    found.metadata.uid = uid
    if deleting:
        found.metadata.deletionTimestamp.seconds = 1
    return found


def test_what_is_there_happened_and_what_is_not_did_not() -> None:
    unsure = UnsureWrites()
    here, absent = Create(pod("here")), Create(pod("absent"))
    gone, going, stays = (Delete(PODS, "default", name, uid=name) for name in ("gone", "going", "stays"))
    unsure.note("k", [here, absent, gone, going, stays], 5.0)
    found = unsure.of("k")
    assert found is not None and found.since == 5.0
    objects = [present("here", "u"), present("b", "going", deleting=True), present("c", "stays")]
    assert found.never_happened(objects) == [absent, stays]


def test_a_later_lost_answer_is_waited_for_anew() -> None:
    unsure = UnsureWrites()
    unsure.note("k", [Create(pod("a"))], 5.0)
    unsure.note("k", [Create(pod("b"))], 7.0)
    found = unsure.of("k")
    assert found is not None and found.since == 7.0 and len(found.writes) == 2
    unsure.forget("k")
    assert unsure.of("k") is None


def test_a_look_waits_in_proportion_to_what_it_counts() -> None:
    pace = Pace(0.001)
    assert pace.early_s("k", 10.0) == 0.0
    pace.looked("k", 500, 10.0)
    assert pace.early_s("k", 10.2) == 0.3000000000000007
    assert pace.early_s("k", 11.0) == pace.early_s("other", 10.0) == 0.0
    pace.forget("k")
    assert pace.early_s("k", 10.2) == 0.0
