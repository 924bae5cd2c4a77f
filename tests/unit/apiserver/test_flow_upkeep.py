"""Flow schemas say whether their priority level exists; those that every cluster has come back, and keep what somebody made of them."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.base import limits
from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import Api, Object

LEVEL: Object = {"spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 1, "limitResponse": {"type": "Reject"}}}}
ANNOTATION = "apf.kubernetes.io/autoupdate-spec"


async def settle(api: Api, minutes: int = 0) -> None:
    """Have the API server do what is due some minutes after its start, and wait until it is durable."""
    api.server.flow_upkeep.tick(minutes * limits.FLOW_UPKEEP_PERIOD_S)
    await api.create("configmaps", {"metadata": {"generateName": "after-"}})


def schema(name: str, level: str) -> Object:
    return {"metadata": {"name": name}, "spec": {"matchingPrecedence": 500, "priorityLevelConfiguration": {"name": level}}}


def dangling(api: Api, name: str) -> Object:
    found: list[Any] = [each for each in api.get("flowschemas", name)["status"]["conditions"] if each["type"] == "Dangling"]
    assert len(found) == 1
    condition: Object = found[0]
    return condition


async def test_a_schema_whose_level_is_missing_says_so_until_it_is_there(api: Api) -> None:
    await api.create("flowschemas", schema("mine", "late"))
    await settle(api)
    found = dangling(api, "mine")
    assert (found["status"], found["reason"]) == ("True", "NotFound") and found["lastTransitionTime"]
    assert found["message"] == (
        'This FlowSchema references the PriorityLevelConfiguration object named "late" but there is no such object'
    )
    await api.create("prioritylevelconfigurations", {"metadata": {"name": "late"}, **LEVEL})
    await settle(api)
    assert (dangling(api, "mine")["status"], dangling(api, "mine")["reason"]) == ("False", "Found")
    await api.delete("prioritylevelconfigurations", "late")
    await settle(api)
    assert dangling(api, "mine")["status"] == "True"


async def test_the_time_of_the_condition_stays_when_only_the_level_is_another(api: Api) -> None:
    await api.create("flowschemas", schema("mine", "exempt"))
    await settle(api)
    before = dangling(api, "mine")["lastTransitionTime"]
    api.clock.jump(60)
    await api.patch("flowschemas", "mine", {"spec": {"priorityLevelConfiguration": {"name": "catch-all"}}})
    await settle(api)
    assert '"catch-all"' in dangling(api, "mine")["message"] and dangling(api, "mine")["lastTransitionTime"] == before


async def test_the_condition_is_owned_by_who_judges_and_others_keep_theirs(api: Api) -> None:
    await api.create("flowschemas", schema("mine", "exempt"))
    other = {"type": "Odd", "status": "False", "reason": "test", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    await api.patch("flowschemas/status", "mine", {"status": {"conditions": [other]}})
    await settle(api)
    found = api.get("flowschemas", "mine")
    assert {each["type"] for each in found["status"]["conditions"]} == {"Odd", "Dangling"}
    owners = [each for each in found["metadata"]["managedFields"] if each["operation"] == "Apply"]
    assert [(each["manager"], each["subresource"]) for each in owners] == [("api-priority-and-fairness-config-consumer-v1", "status")]


async def test_nothing_is_written_when_all_is_as_it_should_be(api: Api) -> None:
    await settle(api)
    await api.create("flowschemas", schema("mine", "exempt"))
    await settle(api, 1)
    before = await api.list("flowschemas"), await api.list("prioritylevelconfigurations")
    await settle(api, 2)
    await settle(api, 3)
    after = await api.list("flowschemas"), await api.list("prioritylevelconfigurations")
    assert [each["items"] for each in before] == [each["items"] for each in after]


async def test_what_every_cluster_has_comes_back_within_a_minute(api: Api) -> None:
    await settle(api)
    await api.delete("flowschemas", "service-accounts")
    await settle(api)
    with pytest.raises(StatusError):
        api.get("flowschemas", "service-accounts")
    await settle(api, 1)
    assert api.get("flowschemas", "service-accounts")["spec"]["matchingPrecedence"] == 9000


@pytest.mark.parametrize(("said", "precedence"), [("true", 9000), ("false", 8000), (None, 8000)])
async def test_a_changed_spec_is_put_right_unless_it_is_said_to_be_somebodys_own(api: Api, said: str | None, precedence: int) -> None:
    await settle(api)
    change = {"metadata": {"annotations": {ANNOTATION: said}}, "spec": {"matchingPrecedence": 8000}}
    await api.patch("flowschemas", "service-accounts", change)
    await settle(api, 1)
    found = api.get("flowschemas", "service-accounts")
    assert found["spec"]["matchingPrecedence"] == precedence
    assert found["metadata"]["annotations"][ANNOTATION] == ("true" if said == "true" else "false")


async def test_what_was_made_by_another_version_goes(api: Api) -> None:
    await settle(api)
    await api.create("prioritylevelconfigurations", {"metadata": {"name": "old", "annotations": {ANNOTATION: "true"}}, **LEVEL})
    await settle(api, 1)
    with pytest.raises(StatusError):
        api.get("prioritylevelconfigurations", "old")
