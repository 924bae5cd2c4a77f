"""NodeAffinity: nodeSelector, required terms, and preferred terms that earn their weight.

An expression becomes a table over the codes of its label (`labels`); terms are conjunctions of masks, a requirement is their disjunction.

Source: kube-scheduler NodeAffinity.
"""
from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Final

import numpy as np

from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.events import ClusterEvent, NodeChanged
from kcore.scheduler.framework import normalise_to_largest
from kcore.scheduler.labels import NAME_FIELD, term_matches
from kcore.scheduler.rows import Ask, Expression, NodeRow, Preference, Term


class NodeAffinity:
    """Match nodes by labels and name; preferred: terms that count for every pod besides its own."""

    name: Final = "NodeAffinity"
    reason: Final = "node(s) didn't match Pod's node affinity/selector"
    hears: Final = (NodeChanged,)

    def __init__(self, preferred: tuple[Preference, ...] = ()) -> None:
        self._preferred = preferred

    def reads(self, ask: Ask) -> Hashable:
        """Return selector and terms."""
        if not ask.node_selector and ask.required is None and not ask.preferred and not self._preferred:
            return None
        return ask.node_selector, ask.required, ask.preferred

    def mask(self, ask: Ask, columns: Columns) -> UInt8:
        """Return 1 where the selector and one of the required terms hold."""
        mask = np.ones(columns.count, np.uint8)
        for key, value in ask.node_selector:
            mask &= expression_mask(Expression(key, "In", (value,)), columns)
        if ask.required is not None:
            mask &= terms_mask(ask.required, columns)
        return mask

    def raw(self, ask: Ask, columns: Columns) -> Int64 | None:
        """Return the weights of the preferred terms that hold."""
        preferred = (*ask.preferred, *self._preferred)
        if not preferred:
            return None
        raw = np.zeros(columns.count, np.int64)
        for weight, term in preferred:
            raw += _term_mask(term, columns) * np.int64(weight)
        return raw

    def normalise(self, raw: Int64 | None, feasible: UInt8) -> Int64 | int:
        """Give 100 to the nodes with the largest sum."""
        return 0 if raw is None else normalise_to_largest(raw, feasible, reverse=False)

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """A node helps that matches and is new or did not match before."""
        if not isinstance(event, NodeChanged) or not matches(ask, event.new):
            return False
        return event.old is None or not matches(ask, event.old)


class EnforcedNodeAffinity:
    """Let every pod go only where one of some terms holds, whatever it asks for itself."""

    name: Final = "NodeAffinity"
    reason: Final = "node(s) didn't match scheduler-enforced node affinity"
    hears: Final = (NodeChanged,)

    def __init__(self, required: tuple[Term, ...]) -> None:
        self._ask = Ask(required=required)
        self._plugin = NodeAffinity()

    def reads(self, ask: Ask) -> Hashable:
        """Return that every pod is concerned."""
        return True

    def mask(self, ask: Ask, columns: Columns) -> UInt8:
        """Return 1 where one of the terms holds."""
        return self._plugin.mask(self._ask, columns)

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """A node helps that matches and is new or did not match before."""
        return self._plugin.wakes(event, self._ask)


def named_nodes(ask: Ask) -> frozenset[str] | None:
    """Return the names outside which no node can match, where every required term names some; None where there is no such bound."""
    if not ask.required:
        return None
    names: frozenset[str] = frozenset()
    for term in ask.required:
        own: frozenset[str] | None = None
        for field in term.fields:
            if field.key == NAME_FIELD and field.operator == "In":
                own = frozenset(field.values) if own is None else own & frozenset(field.values)
        if own is None:
            return None
        names |= own
    return names


def matches(ask: Ask, node: NodeRow) -> bool:
    """Say whether one node satisfies selector and requirement."""
    if any(node.labels.get(key) != value for key, value in ask.node_selector):
        return False
    return ask.required is None or any(term_matches(term, node) for term in ask.required)


def terms_mask(terms: Iterable[Term], columns: Columns) -> UInt8:
    """Return 1 for each slot where one of the terms holds."""
    some = np.zeros(columns.count, np.uint8)
    for term in terms:
        some |= _term_mask(term, columns)
    return some


def _term_mask(term: Term, columns: Columns) -> UInt8:
    if not term.expressions and not term.fields:
        return np.zeros(columns.count, np.uint8)
    mask = np.ones(columns.count, np.uint8)
    for expression in term.expressions:
        mask &= expression_mask(expression, columns)
    for field in term.fields:
        mask &= _field_mask(field, columns)
    return mask


def expression_mask(expression: Expression, columns: Columns) -> UInt8:
    """Return 1 for each slot whose labels satisfy an expression."""
    column = columns.label(expression.key)
    mask: UInt8 = column.table(expression)[column.codes[: columns.count]]
    return mask


def _field_mask(field: Expression, columns: Columns) -> UInt8:
    mask = np.zeros(columns.count, np.uint8)
    if field.key != NAME_FIELD:
        return mask
    mask[[columns.slots[name] for name in field.values if name in columns.slots]] = 1
    if field.operator == "NotIn":
        return np.subtract(1, mask, dtype=np.uint8)
    return mask if field.operator == "In" else np.zeros(columns.count, np.uint8)
