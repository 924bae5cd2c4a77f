"""A pod group goes when no pod needs it."""

from __future__ import annotations

from typing import Any

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.scheduling.v1beta1.pod_group_pb2 import PodGroup
from kcore.controllers.actions import Update
from kcore.controllers.pod_group_protection import FINALIZER, group_of, plan, pod_went


def group(*, deleting: bool) -> Any:
    found = PodGroup(metadata={"name": "g", "namespace": "d", "finalizers": ["other", FINALIZER]})
    if deleting:
        found.metadata.deletionTimestamp.seconds = 1
    return found


def pod(phase: str) -> Any:
    return Pod(metadata={"name": "a", "namespace": "d"}, spec={"schedulingGroup": {"podGroupName": "g"}}, status={"phase": phase})


def test_only_one_that_is_to_go_and_that_nothing_needs_loses_its_finalizer() -> None:
    assert plan(group(deleting=False), False) == []
    assert plan(group(deleting=True), True) == []
    [action] = plan(group(deleting=True), False)
    assert isinstance(action, Update) and list(action.object.metadata.finalizers) == ["other"]
    assert plan(action.object, False) == []


def test_a_pod_needs_its_group_until_it_has_finished() -> None:
    assert group_of(pod("Running")) == ["d/g"]
    assert group_of(pod("Succeeded")) == [] == group_of(Pod())
    assert list(pod_went(pod("Running"), pod("Failed"))) == ["d/g"] == list(pod_went(pod("Pending"), None))
    assert list(pod_went(pod("Pending"), pod("Running"))) == []
