"""Pictures are drawn of what there is."""

from pathlib import Path

import pytest

from kcore.load import plots
from kcore.load.measure import Times

PNG = b"\x89PNG\r\n"


def test_figures_are_multiples_of_their_targets_in_both_directions() -> None:
    found = {
        "a": {"bound_per_s": 50.0, "start_s": 2.0, "targets": {"bound_per_s": 100, "start_s": 1, "memory_mb": 5}},
        "b": {"not_measured": "no tool", "targets": {"calls_per_s": 5}},
    }
    assert plots.reached(found) == {"a: bound_per_s": 0.5, "a: start_s": 0.5}


def test_a_report_without_loads_is_drawn_beside_its_targets(tmp_path: Path) -> None:
    (made,) = plots.plot({"rows": {"rest": {"start_s": 0.5, "targets": {"start_s": 1}}}}, tmp_path / "new")
    assert made.name == "targets.png" and made.read_bytes().startswith(PNG)
    assert plots.plot({"rows": {}}, tmp_path) == []


@pytest.mark.parametrize("count", [0, 1, 5_000])
def test_latencies_are_drawn_of_few_and_of_many_pods(tmp_path: Path, count: int) -> None:
    times = Times({f"p{index}": index / 100 for index in range(count)})
    times.acknowledged = {name: sent + 0.1 for name, sent in times.sent.items()}
    times.running = {name: sent + 0.5 for name, sent in list(times.sent.items())[: count // 2]}
    assert plots.latencies(times, tmp_path / "latency.png").read_bytes().startswith(PNG)
