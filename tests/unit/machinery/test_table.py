"""Ages, and tables as text."""

import pytest

from kcore.machinery import ages, conversion, meta, scheme, table
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.kinds import cells

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2, "<invalid>"), (-1.5, "0s"), (-0.5, "0s"), (0, "0s"), (1.9, "1s"), (119, "119s"), (120, "2m"), (121, "2m1s"),
        (10 * MINUTE - 1, "9m59s"), (10 * MINUTE, "10m"), (10 * MINUTE + 59, "10m"), (3 * HOUR - 1, "179m"), (3 * HOUR, "3h"),
        (3 * HOUR + MINUTE, "3h1m"), (8 * HOUR - 1, "7h59m"), (8 * HOUR, "8h"), (48 * HOUR - 1, "47h"), (2 * DAY, "2d"),
        (2 * DAY + HOUR, "2d1h"), (8 * DAY - 1, "7d23h"), (8 * DAY, "8d"), (2 * YEAR - 1, "729d"), (2 * YEAR, "2y"),
        (2 * YEAR + DAY, "2y1d"), (8 * YEAR - 1, "7y364d"), (8 * YEAR, "8y"), (9 * YEAR + DAY, "9y"),
    ],
)  # fmt: skip
def test_a_span_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert ages.duration(seconds) == text


def test_an_object_without_a_time_has_no_known_age() -> None:
    assert ages.age(None, 0.0) == ages.age("", 0.0) == "<unknown>"
    assert ages.age("1970-01-01T00:00:30Z", 60.0) == "30s"


def test_columns_are_three_spaces_apart_and_lines_end_with_their_text() -> None:
    text = table.render(["Name", "Ready", "Age"], [["a", "1/1", "5s"], ["longer", "0/1", ""]])
    assert text.splitlines() == ["NAME     READY   AGE", "a        1/1     5s", "longer   0/1"]


def test_heads_may_stay_as_they_are() -> None:
    assert table.render(["Last Seen"], [], as_heads=str) == "Last Seen"


def test_cells_are_text_numbers_truth_or_nothing() -> None:
    assert table.render(["a", "b", "c", "d"], [[True, 0, None, "x"]]).splitlines()[1] == "true   0   <none>   x"


def test_every_column_is_described_but_that_of_a_runtime_class() -> None:
    kinds = scheme.load().kinds.values()
    bare = [(spec.kind, column.name) for spec in kinds for column in table.columns(spec) if not table.description(column)]
    assert bare == [("RuntimeClass", "Handler")]


def test_a_row_has_cells_without_column_and_hides_annotations_that_stand_for_fields() -> None:
    obj = {"metadata": {"creationTimestamp": "1970-01-01T00:00:00Z", "annotations": {meta.TEMPLATE_GENERATION: "1"}}}
    assert cells.surplus("networking.k8s.io", "IPAddress", obj, 5.0) == ["5s"]
    assert cells.surplus("", "Pod", obj, 5.0) == []
    assert cells.metadata("apps", "DaemonSet", obj) == {"creationTimestamp": "1970-01-01T00:00:00Z"}
    assert cells.metadata("apps", "Deployment", obj) == obj["metadata"]


def test_cells_of_the_other_version_are_those_of_the_stored_one() -> None:
    kinds = scheme.load().kinds
    stored, other = (kinds[GroupVersionKind("autoscaling", version, "HorizontalPodAutoscaler")] for version in ("v2", "v1"))
    pods = {"type": "Pods", "pods": {"metric": {"name": "m"}, "target": {"type": "AverageValue", "averageValue": "5"}}}
    obj = {"metadata": {"name": "h"}, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "d"}, "maxReplicas": 2, "metrics": [pods]}}
    shown = table.row(stored, table.columns(stored), obj, 0.0)
    assert shown[2] == "<unknown>/5"
    assert table.row(other, table.columns(other), conversion.of(other).from_stored(obj), 0.0) == shown
