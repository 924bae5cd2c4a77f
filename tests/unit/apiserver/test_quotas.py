"""ResourceQuotas: charged in the commit that stores an object, never exceeded, and no concern of namespaces without one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kcore.api.bulk.v1 import bulk_service_pb2 as pb
from kcore.machinery import codec
from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import Api, Object, names_of, pod, reason_of, service
from tests.unit.apiserver.test_bulk_writes import answers, item

PROTOBUF = "application/vnd.kubernetes.protobuf"


async def bound(api: Api, hard: dict[str, str], name: str = "q", **spec: Any) -> None:
    """Make a quota that somebody counted: nothing is used yet."""
    await api.create("resourcequotas", {"metadata": {"name": name}, "spec": {"hard": hard, **spec}})
    await api.patch("resourcequotas/status", name, {"status": {"hard": hard, "used": dict.fromkeys(hard, "0")}})


def used(api: Api, name: str = "q") -> dict[str, str]:
    found: dict[str, str] = api.get("resourcequotas", name)["status"]["used"]
    return found


def asking(name: str, requests: dict[str, str] | None = None, limits: dict[str, str] | None = None, **spec: Any) -> Object:
    resources = {half: found for half, found in (("requests", requests), ("limits", limits)) if found}
    return pod(name, containers=[{"name": "c", "image": "x:1", "resources": resources}], **spec)


def of_priority(operator: str, *values: str) -> dict[str, Any]:
    """A scope that asks for a pod's PriorityClass."""
    return {"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": operator, "values": list(values)}]}}


async def refusal(api: Api, resource: str, obj: Object) -> str:
    with pytest.raises(StatusError) as failed:
        await api.create(resource, obj)
    assert reason_of(failed.value) == (403, "Forbidden")
    return failed.value.message.partition(" is forbidden: ")[2]


async def test_a_pod_is_charged_and_one_too_many_is_refused(api: Api) -> None:
    await bound(api, {"pods": "1", "count/pods": "5"})
    await api.create("pods", pod("a"))
    assert used(api) == {"pods": "1", "count/pods": "1"}
    assert await refusal(api, "pods", pod("b")) == "exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"
    assert used(api) == {"pods": "1", "count/pods": "1"}


async def test_a_quota_is_charged_right_before_its_object(api: Api) -> None:
    await bound(api, {"pods": "1"})
    made = await api.create("pods", pod("a"))
    charged = api.get("resourcequotas", "q")
    assert int(charged["metadata"]["resourceVersion"]) + 1 == int(made["metadata"]["resourceVersion"])


async def test_creates_at_the_same_time_never_exceed_a_quota(api: Api) -> None:
    await bound(api, {"pods": "3"})
    answers = await asyncio.gather(*(api.create("pods", pod(f"p{i}")) for i in range(10)), return_exceptions=True)
    assert sum(1 for answer in answers if isinstance(answer, StatusError)) == 7
    assert len(names_of(await api.list("pods"))) == 3
    assert used(api) == {"pods": "3"}


def alike(api: Api, name: str) -> Object:
    """Create a pod as gRPC clients do, whose bytes may be those of one before."""
    request = api.request("create", "pods", body=codec.encode("kcore.api.core.v1.Pod", pod(name)))
    request.content_type = PROTOBUF
    return api.send(request).obj()


async def test_replicas_are_charged_each(api: Api) -> None:
    await bound(api, {"pods": "2"})
    alike(api, "a")
    alike(api, "b")
    with pytest.raises(StatusError):
        alike(api, "c")
    await api.create("configmaps", {"metadata": {"name": "last"}})
    assert used(api) == {"pods": "2"}


async def test_a_quota_that_comes_later_holds_for_replicas_too(api: Api) -> None:
    alike(api, "a")
    alike(api, "b")
    await bound(api, {"pods": "1"})
    alike(api, "c")
    with pytest.raises(StatusError):
        alike(api, "d")


async def test_an_atomic_write_that_fails_charges_nothing(api: Api) -> None:
    await bound(api, {"pods": "5"})
    items = [item("create", "pods", pod(name)) for name in ("a", "b", "b")]
    [response] = await answers(api, pb.WriteRequest(items=items, atomic=True))
    assert all(result.HasField("status") for result in response.results)
    assert used(api) == {"pods": "0"}
    await api.create("pods", pod("a"))
    assert used(api) == {"pods": "1"}


async def test_a_dry_run_is_refused_but_charges_nothing(api: Api) -> None:
    await bound(api, {"pods": "1"})
    await api.create("pods", pod("a"), dryRun=["All"])
    assert used(api) == {"pods": "0"}


async def test_a_name_that_is_taken_charges_nothing(api: Api) -> None:
    await api.create("configmaps", {"metadata": {"name": "a"}})
    await bound(api, {"configmaps": "5"})
    with pytest.raises(StatusError):
        await api.create("configmaps", {"metadata": {"name": "a"}})
    assert used(api) == {"configmaps": "0"}


async def test_what_a_quota_bounds_must_be_stated(api: Api) -> None:
    await bound(api, {"requests.cpu": "1", "limits.memory": "1Gi"})
    assert await refusal(api, "pods", pod("a")) == "failed quota: q: must specify limits.memory for: c; requests.cpu for: c"
    await api.create("pods", asking("a", {"cpu": "600m"}, {"memory": "512Mi"}))
    assert used(api) == {"requests.cpu": "600m", "limits.memory": "512Mi"}


async def test_all_that_is_exceeded_is_told_in_order(api: Api) -> None:
    await bound(api, {"requests.cpu": "1", "limits.memory": "1Gi"})
    told = await refusal(api, "pods", asking("e", {"cpu": "5"}, {"memory": "5Gi"}))
    wanted = "requested: limits.memory=5Gi,requests.cpu=5, used: limits.memory=0,requests.cpu=0, limited: limits.memory=1Gi,requests.cpu=1"
    assert told == f"exceeded quota: q, {wanted}"


async def test_extended_resources_and_huge_pages_are_charged_by_their_names(api: Api) -> None:
    await bound(api, {"requests.example.com/gpu": "2", "hugepages-2Mi": "4Mi"})
    amounts = {"example.com/gpu": "1", "hugepages-2Mi": "2Mi", "memory": "1Mi"}
    await api.create("pods", asking("a", amounts, amounts))
    assert used(api) == {"requests.example.com/gpu": "1", "hugepages-2Mi": "2Mi"}


@pytest.mark.parametrize(
    ("scope", "charged"),
    [
        ({"scopes": ["BestEffort"]}, {"plain", "soon"}),
        ({"scopes": ["NotBestEffort"]}, {"big"}),
        ({"scopes": ["Terminating"]}, {"soon"}),
        ({"scopes": ["NotTerminating"]}, {"plain", "big"}),
        ({"scopes": ["PriorityClass"]}, {"big"}),
        (of_priority("In", "high"), {"big"}),
        (of_priority("NotIn", "high"), {"plain", "soon"}),
        (of_priority("DoesNotExist"), {"plain", "soon"}),
        ({"scopes": ["CrossNamespacePodAffinity"]}, set()),
    ],
)  # fmt: skip
async def test_a_quota_is_about_what_is_in_its_scope(api: Api, scope: dict[str, Any], charged: set[str]) -> None:
    await api.create("priorityclasses", {"metadata": {"name": "high"}, "value": 5})
    await bound(api, {"pods": "9"}, **scope)
    seen = set()
    for obj in (pod("plain"), pod("soon", activeDeadlineSeconds=5), asking("big", {"cpu": "1"}, priorityClassName="high")):
        before = used(api)
        await api.create("pods", obj)
        if used(api) != before:
            seen.add(obj["metadata"]["name"])
    assert seen == charged


async def test_services_are_charged_by_type_and_for_what_they_grow(api: Api) -> None:
    await bound(api, {"services": "5", "services.nodeports": "3", "services.loadbalancers": "1"})
    await api.create("services", service("a", type="NodePort"))
    assert used(api) == {"services": "1", "services.nodeports": "1", "services.loadbalancers": "0"}
    await api.patch("services", "a", {"spec": {"type": "LoadBalancer"}})
    assert used(api) == {"services": "1", "services.nodeports": "1", "services.loadbalancers": "1"}
    told = await refusal(api, "services", service("b", type="LoadBalancer"))
    assert told.endswith("requested: services.loadbalancers=1, used: services.loadbalancers=1, limited: services.loadbalancers=1")


async def test_any_kind_is_counted_by_its_full_name(api: Api) -> None:
    await bound(api, {"count/deployments.apps": "0", "secrets": "1", "count/secrets": "1"})
    selector = {"matchLabels": {"a": "b"}}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
    told = await refusal(api, "deployments", {"metadata": {"name": "d"}, "spec": {"selector": selector, "template": template}})
    assert "requested: count/deployments.apps=1" in told
    await api.create("secrets", {"metadata": {"name": "s"}})
    assert used(api) == {"count/deployments.apps": "0", "secrets": "1", "count/secrets": "1"}


async def test_claims_are_charged_by_size_and_class(api: Api) -> None:
    gold = "gold.storageclass.storage.k8s.io/requests.storage"
    await bound(api, {"requests.storage": "5Gi", "persistentvolumeclaims": "2", gold: "1Gi"})

    def claim(name: str, size: str, **more: str) -> Object:
        resources = {"requests": {"storage": size}}
        return {"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": resources, **more}}

    assert f"requested: {gold}=2Gi" in await refusal(api, "persistentvolumeclaims", claim("a", "2Gi", storageClassName="gold"))
    await api.create("persistentvolumeclaims", claim("b", "3Gi"))
    assert used(api) == {"requests.storage": "3Gi", "persistentvolumeclaims": "1", gold: "0"}


async def test_every_quota_is_charged_and_one_without_room_is_enough(api: Api) -> None:
    await bound(api, {"pods": "5"}, "a")
    await bound(api, {"pods": "1"}, "b")
    await api.create("pods", pod("x"))
    assert (await refusal(api, "pods", pod("y"))).startswith("exceeded quota: b,")
    assert (used(api, "a"), used(api, "b")) == ({"pods": "1"}, {"pods": "1"})


async def test_a_quota_that_nobody_counted_holds_nobody_up(api: Api) -> None:
    await api.create("resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "0"}}})
    await api.create("pods", pod("a"))


async def test_a_quota_whose_use_is_unknown_lets_nobody_in(api: Api) -> None:
    await api.create("resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "5"}}})
    await api.patch("resourcequotas/status", "q", {"status": {"hard": {"pods": "5"}}})
    assert await refusal(api, "pods", pod("a")) == "status unknown for quota: q, resources: pods"


async def test_a_deleted_quota_holds_no_longer(api: Api) -> None:
    await bound(api, {"pods": "0"})
    await refusal(api, "pods", pod("a"))
    await api.delete("resourcequotas", "q")
    await api.create("pods", pod("a"))
