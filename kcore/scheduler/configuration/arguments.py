"""The arguments of a plugin -> the plugin.

Source: kube-scheduler 1.37, types and validation of plugin arguments.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kcore.machinery import codec, names
from kcore.machinery import field_error as fe
from kcore.machinery.kinds.core.affinity import validate_affinity
from kcore.scheduler.configuration.fields import Fields
from kcore.scheduler.ingest import affinity_terms
from kcore.scheduler.peers.ingest import spread
from kcore.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from kcore.scheduler.plugins.node_affinity import EnforcedNodeAffinity, NodeAffinity
from kcore.scheduler.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from kcore.scheduler.plugins.node_resources_fit import NodeResourcesFit
from kcore.scheduler.plugins.pod_topology_spread import NOTHING, PodTopologySpread
from kcore.scheduler.plugins.scoring_strategy import LEAST, MOST, RATIO, Strategy
from kcore.scheduler.profile import PreemptionArgs
from kcore.scheduler.requests import CPU, MEMORY

VERSION: Final = "kubescheduler.config.k8s.io/v1"
_BOTH: Final = ((CPU, 1), (MEMORY, 1))
_CONSTRAINT: Final = "kcore.api.core.v1.TopologySpreadConstraint"
_AFFINITY: Final = "kcore.api.core.v1.Affinity"

Plugins = tuple[Any, ...]
"""The instances that a plugin consists of: what it filters with, and what it scores with."""


def default_preemption(args: Fields) -> PreemptionArgs:
    """Read DefaultPreemptionArgs."""
    percentage = args.integer("minCandidateNodesPercentage", 10, 0, 100, "not in valid range [0, 100]")
    absolute = args.integer("minCandidateNodesAbsolute", 100, 0, None, "not in valid range [0, inf)")
    if percentage == absolute == 0:
        sentence = "cannot be zero at the same time as minCandidateNodesAbsolute"
        args.problems.append(fe.invalid(args.at("minCandidateNodesPercentage"), 0, sentence))
    return PreemptionArgs(percentage, absolute)


def bind_timeout_s(args: Fields) -> int:
    """Read VolumeBindingArgs."""
    if args.has("shape"):
        args.problems.append(fe.forbidden(args.at("shape"), "volumes are scored by what stays free"))
    args.pass_over("shape")
    return args.integer("bindTimeoutSeconds", 600, 0, None, "should not be a negative value")


def _inter_pod_affinity(args: Fields) -> Plugins:
    weight = args.integer("hardPodAffinityWeight", 1, 0, 100, "not in valid range [0, 100]")
    return (InterPodAffinity(weight, args.flag("ignorePreferredTermsOfExistingPods")),)


def _node_affinity(args: Fields) -> Plugins:
    path, given = args.at("addedAffinity"), args.raw("addedAffinity")
    if given is None:
        return (NodeAffinity(),)
    affinity = _message(_AFFINITY, {"nodeAffinity": given}, path, args)
    if affinity is None:
        return ()
    validate_affinity(affinity, path, args.problems)
    for problem in args.problems:
        problem.field = problem.field.replace(f"{path}.nodeAffinity", path)
    required, preferred, _ = affinity_terms(codec.encode(_AFFINITY, affinity))
    enforced = () if required is None else (EnforcedNodeAffinity(required),)
    return *enforced, NodeAffinity(preferred)


def _node_resources_fit(args: Fields) -> Plugins:
    ignored, groups = args.texts("ignoredResources"), args.texts("ignoredResourceGroups")
    for index, name in enumerate(ignored):
        _check_name(name, f"{args.at('ignoredResources')}[{index}]", args)
    for index, name in enumerate(groups):
        path = f"{args.at('ignoredResourceGroups')}[{index}]"
        if "/" in name:
            args.problems.append(fe.invalid(path, name, "resource group name can't contain '/'"))
        else:
            _check_name(name, path, args)
    given = args.object("scoringStrategy")
    strategy = _strategy(given)
    given.close()
    return (NodeResourcesFit(strategy, frozenset(ignored), frozenset(groups)),)


def _strategy(given: Fields) -> Strategy:
    kind = given.text("type", LEAST, (LEAST, MOST, RATIO))
    resources = []
    for resource in given.objects("resources"):
        name = resource.text("name")
        weight = resource.integer("weight", 1, 0, 100, f"resource weight of {name} not in valid range (0, 100]") or 1
        resource.close()
        resources.append((name, weight))
    ratio, has_ratio = given.object("requestedToCapacityRatio"), given.has("requestedToCapacityRatio")
    shape: tuple[tuple[int, int], ...] = ()
    if kind == RATIO:
        shape = _shape(ratio)
    elif has_ratio:
        given.problems.append(fe.forbidden(ratio.path, "must be nil when type is not RequestedToCapacityRatio"))
    return Strategy(kind, tuple(resources) or _BOTH, shape)


def _shape(ratio: Fields) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for point in ratio.objects("shape"):
        utilization = point.integer("utilization", 0, 0, 100, "not in valid range [0, 100]")
        score = point.integer("score", 0, 0, 10, "not in valid range [0, 10]")
        if found and found[-1][0] >= utilization:
            point.problems.append(fe.invalid(point.at("utilization"), utilization, "values must be sorted in increasing order"))
        point.close()
        found.append((utilization, score))
    ratio.close()
    if not found:
        ratio.problems.append(fe.required(ratio.at("shape"), "at least one point must be specified"))
    return tuple(found)


def _balanced_allocation(args: Fields) -> Plugins:
    names_: list[str] = []
    for resource in args.objects("resources"):
        name = resource.text("name")
        weight = resource.integer("weight", 1)
        if weight != 1:
            resource.problems.append(fe.invalid(resource.at("weight"), weight, "must be 1"))
        if name in names_:
            resource.problems.append(fe.duplicate(resource.at("name"), name))
        resource.close()
        names_.append(name)
    return (NodeResourcesBalancedAllocation(tuple(names_) or (CPU, MEMORY)),)


def _pod_topology_spread(args: Fields) -> Plugins:
    path, given = args.at("defaultConstraints"), args.items("defaultConstraints")
    kind = args.text("defaultingType", "System", ("System", "List"))
    if kind == "System" and given:
        args.problems.append(fe.invalid(args.at("defaultingType"), kind, "when .defaultConstraints are not empty"))
    if kind != "List":
        return (PodTopologySpread(),)
    seen: list[tuple[str, str]] = []
    raws = []
    for index, each in enumerate(given):
        at = f"{path}[{index}]"
        constraint = _message(_CONSTRAINT, each, at, args)
        if constraint is not None:
            _check_constraint(constraint, at, seen, args)
            raws.append(codec.encode(_CONSTRAINT, constraint))
    return (PodTopologySpread(tuple(each._replace(pods=NOTHING) for each in spread(tuple(raws), "")), system=False),)


def _check_constraint(constraint: dict[str, Any], at: str, seen: list[tuple[str, str]], args: Fields) -> None:
    problems, key, action = args.problems, constraint.get("topologyKey", ""), constraint.get("whenUnsatisfiable", "")
    if constraint.get("maxSkew", 0) <= 0:
        problems.append(fe.invalid(f"{at}.maxSkew", constraint.get("maxSkew", 0), "not in valid range (0, inf)"))
    if not key:
        problems.append(fe.required(f"{at}.topologyKey", "can not be empty"))
    else:
        _check_name(key, f"{at}.topologyKey", args)
    if not action:
        problems.append(fe.required(f"{at}.whenUnsatisfiable", "can not be empty"))
    elif action not in ("DoNotSchedule", "ScheduleAnyway"):
        problems.append(fe.not_supported(f"{at}.whenUnsatisfiable", action, ("DoNotSchedule", "ScheduleAnyway")))
    if constraint.get("labelSelector") is not None:
        problems.append(fe.forbidden(f"{at}.labelSelector", "constraint must not define a selector, as they deduced for each pod"))
    if (key, action) in seen:
        problems.append(fe.duplicate(at, f"{{{key}, {action}}}"))
    seen.append((key, action))


def _message(message: str, value: Any, path: str, args: Fields) -> dict[str, Any] | None:
    """Return a value as the API has it, None where it is none."""
    unknown: list[str] = []
    try:
        found: dict[str, Any] = codec.normalise(message, value, unknown)
    except codec.DecodeError as error:
        args.problems.append(fe.invalid(path, value, str(error)))
        return None
    args.problems.extend(fe.forbidden(path, each) for each in unknown)
    return found


def _check_name(name: str, path: str, args: Fields) -> None:
    args.problems.extend(fe.invalid(path, name, sentence) for sentence in names.qualified_name(name))


MAKERS: Final[dict[str, Callable[[Fields], Plugins]]] = {
    "InterPodAffinity": _inter_pod_affinity,
    "NodeAffinity": _node_affinity,
    "NodeResourcesFit": _node_resources_fit,
    "NodeResourcesBalancedAllocation": _balanced_allocation,
    "PodTopologySpread": _pod_topology_spread,
}
"""What makes plugins that have arguments."""
