"""Pods that are not there yet: made of a Pod, or of the pod template of any workload, as an API server and its controllers would make them.

The template is filled with defaults, takes its priority from the cluster's priority classes, and is judged by the rules of a Pod. Pods of a
workload have it as their owner, a Deployment's a ReplicaSet with the same selector, since topology is spread by that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from kcore.machinery import codec, defaults
from kcore.machinery.kinds import rules_of
from kcore.machinery.kinds.rules import check_create
from kcore.scheduler.ingest import pod_row
from kcore.scheduler.rows import Owner, PodRow
from kcore.simulate.cluster import POD, PRIORITY_CLASS

Object = dict[str, Any]

MESSAGE: Final = "kcore.api.core.v1.Pod"
CLASS_MESSAGE: Final = "kcore.api.scheduling.v1.PriorityClass"
SELECTOR_MESSAGE: Final = {"ReplicaSet": "kcore.api.apps.v1.ReplicaSet", "StatefulSet": "kcore.api.apps.v1.StatefulSet"}
OWNERS: Final = {"Deployment": "ReplicaSet", "ReplicaSet": "ReplicaSet", "StatefulSet": "StatefulSet"}
"""The kinds whose selector spreads their pods, and the kind that owns the pods."""

TEMPLATE_PATHS: Final = (("spec", "template"), ("spec", "jobTemplate", "spec", "template"), ("template",))
"""Where a Deployment, a CronJob and a PodTemplate hold the template of their pods."""


class TemplateError(ValueError):
    """No pods can be made of this."""


class Template(NamedTuple):
    """Pods that may come.

    pod       one of them, as the scheduler sees it
    workload  who owns them, in wire form with its kind; None where it is nobody whose selector matters
    """

    pod: PodRow
    workload: tuple[str, bytes] | None

    def pods(self, start: int, stop: int) -> Iterator[PodRow]:
        """Yield pods that differ in name and uid alone, numbered from start."""
        for number in range(start, stop):
            name = f"{self.pod.name}-{number}"
            yield self.pod._replace(name=name, uid=f"{self.pod.namespace}/{name}")


def template(obj: Object, others: Iterable[tuple[str, bytes]] = ()) -> Template:
    """Read a template from a Pod or a workload in JSON form; others: the cluster's objects, of which priority classes matter.

    Raises  TemplateError
    """
    kind, metadata = obj["kind"], obj.get("metadata") or {}
    pod = pod_of(obj)
    if pod is None:
        raise TemplateError(f"a {kind} has no template of pods")
    own = pod.get("metadata") or {}
    name = metadata.get("name") or own.get("name") or str(metadata.get("generateName") or kind.lower()).rstrip("-")
    namespace = metadata.get("namespace") or "default"
    owner = OWNERS.get(kind)
    selector = (obj.get("spec") or {}).get("selector")
    made = {"apiVersion": "v1", "kind": POD, "metadata": {**own, "name": name, "namespace": namespace}, "spec": pod.get("spec") or {}}
    try:
        row = pod_row(_created(made, others))
        if owner is None or not selector:
            return Template(row, None)
        message = SELECTOR_MESSAGE[owner]
        workload = codec.encode(message, codec.normalise(message, {"metadata": made["metadata"], "spec": {"selector": selector}}))
    except codec.DecodeError as error:
        raise TemplateError(str(error)) from error
    return Template(row._replace(owner=Owner(owner, name)), (owner, workload))


def pod_of(obj: Object) -> Object | None:
    """Return a Pod, or what a workload makes its pods of; None of an object that has to do with none."""
    if obj["kind"] == POD:
        return obj
    for path in TEMPLATE_PATHS:
        found: Any = obj
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        if isinstance(found, dict):
            return found
    return None


def _created(pod: Object, others: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a new pod as an API server would store it. Raises DecodeError, TemplateError."""
    rules = rules_of("", POD, MESSAGE)
    found = codec.normalise(MESSAGE, pod)
    found["spec"].pop("nodeName", None)
    found["metadata"].pop("deletionTimestamp", None)
    defaults.apply(MESSAGE, found)
    rules.default(found)
    _prioritise(found["spec"], others)
    if rules.prepare_create is not None:
        rules.prepare_create(found)
    errors = check_create(rules, found, namespaced=True)
    if errors:
        raise TemplateError("; ".join(f"{error.field}: {error.body}" for error in errors))
    return codec.encode(MESSAGE, found)


def _prioritise(spec: Object, others: Iterable[tuple[str, bytes]]) -> None:
    """Set the priority as admission does. Raises TemplateError for a class that is not there."""
    classes = [codec.decode(CLASS_MESSAGE, raw) for kind, raw in others if kind == PRIORITY_CLASS]
    name = spec.get("priorityClassName")
    if name:
        found = next((each for each in classes if each["metadata"]["name"] == name), None)
        if found is None:
            raise TemplateError(f"no PriorityClass with name {name} was found")
    else:
        marked = [each for each in classes if each.get("globalDefault")]
        found = min(marked, key=lambda each: each.get("value", 0), default={})
    spec.setdefault("priority", found.get("value", 0))
    if found.get("preemptionPolicy"):
        spec.setdefault("preemptionPolicy", found["preemptionPolicy"])
