"""What admission decides: accounts, priorities, tolerations, taints, and that it keeps off what it must not touch."""

from __future__ import annotations

import pytest

from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import Api, node, pod, reason_of

TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"


def priority_class(name: str, value: int, **more: object) -> dict[str, object]:
    return {"metadata": {"name": name}, "value": value, **more}


async def test_a_pod_gets_the_default_account_and_its_token(api: Api) -> None:
    wanted = pod()
    del wanted["spec"]["automountServiceAccountToken"]
    made = (await api.create("pods", wanted))["spec"]
    assert (made["serviceAccountName"], made["serviceAccount"]) == ("default", "default")
    volume = made["volumes"][0]
    assert volume["name"].startswith("kube-api-access-")
    assert [next(iter(source)) for source in volume["projected"]["sources"]] == ["serviceAccountToken", "configMap", "downwardAPI"]
    assert made["containers"][0]["volumeMounts"] == [{"name": volume["name"], "readOnly": True, "mountPath": TOKEN_PATH}]


async def test_a_pod_that_wants_no_token_gets_none(api: Api) -> None:
    assert "volumes" not in (await api.create("pods", pod()))["spec"]
    await api.create("serviceaccounts", {"metadata": {"name": "quiet"}, "automountServiceAccountToken": False})
    wanted = pod("q", serviceAccountName="quiet")
    del wanted["spec"]["automountServiceAccountToken"]
    assert "volumes" not in (await api.create("pods", wanted))["spec"]


async def test_a_container_that_mounts_something_there_keeps_it(api: Api) -> None:
    mount = {"name": "own", "mountPath": TOKEN_PATH}
    container = {"name": "c", "image": "x:1", "volumeMounts": [mount]}
    wanted = pod(containers=[container], volumes=[{"name": "own", "emptyDir": {}}], automountServiceAccountToken=True)
    made = (await api.create("pods", wanted))["spec"]
    assert [volume["name"] for volume in made["volumes"]] == ["own"]
    assert made["containers"][0]["volumeMounts"] == [mount]


async def test_pull_secrets_come_from_the_account(api: Api) -> None:
    await api.patch("serviceaccounts", "default", {"imagePullSecrets": [{"name": "registry"}]})
    assert (await api.create("pods", pod()))["spec"]["imagePullSecrets"] == [{"name": "registry"}]
    own = await api.create("pods", pod("own", imagePullSecrets=[{"name": "mine"}]))
    assert own["spec"]["imagePullSecrets"] == [{"name": "mine"}]


async def test_a_pod_of_an_unknown_account_is_refused(api: Api) -> None:
    with pytest.raises(StatusError) as failed:
        await api.create("pods", pod(serviceAccountName="none"))
    assert reason_of(failed.value) == (403, "Forbidden")


async def test_a_priority_is_the_number_of_its_class(api: Api) -> None:
    await api.create("priorityclasses", priority_class("high", 1000, preemptionPolicy="Never"))
    made = (await api.create("pods", pod(priorityClassName="high")))["spec"]
    assert (made["priority"], made["preemptionPolicy"]) == (1000, "Never")
    made = (await api.create("pods", pod("plain")))["spec"]
    assert (made["priority"], made["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    assert "priorityClassName" not in made


async def test_the_lowest_default_class_goes_for_pods_that_name_none(api: Api) -> None:
    await api.create("priorityclasses", priority_class("usual", 7, globalDefault=True))
    made = (await api.create("pods", pod()))["spec"]
    assert (made["priorityClassName"], made["priority"]) == ("usual", 7)
    with pytest.raises(StatusError) as failed:
        await api.create("priorityclasses", priority_class("second", 8, globalDefault=True))
    assert reason_of(failed.value) == (403, "Forbidden")


async def test_priorities_that_contradict_the_class_are_refused(api: Api) -> None:
    for spec in ({"priority": 5}, {"priorityClassName": "none"}, {"preemptionPolicy": "Never"}):
        with pytest.raises(StatusError) as failed:
            await api.create("pods", pod(**spec))
        assert reason_of(failed.value) == (403, "Forbidden")


async def test_a_pod_tolerates_a_lost_node_for_five_minutes(api: Api) -> None:
    made = (await api.create("pods", pod()))["spec"]["tolerations"]
    assert [(t["key"], t["effect"], t["tolerationSeconds"]) for t in made] == [
        ("node.kubernetes.io/not-ready", "NoExecute", 300),
        ("node.kubernetes.io/unreachable", "NoExecute", 300),
    ]


SHORT = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}


@pytest.mark.parametrize("own", [{"operator": "Exists"}, SHORT])
async def test_own_tolerations_take_the_place_of_the_usual_ones(api: Api, own: dict[str, object]) -> None:
    made = (await api.create("pods", pod(tolerations=[own])))["spec"]["tolerations"]
    assert made[0] == own
    assert [t["key"] for t in made[1:]] == ([] if "key" not in own else ["node.kubernetes.io/unreachable"])


async def test_a_new_node_is_tainted_until_it_is_ready(api: Api) -> None:
    made = await api.create("nodes", node())
    assert made["spec"]["taints"] == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
    made["spec"] = {}
    assert "taints" not in (await api.update("nodes", made))["spec"]
