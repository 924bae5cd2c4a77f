"""What the rules of a Job say of a failed pod; the first that matches decides.

Source: Kubernetes `pkg/controller/job/pod_failure_policy.go`, KEP-3329.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

FAIL_JOB: Final = "FailJob"
FAIL_INDEX: Final = "FailIndex"
IGNORE: Final = "Ignore"
COUNT: Final = "Count"


class Match(NamedTuple):
    """What a failure means.

    counts   towards the backoff limits
    action   of the rule that matched; empty if none did
    message  why the Job fails; empty if it does not
    """

    counts: bool = True
    action: str = ""
    message: str = ""


def match(job: Any, pod: Any) -> Match:
    """Judge a failed pod."""
    for index, rule in enumerate(job.spec.podFailurePolicy.rules):
        if rule.action not in (FAIL_JOB, FAIL_INDEX, IGNORE, COUNT):
            continue
        cause = _cause(rule, pod)
        if cause:
            message = f"{cause} matching {rule.action} rule at index {index}" if rule.action == FAIL_JOB else ""
            return Match(rule.action != IGNORE, rule.action, message)
    return Match()


def _cause(rule: Any, pod: Any) -> str:
    """Say what of a pod a rule matches; empty if nothing."""
    name = f"{pod.metadata.namespace}/{pod.metadata.name}"
    if rule.HasField("onExitCodes"):
        found = _failed_container(rule.onExitCodes, [*pod.status.containerStatuses, *pod.status.initContainerStatuses])
        return f"Container {found.name} for pod {name} failed with exit code {found.state.terminated.exitCode}" if found else ""
    patterns = [(pattern.type, pattern.status) for pattern in rule.onPodConditions]
    for condition in pod.status.conditions:
        if (condition.type, condition.status) in patterns:
            return f"Pod {name} has condition {condition.type}"
    return ""


def _failed_container(requirement: Any, statuses: Iterable[Any]) -> Any | None:
    for found in statuses:
        if not found.state.HasField("terminated") or not found.state.terminated.exitCode:
            continue
        if requirement.containerName and requirement.containerName != found.name:
            continue
        is_listed = found.state.terminated.exitCode in requirement.values
        if requirement.operator == "In" if is_listed else requirement.operator == "NotIn":
            return found
    return None
