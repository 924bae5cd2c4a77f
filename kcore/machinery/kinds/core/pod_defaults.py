"""Defaults of a pod that depend on something: the image's tag, limits, the host's network, pod-level resources.

What is set whenever it is absent stands as an option on its field in proto/ and is there before these functions run.

Source: Kubernetes `pkg/apis/core/v1/defaults.go`, `conversion.go` (service account).
"""
from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from kcore.base.limits import IMAGES_REMEMBERED_MAX
from kcore.machinery import quantity
from kcore.machinery.kinds.requests import (
    HUGE_PAGES_PREFIX,
    Amounts,
    container_limits_total,
    container_requests_total,
    is_overcommit_allowed,
    is_pod_level,
)

Object = dict[str, Any]

IMAGE_NAME_SIZE_MAX: Final = 255
SMALLEST_NANO: Final = 1_000_000      # amounts of resources are kept in thousandths

# A reference to an image: domain, path, tag and digest, by the grammar of the distribution project.
_DOMAIN_PART: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_PATH_PART: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REFERENCE: Final = re.compile(
    rf"(?P<name>(?:(?:{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?/)?{_PATH_PART}(?:/{_PATH_PART})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)
_IDENTIFIER: Final = re.compile(r"[a-f0-9]{64}")

_CONTAINER_LISTS: Final = ("initContainers", "containers", "ephemeralContainers")


def default_pod_spec(spec: Object) -> None:
    """Set the defaults of a spec in a pod, in place."""
    default_template_spec(spec)
    for kind in ("containers", "initContainers"):
        for container in spec.get(kind) or ():
            resources = container.get("resources")
            if resources and resources.get("limits"):
                _default_requests(resources)
    if spec.get("enableServiceLinks") is None:
        spec["enableServiceLinks"] = True
    if spec.get("hostNetwork"):
        _default_host_ports(spec)


def default_template_spec(spec: Object) -> None:
    """Set the defaults that pods and templates have in common, in place."""
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if name:
        spec["serviceAccountName"] = spec["serviceAccount"] = name
    for kind in _CONTAINER_LISTS:
        for container in spec.get(kind) or ():
            if not container.get("imagePullPolicy"):
                container["imagePullPolicy"] = pull_policy(container.get("image") or "")
            resources = container.get("resources")
            if resources:
                _round_up(resources)
    for volume in spec.get("volumes") or ():
        _default_volume(volume)
    if spec.get("resources"):
        _round_up(spec["resources"])
    if spec.get("overhead"):
        _round_amounts(spec["overhead"])


@lru_cache(maxsize=IMAGES_REMEMBERED_MAX)
def pull_policy(image: str) -> str:
    """Decide when to pull an image: always where its tag is `latest`, given or implied; a malformed reference has no tag."""
    match = _REFERENCE.fullmatch(image)
    if match is None or len(match["name"]) > IMAGE_NAME_SIZE_MAX or _IDENTIFIER.fullmatch(image):
        return "IfNotPresent"
    tag = match["tag"] or ("" if match["digest"] else "latest")
    return "Always" if tag == "latest" else "IfNotPresent"


def _default_volume(volume: Object) -> None:
    if len(volume) < 2 or all(volume[key] is None for key in volume if key != "name"):
        volume["emptyDir"] = {}
        return
    image = volume.get("image")
    if image is not None and not image.get("pullPolicy"):
        image["pullPolicy"] = pull_policy(image.get("reference") or "")


def _default_requests(resources: Object) -> None:
    requests = resources.get("requests")
    if requests is None:
        resources["requests"] = dict(resources["limits"])
        return
    for name, amount in resources["limits"].items():
        if name not in requests:
            requests[name] = amount


def default_pod_resources(spec: Object) -> None:
    """Let what a pod as a whole may have follow from its containers, once all of them are known."""
    resources = spec["resources"]
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    if not limits and not requests:
        return
    limit_totals = container_limits_total(spec)
    for name, total in limit_totals.items():
        if name.startswith(HUGE_PAGES_PREFIX) and name not in requests and name not in limits:
            limits[name] = str(total)
    had_limits = bool(limits)
    if had_limits:
        _add_missing(requests, container_requests_total({"spec": spec}))
        for name, text in limits.items():
            if name not in requests and is_pod_level(name):
                requests[name] = text
    elif any(is_pod_level(name) for name in requests):
        _add_missing(limits, {name: total for name, total in limit_totals.items() if _all_limit(spec, name)})
    if limits:
        resources["limits"] = limits
    if requests:
        resources["requests"] = requests


def _add_missing(amounts: dict[str, Any], totals: Amounts) -> None:
    for name, total in totals.items():
        if name not in amounts and is_pod_level(name) and is_overcommit_allowed(name):
            amounts[name] = str(total)


def _all_limit(spec: Mapping[str, Any], name: str) -> bool:
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    return all(name in ((container.get("resources") or {}).get("limits") or ()) for container in containers)


def _default_host_ports(spec: Object) -> None:
    for kind in ("containers", "initContainers"):
        for container in spec.get(kind) or ():
            for port in container.get("ports") or ():
                if not port.get("hostPort") and port.get("containerPort"):
                    port["hostPort"] = port["containerPort"]


def _round_up(resources: Object) -> None:
    for kind in ("limits", "requests"):
        if resources.get(kind):
            _round_amounts(resources[kind])


def _round_amounts(amounts: dict[str, Any]) -> None:
    for name, text in amounts.items():
        amount = quantity.parse(text)
        if amount.nano % SMALLEST_NANO:
            amounts[name] = str(quantity.of_milli(amount.milli_value(), amount.format))
