"""A small cluster for scenario files: commands change its objects, `plan` shows what a controller would do, `step` does it as well.

now SECONDS                             the time
WORD NAME FIELD=VALUE ...               makes or changes an object: replicaset, replicationcontroller, deployment, pod ... (KINDS)
    of a pod: owner=NAME (of the set or ReplicationController that is its controller), ready=SECONDS (since when it is ready);
    of all: deleting
drop WORD NAME                          removes an object
plan|step CONTROLLER NAME               CONTROLLER is replicaset, replicationcontroller, deployment, serviceaccount, root-ca or namespace
fill [unready]                          every set has the pods that it asks for, ready unless said otherwise
refuse REASON TEXT                      the next creation fails
left RESOURCE COUNT [FINALIZER=COUNT ...] [estimate=SECONDS] [error]     what is left in the namespace that `plan namespace` looks at
"""

from itertools import count
from typing import Any

from kcore.api.apps.v1.deployment_pb2 import Deployment
from kcore.api.apps.v1.replica_set_pb2 import ReplicaSet
from kcore.api.core.v1.config_map_pb2 import ConfigMap
from kcore.api.core.v1.namespace_pb2 import Namespace
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.core.v1.replication_controller_pb2 import ReplicationController
from kcore.api.core.v1.service_account_pb2 import ServiceAccount
from kcore.client import kinds
from kcore.controllers import adoption, deployment, namespace, replicaset, revisions, root_ca_publisher, serviceaccount
from kcore.controllers.actions import Create, Delete, Event, Patch, Update, UpdateStatus
from kcore.controllers.pod_names import free_names
from kcore.controllers.pod_state import is_finished, next_available_s
from kcore.machinery import status
from kcore.machinery.status import StatusError
from tests.golden.controllers.notation import put, shown, title

KINDS = {
    "replicaset": ReplicaSet,
    "replicationcontroller": ReplicationController,
    "deployment": Deployment,
    "pod": Pod,
    "namespace": Namespace,
    "configmap": ConfigMap,
    "serviceaccount": ServiceAccount,
}

OWNERS = ("replicasets.apps", "replicationcontrollers", "statefulsets.apps")


class Story:
    """The objects of one scenario."""

    kinds: dict[str, Any] = KINDS

    def __init__(self) -> None:
        self.now = 1000.0
        self.objects: dict[str, Any] = {}
        self.left: list[namespace.Remaining] = []
        self.refusal: StatusError | None = None
        self._numbers = count(1)

    def run(self, line: str) -> list[str]:
        """Carry a command out and return its output."""
        word, *words = line.split()
        if word in self.kinds:
            self.put_object(self.kinds[word], *words)
            return []
        output: list[str] = getattr(self, f"do_{word}")(*words)
        return output

    def do_now(self, seconds: str) -> list[str]:
        self.now = float(seconds)
        return []

    def put_object(self, class_: Any, name: str, *assignments: str) -> None:
        resource = kinds.of_message(class_)
        fresh = class_()
        fresh.metadata.name = name
        if resource.namespaced:
            fresh.metadata.namespace = "default"
        found = self.objects.get(title(fresh))
        if found is None:
            found = self.objects[title(fresh)] = fresh
            self.stamp(found)
        else:
            found.metadata.resourceVersion = str(next(self._numbers))
        for assignment in assignments:
            self.assign(found, *assignment.split("=", 1))
        if not assignments or not all(word.startswith(("status.", "metadata.", "ready=", "deleting")) for word in assignments):
            found.metadata.generation += 1

    def assign(self, found: Any, path: str, value: str = "") -> None:
        if path == "owner":
            owner = next(self.objects[key] for kind in OWNERS if (key := f"{kind} default/{value}") in self.objects)
            adoption.set_controller(found, owner, kinds.of_message(owner))
        elif path == "app":
            found.metadata.labels["app"] = value
            for part in (getattr(found, "spec", None),):
                if hasattr(part, "selector"):
                    getattr(part.selector, "matchLabels", part.selector)["app"] = value
                    part.template.metadata.labels["app"] = value
        elif path == "image":
            (found.spec.template.spec.containers or [found.spec.template.spec.containers.add()])[0].image = value
        elif path == "ready":
            found.status.phase = "Running"
            found.spec.nodeName = found.spec.nodeName or "n1"
            found.status.conditions.add(type="Ready", status="True").lastTransitionTime.seconds = int(value)
        elif path == "deleting":
            found.metadata.deletionTimestamp.seconds = int(self.now)
        else:
            put(found, f"{path}={value}")

    def do_drop(self, word: str, name: str) -> list[str]:
        fresh = self.kinds[word]()
        fresh.metadata.name, fresh.metadata.namespace = name, "default"
        del self.objects[title(fresh)]
        return []

    def do_refuse(self, reason: str, *text: str) -> list[str]:
        self.refusal = status.failure(reason, " ".join(text))
        return []

    def do_fill(self, readiness: str = "") -> list[str]:
        for found in self.objects.values():
            if isinstance(found, ReplicaSet):
                size = found.spec.replicas
                ready = min(size, found.status.readyReplicas) if readiness else size
                found.status.replicas = found.status.fullyLabeledReplicas = size
                found.status.readyReplicas = found.status.availableReplicas = ready
                found.status.terminatingReplicas = 0
                found.status.observedGeneration = found.metadata.generation
        return []

    def do_left(self, resource: str, number: str, *words: str) -> list[str]:
        plural, _, group = resource.partition(".")
        values = dict(word.split("=") for word in words if "=" in word)
        estimate_s = int(values.pop("estimate", 0))
        finalizers = tuple((name, int(value)) for name, value in values.items())
        error = f"unexpected items still remain in namespace: x for gvr: {group}/v1, Resource={plural}" if "error" in words else ""
        self.left.append(namespace.Remaining(group, "v1", plural, int(number), finalizers, estimate_s, error))
        return []

    def do_plan(self, controller: str, name: str) -> list[str]:
        return self.look(controller, name, acts=False)

    def do_step(self, controller: str, name: str) -> list[str]:
        return self.look(controller, name, acts=True)

    def look(self, controller: str, name: str, acts: bool) -> list[str]:
        """Show a plan, and carry it out if it is to be."""
        wanted, said = getattr(self, f"plan_{controller.replace('-', '_')}")(name)
        output: list[str] = []
        for action in wanted:
            subject = getattr(action, "object", None)
            output += shown(action, self.objects.get(title(subject)) if subject is not None else None)
            if acts:
                self.act(action)
        return [*output, *said] or ["nothing"]

    def plan_replicaset(self, name: str) -> Any:
        return self.plan_replicas(self.objects[f"replicasets.apps default/{name}"])

    def plan_replicationcontroller(self, name: str) -> Any:
        return self.plan_replicas(self.objects[f"replicationcontrollers default/{name}"])

    def plan_replicas(self, found: Any) -> Any:
        pods = [pod for pod in self.objects.values() if isinstance(pod, Pod)]
        own = [pod for pod in pods if (reference := adoption.controller_of(pod)) is None or reference.uid == found.metadata.uid]
        names = free_names(found, lambda taken: f"pods default/{taken}" in self.objects)
        observed = replicaset.Observed(found, own, own, True, self.now)
        planned = replicaset.plan(observed, names)
        error = ""
        if planned.creates and self.refusal is not None:
            planned, error, self.refusal = replicaset.plan(observed, names), self.refusal.message, None
        state = replicaset.plan_status(observed, planned, error)
        wait_s = next_available_s(planned.pods, found.spec.minReadySeconds, self.now)
        written = [*planned.claims, *([] if error else planned.creates), *planned.deletes, *([state] if state else [])]
        return written, [f"again in {wait_s:g} s"] if wait_s else []

    def plan_deployment(self, name: str) -> Any:
        found = self.objects[f"deployments.apps default/{name}"]
        sets = [item for item in self.objects.values() if isinstance(item, ReplicaSet)]
        own = [item for item in sets if (reference := adoption.controller_of(item)) is None or reference.uid == found.metadata.uid]
        pods = [pod for pod in self.objects.values() if isinstance(pod, Pod) and not is_finished(pod)]
        occupied = frozenset(reference.uid for pod in pods if (reference := adoption.controller_of(pod)) is not None)
        observed = deployment.Observed(found, own, occupied, self.now)
        planned = deployment.plan(observed)
        wanted: list[Any] = [*planned.claims, *planned.writes]
        said = [f"again in {planned.requeue_after_s:g} s"] if planned.requeue_after_s is not None else []
        if planned.create is not None:
            error, present = self.refusal, self.objects.get(title(planned.create.object))
            self.refusal = None
            if present is not None:
                error = status.already_exists("replicasets", "apps", planned.create.object.metadata.name)
            wanted += [] if error is not None else [planned.create]
            wanted += deployment.plan_created(observed, planned.create, error, present)
        return wanted, said

    def plan_serviceaccount(self, name: str) -> Any:
        present = [item.metadata.name for item in self.objects.values() if isinstance(item, ServiceAccount)]
        return serviceaccount.plan(self.objects[f"namespaces {name}"], present), []

    def plan_root_ca(self, name: str) -> Any:
        present = self.objects.get(f"configmaps {name}/{root_ca_publisher.NAME}")
        return root_ca_publisher.plan(self.objects[f"namespaces {name}"], present, "PEM"), []

    def plan_namespace(self, name: str) -> Any:
        planned = namespace.plan(self.objects[f"namespaces {name}"], self.left, self.now)
        self.left = []
        said = ["finalize"] if planned.finalize else []
        said += [f"again in {planned.requeue_after_s:g} s"] if planned.requeue_after_s is not None else []
        said += [f"fails: {planned.error}"] if planned.error else []
        return ([UpdateStatus(planned.status)] if planned.status is not None else []), said

    def act(self, action: Any) -> None:
        """Do to the objects what the API server would."""
        match action:
            case Create():
                self.objects[title(action.object)] = action.object
                self.stamp(action.object)
                action.object.metadata.generation = 1
            case Update():
                stored = self.objects[title(action.object)]
                if hasattr(stored, "spec"):
                    action.object.metadata.generation = stored.metadata.generation + (stored.spec != action.object.spec)
                    action.object.status.CopyFrom(stored.status)
                self.objects[title(action.object)] = action.object
            case UpdateStatus():
                self.objects[title(action.object)] = action.object
            case Delete():
                del self.objects[f"{action.resource} {action.namespace}/{action.name}"]
            case Patch():
                self.patch_owners(action)
            case Event():
                pass

    def patch_owners(self, action: Patch) -> None:
        meta = self.objects[f"{action.resource} {action.namespace}/{action.name}"].metadata
        del meta.ownerReferences[:]
        for reference in action.body["metadata"]["ownerReferences"] or ():
            meta.ownerReferences.add(**reference)

    def stamp(self, object_: Any) -> None:
        """Give an object what the API server gives: short and in order, so that texts stay readable."""
        number = next(self._numbers)
        object_.metadata.uid, object_.metadata.resourceVersion = f"uid-{object_.metadata.name}", str(number)
        object_.metadata.creationTimestamp.seconds = int(self.now)
        assert revisions.age_order(object_)
