"""The picture of a simulation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kcore.machinery.labels import parse
from kcore.simulate import plots
from kcore.simulate.changes import DrainSelected, Grow
from kcore.simulate.report import simulated
from tests.unit.simulate.objects import cluster, node, pod

PNG = b"\x89PNG\r\n"


def test_nodes_that_are_not_there_are_no_number() -> None:
    found = cluster(node("a", rack="1"), node("b"), pod("p", "1", on="b"))
    report = simulated(found, [DrainSelected("", parse("rack=1")), Grow("", "b", 3)])
    assert np.array_equal(plots.grid(report, "cpu", "before"), [[0, 0.25, np.nan], [np.nan, np.nan, np.nan]], equal_nan=True)
    assert np.array_equal(plots.grid(report, "cpu", "after"), [[np.nan, 0.25, 0], [0, 0, np.nan]], equal_nan=True)


def test_a_heat_map_is_drawn_of_few_and_of_no_nodes(tmp_path: Path) -> None:
    for nodes in (0, 3):
        path = tmp_path / f"{nodes}.picture"
        plots.heat_map(simulated(cluster(*(node(f"n{number}") for number in range(nodes))), []), path)
        assert path.read_bytes().startswith(PNG)
