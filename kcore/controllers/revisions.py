"""A Deployment's revisions: which ReplicaSet has its template, what number it is, and the annotations that say so.

    deployment.kubernetes.io/revision           number of the template, on the set and (of the newest) on the Deployment
    deployment.kubernetes.io/revision-history   numbers that the set had before rollbacks to it
    deployment.kubernetes.io/desired-replicas   size of the Deployment when the set was last scaled
    deployment.kubernetes.io/max-replicas       ... with its surge; shares in a scaling are computed from these

The label `pod-template-hash` keeps the pods of sets apart. Its value is a stable hash of the template and of `collisionCount`.

Source: Kubernetes `pkg/controller/deployment/util`. Differs from upstream: the hash is another one (nobody may rely on it).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

from kcore.api.core.v1 import pod_template_spec_pb2
from kcore.base import limits
from kcore.controllers.pod_names import encode
from kcore.controllers.pod_state import seconds
from kcore.machinery import codec

REVISION: Final = "deployment.kubernetes.io/revision"
REVISION_HISTORY: Final = "deployment.kubernetes.io/revision-history"
DESIRED_REPLICAS: Final = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS: Final = "deployment.kubernetes.io/max-replicas"
TEMPLATE_HASH: Final = "pod-template-hash"

_HASH_SIZE: Final = 10
_NOT_COPIED: Final = frozenset((
    "kubectl.kubernetes.io/last-applied-configuration", REVISION, REVISION_HISTORY, DESIRED_REPLICAS, MAX_REPLICAS,
    "deprecated.deployment.rollback.to",
))  # fmt: skip
"""Annotations of a Deployment that its sets do not get."""


def template_hash(template: Any, collision_count: int) -> str:
    """Return the value of the label that keeps the pods of one template apart from others."""
    digest = blake2b(_bytes(template), salt=collision_count.to_bytes(8, "big"), digest_size=8).digest()
    return encode(int.from_bytes(digest, "big"), _HASH_SIZE)


def same_template(left: Any, right: Any) -> bool:
    """Tell whether two templates ask for the same pods, whatever their hash label says."""
    first, second = _bytes(left), _bytes(right)
    return first == second or _canonical(first) == _canonical(second)


def find_new(template: Any, sets: Iterable[Any]) -> Any | None:
    """Return the oldest set that has a template."""
    return next((found for found in sorted(sets, key=age_order) if same_template(found.spec.template, template)), None)


def age_order(found: Any) -> tuple[float, str]:
    """Sort sets from the oldest to the newest."""
    return seconds(found.metadata.creationTimestamp), found.metadata.name


def revision_of(object_: Any) -> int:
    """Return the revision that an object's annotation names; 0 if it has none or no number."""
    return _number(object_.metadata.annotations.get(REVISION, ""))


def max_revision(sets: Iterable[Any]) -> int:
    """Return the highest revision of sets."""
    return max(map(revision_of, sets), default=0)


def copy_annotations(deployment: Any, found: Any) -> bool:
    """Give a set the annotations of its Deployment; returns whether that changed it."""
    wanted = {key: value for key, value in deployment.metadata.annotations.items() if key not in _NOT_COPIED}
    return _put(found, wanted)


def raise_revision(found: Any, revision: int) -> bool:
    """Give a set a revision, unless it has a higher one; a set that had one before remembers it. Returns whether that changed it."""
    old = found.metadata.annotations.get(REVISION, "")
    if (old and not old.isdigit()) or _number(old) >= revision:
        return False
    found.metadata.annotations[REVISION] = str(revision)
    if old:
        _remember(found, old)
    return True


def _remember(found: Any, revision: str) -> None:
    """Append a former revision; the oldest ones are dropped when the text grows too long."""
    history = [part for part in found.metadata.annotations.get(REVISION_HISTORY, "").split(",") if part]
    history.append(revision)
    while len(",".join(history)) > limits.REVISION_HISTORY_CHARS_MAX:
        del history[0]
    found.metadata.annotations[REVISION_HISTORY] = ",".join(history)


def put_sizes(found: Any, desired: int, maximum: int) -> bool:
    """Note the size of the Deployment on a set; returns whether that changed it."""
    return _put(found, {DESIRED_REPLICAS: str(desired), MAX_REPLICAS: str(maximum)})


def desired_of(found: Any) -> int | None:
    """Return the size of the Deployment when a set was last scaled."""
    return _size(found, DESIRED_REPLICAS)


def maximum_of(found: Any) -> int | None:
    """Return that size with its surge."""
    return _size(found, MAX_REPLICAS)


def by_revision(sets: Sequence[Any]) -> list[Any]:
    """Return sets from the oldest revision to the newest."""
    return sorted(sets, key=lambda found: (revision_of(found), age_order(found)))


def _size(found: Any, annotation: str) -> int | None:
    text = found.metadata.annotations.get(annotation, "")
    return int(text) if text.isascii() and text.isdigit() else None


def _put(object_: Any, wanted: dict[str, str]) -> bool:
    annotations = object_.metadata.annotations
    changed = {key: value for key, value in wanted.items() if annotations.get(key) != value}
    annotations.update(changed)
    return bool(changed)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _bytes(template: Any) -> bytes:
    """Return the bytes of a template without its hash label."""
    plain = template
    if TEMPLATE_HASH in template.metadata.labels:
        plain = type(template)()
        plain.CopyFrom(template)
        del plain.metadata.labels[TEMPLATE_HASH]
    raw: bytes = plain.SerializeToString(deterministic=True)
    return raw


@lru_cache(maxsize=limits.TEMPLATES_CACHED_MAX)
def _canonical(raw: bytes) -> dict[str, Any]:
    """Decode a template to what differs only where it means something else: zero and absent are the same."""
    return codec.decode(pod_template_spec_pb2.PodTemplateSpec.DESCRIPTOR.full_name, raw)
