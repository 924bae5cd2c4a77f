"""The walk that every client takes, in Python without kcore: PYTHONPATH=gen python walk.py ENDPOINTS.JSON NAMESPACE."""

import json
import queue
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc

from kcore.api.bulk.v1.bulk_service_pb2 import Item, WriteRequest
from kcore.api.bulk.v1.bulk_service_pb2_grpc import BulkServiceStub
from kcore.api.core.v1.binding_pb2 import Binding
from kcore.api.core.v1.object_reference_pb2 import ObjectReference
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.core.v1.pod_service_pb2 import PodWriteRequest
from kcore.api.core.v1.pod_service_pb2_grpc import PodServiceStub
from kcore.api.core.v1.pod_spec_pb2 import Container, PodSpec
from kcore.api.core.v1.resource_requirements_pb2 import ResourceRequirements
from kcore.api.meta.v1.meta_pb2 import (
    DeleteOptions,
    DeleteRequest,
    GetRequest,
    ListRequest,
    ObjectMeta,
    Quantity,
    RpcError,
    Status,
    WatchRequest,
)

COUNT = 7


def name(number: int) -> str:
    return f"walk-{number}"


def new(name: str, image: str | None = "nginx:1.27") -> Pod:
    """Make a pod that no scheduler takes care of."""
    resources = ResourceRequirements(requests={"cpu": Quantity(string="100m")})
    container = Container(name="main", image=image, resources=resources)
    return Pod(metadata=ObjectMeta(name=name, labels={"app": "walk"}), spec=PodSpec(schedulerName="nobody", containers=[container]))


def told(what: str, call: Any, request: Any) -> Status:
    """Print how a call is refused; -> the Status in the details of its error."""
    try:
        call(request)
    except grpc.RpcError as refused:
        details = dict(refused.trailing_metadata())["grpc-status-details-bin"]
        status = RpcError.FromString(details).details[0].value
        print(what, refused.code().value[0], status.reason, status.code, status.message)
        return status
    raise AssertionError(f"{what} the call was not refused")


class Walk:
    """One namespace, and the stubs to work in it."""

    def __init__(self, channel: grpc.Channel, namespace: str) -> None:
        self.pods, self.bulk, self.namespace = PodServiceStub(channel), BulkServiceStub(channel), namespace

    def write(self, pod: Pod) -> PodWriteRequest:
        return PodWriteRequest(namespace=self.namespace, name=pod.metadata.name, object=pod)

    def get(self, number: int) -> Pod:
        return self.pods.Get(GetRequest(namespace=self.namespace, name=name(number)))

    def create(self) -> None:
        for number in range(COUNT):
            pod = self.pods.Create(self.write(new(name(number))))
            print("created:", pod.metadata.name, pod.status.phase, pod.spec.containers[0].resources.requests["cpu"].string)

    def refused(self) -> None:
        told("again:", self.pods.Create, self.write(new(name(0))))
        for cause in told("invalid:", self.pods.Create, self.write(new("Walk", image=None))).details.causes:
            print("cause:", cause.reason, cause.field)

    def pages(self) -> str:
        """List three at a time; -> the revision that all pages show."""
        token = ""
        while True:
            page = self.pods.List(ListRequest(namespace=self.namespace, limit=3, continue_token=token))
            print("page:", *(pod.metadata.name for pod in page.items), "left:", page.metadata.remainingItemCount)
            token = getattr(page.metadata, "continue")
            if not token:
                return page.metadata.resourceVersion

    def watch(self, revision: str) -> Iterator[Any]:
        stream = self.pods.Watch(WatchRequest(namespace=self.namespace, resource_version=revision))
        try:
            for response in stream:
                yield from response.events
        finally:
            stream.cancel()

    def label(self, number: int, tier: str) -> None:
        pod = self.get(number)
        pod.metadata.labels["tier"] = tier
        print("updated:", name(number), self.pods.Update(self.write(pod)).metadata.labels["tier"])

    def next(self, what: str, revision: str) -> str:
        """Print the first change after a revision; -> its own."""
        found = next(self.watch(revision))
        print(what, found.type, found.object.metadata.name, found.object.metadata.labels["tier"])
        return found.object.metadata.resourceVersion

    def follow(self, revision: str) -> None:
        """Watch, let go, and go on there: what happened in between is seen, what was seen is not seen again."""
        self.label(0, "front")
        revision = self.next("watched:", revision)
        self.label(1, "back")
        self.label(2, "back")
        revision = self.next("resumed:", revision)
        self.next("resumed:", revision)

    def conflict(self) -> None:
        stale = self.get(3)
        self.label(3, "front")
        about = told("conflict:", self.pods.Update, self.write(stale)).details
        print("about:", about.kind, about.name)
        self.label(3, "middle")

    def binding(self, number: int) -> Item:
        target = ObjectReference(kind="Node", name=f"node-{number % 2}")
        binding = Binding(metadata=ObjectMeta(name=name(number)), target=target)
        return Item(
            verb="create",
            version="v1",
            resource="pods",
            subresource="binding",
            namespace=self.namespace,
            name=name(number),
            object=binding.SerializeToString(),
        )

    def bind(self) -> None:
        """Assign pods to nodes, all in one commit; the last is not there. The stream stays open for a second request."""
        requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        answers = self.bulk.Write(iter(requests.get, None))
        for numbers in ([*range(COUNT), 9], [0]):
            requests.put(WriteRequest(items=[self.binding(number) for number in numbers]))
            for number, result in zip(numbers, next(answers).results, strict=True):
                print("bound:", name(number), f"{result.status.reason} {result.status.code}" if result.HasField("status") else "ok")
        requests.put(None)
        for number in range(COUNT):
            pod = self.get(number)
            print("on:", pod.metadata.name, pod.spec.nodeName)

    def delete(self, revision: str) -> None:
        options = DeleteOptions(gracePeriodSeconds=0)
        for number in range(COUNT):
            self.pods.Delete(DeleteRequest(namespace=self.namespace, name=name(number), options=options))
        deleted: list[str] = []
        for event in self.watch(revision):
            deleted += [event.object.metadata.name] if event.type == "DELETED" else []
            if len(deleted) == COUNT:
                break
        print("deleted:", *sorted(deleted))
        told("gone:", self.pods.Get, GetRequest(namespace=self.namespace, name=name(0)))
        print("left:", len(self.pods.List(ListRequest(namespace=self.namespace)).items))


def main(file: str, namespace: str) -> None:
    """Take the walk."""
    endpoint = json.loads(Path(file).read_text())
    tls = grpc.ssl_channel_credentials(Path(endpoint["ca"]).read_bytes())
    token = grpc.access_token_call_credentials(endpoint["token"])
    with grpc.secure_channel(endpoint["grpc"], tls) as stranger:
        told("stranger:", PodServiceStub(stranger).List, ListRequest())
    with grpc.secure_channel(endpoint["grpc"], grpc.composite_channel_credentials(tls, token)) as channel:
        walk = Walk(channel, namespace)
        walk.create()
        walk.refused()
        revision = walk.pages()
        walk.follow(revision)
        walk.conflict()
        walk.bind()
        walk.delete(revision)


main(*sys.argv[1:])
