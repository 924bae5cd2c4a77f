"""The Python client: typed calls about every resource, bulk writes, and dynamic objects, over any transport.

    client.pods, client.deployments ...       by plural name, typed where a program is likely to want it
    client.of(ConfigMap)                       by message class, typed for every kind
    client.resource(kinds.find("cm"))          by handle, for programs that work on any kind
    client.bulk, client.dynamic
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from google.protobuf.message import Message

from kcore.api.admin.v1 import admin_service_pb2 as admin_pb2
from kcore.base.clock import Clock, SystemClock
from kcore.base.entropy import Entropy, SystemEntropy
from kcore.client import kinds
from kcore.client.bulk import BulkClient
from kcore.client.dynamic import DynamicClient
from kcore.client.kinds import Resource
from kcore.client.objects import ResourceClient
from kcore.client.retry import Caller
from kcore.client.transport import Acting, Transport

if TYPE_CHECKING:
    from kcore.api.apps.v1.controller_revision_pb2 import ControllerRevision
    from kcore.api.apps.v1.daemon_set_pb2 import DaemonSet
    from kcore.api.apps.v1.deployment_pb2 import Deployment
    from kcore.api.apps.v1.replica_set_pb2 import ReplicaSet
    from kcore.api.apps.v1.stateful_set_pb2 import StatefulSet
    from kcore.api.batch.v1.job_pb2 import Job
    from kcore.api.coordination.v1.lease_pb2 import Lease
    from kcore.api.core.v1.config_map_pb2 import ConfigMap
    from kcore.api.core.v1.endpoints_pb2 import Endpoints
    from kcore.api.core.v1.event_pb2 import Event
    from kcore.api.core.v1.namespace_pb2 import Namespace
    from kcore.api.core.v1.node_pb2 import Node
    from kcore.api.core.v1.pod_pb2 import Pod
    from kcore.api.core.v1.secret_pb2 import Secret
    from kcore.api.core.v1.service_account_pb2 import ServiceAccount
    from kcore.api.core.v1.service_pb2 import Service
    from kcore.api.discovery.v1.endpoint_slice_pb2 import EndpointSlice
    from kcore.api.scheduling.v1.priority_class_pb2 import PriorityClass

T = TypeVar("T", bound=Message)
_SNAPSHOT: Final = "/kcore.api.admin.v1.AdminService/Snapshot"


class Client:
    """Calls to one API server. Thread: the event loop it was made in."""

    if TYPE_CHECKING:
        configmaps: ResourceClient[ConfigMap]
        controllerrevisions: ResourceClient[ControllerRevision]
        daemonsets: ResourceClient[DaemonSet]
        deployments: ResourceClient[Deployment]
        endpoints: ResourceClient[Endpoints]
        endpointslices: ResourceClient[EndpointSlice]
        events: ResourceClient[Event]
        jobs: ResourceClient[Job]
        leases: ResourceClient[Lease]
        namespaces: ResourceClient[Namespace]
        nodes: ResourceClient[Node]
        pods: ResourceClient[Pod]
        priorityclasses: ResourceClient[PriorityClass]
        replicasets: ResourceClient[ReplicaSet]
        secrets: ResourceClient[Secret]
        serviceaccounts: ResourceClient[ServiceAccount]
        services: ResourceClient[Service]
        statefulsets: ResourceClient[StatefulSet]

    def __init__(
        self, transport: Transport, *, clock: Clock | None = None, entropy: Entropy | None = None, field_manager: str = ""
    ) -> None:
        self.transport = transport
        self.clock = clock or SystemClock()
        self.entropy = entropy or SystemEntropy()
        self.field_manager = field_manager
        self.bulk = BulkClient(transport)
        self._caller = Caller(transport, self.clock, self.entropy, field_manager)
        self.dynamic = DynamicClient(self._caller)
        self._resources: dict[Resource, ResourceClient[Any]] = {}
        self._acting: list[Client] = []

    def acting(self, name: str) -> Client:
        """A client on the same way that acts as somebody whose token is made of this one's."""
        found = Client(Acting(self.transport, name), clock=self.clock, entropy=self.entropy, field_manager=self.field_manager)
        self._acting.append(found)
        return found

    def resource(self, resource: Resource) -> ResourceClient[Any]:
        """Return the calls of a resource."""
        found = self._resources.get(resource)
        if found is None:
            found = self._resources[resource] = ResourceClient(self._caller, resource)
        return found

    def of(self, message: type[T]) -> ResourceClient[T]:
        """Return the calls of the resource whose objects are of a class."""
        return self.resource(kinds.of_message(message))

    def __getattr__(self, plural: str) -> ResourceClient[Any]:
        handle = _by_plural().get(plural)
        if handle is None:
            raise AttributeError(f"there is no resource {plural!r}; one whose plural name several groups have is client.of(Message)")
        return self.resource(handle)

    async def snapshot(self) -> AsyncIterator[bytes]:
        """Give all that the server stores, at one revision, in pieces of a snapshot's file (`machinery.files.snapshot`).

        Raises  StatusError if the stream broke, or the server forgot that revision meanwhile
        """
        stream = self.transport.stream(_SNAPSHOT, admin_pb2.SnapshotRequest().SerializeToString())
        try:
            while (answer := await stream.read()) is not None:
                yield admin_pb2.SnapshotResponse.FromString(answer).data
        finally:
            stream.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Give up what is under way, and the transport."""
        for client in self._acting:
            await client.close()
        await self.bulk.close()
        await self.transport.close()


@cache
def _by_plural() -> dict[str, Resource]:
    """The handles by plural name; where several groups have one (events), the one that discovery shows first."""
    found: dict[str, Resource] = {}
    for handle in kinds.served():
        found.setdefault(handle.resource, handle)
    return found
