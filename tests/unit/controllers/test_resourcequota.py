"""ResourceQuotas: what the controller writes, and when it counts again."""

from __future__ import annotations

from typing import Any

from kcore.api.core.v1.config_map_pb2 import ConfigMap
from kcore.api.core.v1.resource_quota_pb2 import ResourceQuota
from kcore.client import kinds
from kcore.controllers.resourcequota import QUOTAS, plan
from tests.unit.controllers.cluster import PODS, Cluster, run

CONFIGMAPS = kinds.resource("", "v1", "configmaps")


def quota(hard: dict[str, str], stated: dict[str, str] | None = None, used: dict[str, str] | None = None, *scopes: str) -> Any:
    found = ResourceQuota()
    found.metadata.name, found.metadata.namespace = "q", "default"
    found.spec.scopes.extend(scopes)
    for field, texts in ((found.spec.hard, hard), (found.status.hard, stated or {}), (found.status.used, used or {})):
        for name, text in texts.items():
            field[name].string = text
    return found


def written(planned: list[Any]) -> tuple[dict[str, str], dict[str, str]]:
    [action] = planned
    status = action.object.status
    return {name: found.string for name, found in status.hard.items()}, {name: found.string for name, found in status.used.items()}


def test_the_status_takes_over_what_the_spec_bounds_and_what_is_counted() -> None:
    planned = plan(quota({"pods": "3", "odd": "1"}, {"pods": "5", "services": "1"}, {"pods": "2", "services": "1"}), {"pods": "1"})
    assert written(planned) == ({"pods": "3", "odd": "1"}, {"pods": "1"})


def test_equal_amounts_are_left_alone_however_they_are_written() -> None:
    assert plan(quota({"cpu": "1000m"}, {"cpu": "1"}, {"cpu": "0"}), {"cpu": "0"}) == []


def configmap(here: Cluster, name: str) -> None:
    made = ConfigMap()
    made.metadata.name, made.metadata.namespace = name, "default"
    here.server.create(CONFIGMAPS, made)


def used(here: Cluster) -> dict[str, str]:
    return {name: amount.string for name, amount in here.all(QUOTAS)["q"].status.used.items()}


def test_objects_are_counted_and_given_back() -> None:
    async def story(here: Cluster) -> None:
        configmap(here, "a")
        await here.start()
        here.server.create(QUOTAS, quota({"configmaps": "5", "count/configmaps": "5", "pods": "5", "count/pods": "5"}))
        here.pod("p", "n1")
        here.pod("done", "n1")
        here.change(PODS, "default/done", lambda pod: setattr(pod.status, "phase", "Succeeded"), "status")
        await here.clock.sleep(5)
        assert used(here) == {"configmaps": "1", "count/configmaps": "1", "pods": "1", "count/pods": "2"}
        here.delete(CONFIGMAPS, "a", "default")
        here.delete(PODS, "p", "default", 0)
        await here.clock.sleep(5)
        assert used(here) == {"configmaps": "0", "count/configmaps": "0", "pods": "0", "count/pods": "1"}

    run(story, "resourcequota")


def test_a_changed_quota_and_its_scopes_are_counted_anew() -> None:
    async def story(here: Cluster) -> None:
        here.pod("p", "n1")
        here.server.create(QUOTAS, quota({"pods": "5"}, None, None, "BestEffort"))
        await here.start()
        await here.clock.sleep(5)
        assert used(here) == {"pods": "1"}
        here.change(QUOTAS, "default/q", lambda found: found.spec.scopes.__setitem__(0, "Terminating"))
        await here.clock.sleep(5)
        assert used(here) == {"pods": "0"}

    run(story, "resourcequota")
