"""Protection of claims, volumes and classes of their attributes that are in use: each carries a finalizer, which goes when it is to go and
nothing needs it any more.

A claim is needed while a pod that has a node names it, finished or not; a volume while it is bound to a claim; a VolumeAttributesClass
while a claim or a volume names it.

Source: Kubernetes `pkg/controller/volume/pvcprotection`, `pvprotection`, `vacprotection`. Differs from upstream: pods are not listed anew
before a claim goes. A look comes when what happened before the deletion has been seen, and no scheduler gives a pod a node whose claim is
to go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from kcore.api.core.v1.persistent_volume_claim_pb2 import PersistentVolumeClaim
from kcore.base import limits
from kcore.client import kinds
from kcore.client.kinds import Resource
from kcore.client.wire import join_key, split_key
from kcore.controllers import actions
from kcore.controllers.actions import Action, Update
from kcore.controllers.adoption import is_deleting
from kcore.controllers.controller import Context, Controller, Source, own_keys

CLAIMS: Final = kinds.resource("", "v1", "persistentvolumeclaims")
VOLUMES: Final = kinds.resource("", "v1", "persistentvolumes")
CLASSES: Final = kinds.resource("storage.k8s.io", "v1", "volumeattributesclasses")
PODS: Final = kinds.resource("", "v1", "pods")
OF_CLAIMS: Final = "persistentvolumeclaim-protection"
OF_VOLUMES: Final = "persistentvolume-protection"
OF_CLASSES: Final = "volumeattributesclass-protection"
FINALIZERS: Final = {
    CLAIMS: "kubernetes.io/pvc-protection", VOLUMES: "kubernetes.io/pv-protection", CLASSES: "kubernetes.io/vac-protection",
}  # fmt: skip
BY_CLAIM: Final = "claim"
BY_CLASS: Final = "attributes class"
BOUND: Final = "Bound"


def plan(resource: Resource, found: Any, is_needed: bool) -> list[Action]:
    """Give an object its finalizer, or take it from one that is to go and that nothing needs."""
    finalizer, has_it = FINALIZERS[resource], FINALIZERS[resource] in found.metadata.finalizers
    changed = type(found)()
    changed.CopyFrom(found)
    if is_deleting(found) and has_it and not is_needed:
        changed.metadata.finalizers.remove(finalizer)
    elif not is_deleting(found) and not has_it:
        changed.metadata.finalizers.append(finalizer)
    else:
        return []
    return [Update(changed)]


def claims_of(pod: Any) -> list[str]:
    """The keys of the claims that a pod names, those that are made for it among them."""
    name, namespace = pod.metadata.name, pod.metadata.namespace
    found = []
    for volume in pod.spec.volumes:
        source = volume.volumeSource
        if source.HasField("persistentVolumeClaim"):
            found.append(join_key(namespace, source.persistentVolumeClaim.claimName))
        elif source.HasField("ephemeral"):
            found.append(join_key(namespace, f"{name}-{volume.name}"))
    return found


def pod_went(old: Any, new: Any) -> Iterable[str]:
    """Look at the claims of a pod that is gone."""
    return claims_of(old) if new is None else ()


class Claims:
    """Looks at claims."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.claims = context.informer(CLAIMS).lister
        pods = context.informer(PODS)
        pods.add_index(BY_CLAIM, claims_of, ())
        self.pods = pods.lister

    async def reconcile(self, key: str) -> None:
        """Look at a claim."""
        namespace, name = split_key(key)
        claim = self.claims.get(name, namespace=namespace)
        if claim is not None:
            is_needed = is_deleting(claim) and any(pod.spec.nodeName for pod in self.pods.by_index(BY_CLAIM, key))
            await carry_out(self.context, plan(CLAIMS, claim, is_needed))


class Volumes:
    """Looks at volumes."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.volumes = context.informer(VOLUMES).lister

    async def reconcile(self, key: str) -> None:
        """Look at a volume."""
        volume = self.volumes.get(key)
        if volume is not None:
            await carry_out(self.context, plan(VOLUMES, volume, volume.status.phase == BOUND))


def classes_of(object_: Any) -> list[str]:
    """The VolumeAttributesClasses that a claim or a volume names: as wished for, as it has, and as it is to have."""
    names = [object_.spec.volumeAttributesClassName]
    if isinstance(object_, PersistentVolumeClaim):
        status = object_.status
        names += [status.currentVolumeAttributesClassName, status.modifyVolumeStatus.targetVolumeAttributesClassName]
    return [name for name in dict.fromkeys(names) if name]


def named_no_more(old: Any, new: Any) -> Iterable[str]:
    """Look at the classes that a claim or a volume named before, and names no more."""
    kept = classes_of(new) if new is not None else ()
    return [name for name in classes_of(old) if name not in kept] if old is not None else ()


class Classes:
    """Looks at VolumeAttributesClasses."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.classes = context.informer(CLASSES).lister
        users = [context.informer(resource) for resource in (CLAIMS, VOLUMES)]
        for each in users:
            each.add_index(BY_CLASS, classes_of)
        self.users = [each.lister for each in users]

    async def reconcile(self, key: str) -> None:
        """Look at a class."""
        found = self.classes.get(key)
        if found is not None:
            is_needed = any(lister.by_index(BY_CLASS, key) for lister in self.users)
            await carry_out(self.context, plan(CLASSES, found, is_needed))


async def carry_out(context: Context, wanted: list[Action]) -> None:
    """Write as upstream's role allows, which has no patch; after a change in between the object is looked at again."""
    outcomes = await actions.apply(wanted, context.api.bulk, context.recorder)
    actions.raise_first(outcomes, harmless=("NotFound",))


def make_of_claims(context: Context) -> Controller:
    """Make the controller of claims."""
    reconciler = Claims(context)
    sources = (
        Source(CLAIMS, own_keys, reads=("metadata.deletionTimestamp", "metadata.finalizers"), gather_s=limits.STALE_VIEW_PAUSE_S),
        Source(PODS, pod_went, reads=()),
    )
    return Controller(OF_CLAIMS, context.queue(OF_CLAIMS), reconciler.reconcile, sources)


def make_of_volumes(context: Context) -> Controller:
    """Make the controller of volumes."""
    reconciler = Volumes(context)
    reads = ("metadata.deletionTimestamp", "metadata.finalizers", "status.phase")
    return Controller(OF_VOLUMES, context.queue(OF_VOLUMES), reconciler.reconcile, (Source(VOLUMES, own_keys, reads=reads),))


def make_of_classes(context: Context) -> Controller:
    """Make the controller of VolumeAttributesClasses."""
    reconciler = Classes(context)
    sources = (Source(CLASSES, own_keys), Source(CLAIMS, named_no_more), Source(VOLUMES, named_no_more))
    return Controller(OF_CLASSES, context.queue(OF_CLASSES), reconciler.reconcile, sources)
