"""PodDisruptionBudgets: how many pods are healthy, should be, and may be disrupted now.

How many pods there should be is what their controllers want (of a ReplicaSet that has a Deployment: what that wants), unless the budget
asks for a number of pods itself. Pods that the eviction API let go count as gone until they are, or two minutes have passed.

Source: Kubernetes `pkg/controller/disruption`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from kcore.api.policy.v1.pod_disruption_budget_pb2 import PodDisruptionBudget
from kcore.base import limits
from kcore.client import kinds
from kcore.client.wire import split_key
from kcore.controllers import actions, conditions
from kcore.controllers.actions import NORMAL, WARNING, Action, Event, UpdateStatus
from kcore.controllers.adoption import DELETING, is_deleting, labels_of, selector_of
from kcore.controllers.controller import IGNORE, Context, Controller, Result, Source, key_of, own_keys
from kcore.controllers.pod_state import is_ready, seconds, set_seconds
from kcore.controllers.rollout import share
from kcore.controllers.service_pods import BY_LABEL, index_pods, label_value

NAME: Final = "disruption"
BUDGETS: Final = kinds.resource("policy", "v1", "poddisruptionbudgets")
PODS: Final = kinds.resource("", "v1", "pods")
READS: Final = ("metadata.labels", DELETING, "status.conditions[]@raw")
DEPLOYMENT, REPLICASET = "Deployment", "ReplicaSet"
OWNERS: Final = {
    ("apps", REPLICASET): kinds.resource("apps", "v1", "replicasets"),
    ("apps", DEPLOYMENT): kinds.resource("apps", "v1", "deployments"),
    ("apps", "StatefulSet"): kinds.resource("apps", "v1", "statefulsets"),
    ("", "ReplicationController"): kinds.resource("", "v1", "replicationcontrollers"),
}
"""(group, kind) of what pods may belong to, and say how many of them there should be."""

CONDITION: Final = "DisruptionAllowed"
PERCENT: Final = 1
NO_PODS: Final = "No matching pods found"
UNMANAGED: Final = (
    "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, the status of the PDB cannot be "
    'calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the '
    "PDB to an integer value."
)


class Wanted(NamedTuple):
    """How many pods the controllers of some pods want.

    total      of all controllers together
    unmanaged  pods that have none
    error      why that is not known
    """

    total: int
    unmanaged: bool = False
    error: str = ""


class Plan(NamedTuple):
    """What to do, and when to look again by the clock alone; None: never."""

    actions: list[Action]
    again_s: float | None = None


def plan(budget: Any, pods: Sequence[Any], wanted: Wanted, now: float) -> Plan:
    """Decide what a budget's status says.

    pods    those that the budget selects
    wanted  what their controllers want
    """
    told: list[Action] = [] if pods else [Event(budget, NORMAL, "NoPods", NO_PODS)]
    counted = counts_pods(budget)
    if not counted and wanted.error:
        message = f"Failed to calculate the number of expected pods: {wanted.error}"
        told.append(Event(budget, WARNING, "CalculateExpectedPodCountFailed", message))
        return Plan([*told, *fail_safe(budget, wanted.error, now)])
    if not counted and wanted.unmanaged:
        told.append(Event(budget, WARNING, "UnmanagedPods", UNMANAGED.format(shown(budget.spec.selector))))
    expected = len(pods) if counted else wanted.total
    disrupted = {pod.metadata.name: at for pod in pods if (at := disrupted_at(budget, pod)) is not None}
    going = {name: at for name, at in disrupted.items() if at + limits.DISRUPTION_TIMEOUT_S >= now}
    for pod in pods:
        if pod.metadata.name in disrupted.keys() - going.keys():
            namespace = budget.metadata.namespace
            message = f"Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't"
            told.append(Event(pod, WARNING, "NotDeleted", message))
    healthy = sum(1 for pod in pods if not is_deleting(pod) and pod.metadata.name not in going and is_ready(pod))
    again_s = min((at + limits.DISRUPTION_TIMEOUT_S - now for at in going.values()), default=None)
    return Plan([*told, *write(budget, healthy, desired_of(budget, expected), expected, going, now)], again_s)


def counts_pods(budget: Any) -> bool:
    """Tell whether a budget asks for a number of pods, whatever controllers want."""
    spec = budget.spec
    return not spec.HasField("maxUnavailable") and spec.HasField("minAvailable") and spec.minAvailable.type != PERCENT


def desired_of(budget: Any, expected: int) -> int:
    """How many pods must be healthy; shares are rounded up."""
    spec = budget.spec
    if spec.HasField("maxUnavailable"):
        return max(0, expected - share(spec.maxUnavailable, expected, up=True))
    return share(spec.minAvailable, expected, up=True) if spec.HasField("minAvailable") else 0


def disrupted_at(budget: Any, pod: Any) -> float | None:
    """When the eviction API let a pod go that is not being deleted yet."""
    name = pod.metadata.name
    return seconds(budget.status.disruptedPods[name]) if name in budget.status.disruptedPods and not is_deleting(pod) else None


def write(budget: Any, healthy: int, desired: int, expected: int, going: dict[str, float], now: float) -> list[Action]:
    """Update the status unless it says all that already. A budget without pods allows nothing: its first ones may be on their way."""
    updated = PodDisruptionBudget()
    updated.CopyFrom(budget)
    status = updated.status
    status.currentHealthy, status.desiredHealthy, status.expectedPods = healthy, desired, expected
    status.disruptionsAllowed = max(0, healthy - desired) if expected > 0 else 0
    status.observedGeneration = budget.metadata.generation
    for name in status.disruptedPods.keys() - going.keys():
        del status.disruptedPods[name]
    allowed = status.disruptionsAllowed > 0
    put_condition(status, str(allowed), "SufficientPods" if allowed else "InsufficientPods", "", now)
    return [] if status == budget.status else [UpdateStatus(updated)]


def fail_safe(budget: Any, error: str, now: float) -> list[Action]:
    """Allow nothing as long as it is not known how many pods there should be."""
    updated = PodDisruptionBudget()
    updated.CopyFrom(budget)
    updated.status.disruptionsAllowed = 0
    updated.status.observedGeneration = budget.metadata.generation
    put_condition(updated.status, "False", "SyncFailed", error, now)
    return [] if updated.status == budget.status else [UpdateStatus(updated)]


def put_condition(status: Any, value: str, reason: str, message: str, now: float) -> None:
    """Say whether disruptions are allowed."""
    old = conditions.find(status.conditions, CONDITION)
    if old is not None and (old.status, old.reason, old.message) == (value, reason, message):
        old.observedGeneration = status.observedGeneration
        return
    since = seconds(old.lastTransitionTime) if old is not None and old.status == value else now
    conditions.remove(status.conditions, CONDITION)
    added = status.conditions.add(type=CONDITION, status=value, reason=reason, message=message)
    added.observedGeneration = status.observedGeneration
    set_seconds(added.lastTransitionTime, since)


def shown(selector: Any) -> str:
    """A selector as Events show it, which clients compare."""
    labels = "".join(f"{key}: {value}," for key, value in sorted(selector.matchLabels.items()))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{each.key},Operator:{each.operator},Values:[{' '.join(each.values)}],}},"
        for each in selector.matchExpressions
    )
    matched = f"map[string]string{{{labels}}}" if labels else "map[string]string{}"
    return f"&LabelSelector{{MatchLabels:{matched},MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"


class Scale(NamedTuple):
    """How many pods the controller of a uid wants."""

    uid: str
    replicas: int


class Reconciler:
    """Carries plans out."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._budgets = context.informer(BUDGETS).lister
        self._pods = index_pods(context.informer)
        self._owners = {key: context.informer(resource).lister for key, resource in OWNERS.items()}

    async def reconcile(self, key: str) -> Result | None:
        """Look at a budget."""
        namespace, name = split_key(key)
        budget = self._budgets.get(name, namespace=namespace)
        if budget is None:
            return None
        pods = self.pods_of(budget)
        planned = plan(budget, pods, self.wanted(pods), self._context.clock.now())
        outcomes = await actions.apply(planned.actions, self._context.api.bulk, self._context.recorder)
        actions.raise_first(outcomes, harmless=("NotFound",))
        return Result(planned.again_s) if planned.again_s is not None else None

    def pods_of(self, budget: Any) -> list[Any]:
        """The pods that a budget selects, found by one of their labels if it names one."""
        if not budget.spec.HasField("selector"):
            return []
        namespace, selector = budget.metadata.namespace, selector_of(budget.spec.selector)
        demanded = selector.equalities()
        if not demanded:
            return self._pods.list(namespace=namespace, selector=selector)
        key = min(demanded)
        found = self._pods.by_index(BY_LABEL, label_value(namespace, key, demanded[key]))
        return [pod for pod in found if selector.matches(pod.metadata.labels)]

    def wanted(self, pods: Iterable[Any]) -> Wanted:
        """What the controllers of pods want."""
        found: dict[str, int] = {}
        unmanaged = False
        for pod in pods:
            owner = controller_of(pod)
            if owner is None:
                unmanaged = True
            elif owner.uid not in found:
                scale = self.scale_of(owner, pod.metadata.namespace)
                if isinstance(scale, str):
                    return Wanted(0, unmanaged, scale or f'found no controllers for pod "{pod.metadata.name}"')
                found[owner.uid] = 0  # what counts is whoever says how many, a Deployment for its ReplicaSets
                found[scale.uid] = scale.replicas
        return Wanted(sum(found.values()), unmanaged)

    def scale_of(self, owner: Any, namespace: str) -> Scale | str:
        """How many pods a controller wants; why that is not known otherwise, '' if there is no such controller."""
        group, _, version = owner.apiVersion.rpartition("/")
        lister = self._owners.get((group, owner.kind))
        if lister is None:
            known = next((each for each in kinds.served() if (each.group, each.version, each.kind) == (group, version, owner.kind)), None)
            return f"{owner.apiVersion}, Resource={known.resource} does not implement the scale subresource" if known else ""
        found = lister.get(owner.name, namespace=namespace)
        if found is None or found.metadata.uid != owner.uid:
            return ""
        above = controller_of(found) if owner.kind == REPLICASET else None
        if above is not None and above.kind == DEPLOYMENT:
            return self.scale_of(above, namespace)
        return Scale(found.metadata.uid, found.spec.replicas if found.spec.HasField("replicas") else 1)

    def pod_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the budgets that select a pod, or did."""
        states = [pod for pod in (old, new) if pod is not None]
        budgets = self._budgets.list(namespace=states[0].metadata.namespace)
        return [key_of(budget) for budget in budgets if any(selects(budget, pod) for pod in states)]


def controller_of(object_: Any) -> Any | None:
    """The reference to what controls an object."""
    return next((reference for reference in object_.metadata.ownerReferences if reference.controller), None)


def selects(budget: Any, pod: Any) -> bool:
    """Tell whether a budget is about a pod."""
    return bool(budget.spec.HasField("selector")) and selector_of(budget.spec.selector).matches(labels_of(pod))


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    owners = (Source(resource, IGNORE) for resource in OWNERS.values())
    sources = (Source(BUDGETS, own_keys), Source(PODS, reconciler.pod_changed, reads=READS), *owners)
    return Controller(NAME, context.queue(NAME), reconciler.reconcile, sources)
