"""What a pod needs of its node against the same question asked at every moment of the pod's life."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kcore.machinery.kinds.requests import amounts, effective

NAMES = ("cpu", "memory", "example.com/device")
AMOUNTS = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 9).map(str))


def needed_at_any_moment(containers: list[dict[str, str]], init: list[tuple[dict[str, str], bool]]) -> dict[str, int]:
    """Play the pod's life: each init container beside the sidecars before it, then all containers beside all sidecars."""
    moments = [
        [*(wanted for wanted, restartable in init[:index] if restartable), init[index][0]] for index in range(len(init))
    ]
    moments.append([*(wanted for wanted, restartable in init if restartable), *containers])
    needs: dict[str, int] = {}
    for running in moments:
        for name in {name for wanted in running for name in wanted}:
            needs[name] = max(needs.get(name, 0), sum(int(wanted.get(name, "0")) for wanted in running))
    return needs


@given(st.lists(AMOUNTS, max_size=4), st.lists(st.tuples(AMOUNTS, st.booleans()), max_size=5))
def test_the_needs_of_a_pod_are_those_of_its_worst_moment(
    containers: list[dict[str, str]], init: list[tuple[dict[str, str], bool]],
) -> None:
    found = effective([amounts(wanted) for wanted in containers], [(amounts(wanted), restartable) for wanted, restartable in init])
    assert {name: quantity.value() for name, quantity in found.items()} == needed_at_any_moment(containers, init)
