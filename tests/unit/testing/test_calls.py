"""What a call asks, read from its bytes."""

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.dynamic.v1 import dynamic_service_pb2 as dynamic
from kcore.api.meta.v1 import meta_pb2
from kcore.client import kinds, wire
from kcore.testing.calls import Call, call_of, methods

PODS = kinds.of_message(Pod)


def test_every_method_of_every_kind_is_known() -> None:
    assert {path for resource in kinds.served() for path in resource.rpcs()} == methods().keys()


def test_typed_calls_name_the_object() -> None:
    get = meta_pb2.GetRequest(namespace="default", name="a").SerializeToString()
    assert call_of(PODS.method("get"), get) == Call("get", "pods", "", "default/a")
    status = wire.write_request("default", "a", b"")
    assert call_of(PODS.method("update", "status"), status) == Call("update", "pods", "status", "default/a")
    assert call_of(PODS.method("list"), meta_pb2.ListRequest().SerializeToString()) == Call("list", "pods", "", "")


def test_dynamic_calls_are_described_as_typed_ones() -> None:
    where = dynamic.Resource(version="v1", resource="pods", subresource="status")
    service = "/kcore.api.dynamic.v1.DynamicService/"
    update = dynamic.WriteRequest(resource=where, namespace="default", name="a").SerializeToString()
    assert call_of(f"{service}Update", update) == Call("update", "pods", "status", "default/a")
    everything = meta_pb2.DeleteCollectionRequest(namespace="default")
    gone = dynamic.DeleteCollectionRequest(resource=where, delete_collection=everything).SerializeToString()
    assert call_of(f"{service}DeleteCollection", gone) == Call("deletecollection", "pods", "status", "default/")
    watch = dynamic.WatchRequest(resource=where, watch=meta_pb2.WatchRequest(namespace="default")).SerializeToString()
    assert call_of(f"{service}Watch", watch).verb == "watch"
