"""Which pods a selector means: by their labels, and by their namespace's name or labels.

A selector has at most one *anchor*: a label that every pod must have that it selects. What has an anchor is found by it, so that a pod's
labels are tried against few of many selectors.

Source: apimachinery LabelSelector, kube-scheduler AffinityTerm.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Generic, TypeVar

from kcore.scheduler.rows import Expression, PodSelector

T = TypeVar("T")

Label = tuple[str, str]
Labels = tuple[Label, ...]
NO_LABELS: Final[Mapping[str, str]] = {}


def selects(pods: PodSelector, namespace: str, labels: Mapping[str, str], namespaces: Mapping[str, Mapping[str, str]]) -> bool:
    """Say whether a pod of this namespace and these labels is meant; namespaces: their labels by name."""
    if pods.expressions is None:
        return False
    if namespace not in pods.namespaces and (
        pods.namespace_selector is None or not all_hold(pods.namespace_selector, namespaces.get(namespace, NO_LABELS))
    ):
        return False
    return all_hold(pods.expressions, labels)


def all_hold(expressions: tuple[Expression, ...], labels: Mapping[str, str]) -> bool:
    """Say whether labels satisfy every expression."""
    return all(_holds(expression, labels.get(expression.key)) for expression in expressions)


def _holds(expression: Expression, value: str | None) -> bool:
    match expression.operator:
        case "In":
            return value is not None and value in expression.values
        case "NotIn":
            return value is None or value not in expression.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case _:
            return False


def anchor(pods: PodSelector) -> Label | None:
    """Return a label that all selected pods have, where there is one."""
    for key, operator, values in pods.expressions or ():
        if operator == "In" and len(values) == 1:
            return key, values[0]
    return None


class Anchored(Generic[T]):
    """Things that have a selector each, by its anchor."""

    def __init__(self) -> None:
        self._by_label: dict[Label | None, dict[T, None]] = {}

    def add(self, label: Label | None, thing: T) -> None:
        """Add a thing; label is the anchor of its selector."""
        self._by_label.setdefault(label, {})[thing] = None

    def remove(self, label: Label | None, thing: T) -> None:
        """Undo add."""
        things = self._by_label[label]
        del things[thing]
        if not things:
            del self._by_label[label]

    def __len__(self) -> int:
        return len(self._by_label)

    def candidates(self, labels: Labels) -> Iterator[T]:
        """Return the things whose selector may select a pod with these labels."""
        yield from self._by_label.get(None, ())
        for label in labels:
            yield from self._by_label.get(label, ())
