"""PodDisruptionBudgets: which pods cannot be preempted without violating one.

Preemption keeps budgets where it can: a node on which fewer are violated is preferred, and pods that are under one are spared first.

Source: kube-scheduler 1.37, preemption.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from kcore.machinery import codec
from kcore.machinery.labels import Selector, from_message
from kcore.machinery.projection import Projection
from kcore.scheduler.cache import Placed

PATHS: Final = ("metadata.namespace", "metadata.name", "spec.selector@raw", "spec.selector@present",
                "status.disruptionsAllowed", "status.disruptedPods")  # fmt: skip
"""The fields of a PodDisruptionBudget."""

_BUDGET: Final = Projection("kcore.api.policy.v1.PodDisruptionBudget", PATHS)


class BudgetRow(NamedTuple):
    """A budget as the scheduler sees it.

    allowed    how many more pods may go
    disrupted  names of pods that are counted as gone already
    """

    namespace: str
    name: str
    selector: Selector
    allowed: int = 0
    disrupted: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """Return namespace/name."""
        return f"{self.namespace}/{self.name}"


def budget_row(raw: bytes) -> BudgetRow:
    """Read a PodDisruptionBudget; one without a selector selects nothing, an empty one everything.

    Raises  DecodeError
    """
    namespace, name, selector, has_selector, allowed, disrupted = _BUDGET(raw)
    message = codec.decode("kcore.api.meta.v1.LabelSelector", selector) if has_selector else None
    return BudgetRow(namespace, name, from_message(message), allowed, frozenset(disrupted))


class Budgets:
    """The budgets of all namespaces; `version` counts their changes."""

    def __init__(self) -> None:
        self.version = 0
        self._of: dict[str, dict[str, BudgetRow]] = {}

    def set(self, row: BudgetRow) -> None:
        """Take in a budget, new or changed."""
        budgets = self._of.setdefault(row.namespace, {})
        if budgets.get(row.key) != row:
            budgets[row.key] = row
            self.version += 1

    def remove(self, key: str) -> None:
        """Take in that a budget is gone."""
        namespace = key.partition("/")[0]
        if self._of.get(namespace, {}).pop(key, None) is not None:
            self.version += 1
        if not self._of.get(namespace, True):
            del self._of[namespace]

    def violating(self, pods: Iterable[Placed]) -> frozenset[str]:
        """Return the keys of those pods that violate a budget if all of them go, in this order.

        Each pod takes one from every budget it is under, up to the first one that has none left.
        """
        if not self._of:
            return frozenset()
        left: dict[str, int] = {}
        return frozenset(pod.key for pod in pods if self._violates(pod, left))

    def covers(self, pod: Placed) -> bool:
        """Say whether a pod is under a budget."""
        if not self._of:
            return False
        namespace, _, name = pod.key.partition("/")
        return any(True for _ in self._matching(namespace, name, dict(pod.account.peer.labels)))

    def _violates(self, pod: Placed, left: dict[str, int]) -> bool:
        namespace, _, name = pod.key.partition("/")
        labels = dict(pod.account.peer.labels)
        for budget in self._matching(namespace, name, labels):
            left[budget.key] = left.get(budget.key, budget.allowed) - 1
            if left[budget.key] < 0:
                return True
        return False

    def _matching(self, namespace: str, name: str, labels: Mapping[str, str]) -> Iterable[BudgetRow]:
        budgets = self._of.get(namespace, {})
        return (budget for budget in budgets.values() if name not in budget.disrupted and budget.selector.matches(labels))
