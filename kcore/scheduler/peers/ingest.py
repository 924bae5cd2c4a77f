"""From bytes to wishes about other pods, and to what such wishes look at besides pods: namespaces, Services, workloads.

Source: core/v1 TopologySpreadConstraint, PodAffinity, PodAntiAffinity; kube-scheduler for what is taken where a field is missing.
"""
from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from kcore.base.limits import SCHEDULER_TEMPLATES_MAX
from kcore.machinery.projection import Projection
from kcore.scheduler.rows import Expression, Owner, PodAffinity, PodPreference, PodSelector, PodTerm, Spread

_TERM_FIELDS: Final = (
    "labelSelector@present", "labelSelector@raw", "namespaces", "topologyKey", "namespaceSelector@present", "namespaceSelector@raw",
)  # fmt: skip
_SPREAD_FIELDS: Final = (
    "topologyKey", "maxSkew", "whenUnsatisfiable", "labelSelector@present", "labelSelector@raw", "minDomains", "nodeAffinityPolicy",
    "nodeTaintsPolicy",
)  # fmt: skip
_SELECTOR_FIELDS: Final = ("matchLabels", "matchExpressions[].key", "matchExpressions[].operator", "matchExpressions[].values")

_TERM: Final = Projection("kcore.api.core.v1.PodAffinityTerm", _TERM_FIELDS)
_WEIGHTED: Final = Projection("kcore.api.core.v1.WeightedPodAffinityTerm", ("weight", "podAffinityTerm@raw"))
_SPREAD: Final = Projection("kcore.api.core.v1.TopologySpreadConstraint", _SPREAD_FIELDS)
_SELECTOR: Final = Projection("kcore.api.meta.v1.LabelSelector", _SELECTOR_FIELDS)
_NAMESPACE: Final = Projection("kcore.api.core.v1.Namespace", ("metadata.name", "metadata.labels"))
_OBJECT_FIELDS: Final = ("metadata.namespace", "metadata.name")
_SERVICE: Final = Projection("kcore.api.core.v1.Service", (*_OBJECT_FIELDS, "spec.selector"))
_CONTROLLER: Final = Projection("kcore.api.core.v1.ReplicationController", (*_OBJECT_FIELDS, "spec.selector"))

WORKLOADS: Final = {
    "ReplicationController": ("", "replicationcontrollers"), "ReplicaSet": ("apps", "replicasets"), "StatefulSet": ("apps", "statefulsets"),
}  # fmt: skip
"""The kinds of workloads whose selector counts for their pods, all of v1, with group and resource."""

_API_VERSIONS: Final = {kind: f"{group}/v1" if group else "v1" for kind, (group, _) in WORKLOADS.items()}
_WORKLOADS: Final = {
    kind: Projection(f"kcore.api.apps.v1.{kind}", (*_OBJECT_FIELDS, "spec.selector@raw")) for kind, (group, _) in WORKLOADS.items() if group
}

Expressions = tuple[Expression, ...]


def pod_affinity(
    namespace: str, required: tuple[bytes, ...], preferred: tuple[bytes, ...], avoided: tuple[bytes, ...], shunned: tuple[bytes, ...]
) -> PodAffinity | None:
    """Read the terms of a pod of this namespace: those it requires and prefers, and those it must and would like to avoid."""
    if not (required or preferred or avoided or shunned):
        return None
    return PodAffinity(
        tuple(_term(raw, namespace) for raw in required),
        tuple(_term(raw, namespace) for raw in avoided),
        (*_preferences(preferred, namespace, 1), *_preferences(shunned, namespace, -1)),
    )


def spread(raws: tuple[bytes, ...], namespace: str) -> tuple[Spread, ...]:
    """Read the topology spread constraints of a pod of this namespace."""
    return tuple(_spread(raw, namespace) for raw in raws)


@lru_cache(SCHEDULER_TEMPLATES_MAX)
def owner(api_versions: tuple[str, ...], kinds: tuple[str, ...], names: tuple[str, ...], controls: tuple[bool, ...]) -> Owner | None:
    """Return the workload that controls a pod, of the kinds whose selector counts."""
    for api_version, kind, name, controlling in zip(api_versions, kinds, names, controls, strict=True):
        if controlling:
            return Owner(kind, name) if _API_VERSIONS.get(kind) == api_version else None
    return None


def namespace_labels(raw: bytes) -> tuple[str, dict[str, str]]:
    """Read the name and labels of a Namespace.

    Raises  DecodeError
    """
    name, labels = _NAMESPACE(raw)
    return name, labels


def service_selector(raw: bytes) -> tuple[str, str, dict[str, str]]:
    """Read namespace, name and selector of a Service.

    Raises  DecodeError
    """
    namespace, name, selector = _SERVICE(raw)
    return namespace, name, selector


def workload_selector(kind: str, raw: bytes) -> tuple[str, Owner, Expressions]:
    """Read namespace, identity and selector of a workload.

    Raises  DecodeError
    """
    if kind not in _WORKLOADS:
        namespace, name, labels = _CONTROLLER(raw)
        return namespace, Owner(kind, name), _equalities(labels)
    namespace, name, selector = _WORKLOADS[kind](raw)
    return namespace, Owner(kind, name), _expressions(selector)


def _preferences(raws: tuple[bytes, ...], namespace: str, sign: int) -> tuple[PodPreference, ...]:
    return tuple(PodPreference(sign * weight, _term(term, namespace)) for weight, term in map(_WEIGHTED, raws))


def _term(raw: bytes, namespace: str) -> PodTerm:
    selected, selector, namespaces, key, namespaces_selected, namespace_selector = _TERM(raw)
    if not namespaces and not namespaces_selected:
        namespaces = (namespace,)
    further = _expressions(namespace_selector) if namespaces_selected else None
    return PodTerm(PodSelector(_expressions(selector) if selected else None, tuple(sorted(set(namespaces))), further), key)


def _spread(raw: bytes, namespace: str) -> Spread:
    key, max_skew, unsatisfiable, selected, selector, min_domains, affinity_policy, taints_policy = _SPREAD(raw)
    return Spread(
        key,
        max_skew,
        unsatisfiable != "ScheduleAnyway",
        PodSelector(_expressions(selector) if selected else None, (namespace,)),
        min_domains or 1,
        affinity_policy != "Ignore",
        taints_policy == "Honor",
    )


@lru_cache(SCHEDULER_TEMPLATES_MAX)
def _expressions(selector: bytes) -> Expressions:
    labels, *expressions = _SELECTOR(selector)
    return (*_equalities(labels), *map(Expression, *expressions))


def _equalities(labels: dict[str, Any]) -> Expressions:
    return tuple(Expression(key, "In", (value,)) for key, value in sorted(labels.items()))
