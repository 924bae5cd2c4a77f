"""An API server in this process for tests: requests in dict form, no socket, a clock that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from kcore.apiserver.objects import Outcome
from kcore.apiserver.server import ApiServer
from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.machinery import scheme
from kcore.machinery.gvk import GroupVersionResource
from kcore.machinery.request import Request, User
from kcore.machinery.scheme import KindSpec
from kcore.machinery.status import StatusError
from kcore.store import Engine

ADMIN = User("admin", "1", ("system:masters", "system:authenticated"))
MERGE_PATCH = "application/merge-patch+json"
Object = dict[str, Any]


class Api:
    """The verbs of the API as methods; each waits until its write is durable, unless `wait` is False."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.clock = VirtualClock(horizon=0.0)
        self.storage = Engine(folder, self.clock, SeededEntropy(seed), sync=False, threaded=False)
        self.server = ApiServer(scheme.load(), self.storage, self.clock, SeededEntropy(seed), ["10.96.0.0/16"])
        self.pipeline = self.server.pipeline

    async def start(self) -> Api:
        """Make what every cluster has, and an account for pods."""
        await self.server.bootstrap()
        await self.create("serviceaccounts", {"metadata": {"name": "default"}})
        return self

    def spec(self, resource: str) -> KindSpec:
        """The kind of `pods`, or of `events@v1.events.k8s.io`: that version, stored or not."""
        name, _, version_and_group = resource.partition("@")
        if version_and_group:
            version, _, group = version_and_group.partition(".")
            return self.pipeline.scheme.resources[GroupVersionResource(group, version, name)]
        found = self.pipeline.scheme.find(resource)
        assert found is not None, resource
        return found

    def request(self, verb: str, resource: str, name: str = "", body: Any = None, namespace: str = "default", **options: Any) -> Request:
        """A request as a front-end makes it; `a/b` is the subresource b of a."""
        resource, _, subresource = resource.partition("/")
        spec = self.spec(resource)
        found = Request(verb, spec.group, spec.version, spec.resource, subresource, body=body, user=ADMIN, options=options)
        found.namespace, found.name = namespace if spec.namespaced else "", name
        return found

    def send(self, request: Request) -> Outcome:
        """Decide a write without waiting for it."""
        return self.pipeline.write(request)

    async def write(self, verb: str, resource: str, name: str = "", body: Any = None, **more: Any) -> Object:
        """Carry a write out; -> what is answered."""
        content_type = more.pop("content_type", "")
        request = self.request(verb, resource, name, body, **more)
        request.content_type = content_type
        outcome = self.send(request)
        if outcome.submission is not None:
            await outcome.submission.durable()
        return outcome.obj()

    async def create(self, resource: str, obj: Object, **more: Any) -> Object:
        name = obj.get("metadata", {}).get("name", "") if "/" in resource else ""
        return await self.write("create", resource, name, obj, **more)

    async def update(self, resource: str, obj: Object, **more: Any) -> Object:
        return await self.write("update", resource, obj["metadata"]["name"], obj, **more)

    async def patch(self, resource: str, name: str, changes: Object, **more: Any) -> Object:
        return await self.write("patch", resource, name, changes, content_type=MERGE_PATCH, **more)

    async def delete(self, resource: str, name: str, **more: Any) -> Object:
        return await self.write("delete", resource, name, **more)

    def get(self, resource: str, name: str, namespace: str = "default") -> Object:
        return self.pipeline.read(self.request("get", resource, name, namespace=namespace))[1].obj()

    async def list(self, resource: str, namespace: str = "default", **options: Any) -> Object:
        spec = self.spec(resource)
        raw = await self.pipeline.reads.list_raw(spec, namespace if spec.namespaced else "", options, 1 << 30, False)
        return Outcome(spec.list_message, spec.api_version, f"{spec.kind}List", raw).obj()

    def watch(self, resource: str, namespace: str = "default", **options: Any) -> Watch:
        spec = self.spec(resource)
        return Watch(spec, self.pipeline.reads.watch_events(spec, namespace if spec.namespaced else "", options, False))

    def close(self) -> None:
        self.storage.close()


class Watch:
    """A watch whose events are taken one at a time."""

    def __init__(self, spec: KindSpec, batches: AsyncIterator[list[tuple[str, bytes]]]) -> None:
        self.spec, self.batches = spec, batches
        self.waiting: list[tuple[str, Object]] = []

    async def next(self) -> tuple[str, Object]:
        """The next event as (type, object)."""
        while not self.waiting:
            for event_type, raw in await anext(self.batches):
                self.waiting.append((event_type, Outcome(self.spec.message, self.spec.api_version, self.spec.kind, raw).obj()))
        return self.waiting.pop(0)

    async def names(self, count: int) -> list[tuple[str, str]]:
        """The next events as (type, name)."""
        return [(event_type, obj["metadata"].get("name", "")) for event_type, obj in [await self.next() for _ in range(count)]]


def names_of(listed: Object) -> list[str]:
    """The names of the objects in a list."""
    return [obj["metadata"]["name"] for obj in listed["items"]]


def reason_of(error: StatusError) -> tuple[int, str]:
    """Code and reason of a failure."""
    return error.code, error.reason


def configmap(name: str, **data: str) -> Object:
    """A ConfigMap."""
    return {"metadata": {"name": name}, "data": data}


def pod(name: str = "p", **spec: Any) -> Object:
    """A pod of one container, without a token."""
    return {
        "metadata": {"name": name},
        "spec": {"automountServiceAccountToken": False, "containers": [{"name": "c", "image": "x:1"}], **spec},
    }


def deployment(name: str = "d", replicas: int = 2) -> Object:
    """A Deployment."""
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "x:1"}]}}
    return {"metadata": {"name": name}, "spec": {"replicas": replicas, "selector": {"matchLabels": {"a": "b"}}, "template": template}}


def node(name: str = "n1", **labels: str) -> Object:
    """A node."""
    return {"metadata": {"name": name, "labels": labels}}


def service(name: str = "s", **spec: Any) -> Object:
    """A Service of one port."""
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}
