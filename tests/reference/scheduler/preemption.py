"""Preemption, slow and obvious: every node is cleared on trial, every pod put back on trial, the cheapest node looked for step by step."""

from collections.abc import Callable, Mapping, Sequence

from kcore.scheduler.preemption.budgets import BudgetRow
from kcore.scheduler.rows import Account, Ask, NodeRow, PodRow
from tests.reference.scheduler.twin import reject

Why = Callable[[list[PodRow]], tuple[str, ...]]
Found = tuple[str, list[str]]


def preempt(
    ask: Ask,
    nodes: Sequence[NodeRow],
    placed: Mapping[str, PodRow],
    nominated: Mapping[str, tuple[str, Account]],
    budgets: Sequence[BudgetRow],
) -> Found | dict[str, int]:
    """Return node and victims, or how many nodes have which reason not to be cleared."""
    found: dict[str, tuple[list[PodRow], int]] = {}
    reasons: dict[str, int] = {}
    for node in nodes:
        on_node = [pod for pod in placed.values() if pod.node_name == node.name]
        claims = [account for name, account in nominated.values() if name == node.name and account.priority >= ask.priority]

        def why(pods: list[PodRow], node: NodeRow = node, claims: list[Account] = claims) -> tuple[str, ...]:
            accounts = [pod.account for pod in pods]
            rejected = reject(ask, node, [*accounts, *claims]) or reject(ask, node, accounts)
            return rejected[1] if rejected else ()

        if not resolvable(ask, node, [*(pod.account for pod in on_node), *claims]):
            reasons["Preemption is not helpful for scheduling"] = reasons.get("Preemption is not helpful for scheduling", 0) + 1
            continue
        result = clear(ask, on_node, why, budgets)
        if isinstance(result[0], list):
            found[node.name] = result
        else:
            for reason in result:
                reasons[reason] = reasons.get(reason, 0) + 1
    return cheapest(found) if found else reasons


def resolvable(ask: Ask, node: NodeRow, accounts: Sequence[Account]) -> bool:
    rejected = reject(ask, node, accounts)
    assert rejected is not None
    if rejected[0] == "NodePorts":
        return True
    return rejected[0] == "NodeResourcesFit" and all(dict(node.allocatable).get(name, 0) >= amount for name, amount in ask.amounts)


def clear(ask: Ask, on_node: list[PodRow], why: Why, budgets: Sequence[BudgetRow]) -> tuple[str, ...] | tuple[list[PodRow], int]:
    lower = sorted((pod for pod in on_node if pod.priority < ask.priority), key=lambda pod: pod.uid)
    if not lower:
        return ("No preemption victims found for incoming pod",)
    lower.sort(key=lambda pod: pod.started or 1 << 60)
    lower.sort(key=lambda pod: -pod.priority)
    kept = [pod for pod in on_node if pod not in lower]
    if why(kept):
        return why(kept)
    violating = violations(lower, budgets)
    victims = []
    for pod in [*violating, *(pod for pod in lower if pod not in violating)]:
        if why([*kept, pod]):
            victims.append(pod)
        else:
            kept.append(pod)
    if not victims:
        return ("No preemption victims found for incoming pod",)
    return victims, sum(pod in violating for pod in victims)


def violations(pods: Sequence[PodRow], budgets: Sequence[BudgetRow]) -> list[PodRow]:
    left = [budget.allowed for budget in budgets]
    found = []
    for pod in pods:
        for number, budget in enumerate(budgets):
            selected = budget.namespace == pod.namespace and budget.selector.matches(dict(pod.account.peer.labels))
            if not selected or pod.name in budget.disrupted:
                continue
            left[number] -= 1
            if left[number] < 0:
                found.append(pod)
                break
    return found


def cheapest(found: Mapping[str, tuple[list[PodRow], int]]) -> Found:
    def highest(victims: list[PodRow]) -> int:
        return max(pod.priority for pod in victims)

    def started(victims: list[PodRow]) -> float:
        return min(pod.started or float("inf") for pod in victims if pod.priority == highest(victims))

    left = sorted(found)
    for cost in (
        lambda node: found[node][1],
        lambda node: highest(found[node][0]),
        lambda node: sum(pod.priority + 2**31 for pod in found[node][0]),
        lambda node: len(found[node][0]),
        lambda node: -started(found[node][0]),
    ):
        least = min(cost(node) for node in left)
        left = [node for node in left if cost(node) == least]
    return left[0], sorted(pod.key for pod in found[left[0]][0])
