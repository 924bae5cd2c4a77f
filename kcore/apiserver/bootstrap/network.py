"""What is put right about addresses at every start: IPAddresses of Services that have none, and where the API server is reached.

Source: Kubernetes `pkg/registry/core/service/ipallocator/controller`, `pkg/controlplane/reconcilers`.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from kcore.apiserver.registry import Registry
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.request import User
from kcore.store.storage import Submission

Object = dict[str, Any]
SERVICE: Final = GroupVersionKind("", "v1", "Service")
ENDPOINTS: Final = GroupVersionKind("", "v1", "Endpoints")
ENDPOINT_SLICE: Final = GroupVersionKind("discovery.k8s.io", "v1", "EndpointSlice")
SELF: Final = User("system:apiserver", "", ("system:masters",))


def mend_addresses(registry: Registry) -> Submission | None:
    """Give Services whose addresses have no IPAddress one; -> the last write to wait for."""
    last: Submission | None = None
    chain = registry.chain
    for service in chain.cluster.every(SERVICE):
        for along in chain.addresses.along(service, None):
            if along.obj is not None and registry.head(along.spec, "", along.name) is None:
                write = registry.writing(along.spec, "", along.name, SELF.name)
                write.caller = SELF
                last = registry.create(write, along.obj).submission
    return last


def endpoints(address: str, port: int) -> list[tuple[GroupVersionKind, Object]]:
    """Where the Service `kubernetes` leads, in the old and the new form."""
    metadata = {"name": "kubernetes", "namespace": "default"}
    ports = [{"name": "https", "port": port, "protocol": "TCP"}]
    old: Object = {
        "metadata": {**metadata, "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
        "subsets": [{"addresses": [{"ip": address}], "ports": ports}],
    }
    new: Object = {
        "metadata": {**metadata, "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": "IPv6" if ":" in address else "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": ports,
    }
    return [(ENDPOINTS, old), (ENDPOINT_SLICE, new)]


def publish(registry: Registry, address: str, port: int) -> Submission | None:
    """Write where the API server is reached into the endpoints of the Service `kubernetes`; -> the last write to wait for."""
    last: Submission | None = None
    for gvk, obj in endpoints(address, port):
        spec = registry.scheme.kinds[gvk]
        write = registry.writing(spec, "default", "kubernetes", SELF.name)
        write.caller = SELF
        if registry.head(spec, "default", "kubernetes") is None:
            written = registry.create(write, obj)
        else:
            written = registry.update(write, partial(merged, obj))
        last = written.submission or last
    return last


def merged(new: Object, old: Object) -> Object:
    """An object with new content under its old identity."""
    return {**old, **new, "metadata": {**old["metadata"], **new["metadata"]}}
