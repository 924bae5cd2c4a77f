"""Files of node shapes: what they say, and what is refused before anything starts."""

from pathlib import Path

import click
import pytest

from kcore.agent.settings import NodeShape
from kcore.base import limits
from kcore.cli import shapes

GROUPS = """
- count: 2
  capacity: {cpu: 96, memory: 384Gi, example.com/gpu: 8}
  labels: {example.com/model: A10}
  taints: [{key: example.com/gpu, effect: NoSchedule}]
- count: 1
"""


def file_of(folder: Path, text: str) -> Path:
    path = folder / "shapes.yaml"
    path.write_text(text)
    return path


def test_groups_are_read_in_order_with_amounts_as_quantities(tmp_path: Path) -> None:
    found = shapes.read(file_of(tmp_path, GROUPS))
    capacity = {"cpu": "96", "memory": "384Gi", "example.com/gpu": "8"}
    taints = [{"key": "example.com/gpu", "effect": "NoSchedule"}]
    assert found == (NodeShape(2, capacity, {"example.com/model": "A10"}, taints), NodeShape(1, taints=[]))
    assert shapes.total(found) == 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{}", "it holds no list of groups of nodes"),
        ("[]", "it holds no list of groups of nodes"),
        ("- 3", "it holds no list of groups of nodes"),
        ("- [", "while parsing a flow node"),
        ("- count: 0", "[0].count: it has to be a number from 1 on"),
        ("- count: true", "[0].count: it has to be a number from 1 on"),
        ("- {count: 1}\n- {count: 1, colour: red}", "[1]: colour is none of capacity, count, labels, taints"),
        ("- {count: 1, labels: {a: a b}}", '[0]: metadata.labels: Invalid value: "a b"'),
        ("- {count: 1, labels: 3}", "[0]: Node in version"),
        ("- {count: 1, capacity: {cpu: -1}}", '[0]: status.capacity.cpu: Invalid value: "-1"'),
        ("- {count: 1, capacity: {cpu: much}}", "[0]: Node in version"),
        ("- {count: 1, taints: [{key: a}]}", "[0]: metadata.taints[0].effect: Required value"),
        ("- {count: 1, taints: [{key: a, effect: NoSchedule, colour: red}]}", '[0]: unknown field "spec.taints[0].colour"'),
        (f"- count: {limits.HOLLOW_NODES_MAX}\n- count: 1", f"these are {limits.HOLLOW_NODES_MAX + 1} nodes, more than"),
    ],
)
def test_what_the_api_would_refuse_is_refused_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    path = file_of(tmp_path, text)
    with pytest.raises(click.ClickException) as refused:
        shapes.read(path)
    assert refused.value.message.startswith(f"{path}: {sentence}")
