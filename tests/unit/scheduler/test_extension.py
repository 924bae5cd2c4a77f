"""Plugins of one's own: loaded by name, asked about all nodes or one, and kept like others."""

import json
from typing import Any

import numpy as np
import pytest

from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.machinery import codec
from kcore.scheduler.configuration.reading import Configuration, ConfigurationError, read
from kcore.scheduler.core import Core
from kcore.scheduler.cycle import explain
from kcore.scheduler.extension import Ask, Filter, Nodes, Score
from kcore.scheduler.ingest import measured, node_row
from tests.unit.scheduler.pods import node, pod

HERE = "tests.unit.scheduler.test_extension"
LOAD = "kcore.scheduler.extension.measured_load:MeasuredLoad"


class Cool:
    """Let pods go only where a label says that it is cool, and prefer nodes with few pods."""

    reason = "node(s) were too warm"

    def __init__(self, warm: str = "warm") -> None:
        self.warm = warm

    def passes(self, ask: Ask, nodes: Nodes) -> Any:
        return nodes.label("air") != self.warm

    def score(self, ask: Ask, nodes: Nodes) -> Any:
        return 100 - 1000 * nodes.pod_count


def configured(*names: str, **args: Any) -> Configuration:
    enabled = [{"name": name, "weight": 50} for name in names]
    return read(
        {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "profiles": [{"plugins": {"multiPoint": {"enabled": enabled}}, "pluginConfig": [{"name": names[0], "args": args}]}],
        }
    )


def measured_node(name: str, **usage: str) -> Any:
    return node(name)._replace(usage=measured(json.dumps(usage)))


def core_of(configuration: Configuration, *nodes: Any) -> Core:
    core = Core(VirtualClock(), SeededEntropy(1), configuration)
    for each in nodes:
        core.node_changed(each)
    return core


def decided(core: Core) -> dict[str, str | None]:
    batch = core.decide(9)
    return {attempt.pod.name: attempt.decision.node for attempt in (*batch.assumed, *batch.waiting)}


def test_a_plugin_filters_scores_and_says_why() -> None:
    core = core_of(configured(f"{HERE}:Cool"), node("a", air="warm"), node("b", air="cold"), node("c"))
    for name in ("x", "y", "z"):
        core.pod_changed(pod(name))
    found = decided(core)
    assert set(found.values()) == {"b", "c"}
    alone = core_of(configured(f"{HERE}:Cool"), node("a", air="warm"))
    alone.pod_changed(pod("x"))
    attempt = alone.decide(9).waiting[0]
    assert attempt.decision.message.startswith("0/1 nodes are available: 1 node(s) were too warm.")
    assert attempt.decision.rejected_by == (f"{HERE}:Cool",)
    alone.node_changed(node("a"))
    assert decided(alone) == {"x": "a"}


def test_arguments_are_handed_over_as_keywords() -> None:
    core = core_of(configured(f"{HERE}:Cool", warm="cold"), node("a", air="cold"))
    core.pod_changed(pod("x"))
    assert decided(core) == {"x": None}


def test_scores_are_held_within_bounds_and_weighed() -> None:
    configuration = configured(f"{HERE}:Cool")
    core = core_of(configuration, node("a"), node("b"))
    core.pod_changed(pod("there", node="a"))
    found = explain(pod("x"), core.columns, configuration.profiles[0])
    assert found.normalised[f"{HERE}:Cool"] == {"a": 0, "b": 100}
    assert found.scores[f"{HERE}:Cool"] == {"a": 0, "b": 5000}


def test_pods_go_where_least_is_measured_whatever_is_requested() -> None:
    core = core_of(configured(LOAD), measured_node("busy", cpu="3500m", memory="1Gi"), measured_node("idle", cpu="100m", memory="1Gi"))
    core.pod_changed(pod("sleeping", node="idle"))
    core.pod_changed(pod("x"))
    assert decided(core) == {"x": "idle"}


def test_new_measurements_count_for_the_next_pod() -> None:
    core = core_of(configured(LOAD, resources=["cpu"]), measured_node("a", cpu="4"), measured_node("b", cpu="0"))
    core.pod_changed(pod("x"))
    assert decided(core) == {"x": "b"}
    before = core.columns.static_version
    core.node_changed(measured_node("a", cpu="0"))
    core.node_changed(measured_node("b", cpu="4"))
    assert core.columns.static_version == before
    core.pod_changed(pod("y"))
    assert decided(core) == {"y": "a"}


def test_measurements_are_read_from_the_annotation_and_nonsense_says_nothing() -> None:
    annotations = {"kcore.io/usage": '{"cpu": "1500m", "memory": "1Gi"}'}
    raw = codec.encode("kcore.api.core.v1.Node", {"metadata": {"name": "a", "annotations": annotations}})
    assert node_row(raw).usage == (("cpu", 1500), ("memory", 1 << 30))
    assert [measured(text) for text in ("", "[]", "{", '{"cpu": 1}', '{"cpu": "many"}')] == [()] * 5


def test_measurements_outlive_more_nodes_and_end_with_their_node() -> None:
    core = core_of(configured(LOAD), measured_node("a", cpu="2"), *(node(f"n{number}") for number in range(100)))
    assert core.columns.usage_of("cpu")[core.columns.slots["a"]] == 2000
    core.node_deleted("a")
    assert not np.any(core.columns.usage_of("cpu"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no.such.module:Thing", "cannot be loaded: No module named"),
        (f"{HERE}:Nothing", "cannot be loaded: module"),
        (f"{HERE}:HERE", "has neither a method passes nor a method score"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_told(name: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        configured(name)


def test_the_example_is_what_the_protocols_ask_for() -> None:
    cool: Filter | Score = Cool()
    assert cool.reason
