"""Cells of what is scheduled together.

Source: Kubernetes `pkg/printers/internalversion/printers.go`.
"""

from __future__ import annotations

from typing import Final

from kcore.machinery.kinds.cells.forms import Cells, Object, at, part, plain

GROUP: Final = ("scheduling.k8s.io", "PodGroup")


def policy(obj: Object) -> str:
    """Whether pods go all together or each alone."""
    return "Basic" if part(obj, "spec.schedulingPolicy.gang") is None else "Gang"


def state(obj: Object) -> str:
    """How far a group came."""
    conditions = {each.get("type"): each for each in part(obj, "status.conditions") or ()}
    disrupted, scheduled = conditions.get("DisruptionTarget"), conditions.get("PodGroupInitiallyScheduled")
    if disrupted is not None:
        return str(disrupted.get("reason", ""))
    if scheduled is None:
        return "Pending"
    return "Scheduled" if scheduled.get("status") == "True" else "Unschedulable"


CELLS: Final[Cells] = {
    (*GROUP, "Policy"): plain(policy),
    (*GROUP, "Workload"): at("spec.workloadRef.workloadName", "<none>"),
    (*GROUP, "Status"): plain(state),
}
