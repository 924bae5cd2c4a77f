"""Tolerations that are asked about many taints, against one after the other."""

from hypothesis import given
from hypothesis import strategies as st

from kcore.scheduler.rows import Taint, Tolerances, Toleration
from tests.property.scheduler import clusters
from tests.reference.scheduler.nodes import tolerates


@given(st.lists(clusters.tolerations, max_size=5), clusters.taints)
def test_tolerations_by_their_keys_tolerate_what_each_of_them_does(tolerations: list[Toleration], taint: Taint) -> None:
    tolerances = Tolerances(tolerations)
    assert tolerances.tolerate(taint) == tolerates(tolerations, taint)
    assert tolerances.reject(taint) == (taint.effect != "PreferNoSchedule" and not tolerates(tolerations, taint))
