"""Which taints a pod tolerates, and for how long."""

import pytest

from kcore.machinery.kinds.tolerations import (
    NO_EXECUTE,
    NO_SCHEDULE,
    PREFER_NO_SCHEDULE,
    Taint,
    Toleration,
    eviction_delay_s,
    intolerable_preferences,
    taints_of,
    tolerates,
    tolerations_of,
    untolerated,
)

TAINT = Taint("k", "v", NO_SCHEDULE)


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        (Toleration("k", "Equal", "v", NO_SCHEDULE), True),
        (Toleration("k", "", "v"), True),
        (Toleration("k", "Equal", "w"), False),
        (Toleration("k", "Exists"), True),
        (Toleration("", "Exists"), True),
        (Toleration("other", "Exists"), False),
        (Toleration("k", "Exists", "", NO_EXECUTE), False),
        (Toleration("k", "Gt", "v"), False),
    ],
)
def test_a_toleration_covers_a_taint_by_key_value_and_effect(toleration: Toleration, expected: bool) -> None:
    assert tolerates(toleration, TAINT) is expected


def test_the_first_taint_that_nothing_tolerates_is_found() -> None:
    taints = [TAINT, Taint("x", "", NO_EXECUTE), Taint("soft", "", PREFER_NO_SCHEDULE)]
    assert untolerated([], taints) == TAINT
    assert untolerated([Toleration("k", "Exists")], taints) == taints[1]
    assert untolerated([Toleration("", "Exists")], taints) is None
    assert untolerated([], taints[2:]) is None


def test_only_soft_taints_count_as_preferences() -> None:
    taints = [TAINT, Taint("a", "", PREFER_NO_SCHEDULE), Taint("b", "", PREFER_NO_SCHEDULE)]
    assert intolerable_preferences([], taints) == 2
    assert intolerable_preferences([Toleration("a", "Exists")], taints) == 1
    assert intolerable_preferences([Toleration("a", "Exists", "", NO_SCHEDULE)], taints) == 2


def test_eviction_waits_for_the_shortest_toleration_in_use() -> None:
    taints = [Taint("a", "", NO_EXECUTE), Taint("b", "", NO_EXECUTE)]
    assert eviction_delay_s([], taints) == 0
    assert eviction_delay_s([Toleration("a", "Exists", "", "", 5)], taints) == 0
    assert eviction_delay_s([Toleration("a", "Exists", "", "", 300), Toleration("b", "Exists", "", "", 60)], taints) == 60
    assert eviction_delay_s([Toleration("", "Exists")], taints) is None
    assert eviction_delay_s([Toleration("", "Exists"), Toleration("a", "Exists", "", "", -1)], taints) == 0
    assert eviction_delay_s([], [TAINT]) is None


def test_lists_in_json_form_are_read_with_their_gaps() -> None:
    assert tolerations_of([{"key": "a", "tolerationSeconds": 3}, {"operator": "Exists"}]) == [
        Toleration("a", seconds=3), Toleration(operator="Exists"),
    ]
    assert taints_of([{"key": "a", "effect": NO_SCHEDULE}]) == [Taint("a", "", NO_SCHEDULE)]
    assert tolerations_of(None) == []
    assert taints_of(None) == []
