"""ClusterRoles that are made of others."""

from __future__ import annotations

from typing import Any

from kcore.api.rbac.v1.cluster_role_pb2 import ClusterRole
from kcore.controllers.clusterrole_aggregation import CLUSTERROLES, plan
from tests.unit.controllers.cluster import Cluster, run


def role(name: str, *resources: str, labels: dict[str, str] | None = None, of: str = "") -> Any:
    found = ClusterRole()
    found.metadata.name = name
    found.metadata.labels.update(labels or {})
    for resource in resources:
        found.rules.add(apiGroups=[""], resources=[resource], verbs=["get"])
    if of:
        found.aggregationRule.clusterRoleSelectors.add(matchLabels={"part-of": of})
    return found


def rules(planned: list[Any]) -> list[str]:
    return [rule["resources"][0] for action in planned for rule in action.body["rules"]]


def test_rules_are_those_of_all_parts_each_once_in_the_order_of_names() -> None:
    parts = [role("b", "secrets", "pods", labels={"part-of": "x"}), role("a", "pods", labels={"part-of": "x"}), role("c", "nodes")]
    whole = role("sum", "configmaps", of="x")
    assert rules(plan(whole, [*parts, whole])) == ["pods", "secrets"]


def test_a_role_is_no_part_of_itself_and_one_that_is_right_is_left_alone() -> None:
    whole = role("sum", "pods", labels={"part-of": "x"}, of="x")
    assert plan(whole, [whole, role("a", "pods", labels={"part-of": "x"})]) == []


def test_parts_may_come_later_and_go() -> None:
    async def story(here: Cluster) -> None:
        here.server.create(CLUSTERROLES, role("sum", of="x"))
        await here.start()
        here.server.create(CLUSTERROLES, role("a", "pods", labels={"part-of": "x"}))
        await here.clock.sleep(5)
        assert [rule.resources[0] for rule in here.all(CLUSTERROLES)["sum"].rules] == ["pods"]
        here.delete(CLUSTERROLES, "a")
        await here.clock.sleep(5)
        assert not here.all(CLUSTERROLES)["sum"].rules

    run(story, "clusterrole-aggregation")
