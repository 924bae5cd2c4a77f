"""What an update may change of a pod's spec."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.core.affinity import REQUIRED
from kcore.machinery.kinds.core.pod_update import same_spec, same_template, validate_spec_update
from tests.unit.machinery.kinds.core.pods import Object, container, messages, spec

GATE = {"name": "a.b/gate"}


def update(new: Object, old: Object) -> list[str]:
    errors: list[FieldError] = []
    validate_spec_update(new, old, errors)
    return messages(errors)


def node_affinity(*terms: Object) -> Object:
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": list(terms)}}}


def term(*keys: str) -> Object:
    return {"matchExpressions": [{"key": key, "operator": "Exists"} for key in keys]}


@pytest.mark.parametrize(("new", "old"), [
    ({}, {}), ({"containers": [container(image="other:2")]}, {}), ({"activeDeadlineSeconds": 10}, {}),
    ({"activeDeadlineSeconds": 5}, {"activeDeadlineSeconds": 10}),
    ({"tolerations": [{"key": "a", "operator": "Exists"}]}, {}),
    ({"tolerations": [{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}]},
     {"tolerations": [{"key": "a", "operator": "Exists", "effect": "NoExecute"}]}),
    ({}, {"schedulingGates": [GATE]}), ({"terminationGracePeriodSeconds": 1}, {"terminationGracePeriodSeconds": -5}),
    ({"nodeSelector": {"a": "b"}}, {"schedulingGates": [GATE]}),
    ({"nodeSelector": {"a": "b", "c": "d"}}, {"nodeSelector": {"a": "b"}, "schedulingGates": [GATE]}),
    ({"affinity": node_affinity(term("a"))}, {"schedulingGates": [GATE]}),
    ({"affinity": node_affinity(term("a", "b"))}, {"affinity": node_affinity(term("a")), "schedulingGates": [GATE]}),
    ({"affinity": {**node_affinity(term("a")), "podAffinity": {}}}, {"affinity": {"podAffinity": {}}, "schedulingGates": [GATE]}),
])
def test_what_may_change_is_accepted(new: Object, old: Object) -> None:
    assert update(spec(**new), spec(**old)) == []


@pytest.mark.parametrize(("new", "old", "line"), [
    ({"hostname": "h"}, {}, '+ "Hostname": "h",'), ({"containers": [container(command=["a"])]}, {}, '+   "Command": ['),
    ({"nodeSelector": {"a": "b"}}, {}, '+ "NodeSelector": {'),
    ({"terminationGracePeriodSeconds": 1}, {}, '+ "TerminationGracePeriodSeconds": 1,'),
    ({"affinity": {"podAffinity": {}}}, {"schedulingGates": [GATE]}, '+ "Affinity": {'),
])
def test_what_else_changes_is_shown(new: Object, old: Object, line: str) -> None:
    found = update(spec(**new), spec(**old))
    assert len(found) == 1
    first, *lines = found[0].split("\n")
    assert first == (
        "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
        "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds`"
        " (allow it to be set to 1 if it was previously negative)"
    )
    assert line in lines


def test_containers_may_not_come_or_go() -> None:
    two = [container(), container(name="d")]
    assert update(spec(containers=two), spec()) == ["spec.containers: Forbidden: pod updates may not add or remove containers"]
    assert update(spec(), spec(initContainers=[container(name="i")])) == [
        "spec.initContainers: Forbidden: pod updates may not add or remove containers",
    ]


def test_an_image_may_not_go() -> None:
    assert update(spec(containers=[container(image=None)]), spec()) == ["spec.containers[0].image: Required value"]


@pytest.mark.parametrize(("new", "old", "message"), [
    (None, 5, "Invalid value: null: must not update from a positive integer to nil value"),
    (6, 5, "Invalid value: 6: must be less than or equal to previous value"),
    (-1, None, "Invalid value: -1: must be between 0 and 2147483647, inclusive"),
])
def test_a_deadline_only_comes_nearer(new: int | None, old: int | None, message: str) -> None:
    found = update(spec(activeDeadlineSeconds=new), spec(activeDeadlineSeconds=old))
    assert found[0] == f"spec.activeDeadlineSeconds: {message}"


def test_tolerations_may_only_be_added() -> None:
    old = spec(tolerations=[{"key": "a", "operator": "Exists"}])
    refused = "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"
    assert update(spec(), old) == [refused]
    assert update(spec(tolerations=[{"key": "a", "operator": "Exists", "effect": "NoSchedule"}]), old) == [refused]


def test_gates_may_only_be_removed() -> None:
    assert update(spec(schedulingGates=[GATE, {"name": "new"}]), spec(schedulingGates=[GATE])) == [
        "spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'new'",
    ]


def gated(**fields: Any) -> Object:
    return spec(schedulingGates=[GATE], **fields)


def test_a_gated_pod_only_gets_more_selective() -> None:
    assert update(gated(nodeSelector={"a": "c"}), gated(nodeSelector={"a": "b"})) == [
        'spec.nodeSelector: Invalid value: {"a":"c"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
    ]
    at = f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms"
    refused = "Invalid value: null: no additions/deletions to non-empty NodeSelectorTerms list are allowed"
    assert update(gated(), gated(affinity=node_affinity(term("a")))) == [f"{at}: {refused}"]
    assert update(gated(affinity=node_affinity(term("b"))), gated(affinity=node_affinity(term("a")))) == [
        f'{at}[0]: Invalid value: {{"MatchExpressions":[{{"Key":"b","Operator":"Exists","Values":null}}],"MatchFields":null}}:'
        " only additions are allowed (no mutations or deletions)",
    ]
    assert len(update(gated(affinity=node_affinity(term("a"))), gated(affinity=node_affinity({})))) == 1


def test_specs_are_compared_by_meaning() -> None:
    assert same_spec(spec(volumes=[]), spec())
    assert same_template({"metadata": {"labels": {}}, "spec": spec()}, {"spec": spec()})
    assert not same_template({"metadata": {"labels": {"a": "b"}}, "spec": spec()}, {"spec": spec()})
