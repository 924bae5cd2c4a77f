"""Cells of workloads: what runs pods, scales them, or keeps them from being disrupted.

Source: Kubernetes `pkg/printers/internalversion/printers.go`, recorded tables of 1.37.
"""

from __future__ import annotations

from typing import Any, Final

from kcore.machinery import ages, labels, timestamp
from kcore.machinery.kinds.cells.forms import (
    NONE,
    UNKNOWN,
    UNSET,
    Cell,
    Cells,
    Object,
    at,
    count,
    is_true,
    joined,
    map_text,
    part,
    plain,
    since,
)

METRICS_SHOWN: Final = 2
ENDED, UNDER_WAY = ("Complete", "Failed"), ("Suspended", "FailureTarget")
"""Conditions of a Job that say more than that it is to go, and those that say less."""

AVERAGE: Final = "averageValue"


def containers(obj: Object) -> list[Object]:
    """The containers of a workload's pods."""
    places = ("spec.jobTemplate.spec.template.spec.containers", "spec.template.spec.containers", "template.spec.containers")
    return next((found for place in places if (found := part(obj, place))), [])


def selector(obj: Object) -> str:
    """A selector of labels, or a plain map of them."""
    found = part(obj, "spec.selector")
    if not found:
        return NONE
    return str(labels.from_message(found) if "matchLabels" in found or "matchExpressions" in found else labels.from_labels(found))


def ready(obj: Object) -> str:
    """Ready replicas of the wanted ones."""
    return f"{part(obj, 'status.readyReplicas') or 0}/{part(obj, 'spec.replicas') or 0}"


def controller(obj: Object) -> str:
    """`deployment.apps/web`: the controlling owner."""
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            group = owner["apiVersion"].rpartition("/")[0]
            return f"{owner['kind'].lower()}{'.' + group if group else ''}/{owner['name']}"
    return NONE


def job_status(obj: Object) -> str:
    """The word that says most about a Job."""
    ended = next((each for each in ENDED if is_true(obj, each)), "")
    if not ended and obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return ended or next((each for each in UNDER_WAY if is_true(obj, each)), "Running")


def completions(obj: Object) -> str:
    """Pods of a Job that succeeded, of the wanted ones."""
    succeeded, wanted = part(obj, "status.succeeded") or 0, part(obj, "spec.completions")
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    parallelism = part(obj, "spec.parallelism") or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def job_duration(obj: Object, now: float) -> str:
    """How long a Job ran, or has been running."""
    start, end = part(obj, "status.startTime"), part(obj, "status.completionTime")
    if not start:
        return ""
    return ages.duration((timestamp.parse_time(end) if end else now) - timestamp.parse_time(start))


def last_schedule(obj: Object, now: float) -> Any:
    """When a CronJob began a Job."""
    return since(part(obj, "status.lastScheduleTime"), now)


def threshold(name: str) -> Cell:
    """A number or percentage of a disruption budget."""
    return plain(lambda obj: "N/A" if part(obj, f"spec.{name}") is None else str(part(obj, f"spec.{name}")))


def unset_or(value: Any) -> Any:
    """A number, or that there is none."""
    return UNSET if value is None else value


def scale_target(obj: Object) -> str:
    """`Deployment/web`: what is scaled."""
    found = part(obj, "spec.scaleTargetRef") or {}
    return f"{found.get('kind', '')}/{found.get('name', '')}"


def targets(obj: Object) -> str:
    """Present and wanted value of the first metrics."""
    metrics, present = part(obj, "spec.metrics") or (), part(obj, "status.currentMetrics") or ()
    shown = [target(metric, present[index] if index < len(present) else {}) for index, metric in enumerate(metrics)]
    more = f" + {len(shown) - METRICS_SHOWN} more..." if len(shown) > METRICS_SHOWN else ""
    return ", ".join(shown[:METRICS_SHOWN]) + more if shown else "<none>"


def target(metric: Object, present: Object) -> str:
    """One metric: `cpu: 20%/50%`, `5/1k`, `3/30 (avg)`."""
    kind = metric.get("type", "")
    field = kind[:1].lower() + kind[1:]
    wanted, current = part(metric, f"{field}.target") or {}, part(present, f"{field}.current") or {}
    if kind in ("Resource", "ContainerResource"):
        name = part(metric, f"{field}.name")
        if AVERAGE in wanted:
            return f"{name}: {current.get(AVERAGE, UNKNOWN)}/{wanted[AVERAGE]}"
        return f"{name}: {percentage(current.get('averageUtilization'))}/{percentage(wanted.get('averageUtilization'), '<auto>')}"
    if AVERAGE in wanted:
        return f"{current.get(AVERAGE, UNKNOWN)}/{wanted[AVERAGE]}{'' if kind == 'Pods' else ' (avg)'}"
    return f"{current.get('value', UNKNOWN)}/{wanted.get('value', UNKNOWN)}"


def percentage(value: Any, missing: str = UNKNOWN) -> str:
    """`30%`."""
    return missing if value is None else f"{value}%"


CELLS: Final[Cells] = {
    ("", "PodTemplate", "Pod Labels"): plain(lambda obj: map_text(part(obj, "template.metadata.labels"))),
    ("apps", "Deployment", "Ready"): plain(ready),
    ("apps", "Deployment", "Up-to-date"): at("status.updatedReplicas", 0),
    ("apps", "Deployment", "Available"): at("status.availableReplicas", 0),
    ("apps", "StatefulSet", "Ready"): plain(ready),
    ("apps", "ControllerRevision", "Controller"): plain(controller),
    ("apps", "ControllerRevision", "Revision"): at("revision", 0),
    ("apps", "DaemonSet", "Node Selector"): plain(lambda obj: map_text(part(obj, "spec.template.spec.nodeSelector"))),
    ("batch", "Job", "Status"): plain(job_status),
    ("batch", "Job", "Completions"): plain(completions),
    ("batch", "Job", "Duration"): job_duration,
    ("batch", "CronJob", "Suspend"): plain(lambda obj: str(bool(part(obj, "spec.suspend")))),
    ("batch", "CronJob", "Active"): count("status.active"),
    ("batch", "CronJob", "Last Schedule"): last_schedule,
    ("policy", "PodDisruptionBudget", "Min Available"): threshold("minAvailable"),
    ("policy", "PodDisruptionBudget", "Max Unavailable"): threshold("maxUnavailable"),
    ("autoscaling", "HorizontalPodAutoscaler", "Reference"): plain(scale_target),
    ("autoscaling", "HorizontalPodAutoscaler", "Targets"): plain(targets),
    ("autoscaling", "HorizontalPodAutoscaler", "MinPods"): plain(lambda obj: str(unset_or(part(obj, "spec.minReplicas")))),
    ("autoscaling", "HorizontalPodAutoscaler", "Replicas"): at("status.currentReplicas", 0),
}

ANY_KIND: Final[dict[str, Cell]] = {
    "Containers": plain(lambda obj: joined(each.get("name", "") for each in containers(obj))),
    "Images": plain(lambda obj: joined(each.get("image", "") for each in containers(obj))),
    "Selector": plain(selector),
}
"""Columns that mean the same in every kind."""
