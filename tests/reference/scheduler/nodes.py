"""What a pod asks of one node, the slow way."""

from collections.abc import Sequence

from kcore.scheduler.rows import Ask, Expression, NodeRow, Taint, Term, Toleration


def selected(ask: Ask, node: NodeRow) -> bool:
    if not all(node.labels.get(key) == value for key, value in ask.node_selector):
        return False
    return ask.required is None or any(term_holds(term, node) for term in ask.required)


def repels(ask: Ask, node: NodeRow) -> bool:
    return any(taint.effect in ("NoSchedule", "NoExecute") and not tolerates(ask.tolerations, taint) for taint in node.taints)


def tolerates(tolerations: Sequence[Toleration], taint: Taint) -> bool:
    for key, operator, value, effect in tolerations:
        if effect not in ("", taint.effect):
            continue
        if operator == "Exists" and key in ("", taint.key):
            return True
        if operator in ("", "Equal") and key == taint.key and value == taint.value:
            return True
    return False


def term_holds(term: Term, node: NodeRow) -> bool:
    if not term.expressions and not term.fields:
        return False
    return all(holds(expression, node.labels.get(expression.key)) for expression in term.expressions) and all(
        field.key == "metadata.name" and holds(field, node.name) for field in term.fields
    )


def holds(expression: Expression, value: str | None) -> bool:
    _, operator, values = expression
    if operator == "In":
        return value in values
    if operator == "NotIn":
        return value not in values
    if operator == "Exists":
        return value is not None
    if operator == "DoesNotExist":
        return value is None
    if operator not in ("Gt", "Lt") or len(values) != 1:
        return False
    try:
        number, bound = int(value or ""), int(values[0])
    except ValueError:
        return False
    return number > bound if operator == "Gt" else number < bound
