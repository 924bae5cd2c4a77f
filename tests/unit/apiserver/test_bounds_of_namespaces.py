"""LimitRanges, classes that are filled in, storage that is protected: what other objects make of pods and claims."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.machinery import codec
from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import Api, Object, pod, reason_of

PROTOBUF = "application/vnd.kubernetes.protobuf"


def asking(requests: dict[str, str] | None = None, limits: dict[str, str] | None = None, **spec: Any) -> Object:
    return pod(containers=[{"name": "c", "image": "x:1", "resources": {"requests": requests or {}, "limits": limits or {}}}], **spec)


def claim(name: str = "c", size: str = "1Gi", **spec: Any) -> Object:
    return {"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **spec}}


async def limit(api: Api, **item: Any) -> None:
    await api.create("limitranges", {"metadata": {"name": "l"}, "spec": {"limits": [{"type": "Container", **item}]}})


async def refusal(api: Api, resource: str, obj: Object) -> str:
    with pytest.raises(StatusError) as failed:
        await api.create(resource, obj)
    assert reason_of(failed.value) == (403, "Forbidden")
    return failed.value.message.partition(" is forbidden: ")[2]


async def test_what_containers_leave_open_is_filled_in_and_told(api: Api) -> None:
    await limit(api, default={"cpu": "500m", "memory": "256Mi"}, defaultRequest={"cpu": "100m"})
    made = await api.create("pods", pod(initContainers=[{"name": "i", "image": "x", "resources": {"limits": {"cpu": "1"}}}]))
    assert made["spec"]["containers"][0]["resources"] == {
        "limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "256Mi"},
    }  # fmt: skip
    assert made["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c; "
        "memory request for init container i; memory limit for init container i"
    )
    assert made["status"]["qosClass"] == "Burstable"


async def test_a_limit_range_that_comes_later_holds_for_replicas_too(api: Api) -> None:
    def alike(name: str) -> Object:
        request = api.request("create", "pods", body=codec.encode("kcore.api.core.v1.Pod", pod(name)))
        request.content_type = PROTOBUF
        return api.send(request).obj()

    assert alike("a")["spec"]["containers"][0].get("resources", {}) == {}
    assert alike("b")["spec"]["containers"][0].get("resources", {}) == {}
    await limit(api, default={"cpu": "1"})
    assert alike("c")["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "1"}
    await api.delete("limitranges", "l")
    assert alike("d")["spec"]["containers"][0].get("resources", {}) == {}


@pytest.mark.parametrize(
    ("item", "obj", "sentence"),
    [
        ({"min": {"cpu": "100m"}}, asking({"cpu": "50m"}), "minimum cpu usage per Container is 100m, but request is 50m"),
        ({"type": "Pod", "min": {"memory": "1Gi"}}, asking(), "minimum memory usage per Pod is 1Gi.  No request is specified"),
        ({"max": {"memory": "1Gi"}}, asking({}, {"memory": "2Gi"}), "maximum memory usage per Container is 1Gi, but limit is 2Gi"),
        ({"maxLimitRequestRatio": {"cpu": "2"}}, asking({"cpu": "100m"}, {"cpu": "900m"}),
         "cpu max limit to request ratio per Container is 2, but provided ratio is 9.000000"),
        ({"maxLimitRequestRatio": {"cpu": "2"}}, asking({"cpu": "1"}),
         "cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0"),
        ({"type": "Pod", "max": {"cpu": "1"}}, asking({"cpu": "2"}, {"cpu": "2"}), "maximum cpu usage per Pod is 1, but limit is 2"),
        ({"min": {"cpu": "1"}, "max": {"memory": "1"}, "default": {"memory": "1"}}, asking({"cpu": "1m"}, {"memory": "2"}),
         "[minimum cpu usage per Container is 1, but request is 1m, maximum memory usage per Container is 1, but limit is 2]"),
    ],
)  # fmt: skip
async def test_a_pod_outside_the_bounds_is_refused(api: Api, item: Object, obj: Object, sentence: str) -> None:
    await limit(api, **item)
    assert await refusal(api, "pods", obj) == sentence


async def test_claims_have_bounds_of_their_own(api: Api) -> None:
    await limit(api, type="PersistentVolumeClaim", min={"storage": "1Gi"}, max={"storage": "2Gi"})
    assert await refusal(api, "persistentvolumeclaims", claim(size="3Gi")) == (
        "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi"
    )
    assert "minimum storage" in await refusal(api, "persistentvolumeclaims", claim(size="1Mi"))
    assert (await api.create("persistentvolumeclaims", claim()))["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]


async def test_the_newest_default_class_is_filled_in(api: Api) -> None:
    marked = {"storageclass.kubernetes.io/is-default-class": "true"}
    for name in ("old", "newb", "newa"):
        await api.create("storageclasses", {"metadata": {"name": name, "annotations": marked}, "provisioner": "p.example.com"})
        if name == "old":
            await api.clock.sleep(5)
    assert (await api.create("persistentvolumeclaims", claim("a")))["spec"]["storageClassName"] == "newa"
    assert (await api.create("persistentvolumeclaims", claim("b", storageClassName="")))["spec"]["storageClassName"] == ""


async def test_an_ingress_without_class_gets_the_default_one(api: Api) -> None:
    marked = {"ingressclass.kubernetes.io/is-default-class": "true"}
    await api.create("ingressclasses", {"metadata": {"name": "i", "annotations": marked}, "spec": {"controller": "example.com/c"}})
    spec = {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}
    assert (await api.create("ingresses", {"metadata": {"name": "a"}, "spec": dict(spec)}))["spec"]["ingressClassName"] == "i"
    own = {"name": "b", "annotations": {"kubernetes.io/ingress.class": "x"}}
    assert "ingressClassName" not in (await api.create("ingresses", {"metadata": own, "spec": dict(spec)}))["spec"]


async def test_a_claim_grows_only_where_its_class_allows_it(api: Api) -> None:
    await api.create("storageclasses", {"metadata": {"name": "s"}, "provisioner": "p.example.com"})
    await api.create("persistentvolumeclaims", claim("c", storageClassName="s"))
    await api.patch("persistentvolumeclaims", "c", {"spec": {"volumeName": "v"}})
    await api.patch("persistentvolumeclaims/status", "c", {"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}})
    grown = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    with pytest.raises(StatusError, match="the storageclass that provisions the pvc must support resize"):
        await api.patch("persistentvolumeclaims", "c", grown)
    await api.patch("storageclasses", "s", {"allowVolumeExpansion": True})
    assert (await api.patch("persistentvolumeclaims", "c", grown))["spec"]["resources"]["requests"] == {"storage": "2Gi"}


async def test_a_pod_takes_over_what_its_runtime_class_says(api: Api) -> None:
    scheduling = {"nodeSelector": {"kata": "yes"}, "tolerations": [{"key": "kata", "operator": "Exists"}]}
    overhead = {"podFixed": {"cpu": "250m"}}
    await api.create("runtimeclasses", {"metadata": {"name": "k"}, "handler": "kata", "overhead": overhead, "scheduling": scheduling})
    made = (await api.create("pods", pod(runtimeClassName="k")))["spec"]
    assert (made["overhead"], made["nodeSelector"]) == ({"cpu": "250m"}, {"kata": "yes"})
    assert made["tolerations"][-1] == {"key": "kata", "operator": "Exists"}
    assert "doesn't match" in await refusal(api, "pods", pod("b", runtimeClassName="k", overhead={"cpu": "1"}))
    assert "conflict: " in await refusal(api, "pods", pod("c", runtimeClassName="k", nodeSelector={"kata": "no"}))
    assert await refusal(api, "pods", pod("d", runtimeClassName="none")) == 'pod rejected: RuntimeClass "none" not found'
    assert "without corresponding RuntimeClass" in await refusal(api, "pods", pod("e", overhead={"cpu": "1"}))


async def test_an_account_may_limit_the_secrets_of_its_pods(api: Api) -> None:
    limited = {"name": "strict", "annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}}
    await api.create("serviceaccounts", {"metadata": limited, "secrets": [{"name": "mine"}]})

    def using(name: str) -> Object:
        return pod(serviceAccountName="strict", volumes=[{"name": "v", "secret": {"secretName": name}}])

    assert await refusal(api, "pods", using("yours")) == (
        'volume with secret.secretName="yours" is not allowed because service account strict does not reference that secret'
    )
    await api.create("pods", using("mine"))


async def test_a_mirror_of_a_nodes_pod_may_name_no_account(api: Api) -> None:
    mirror = pod(serviceAccountName="default", nodeName="n")
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    assert await refusal(api, "pods", mirror) == "a mirror pod may not reference service accounts"


async def test_a_pod_is_resized_only_where_its_node_can_hold_it(api: Api) -> None:
    await api.create("pods", asking({"cpu": "1"}, {"cpu": "2"}, nodeName="n"))

    async def resized(cpu: str) -> Object:
        container = {"name": "c", "image": "x:1", "resources": {"requests": {"cpu": cpu}, "limits": {"cpu": "9"}}}
        return await api.patch("pods/resize", "p", {"spec": {"containers": [container]}})

    with pytest.raises(StatusError, match='node "n" not found'):
        await resized("3")
    await api.create("nodes", {"metadata": {"name": "n"}, "status": {"allocatable": {"cpu": "4", "memory": "1Gi"}}})
    with pytest.raises(StatusError, match="cpu, requested: 5000, allocatable: 4000") as failed:
        await resized("5")
    assert failed.value.status["details"]["causes"] == [{"reason": "NodeCapacity"}]
    assert (await resized("3"))["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "3"}
    await api.patch("nodes", "n", {"metadata": {"labels": {"kubernetes.io/os": "windows"}}})
    with pytest.raises(StatusError, match="only supported on linux nodes"):
        await resized("2")
