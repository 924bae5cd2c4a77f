"""Carries out what claims and volumes need. A key with a namespace is a claim's, one without a volume's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from kcore.base import limits
from kcore.client.workqueue import Result
from kcore.controllers import actions
from kcore.controllers.controller import IGNORE, Context, Controller, Source, key_of, own_keys
from kcore.controllers.pod_state import is_finished
from kcore.controllers.pod_writes import PODS
from kcore.controllers.volumes.matching import class_of, fits
from kcore.controllers.volumes.plan import (
    CLAIMS,
    CLASSES,
    NODES,
    SELECTED_NODE,
    VOLUMES,
    WAITS_FOR_CONSUMER,
    Observed,
    plan_claim,
    plan_volume,
)

NAME: Final = "persistentvolume-binder"
BY_CLAIM: Final = "claim"
FREE: Final = "class"
UNBOUND: Final = "unbound"
USED_BY: Final = "claims"
_HARMLESS: Final = ("NotFound", "Conflict", "AlreadyExists")


class Reconciler:
    """Carries plans out."""

    def __init__(self, context: Context) -> None:
        self._context = context
        claims, volumes = context.informer(CLAIMS), context.informer(VOLUMES)
        volumes.add_index(BY_CLAIM, lambda volume: (_claim_key(volume),) if volume.spec.claimRef.name else ())
        volumes.add_index(FREE, lambda volume: () if volume.spec.claimRef.name else (class_of(volume),))
        claims.add_index(UNBOUND, lambda claim: () if claim.spec.volumeName else (class_of(claim),))
        pods = context.informer(PODS)
        pods.add_index(USED_BY, lambda pod: () if is_finished(pod) else claims_of(pod), reads=("spec.volumes", "status.phase"))
        self._pods = pods.lister
        self._claims, self._volumes = claims.lister, volumes.lister
        self._classes, self._nodes = context.informer(CLASSES).lister, context.metadata_of(NODES).lister

    async def reconcile(self, key: str) -> Result | None:
        """Look at a claim or at a volume."""
        namespace, _, name = key.rpartition("/")
        wanted = self._plan_claim(namespace, name) if namespace else self._plan_volume(name)
        outcomes = await actions.apply(wanted, self._context.api.bulk, self._context.recorder)
        actions.raise_first(outcomes, harmless=_HARMLESS)
        waits = namespace and not wanted and self._is_left(namespace, name)
        return Result(limits.CLAIM_LOOK_INTERVAL_S) if waits else None

    def _is_left(self, namespace: str, name: str) -> bool:
        """Tell whether a claim found no volume, though it waits for nobody: whoever takes another one may leave it one."""
        claim = self._claims.get(name, namespace=namespace)
        return claim is not None and not claim.spec.volumeName and not self._waits(class_of(claim))

    def _waits(self, class_name: str) -> bool:
        class_ = self._classes.get(class_name) if class_name else None
        return class_ is not None and class_.volumeBindingMode == WAITS_FOR_CONSUMER

    def _plan_claim(self, namespace: str, name: str) -> list[actions.Action]:
        claim = self._claims.get(name, namespace=namespace)
        if claim is None:
            return []
        class_ = self._classes.get(class_of(claim)) if class_of(claim) else None
        volume = self._volumes.get(claim.spec.volumeName) if claim.spec.volumeName else None
        candidates = self._volumes.by_index(BY_CLAIM, key_of(claim))
        if not claim.spec.volumeName and not self._waits(class_of(claim)):
            candidates += self._volumes.by_index(FREE, class_of(claim))
        node = self._nodes.get(claim.metadata.annotations.get(SELECTED_NODE, ""))
        used = bool(self._pods.by_index(USED_BY, key_of(claim)))
        return plan_claim(Observed(claim, class_, volume, candidates, dict(node.metadata.labels) if node is not None else {}, used))

    def _plan_volume(self, name: str) -> list[actions.Action]:
        volume = self._volumes.get(name)
        if volume is None:
            return []
        reference = volume.spec.claimRef
        claim = self._claims.get(reference.name, namespace=reference.namespace) if reference.name else None
        return plan_volume(volume, claim)

    def volume_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the volume, at the claims that it names, and if it is free at one that it fits and that waits for nobody."""
        yield from own_keys(old, new)
        for volume in (old, new):
            if volume is not None and volume.spec.claimRef.name:
                yield _claim_key(volume)
        if new is not None and not new.spec.claimRef.name and not self._waits(class_of(new)):
            yield from [key_of(claim) for claim in self._claims.by_index(UNBOUND, class_of(new)) if fits(claim, new)][:1]

    def claim_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the claim, and at its volume."""
        yield from own_keys(old, new)
        name = (old if new is None else new).spec.volumeName
        if name:
            yield name

    def pod_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the claims of a pod that ends."""
        return claims_of(old if new is None else new) if new is None or is_finished(new) else ()

    def class_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the claims of a class that comes."""
        return map(key_of, self._claims.by_index(UNBOUND, new.metadata.name)) if old is None else ()


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = (
        Source(CLAIMS, reconciler.claim_changed),
        Source(VOLUMES, reconciler.volume_changed),
        Source(CLASSES, reconciler.class_changed),
        Source(NODES, IGNORE, metadata_only=True),
        Source(PODS, reconciler.pod_changed, reads=("status.phase",)),
    )
    return Controller(NAME, context.queue(NAME), reconciler.reconcile, sources, workers=limits.VOLUME_WORKERS)


def claims_of(pod: Any) -> tuple[str, ...]:
    """Return the keys of the claims that a pod uses."""
    meta = pod.metadata
    sources = [(volume.name, volume.volumeSource) for volume in pod.spec.volumes]
    named = [source.persistentVolumeClaim.claimName for _, source in sources if source.HasField("persistentVolumeClaim")]
    own = [f"{meta.name}-{name}" for name, source in sources if source.HasField("ephemeral")]
    return tuple(f"{meta.namespace}/{name}" for name in (*named, *own))


def _claim_key(volume: Any) -> str:
    reference = volume.spec.claimRef
    return f"{reference.namespace}/{reference.name}"
