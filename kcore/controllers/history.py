"""History of a workload: a ControllerRevision for each template it had, by which pods are told apart and templates rolled back to.

    data      {"spec": {"template": {..., "$patch": "replace"}}}, as `kubectl rollout undo` applies it to the workload
    name      the workload's with a hash of the data and of the collision count: who writes the same data writes the same name
    labels    the template's, by which the workload's selector finds it, and the hash under a label that depends on the kind
    revision  a number that rises; going back to a template gives its revision the next number

A revision that is taken by other data raises the collision count, and with it the name. What is used no more is dropped, oldest first.

Source: Kubernetes `pkg/controller/history`. Differs from upstream: the hash is another one (nobody may rely on it).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

from kcore.api.apps.v1.controller_revision_pb2 import ControllerRevision
from kcore.api.core.v1 import pod_template_spec_pb2
from kcore.base import limits
from kcore.client import kinds
from kcore.client.kinds import Resource
from kcore.controllers import actions, adoption, live
from kcore.controllers.actions import Create, Update
from kcore.controllers.pod_names import encode
from kcore.controllers.ports import Api, Recorder
from kcore.machinery import codec

REVISIONS: Final = kinds.resource("apps", "v1", "controllerrevisions")

_TEMPLATE: Final = pod_template_spec_pb2.PodTemplateSpec.DESCRIPTOR.full_name
_HASH_SIZE: Final = 10
_PREFIX_CHARS_MAX: Final = 223
"""Fixed by Kubernetes: what is kept of the workload's name in that of a revision."""


def data_of(template: Any) -> bytes:
    """Return what a revision keeps of a template."""
    return _data(template.SerializeToString(deterministic=True))


@lru_cache(maxsize=limits.TEMPLATES_CACHED_MAX)
def _data(raw: bytes) -> bytes:
    value = {"spec": {"template": {**codec.decode(_TEMPLATE, raw), "$patch": "replace"}}}
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def template_of(revision: Any) -> Any:
    """Return the template that a revision keeps."""
    value = json.loads(revision.data.raw)["spec"]["template"]
    kept = {key: part for key, part in value.items() if key != "$patch"}
    return pod_template_spec_pb2.PodTemplateSpec.FromString(codec.encode(_TEMPLATE, kept))


def hash_of(data: bytes, collision_count: int) -> str:
    """Return the value of the label that keeps the pods of one revision apart from others."""
    digest = blake2b(data, salt=collision_count.to_bytes(8, "big"), digest_size=8).digest()
    return encode(int.from_bytes(digest, "big"), _HASH_SIZE)


def new_revision(owner: Any, owner_resource: Resource, hash_label: str, number: int, collision_count: int) -> ControllerRevision:
    """Build the revision of an owner's template, which has the owner's annotations.

    hash_label  `controller-revision-hash` of a DaemonSet, `controller.kubernetes.io/hash` of a StatefulSet
    """
    data = data_of(owner.spec.template)
    hash_ = hash_of(data, collision_count)
    found = ControllerRevision(revision=number)
    found.data.raw = data
    meta = found.metadata
    meta.name, meta.namespace = f"{owner.metadata.name[:_PREFIX_CHARS_MAX]}-{hash_}", owner.metadata.namespace
    meta.labels.update(owner.spec.template.metadata.labels)
    meta.labels[hash_label] = hash_
    meta.annotations.update(owner.metadata.annotations)
    adoption.set_controller(found, owner, owner_resource)
    return found


def has_data(revision: Any, data: bytes) -> bool:
    """Tell whether a revision keeps some data, whatever the order of its keys."""
    raw = revision.data.raw
    return bool(raw == data or _value(raw) == _value(data))


@lru_cache(maxsize=limits.TEMPLATES_CACHED_MAX)
def _value(raw: bytes) -> Any:
    return json.loads(raw or b"null")


def with_data(revisions: Iterable[Any], data: bytes) -> list[Any]:
    """Return the revisions that keep some data, from the lowest number to the highest."""
    return by_number(found for found in revisions if has_data(found, data))


def by_number(revisions: Iterable[Any]) -> list[Any]:
    """Return revisions from the lowest number to the highest."""
    return sorted(revisions, key=lambda found: (found.revision, found.metadata.creationTimestamp.seconds, found.metadata.name))


def next_number(revisions: Iterable[Any]) -> int:
    """Return the number that follows those of all revisions."""
    return max((found.revision for found in revisions), default=0) + 1


def renumber(revision: Any, number: int) -> Update:
    """Give a revision another number."""
    changed = ControllerRevision()
    changed.CopyFrom(revision)
    changed.revision = number
    return Update(changed)


def beyond(revisions: Collection[Any], limit: int, is_used: Callable[[Any], bool]) -> list[Any]:
    """Return unused revisions, lowest numbers first, as many as there are too many."""
    unused = [found for found in by_number(revisions) if not is_used(found)]
    return unused[: max(0, len(revisions) - limit)]


async def create(
    api: Api, recorder: Recorder, make: Callable[[int], ControllerRevision], collision_count: int
) -> tuple[ControllerRevision, int]:
    """Create a revision, under another name if the first ones are taken by other data.

    make     builds the revision for a collision count
    Returns  the revision as it is now stored, by this call or one before it, and the collision count that gave it its name
    Raises   StatusError if it could not be created
    """
    while True:
        wanted = make(collision_count)
        (outcome,) = await actions.apply([Create(wanted)], api.bulk, recorder)
        if outcome.error is None:
            wanted.metadata.uid, wanted.metadata.resourceVersion = outcome.uid, outcome.resource_version
            return wanted, collision_count
        if outcome.error.reason != "AlreadyExists":
            raise outcome.error
        present = await live.find(api, REVISIONS, wanted.metadata.namespace, wanted.metadata.name)
        if present is None:
            raise outcome.error
        if has_data(present, wanted.data.raw):
            return present, collision_count
        collision_count += 1
