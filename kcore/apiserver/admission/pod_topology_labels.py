"""An assigned pod carries the zone and region of its node. Source: Kubernetes admission plugin PodTopologyLabels."""

from __future__ import annotations

from typing import Any

LABELS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


def admit(pod: dict[str, Any], node: dict[str, Any] | None) -> None:
    """Copy the labels that the node has onto the pod; one that the pod has already is replaced."""
    have = (node or {}).get("metadata", {}).get("labels") or {}
    copied = {name: have[name] for name in LABELS if name in have}
    if copied:
        metadata = pod["metadata"]
        metadata["labels"] = {**(metadata.get("labels") or {}), **copied}
