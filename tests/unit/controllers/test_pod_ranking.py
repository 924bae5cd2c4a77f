"""Which pods go first."""

from typing import Any

import pytest

from kcore.controllers.pod_ranking import pods_to_delete
from tests.property.controllers.world import pod

NOW = 100_000.0


def member(name: str, *, node: str = "n1", phase: str = "Running", ready: float | None = 100.0, created: float = 100.0, **more: Any) -> Any:
    found = pod(name)
    found.metadata.uid = f"u-{name}"
    found.metadata.creationTimestamp.seconds = int(created)
    found.spec.nodeName, found.status.phase = node, phase
    if ready is not None:
        found.status.conditions.add(type="Ready", status="True").lastTransitionTime.seconds = int(ready)
    if "cost" in more:
        found.metadata.annotations["controller.kubernetes.io/pod-deletion-cost"] = more["cost"]
    if "restarts" in more:
        found.status.containerStatuses.add(name="c", restartCount=more["restarts"])
    return found


PAIRS = [
    (member("b", node="", phase="Pending", ready=None), member("a")),
    (member("b", phase="Pending", ready=None), member("a", phase="Unknown", ready=None)),
    (member("b", phase="Unknown"), member("a")),
    (member("b", ready=None), member("a")),
    (member("b", cost="-1"), member("a")),
    (member("b"), member("a", cost="1")),
    (member("b", ready=99_990), member("a", ready=100)),
    (member("b", restarts=3), member("a", restarts=2)),
    (member("b", created=99_990), member("a", created=100)),
]
WORDS = ["unassigned", "pending", "unknown", "unready", "cheap", "cost", "young ready", "restarted", "young"]


@pytest.mark.parametrize(("goes", "stays"), PAIRS, ids=WORDS)
def test_the_lesser_pod_goes_whatever_the_order(goes: Any, stays: Any) -> None:
    assert pods_to_delete([goes, stays], [], 1, NOW) == [goes]
    assert pods_to_delete([stays, goes], [], 1, NOW) == [goes]


def test_ages_of_one_magnitude_are_equal_and_the_uid_decides() -> None:
    first, second = member("a", ready=100), member("b", ready=20_000)
    assert pods_to_delete([second, first], [], 1, NOW) == [first]


def test_of_several_pods_of_a_family_on_a_node_one_goes_first() -> None:
    alone, crowded = member("a", node="n1"), member("b", node="n2")
    related = [alone, crowded, member("c", node="n2")]
    assert pods_to_delete([alone, crowded], related, 1, NOW) == [crowded]


def test_a_cost_that_is_no_number_counts_as_none() -> None:
    assert pods_to_delete([member("a", cost="much"), member("b", cost="-1")], [], 1, NOW)[0].metadata.name == "b"


def test_all_go_unranked() -> None:
    pods = [member("a"), member("b")]
    assert pods_to_delete(pods, [], 5, NOW) == pods
