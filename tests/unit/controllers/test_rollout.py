"""Bounds of a rolling update, and steps that keep to them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcore.controllers import revisions, rollout
from kcore.controllers.rollout import Family
from tests.property.controllers.world import deployment, replicaset


def spec(size: int, surge: str, unavailable: str) -> Any:
    found = deployment("web", size).spec
    for field, value in (("maxSurge", surge), ("maxUnavailable", unavailable)):
        target = getattr(found.strategy.rollingUpdate, field)
        target.type, target.strVal, target.intVal = (1, value, 0) if value.endswith("%") else (0, "", int(value))
    return found


@pytest.mark.parametrize(("size", "surge", "unavailable", "bounds"), [
    (4, "25%", "25%", (1, 1)),
    (3, "25%", "25%", (1, 0)),
    (5, "25%", "25%", (2, 1)),
    (0, "25%", "25%", (0, 0)),
    (10, "0", "3", (0, 3)),
    (2, "1", "5", (1, 2)),
    (3, "0", "10%", (0, 1)),
    (1, "0", "0", (0, 1)),
])  # fmt: skip
def test_surge_is_rounded_up_and_unavailable_down_and_one_of_them_is_left(
    size: int, surge: str, unavailable: str, bounds: tuple[int, int]
) -> None:
    assert rollout.fenceposts(spec(size, surge, unavailable)) == bounds


def test_a_recreate_has_no_bounds() -> None:
    found = deployment("web", 3).spec
    found.strategy.type = "Recreate"
    assert rollout.fenceposts(found) == (0, 0)


def member(name: str, size: int, available: int, image: str, seconds: int) -> Any:
    found = replicaset(name, size)
    found.metadata.uid, found.metadata.creationTimestamp.seconds = name, seconds
    found.spec.template.CopyFrom(deployment("web", 1).spec.template)
    found.spec.template.spec.containers[0].image = image
    found.status.availableReplicas = available
    revisions.put_sizes(found, 4, 5)
    return found


sizes = st.integers(0, 8)


@given(sizes, st.integers(0, 3), st.integers(0, 3), st.lists(st.tuples(sizes, sizes), min_size=1, max_size=4), st.tuples(sizes, sizes))
def test_no_step_breaks_the_bounds(size: int, surge: int, unavailable: int, old: list[tuple[int, int]], new: tuple[int, int]) -> None:
    made = deployment("web", size, surge, unavailable)
    sets = [member(f"old{number}", count, up, f"web:{number + 2}", number) for number, (count, up) in enumerate(old)]
    sets.append(member("new", new[0], min(new), "web:1", 99))
    family = Family(made, sets)
    before = sum(found.spec.replicas for found in family.all)
    rollout.roll(family)
    after = sum(found.spec.replicas for found in family.all)
    assert after <= max(before, family.maximum)
    assert all(found.spec.replicas >= 0 for found in family.all)
    surely_available = sum(min(found.spec.replicas, found.status.availableReplicas) for found in family.all)
    was_available = sum(min(found.spec.replicas, found.status.availableReplicas) for found in sets)
    assert surely_available >= min(was_available, size - family.unavailable) or new[0] > size


@given(st.integers(0, 30), st.integers(0, 5), st.lists(st.integers(1, 20), min_size=2, max_size=5))
def test_a_new_size_is_shared_out_completely(size: int, surge: int, present: list[int]) -> None:
    made = deployment("web", size, surge, 1)
    sets = [member(f"s{number}", count, 0, f"web:{number + 1}", number) for number, count in enumerate(present)]
    for found in sets:
        revisions.put_sizes(found, sum(present), sum(present))
    family = Family(made, sets)
    rollout.scale(family)
    total, wanted = sum(found.spec.replicas for found in family.all), family.maximum if size else 0
    # What rounding leaves over is taken from one set, as upstream does; one that has too little to give ends at 0.
    assert total == wanted or (total > wanted and any(found.spec.replicas == 0 for found in family.all))
    assert all(revisions.desired_of(found) == size for found in family.all)
