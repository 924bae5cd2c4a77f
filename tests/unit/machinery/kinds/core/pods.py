"""Pods for tests: small, complete, and easy to change in one place."""

from __future__ import annotations

import copy
from typing import Any

from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.core.pod_spec import validate_pod_spec

Object = dict[str, Any]

CONTAINER: Object = {
    "name": "c", "image": "busybox:1.36", "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
    "imagePullPolicy": "IfNotPresent",
}


def container(**fields: Any) -> Object:
    """Make a valid container with some fields set otherwise; None removes one."""
    made = {**copy.deepcopy(CONTAINER), **fields}
    return {field: value for field, value in made.items() if value is not None}


def spec(**fields: Any) -> Object:
    """Make a valid spec of one container with some fields set otherwise; None removes one."""
    made = {
        "containers": [container()], "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
        "securityContext": {}, "schedulerName": "default-scheduler", **fields,
    }
    return {field: value for field, value in made.items() if value is not None}


def pod(metadata: Object | None = None, **fields: Any) -> Object:
    """Make a valid pod with some fields of its spec set otherwise."""
    return {
        "apiVersion": "v1", "kind": "Pod", "spec": spec(**fields),
        "metadata": {"name": "p", "namespace": "default", "generation": 1, **(metadata or {})},
    }


def messages(errors: list[FieldError]) -> list[str]:
    """Show errors as clients see them."""
    return [error.message() for error in errors]


def wrong_spec(*, is_pod: bool = True, pod_name: str = "p", **fields: Any) -> list[str]:
    """Check a spec with some fields set otherwise, and show what is wrong."""
    errors: list[FieldError] = []
    validate_pod_spec(spec(**fields), "spec", errors, is_pod=is_pod, pod_name=pod_name)
    return messages(errors)


def wrong_container(**fields: Any) -> list[str]:
    """Check a pod of one container with some fields set otherwise, and show what is wrong, from the container on."""
    return [message.removeprefix("spec.containers[0].") for message in wrong_spec(containers=[container(**fields)])]
