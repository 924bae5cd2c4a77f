"""The slow, obvious scheduler: one node at a time, exact fractions where it divides, nothing kept."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from kcore.scheduler.rows import Account, Ask, NodeRow, PodRow, Taint
from tests.reference.scheduler import peers
from tests.reference.scheduler.nodes import repels, selected, term_holds, tolerates

Cluster = Sequence[tuple[NodeRow, Sequence[Account]]]
ALONE = peers.World()


class Outcome(NamedTuple):
    """What the twin finds: rejected node -> plugin and reasons; feasible node -> plugin -> weighted score."""

    rejected: dict[str, tuple[str, tuple[str, ...]]]
    scores: dict[str, dict[str, int]]

    @property
    def totals(self) -> dict[str, int]:
        return {node: sum(scores.values()) for node, scores in self.scores.items()}


def decide(pod: PodRow, cluster: Cluster, world: peers.World = ALONE) -> Outcome:
    ask, around = pod.ask, [(node, [account.peer for account in placed]) for node, placed in cluster]
    rejected = {}
    for node, placed in cluster:
        found = reject(ask, node, placed) or reject_by_peers(pod, node, around, world)
        if found:
            rejected[node.name] = found
    feasible = [(node, placed) for node, placed in cluster if node.name not in rejected]
    soft = {node.name: soft_taints(ask, node) for node, _ in feasible}
    preferred = {node.name: sum(weight for weight, term in ask.preferred if term_holds(term, node)) for node, _ in feasible}
    spread = peers.spread_scores(pod, [node for node, _ in feasible], around, world)
    affinity = peers.affinity_scores(pod, [node for node, _ in feasible], around, world)
    scores = {}
    for node, placed in feasible:
        scores[node.name] = {
            "TaintToleration": 3 * (100 - (100 * soft[node.name] // max(soft.values()) if max(soft.values()) else 0)),
            "NodeAffinity": 2 * (100 * preferred[node.name] // max(preferred.values()) if max(preferred.values()) else 0),
            "ImageLocality": image_locality(ask, node, [other for other, _ in cluster]),
            "NodeResourcesFit": least_allocated(ask, node, placed),
            "NodeResourcesBalancedAllocation": balanced_allocation(ask, node, placed),
            "PodTopologySpread": 2 * spread[node.name],
            "InterPodAffinity": 2 * affinity[node.name],
        }
    return Outcome(rejected, scores)


def reject(ask: Ask, node: NodeRow, placed: Sequence[Account]) -> tuple[str, tuple[str, ...]] | None:
    if ask.node_name and ask.node_name != node.name:
        return "NodeName", ("node(s) didn't match the requested node name",)
    if node.unschedulable and not tolerates(ask.tolerations, Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")):
        return "NodeUnschedulable", ("node(s) were unschedulable",)
    if repels(ask, node):
        return "TaintToleration", ("node(s) had untolerated taint(s)",)
    if not selected(ask, node):
        return "NodeAffinity", ("node(s) didn't match Pod's node affinity/selector",)
    taken = [port for account in placed for port in account.ports]
    for host, *rest in ask.ports:
        for other_host, *other_rest in taken:
            if rest == other_rest and ("0.0.0.0" in (host, other_host) or host == other_host):
                return "NodePorts", ("node(s) didn't have free ports for the requested pod ports",)
    reasons = ["Too many pods"] if len(placed) + 1 > node.pod_limit else []
    for name, amount in ask.amounts:
        if amount > dict(node.allocatable).get(name, 0) - requested(placed, name):
            reasons.append(f"Insufficient {name}")
    return ("NodeResourcesFit", tuple(reasons)) if reasons else None


def reject_by_peers(pod: PodRow, node: NodeRow, around: peers.Around, world: peers.World) -> tuple[str, tuple[str, ...]] | None:
    for plugin, reject_node in (("PodTopologySpread", peers.spread_rejection), ("InterPodAffinity", peers.affinity_rejection)):
        reason = reject_node(pod, node, around, world)
        if reason:
            return plugin, (reason,)
    return None


def requested(placed: Sequence[Account], name: str) -> int:
    return sum(dict(account.amounts).get(name, 0) for account in placed)


def soft_taints(ask: Ask, node: NodeRow) -> int:
    tolerations = [toleration for toleration in ask.tolerations if toleration.effect in ("", "PreferNoSchedule")]
    return sum(taint.effect == "PreferNoSchedule" and not tolerates(tolerations, taint) for taint in node.taints)


def image_locality(ask: Ask, node: NodeRow, nodes: Sequence[NodeRow]) -> int:
    if not ask.images:
        return 0
    total = 0
    for image in ask.images:
        having = sum(any(image in each.names for each in other.images) for other in nodes)
        sizes = [each.size_bytes for each in node.images if image in each.names]
        if sizes:
            total += int(sizes[-1] * (having / len(nodes)))
    low, high = 23 * 1024**2, 1000 * 1024**2 * len(ask.images)
    return 100 * (min(max(total, low), high) - low) // (high - low)


def least_allocated(ask: Ask, node: NodeRow, placed: Sequence[Account]) -> int:
    offered = dict(node.allocatable)
    cpu = ask.nonzero_cpu + sum(account.nonzero_cpu for account in placed)
    memory = ask.nonzero_memory + sum(account.nonzero_memory for account in placed)
    shares = [
        0 if used > offered[name] else (offered[name] - used) * 100 // offered[name]
        for name, used in (("cpu", cpu), ("memory", memory))
        if offered.get(name, 0)
    ]
    return sum(shares) // len(shares) if shares else 0


def balanced_allocation(ask: Ask, node: NodeRow, placed: Sequence[Account]) -> int:
    asked = dict(ask.amounts)
    if not asked.get("cpu") and not asked.get("memory"):
        return 0
    before = {name: requested(placed, name) for name in ("cpu", "memory")}
    after = {name: before[name] + asked.get(name, 0) for name in before}
    gain = 50 + balance(node, after) - balance(node, before)
    return 50 + int(Fraction(gain, 2))


def balance(node: NodeRow, amounts: dict[str, int]) -> int:
    offered = dict(node.allocatable)
    shares = [min(1.0, amounts[name] / offered[name]) for name in ("cpu", "memory") if offered.get(name, 0)]
    deviation = abs(shares[0] - shares[1]) / 2 if len(shares) == 2 else 0.0
    return int((1 - deviation) * 100)
