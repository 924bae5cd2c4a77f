"""ResourceClaims: made from the templates of pods that need them, and free again when no pod is left that may use them.

A claim's name follows from its pod's uid and from what the pod calls it, so that a repeated create is refused. A pod's status tells the
names once the claims are there. A claim that was reserved for pods which are gone or have finished loses them; with the last of them it
loses its devices, and the finalizer that kept it. A claim made for a pod that has finished is deleted.

Source: Kubernetes `pkg/controller/resourceclaim`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from kcore.api.resource.v1.resource_claim_pb2 import ResourceClaim
from kcore.client import kinds
from kcore.controllers import actions, adoption
from kcore.controllers.actions import Action, Create, Delete, Event, Patch
from kcore.controllers.adoption import is_deleting
from kcore.controllers.controller import Context, Controller, Result, Source, key_of
from kcore.controllers.live import find
from kcore.controllers.pod_state import is_finished
from kcore.controllers.pod_writes import PODS

NAME: Final = "resourceclaim"
CLAIMS: Final = kinds.resource("resource.k8s.io", "v1", "resourceclaims")
TEMPLATES: Final = kinds.resource("resource.k8s.io", "v1", "resourceclaimtemplates")
POD_CLAIM_NAME: Final = "resource.kubernetes.io/pod-claim-name"
FINALIZER: Final = "resource.kubernetes.io/delete-protection"
_READS: Final = ("spec.resourceClaims", "status.phase", "status.extendedResourceClaimStatus", "metadata.deletionTimestamp")
BY_TEMPLATE: Final = "resourceclaimtemplate"
_POD: Final = "pod "
_SUFFIX_LENGTH: Final = 10
_NAME_LENGTH_MAX: Final = 253


def claim_name(pod: Any, name: str) -> str:
    """Return the name of the claim that is made for a pod under one of its names."""
    suffix = hashlib.sha256(f"{pod.metadata.uid}/{name}".encode()).hexdigest()[:_SUFFIX_LENGTH]
    return f"{f'{pod.metadata.name}-{name}'[: _NAME_LENGTH_MAX - _SUFFIX_LENGTH - 1]}-{suffix}"


def plan_pod(pod: Any, templates: Mapping[str, Any], claims: Mapping[str, Any]) -> list[Action]:
    """Decide what a pod needs: claims that are not there yet, or their names in its status.

    templates  those that it names and that are there; claims: those of its namespace under the names of `claim_name`
    """
    if is_deleting(pod) or is_finished(pod):
        return []
    wanted = {each.name: each.resourceClaimTemplateName for each in pod.spec.resourceClaims if each.resourceClaimTemplateName}
    missing = [name for name in wanted if claim_name(pod, name) not in claims]
    creates: list[Action] = [
        _create(pod, name, templates[wanted[name]])
        if wanted[name] in templates
        else Event(pod, actions.WARNING, "FailedResourceClaimCreation", _NO_TEMPLATE.format(name, wanted[name]))
        for name in missing
    ]
    said = {each.name: each.resourceClaimName for each in pod.status.resourceClaimStatuses}
    known = {name: claim_name(pod, name) for name in wanted if name not in missing}
    if not known.items() - said.items():
        return creates
    statuses = [{"name": name, "resourceClaimName": found} for name, found in (said | known).items()]
    body = {"metadata": {"uid": pod.metadata.uid}, "status": {"resourceClaimStatuses": statuses}}
    return [*creates, Patch(PODS, pod.metadata.namespace, pod.metadata.name, body, subresource="status")]


_NO_TEMPLATE: Final = 'PodResourceClaim {}: resourceclaimtemplates.resource.k8s.io "{}" not found'


def plan_claim(claim: Any, users: Collection[str], owner: Any | None) -> list[Action]:
    """Decide what a claim needs.

    users  uids of the pods that it is reserved for and that still use it
    owner  the pod that it was made for, if that is there
    """
    meta, status = claim.metadata, claim.status
    wanted: list[Action] = []
    left = [each for each in status.reservedFor if each.resource != PODS.resource or each.apiGroup or each.uid in users]
    if len(left) < len(status.reservedFor):
        consumers = [{"apiGroup": each.apiGroup, "resource": each.resource, "name": each.name, "uid": each.uid} for each in left]
        body: dict[str, Any] = {"reservedFor": consumers or None}
        if not left:
            body["allocation"] = None
        at = {"resourceVersion": meta.resourceVersion}
        wanted.append(Patch(CLAIMS, meta.namespace, meta.name, {"metadata": at, "status": body}, subresource="status"))
    if not left and FINALIZER in meta.finalizers and (len(status.reservedFor) or not status.HasField("allocation") or is_deleting(claim)):
        finalizers = [name for name in meta.finalizers if name != FINALIZER]
        wanted.append(Patch(CLAIMS, meta.namespace, meta.name, {"metadata": {"uid": meta.uid, "finalizers": finalizers or None}}))
    if owner is not None and is_finished(owner) and not is_deleting(claim):
        wanted.append(Delete(CLAIMS, meta.namespace, meta.name, uid=meta.uid))
    return wanted


def _create(pod: Any, name: str, template: Any) -> Create:
    claim, spec = ResourceClaim(), template.spec
    claim.metadata.labels.update(spec.metadata.labels)
    claim.metadata.annotations.update(spec.metadata.annotations)
    claim.metadata.annotations[POD_CLAIM_NAME] = name
    claim.metadata.name, claim.metadata.namespace = claim_name(pod, name), pod.metadata.namespace
    adoption.set_controller(claim, pod, PODS)
    claim.spec.CopyFrom(spec.spec)
    failed = Event(pod, actions.WARNING, "FailedResourceClaimCreation", f"PodResourceClaim {name}: failed to create ResourceClaim: ")
    return Create(claim, failed=failed)


class Reconciler:
    """Carries plans out. A key is that of a claim, or that of a pod behind a word that says so."""

    def __init__(self, context: Context) -> None:
        self._context = context
        pods = context.informer(PODS)
        pods.add_index(BY_TEMPLATE, _templates_of, reads=("spec.resourceClaims",))
        self._pods = pods.lister
        self._claims = context.informer(CLAIMS).lister
        self._templates = context.informer(TEMPLATES).lister

    async def reconcile(self, key: str) -> Result | None:
        """Look at a pod or at a claim."""
        is_pod = key.startswith(_POD)
        namespace, _, name = key.removeprefix(_POD).partition("/")
        wanted = self._plan_pod(namespace, name) if is_pod else await self._plan_claim(namespace, name)
        outcomes = await actions.apply(wanted, self._context.api.bulk, self._context.recorder)
        actions.raise_first(actions.undisturbed(outcomes), harmless=("NotFound", "AlreadyExists"))
        return None

    def _plan_pod(self, namespace: str, name: str) -> list[Action]:
        pod = self._pods.get(name, namespace=namespace)
        if pod is None:
            return []
        names = {each.name: each.resourceClaimTemplateName for each in pod.spec.resourceClaims if each.resourceClaimTemplateName}
        templates = {each: self._templates.get(each, namespace=namespace) for each in names.values()}
        claims = {each: self._claims.get(each, namespace=namespace) for each in (claim_name(pod, own) for own in names)}
        return plan_pod(pod, _there(templates), _there(claims))

    async def _plan_claim(self, namespace: str, name: str) -> list[Action]:
        claim = self._claims.get(name, namespace=namespace)
        if claim is None:
            return []
        users = {each.uid for each in claim.status.reservedFor if await self._uses(namespace, each)}
        reference = adoption.controller_of(claim)
        owner = self._pods.get(reference.name, namespace=namespace) if reference is not None and reference.kind == PODS.kind else None
        if owner is not None and reference is not None and owner.metadata.uid != reference.uid:
            owner = None
        return plan_claim(claim, users, owner)

    async def _uses(self, namespace: str, consumer: Any) -> bool:
        """Tell whether a pod still may use a claim; one that is not known is asked for, since the scheduler may have seen it first."""
        pod = self._pods.get(consumer.name, namespace=namespace)
        if pod is None or pod.metadata.uid != consumer.uid:
            pod = await find(self._context.api, PODS, namespace, consumer.name)
        return pod is not None and pod.metadata.uid == consumer.uid and not is_finished(pod)

    def pod_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at a pod with claims, and when it ends at these."""
        pod = old if new is None else new
        if new is not None and pod.spec.resourceClaims:
            yield f"{_POD}{key_of(pod)}"
        if new is None or is_finished(new):
            names = [each.resourceClaimName or claim_name(pod, each.name) for each in pod.spec.resourceClaims]
            extended = pod.status.extendedResourceClaimStatus.resourceClaimName
            for name in (*names, *([extended] if extended else ())):
                yield f"{pod.metadata.namespace}/{name}"

    def claim_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the claim, and at the pod that it was made for."""
        claim = old if new is None else new
        if new is not None:
            yield key_of(claim)
        reference = adoption.controller_of(claim)
        if reference is not None and reference.kind == PODS.kind:
            yield f"{_POD}{claim.metadata.namespace}/{reference.name}"

    def template_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the pods that wait for a template."""
        return [f"{_POD}{key_of(pod)}" for pod in self._pods.by_index(BY_TEMPLATE, key_of(new))] if old is None else ()


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = (
        Source(PODS, reconciler.pod_changed, reads=_READS),
        Source(CLAIMS, reconciler.claim_changed),
        Source(TEMPLATES, reconciler.template_changed),
    )
    return Controller(NAME, context.queue(NAME), reconciler.reconcile, sources)


def _templates_of(pod: Any) -> tuple[str, ...]:
    names = (each.resourceClaimTemplateName for each in pod.spec.resourceClaims)
    return tuple(f"{pod.metadata.namespace}/{name}" for name in names if name)


def _there(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: object_ for name, object_ in found.items() if object_ is not None}
