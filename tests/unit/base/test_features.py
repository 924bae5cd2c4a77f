"""Which features are on is read as the programs of Kubernetes read it."""

from __future__ import annotations

import pytest

from kcore.base.features import GENERIC_WORKLOAD, FeatureGateError, parse


@pytest.mark.parametrize(
    ("text", "on"),
    [
        ("", set()),
        ("GenericWorkload=true", {GENERIC_WORKLOAD}),
        (" GenericWorkload = True , ", {GENERIC_WORKLOAD}),
        ("GenericWorkload=false", set()),
        ("GenericWorkload=true,GenericWorkload=false", set()),
    ],
)
def test_what_is_said_last_of_a_feature_holds(text: str, on: set[str]) -> None:
    assert parse(text) == on


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("GenericWorkload", "missing bool value for GenericWorkload"),
        ("Nonsense=true", "unrecognized feature gate: Nonsense; there is GenericWorkload"),
        ("GenericWorkload=yes", "invalid value of GenericWorkload=yes, must be true or false"),
    ],
)
def test_what_says_nothing_is_refused_in_a_sentence(text: str, why: str) -> None:
    with pytest.raises(FeatureGateError) as refused:
        parse(text)
    assert str(refused.value) == why
