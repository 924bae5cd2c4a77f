"""What a bulk write consists of: single writes as values, each the form of the call of the same name.

    await client.bulk.write([items.create(pod) for pod in pods])

Cost: 1 us an item, and the encoding of its object.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, NewType

from google.protobuf.message import Message

from kcore.client import kinds
from kcore.client.kinds import Resource
from kcore.client.objects import MERGE_PATCH, delete_options
from kcore.machinery._bulk import element

Item = NewType("Item", bytes)
"""A write as it stands in a request: an element of `WriteRequest.items`."""


def create(object_: Message, *, namespace: str = "") -> Item:
    """Create an object."""
    return write("create", kinds.of_message(object_), object_, namespace=namespace)


def update(object_: Message) -> Item:
    """Replace an object, but for its status."""
    return write("update", kinds.of_message(object_), object_)


def update_status(object_: Message) -> Item:
    """Replace the status of an object and nothing else."""
    return write("update", kinds.of_message(object_), object_, subresource="status")


def write(verb: str, resource: Resource, object_: Any, *, subresource: str = "", namespace: str = "", name: str = "") -> Item:
    """Write an object, or the body of a subresource (then `name` and `namespace` tell of which object if the body does not)."""
    meta = object_.metadata
    return raw(
        verb,
        resource,
        object_.SerializeToString(),
        subresource=subresource,
        namespace=namespace or meta.namespace,
        name=name or meta.name,
    )


def raw(verb: str, resource: Resource, object_: bytes, *, namespace: str, name: str, subresource: str = "") -> Item:
    """Write an object that is at hand as bytes."""
    return Item(element((verb, resource.group, resource.version, resource.resource, subresource, namespace, name, object_)))


def patch_text(patch_: dict[str, Any]) -> bytes:
    """Return a patch as it is sent, for who sends the same one for many objects."""
    return json.dumps(patch_).encode()


def patch(
    resource: Resource,
    name: str,
    patch_: dict[str, Any] | bytes,
    *,
    namespace: str = "",
    content_type: str = MERGE_PATCH,
    subresource: str = "",
) -> Item:
    """Change an object by a patch."""
    body = patch_ if isinstance(patch_, bytes) else patch_text(patch_)
    of = (resource.group, resource.version, resource.resource, subresource, namespace, name)
    return Item(element(("patch", *of, body, content_type)))


def delete(
    resource: Resource,
    name: str,
    *,
    namespace: str = "",
    grace_period_seconds: int | None = None,
    propagation_policy: str = "",
    uid: str = "",
    resource_version: str = "",
) -> Item:
    """Delete an object."""
    options = delete_options(grace_period_seconds, propagation_policy, uid, resource_version).SerializeToString()
    of = (resource.group, resource.version, resource.resource, "", namespace, name)
    return Item(element(("delete", *of, None, None, None, options)))


def bind(name: str, node: str, *, namespace: str, uid: str = "") -> Item:
    """Assign a pod to a node."""
    pods, body = _binding()
    binding = body()
    meta, target = binding.metadata, binding.target
    meta.name, meta.namespace, meta.uid = name, namespace, uid
    target.kind, target.name = "Node", node
    return raw("create", pods, binding.SerializeToString(), subresource="binding", namespace=namespace, name=name)


@cache
def _binding() -> tuple[Resource, Any]:
    """Return pods, and what makes the body of a binding: looked up once, since a scheduler binds thousands a second."""
    pods = kinds.resource("", "v1", "pods")
    return pods, pods.body("binding")
