"""Requests about a part of an object: its scale, its binding to a node, its eviction, its finalizers.

`status` is no stranger here: the registry's update knows it. What is here reads or writes another form than the object's own.

Source: CONTRACT A7; Kubernetes `pkg/registry/core/pod/storage`, `pkg/registry/apps/*/storage`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from kcore.apiserver import admission, disruption, strategy
from kcore.apiserver.admission.cluster import NODE
from kcore.apiserver.authorization import node_restriction
from kcore.apiserver.objects import Outcome, Stored, encode, outcome
from kcore.apiserver.registry import Registry, Write, own
from kcore.machinery import codec, field_error, kinds, labels, status, timestamp
from kcore.machinery.apply import scale as scale_owners
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.kinds import readiness
from kcore.machinery.projection import Projection
from kcore.store.storage import Submission

Object = dict[str, Any]
POD = GroupVersionKind("", "v1", "Pod")
SCALE = GroupVersionKind("autoscaling", "v1", "Scale")
STATUS_MESSAGE = "kcore.api.meta.v1.Status"
EVICTING = "Eviction API: evicting"
SCALE_MESSAGE = "kcore.api.autoscaling.v1.Scale"
POD_MESSAGE = "kcore.api.core.v1.Pod"
BINDING_MESSAGE = "kcore.api.core.v1.Binding"
CREATED = 201


@cache
def success_bytes() -> bytes:
    """The Status of a write that answers with nothing but its success."""
    return codec.encode(STATUS_MESSAGE, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": CREATED})


def success(name: str, revision: int, submission: Submission | None) -> Outcome:
    """The outcome of a write that answers with nothing but its success."""
    return Outcome(STATUS_MESSAGE, "v1", "Status", success_bytes(), submission, created=True, revision=revision, name=name)


# scale


def scale_of(obj: Object) -> Object:
    """The Scale of a workload in dict form."""
    metadata, spec, state = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    kept = {name: metadata[name] for name in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp") if name in metadata}
    found: Object = {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": kept,
        "spec": {},
        "status": {"replicas": state.get("replicas", 0)},
    }
    if spec.get("replicas"):
        found["spec"]["replicas"] = spec["replicas"]
    if selector := spec.get("selector"):
        found["status"]["selector"] = str(
            labels.from_labels(selector) if obj["kind"] == "ReplicationController" else labels.from_message(selector)
        )
    return found


def scale_outcome(written: Outcome) -> Outcome:
    """The outcome of a request about the scale, from that about its workload."""
    raw = codec.encode(SCALE_MESSAGE, scale_of(written.obj()))
    return Outcome(
        SCALE_MESSAGE, "autoscaling/v1", "Scale", raw, written.submission, revision=written.revision, name=written.name, uid=written.uid
    )


def get_scale(registry: Registry, write: Write) -> Outcome:
    """Read the scale."""
    current = registry.require(write.spec, write.namespace, write.name)
    return scale_outcome(outcome(write.spec, current.obj(), current.raw, current.revision))


def update_scale(registry: Registry, write: Write, change: Callable[[Object], Object]) -> Outcome:
    """Set the replicas of a workload to what the changed Scale says."""
    write.subresource = ""

    def apply(old: Object) -> Object:
        before = scale_of(old)
        wanted = change_owned(write, before, old, change)
        name = wanted.get("metadata", {}).get("name", "")
        if name != write.name:
            raise status.bad_request(f"the name of the object ({name}) does not match the name on the URL ({write.name})")
        replicas = (wanted.get("spec") or {}).get("replicas", 0)
        if replicas < 0:
            raise status.invalid(
                "autoscaling", "Scale", write.name, [field_error.invalid("spec.replicas", replicas, "must be greater than or equal to 0")]
            )
        meant = {name: wanted["metadata"].get(name) or old["metadata"][name] for name in ("uid", "resourceVersion")}
        return {**old, "metadata": {**old["metadata"], **meant}, "spec": {**old["spec"], "replicas": replicas}}

    return scale_outcome(registry.update(write, apply))


def change_owned(write: Write, before: Object, parent: Object, change: Callable[[Object], Object]) -> Object:
    """Change a Scale; the owners of its replicas become those of the workload's."""
    if write.owners is None:
        return change(before)
    entries = parent["metadata"].get("managedFields")
    if shown := scale_owners.to_scale(entries):
        before["metadata"]["managedFields"] = shown
    wanted = change(before)
    found = write.owners(wanted, before, (wanted.get("metadata") or {}).get("managedFields"))
    owners = scale_owners.to_workload(entries, found, write.spec.api_version)
    write.owners = lambda _new, _old, _sent: owners
    return wanted


# binding


def bind(registry: Registry, write: Write, binding: Object) -> Outcome:
    """Assign a pod to a node: its name, the condition PodScheduled, the Binding's labels and annotations, the zone labels of the node."""
    node = check_binding(write, binding)
    current = registry.require(write.spec, write.namespace, write.name)
    forms, before = binding_forms(), current.raw
    uid, deleted, bound_to, gates = forms.read(before)
    kept = {"name": write.name, "uid": uid, "resourceVersion": str(current.revision), "deletionTimestamp": deleted}
    check_bindable(write, {"metadata": kept, "spec": {"nodeName": bound_to, "schedulingGates": gates}}, binding)
    metadata = binding.get("metadata") or {}
    added: Object = {"metadata": {"labels": metadata.get("labels") or {}}}
    admission.bind(added, registry.chain.cluster.labels(NODE, "", node) or {})
    condition = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": registry.now()}
    raw = forms.write(before, added["metadata"]["labels"], metadata.get("annotations") or {}, node, "", condition)
    if write.dry_run:
        return success(write.name, current.revision, None)
    submission = registry.put(write.spec, write.namespace, write.name, raw, current.revision)
    return success(write.name, submission.revision, submission)


class BindingForms(NamedTuple):
    """What binding reads of a stored pod and writes into it, without decoding the rest."""

    read: Projection
    write: codec.Splice


@cache
def binding_forms() -> BindingForms:
    """The compiled programs, made at the first binding."""
    read = ["metadata.uid", "metadata.deletionTimestamp", "spec.nodeName", "spec.schedulingGates[].name"]
    write = ["metadata.labels[]", "metadata.annotations[]", "spec.nodeName", "status.nominatedNodeName", "status.conditions[type]"]
    return BindingForms(Projection(POD_MESSAGE, read), codec.Splice(POD_MESSAGE, write))


def legacy_bind(registry: Registry, write: Write, binding: Object) -> Outcome:
    """Create a Binding as an object of its own: the older way to bind the pod of its name."""
    pods = registry.scheme.kinds[POD]
    name = (binding.get("metadata") or {}).get("name", "")
    return bind(registry, registry.writing(pods, write.namespace, name, write.user, write.dry_run, "binding"), binding)


def check_binding(write: Write, binding: Object) -> str:
    """The node that a Binding names. Raises StatusError if it says nothing, or something else than a node."""
    if (binding.get("metadata") or {}).get("name", "") != write.name:
        raise status.bad_request("name in URL does not match name in Binding object")
    sentences = [error.message() for error in kinds.rules_of("", "Binding", BINDING_MESSAGE).validate(binding)]
    if sentences:
        raise status.unknown(sentences[0] if len(sentences) == 1 else f"[{', '.join(sentences)}]")
    name: str = binding["target"]["name"]
    return name


def check_bindable(write: Write, pod: Object, binding: Object) -> None:
    """Refuse to assign a pod that is another one, on its way out, gated or assigned already."""
    metadata = pod["metadata"]
    wanted = binding.get("metadata") or {}
    key = write.shown_key()

    def refused(what: str, want: str, have: str) -> status.StatusError:
        return status.precondition_failed(write.spec.resource, write.spec.group, write.name, what, want, have, key)

    strategy.check_preconditions(write.spec, pod, {name: wanted.get(name) or None for name in ("uid", "resourceVersion")}, refused)
    if metadata.get("deletionTimestamp"):
        raise status.conflict("pods/binding", "", write.name, f"pod {write.name} is being deleted, cannot be assigned to a host")
    if pod["spec"].get("nodeName"):
        raise status.conflict("pods/binding", "", write.name, f'pod {write.name} is already assigned to node "{pod["spec"]["nodeName"]}"')
    if pod["spec"].get("schedulingGates"):
        raise status.conflict("pods/binding", "", write.name, f"pod {write.name} has non-empty .spec.schedulingGates")


# eviction


def evict(registry: Registry, write: Write, eviction: Object) -> Outcome:
    """Delete a pod if its disruption budgets allow it."""
    name = (eviction.get("metadata") or {}).get("name", "")
    if name != write.name:
        raise status.bad_request("name in URL does not match name in Eviction object")
    current = registry.require(write.spec, write.namespace, write.name)
    pod = current.obj()
    node_restriction.admit_eviction(write, pod, registry.chain.cluster)
    options = eviction.get("deleteOptions") or {}
    deleting = registry.writing(write.spec, write.namespace, write.name, write.user, write.dry_run or bool(options.get("dryRun")))
    strategy.check_preconditions(write.spec, pod, options.get("preconditions") or {})
    if not disruption.exempt(pod):
        disruption.charge(registry, write, pod, deleting.dry_run)
    if not deleting.dry_run:
        mark_disrupted(registry, write, current, pod)
    deleted = registry.delete(deleting, {name: value for name, value in options.items() if name != "preconditions"})
    return success(deleted.name, deleted.revision, deleted.submission)


def mark_disrupted(registry: Registry, write: Write, current: Stored, pod: Object) -> None:
    """Say in the pod's status why it goes."""
    condition = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "EvictionByEvictionAPI",
        "message": EVICTING,
        "lastProbeTime": None,
    }
    conditions = list((pod.get("status") or {}).get("conditions") or ())
    if readiness.set_condition(conditions, condition, timestamp.format_time(registry.clock.now())):
        marked = {**pod, "status": {**(pod.get("status") or {}), "conditions": conditions}}
        registry.put(write.spec, write.namespace, write.name, encode(write.spec, marked), current.revision, current.kv.lease)


# finalizers of namespaces

CLIENTS_METADATA = ("labels", "annotations", "finalizers", "ownerReferences", "managedFields")


def finalize(registry: Registry, write: Write, change: Callable[[Object], Object]) -> Outcome:
    """Replace the finalizers in a namespace's spec, and what of its metadata is a client's; one that terminates without any is removed."""
    current = registry.require(write.spec, "", write.name)
    old = current.obj()
    new = change(old)
    sent = registry.match(write, new, old)
    spec = {**(old.get("spec") or {}), "finalizers": list((new.get("spec") or {}).get("finalizers") or ())}
    write.rules.default(new)
    own(write, new, old, sent)
    clients = {name: new["metadata"][name] for name in CLIENTS_METADATA if name in new["metadata"]}
    metadata = {name: value for name, value in old["metadata"].items() if name not in CLIENTS_METADATA}
    return registry.replace(write, {**old, "metadata": {**metadata, **clients}, "spec": spec}, old, current)


# (resource, subresource) -> what a create on it does.
CREATE: dict[tuple[str, str], Callable[[Registry, Write, Object], Outcome]] = {
    ("bindings", ""): legacy_bind,
    ("pods", "binding"): bind,
    ("pods", "eviction"): evict,
}

# subresource -> what an update of it does where it is not that of the object with the rules of the part.
UPDATE: dict[str, Callable[[Registry, Write, Callable[[Object], Object]], Outcome]] = {
    "scale": update_scale,
    "finalize": finalize,
}
