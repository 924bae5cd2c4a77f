"""The flow schemas and priority levels that every cluster has.

Source: Kubernetes 1.37 `apiserver/pkg/apis/flowcontrol/bootstrap` (facts).
"""

from __future__ import annotations

from typing import Any, Final

Object = dict[str, Any]

GROUP: Final = "flowcontrol.apiserver.k8s.io"
API_VERSION: Final = f"{GROUP}/v1"
AUTOUPDATE: Final = "apf.kubernetes.io/autoupdate-spec"
ANNOTATIONS: Final = {AUTOUPDATE: "true"}
MANDATORY: Final = ("exempt", "catch-all")
DANGLING: Final = "Dangling"
EVERYBODY: Final = ("group:system:unauthenticated", "group:system:authenticated")
ALL_RESOURCES: Final = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}
ALL: Final = {"resourceRules": [ALL_RESOURCES], "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}]}
PROBES: Final = {"nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/readyz", "/livez"]}]}
LEASES: Final = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "namespaces": ["*"]}
ELECTION: Final = {"resourceRules": [{"verbs": ["get", "create", "update"], **LEASES}]}
NODES: Final = {"verbs": ["*"], "apiGroups": [""], "resources": ["nodes", "nodes/status"], "clusterScope": True, "namespaces": ["*"]}
NODE_HIGH: Final = {"resourceRules": [NODES, {"verbs": ["*"], **LEASES}]}
MANAGER: Final = "user:system:kube-controller-manager"
SCHEDULER: Final = "user:system:kube-scheduler"
SYSTEM_ACCOUNTS: Final = "account:kube-system/*"

# name, precedence, priority level, what tells flows apart, subjects, rules
SCHEMAS: Final[tuple[tuple[str, int, str, str, tuple[str, ...], Object], ...]] = (
    ("exempt", 1, "exempt", "", ("group:system:masters",), ALL),
    ("probes", 2, "exempt", "", EVERYBODY, PROBES),
    ("system-leader-election", 100, "leader-election", "ByUser", (MANAGER, SCHEDULER, SYSTEM_ACCOUNTS), ELECTION),
    ("system-node-high", 400, "node-high", "ByUser", ("group:system:nodes",), NODE_HIGH),
    ("system-nodes", 500, "system", "ByUser", ("group:system:nodes",), ALL),
    ("kube-controller-manager", 800, "workload-high", "ByNamespace", (MANAGER,), ALL),
    ("kube-scheduler", 800, "workload-high", "ByNamespace", (SCHEDULER,), ALL),
    ("kube-system-service-accounts", 900, "workload-high", "ByNamespace", (SYSTEM_ACCOUNTS,), ALL),
    ("service-accounts", 9000, "workload-low", "ByUser", ("group:system:serviceaccounts",), ALL),
    ("global-default", 9900, "global-default", "ByUser", EVERYBODY, ALL),
    ("catch-all", 10000, "catch-all", "ByUser", EVERYBODY, ALL),
)

# name -> shares, percent lendable, and queues, hand size; without queues a request is rejected
LEVELS: Final[dict[str, tuple[int, int, int, int]]] = {
    "catch-all": (5, 0, 0, 0),
    "global-default": (20, 50, 128, 6),
    "leader-election": (10, 0, 16, 4),
    "node-high": (40, 25, 64, 6),
    "system": (30, 33, 64, 6),
    "workload-high": (40, 50, 128, 6),
    "workload-low": (100, 90, 128, 6),
}
QUEUE_LENGTH: Final = 50


def flows() -> list[Object]:
    """Priority levels, then flow schemas."""
    exempt: Object = {"type": "Exempt", "exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0}}
    found = [made("PriorityLevelConfiguration", "exempt", exempt)]
    for name, (shares, lendable, queues, hand) in LEVELS.items():
        queuing = {"queues": queues, "handSize": hand, "queueLengthLimit": QUEUE_LENGTH}
        response: Object = {"type": "Queue", "queuing": queuing} if queues else {"type": "Reject"}
        limited = {"nominalConcurrencyShares": shares, "limitResponse": response, "lendablePercent": lendable}
        found.append(made("PriorityLevelConfiguration", name, {"type": "Limited", "limited": limited}))
    for name, precedence, level, method, subjects, rules in SCHEMAS:
        spec: Object = {"priorityLevelConfiguration": {"name": level}, "matchingPrecedence": precedence}
        if method:
            spec["distinguisherMethod"] = {"type": method}
        spec["rules"] = [{"subjects": [subject_of(word) for word in subjects], **rules}]
        found.append(made("FlowSchema", name, spec))
    return found


def dangling(level: str, exists: bool) -> Object:
    """The condition of a FlowSchema that says whether its priority level is there, without a time."""
    about = f'This FlowSchema references the PriorityLevelConfiguration object named "{level}"'
    if exists:
        return {"type": DANGLING, "status": "False", "reason": "Found", "message": f"{about} and it exists"}
    return {"type": DANGLING, "status": "True", "reason": "NotFound", "message": f"{about} but there is no such object"}


def made(kind: str, name: str, spec: Object) -> Object:
    """An object of this group."""
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name, "annotations": dict(ANNOTATIONS)}, "spec": spec}


def subject_of(word: str) -> Object:
    """A subject, from its word."""
    kind, _, name = word.partition(":")
    if kind == "account":
        namespace, _, name = name.partition("/")
        return {"kind": "ServiceAccount", "serviceAccount": {"namespace": namespace, "name": name}}
    return {"kind": kind.capitalize(), kind: {"name": name}}
