"""Topology spread and inter-pod affinity the slow way: every pod on every node is looked at for every node that is judged.

A placed pod is a peer; `around` is the whole cluster as (node, the peers on it), without nodes that are not there.
"""

from collections.abc import Mapping, Sequence
from math import floor, log
from typing import NamedTuple

from kcore.scheduler.rows import Ask, Expression, NodeRow, Peer, PodAffinity, PodRow, PodSelector, PodTerm, Spread
from tests.reference.scheduler import nodes

Around = Sequence[tuple[NodeRow, Sequence[Peer]]]
HOSTNAME = "kubernetes.io/hostname"
NO_LIMIT = 1 << 31


class World(NamedTuple):
    """What else is looked at: labels of namespaces, and the default selector of the pod."""

    namespaces: Mapping[str, Mapping[str, str]] = {}
    default_selector: tuple[Expression, ...] = ()


def matches(expressions: tuple[Expression, ...] | None, labels: Mapping[str, str]) -> bool:
    return expressions is not None and all(nodes.holds(expression, labels.get(expression.key)) for expression in expressions)


def means(pods: PodSelector, peer: Peer, world: World) -> bool:
    there = peer.namespace in pods.namespaces or matches(pods.namespace_selector, world.namespaces.get(peer.namespace, {}))
    return there and matches(pods.expressions, dict(peer.labels))


# topology spread


def constraints(pod: PodRow, world: World) -> tuple[Spread, ...]:
    if pod.ask.spread or not world.default_selector:
        return pod.ask.spread
    pods = PodSelector(world.default_selector, (pod.namespace,))
    return Spread(HOSTNAME, 3, False, pods), Spread("topology.kubernetes.io/zone", 5, False, pods)


def count(constraint: Spread, peers: Sequence[Peer]) -> int:
    if not constraint.pods.expressions:
        return 0
    return sum(not peer.terminating and means(constraint.pods, peer, World()) for peer in peers)


def includes(constraint: Spread, node: NodeRow, ask: Ask) -> bool:
    if constraint.honors_affinity and not nodes.selected(ask, node):
        return False
    return not (constraint.honors_taints and nodes.repels(ask, node))


def has_keys(node: NodeRow, wanted: Sequence[Spread]) -> bool:
    return all(constraint.key in node.labels for constraint in wanted)


def spread_rejection(pod: PodRow, node: NodeRow, around: Around, world: World) -> str | None:
    hard = [constraint for constraint in constraints(pod, world) if constraint.hard]
    for constraint in hard:
        if constraint.key not in node.labels:
            return "node(s) didn't match pod topology spread constraints (missing required label)"
        counts: dict[str, int] = {}
        for other, peers in around:
            if has_keys(other, hard) and includes(constraint, other, pod.ask):
                value = other.labels[constraint.key]
                counts[value] = counts.get(value, 0) + count(constraint, peers)
        least = min(counts.values(), default=NO_LIMIT) if len(counts) >= constraint.min_domains else 0
        own = matches(constraint.pods.expressions, dict(pod.account.peer.labels))
        if counts.get(node.labels[constraint.key], 0) + own - least > constraint.max_skew:
            return "node(s) didn't match pod topology spread constraints"
    return None


def spread_scores(pod: PodRow, feasible: Sequence[NodeRow], around: Around, world: World) -> dict[str, int]:
    soft = [constraint for constraint in constraints(pod, world) if not constraint.hard]
    if not soft:
        return {node.name: 0 for node in feasible}
    needs_keys = bool(pod.ask.spread)
    scored = [node for node in feasible if not needs_keys or has_keys(node, soft)]
    raw = {node.name: spread_score(pod.ask, node, soft, scored, around, needs_keys) for node in scored}
    most, least = max(raw.values(), default=0), min(raw.values(), default=0)
    return {
        node.name: (100 * (most + least - raw[node.name]) // most if most else 100) if node.name in raw else 0 for node in feasible
    }


def spread_score(ask: Ask, node: NodeRow, soft: Sequence[Spread], scored: Sequence[NodeRow], around: Around, needs_keys: bool) -> int:
    score = 0.0
    for constraint in soft:
        value = node.labels.get(constraint.key)
        if value is None:
            continue
        if constraint.key == HOSTNAME:
            domains = len(scored)
            found = sum(count(constraint, peers) for other, peers in around if other.name == node.name)
        else:
            domains = len({other.labels.get(constraint.key) for other in scored})
            found = sum(
                count(constraint, peers)
                for other, peers in around
                if other.labels.get(constraint.key) == value
                and (not needs_keys or has_keys(other, soft))
                and includes(constraint, other, ask)
            )
        score += found * log(domains + 2) + (constraint.max_skew - 1)
    return floor(score + 0.5)


# affinity


def share(node: NodeRow, other: NodeRow, key: str) -> bool:
    return key in node.labels and node.labels[key] == other.labels.get(key)


def affinity_rejection(pod: PodRow, node: NodeRow, around: Around, world: World) -> str | None:
    wishes, own = pod.ask.affinity or PodAffinity(), pod.account.peer
    if not is_wanted(wishes.required, own, node, around, world):
        return "node(s) didn't match pod affinity rules"
    for other, peers in around:
        for peer in peers:
            if any(share(node, other, term.key) and means(term.pods, peer, world) for term in wishes.avoided):
                return "node(s) didn't match pod anti-affinity rules"
    for other, peers in around:
        for peer in peers:
            if any(share(node, other, term.key) and means(term.pods, own, world) for term in (peer.affinity or PodAffinity()).avoided):
                return "node(s) didn't satisfy existing pods anti-affinity rules"
    return None


def is_wanted(required: Sequence[PodTerm], own: Peer, node: NodeRow, around: Around, world: World) -> bool:
    if any(term.key not in node.labels for term in required):
        return False
    companions = [other for other, peers in around for peer in peers if all(means(term.pods, peer, world) for term in required)]
    if all(any(share(node, other, term.key) for other in companions) for term in required):
        return True
    somewhere = any(term.key in other.labels for other in companions for term in required)
    return not somewhere and all(means(term.pods, own, world) for term in required)


def affinity_scores(pod: PodRow, feasible: Sequence[NodeRow], around: Around, world: World) -> dict[str, int]:
    raw = {node.name: affinity_score(pod, node, around, world) for node in feasible}
    most, least = max(raw.values(), default=0), min(raw.values(), default=0)
    return {name: int(100.0 * (float(score - least) / float(most - least))) if most > least else 0 for name, score in raw.items()}


def affinity_score(pod: PodRow, node: NodeRow, around: Around, world: World) -> int:
    score = 0
    for other, peers in around:
        for peer in peers:
            theirs = peer.affinity or PodAffinity()
            for weight, term in (pod.ask.affinity or PodAffinity()).preferred:
                score += weight * (share(node, other, term.key) and means(term.pods, peer, world))
            for weight, term in theirs.preferred:
                score += weight * (share(node, other, term.key) and means(term.pods, pod.account.peer, world))
            for term in theirs.required:
                score += share(node, other, term.key) and means(term.pods, pod.account.peer, world)
    return score
