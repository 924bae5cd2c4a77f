"""An assigned pod carries the zone and region of its node. Source: Kubernetes admission plugin PodTopologyLabels."""

from __future__ import annotations

from typing import Any

LABELS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


def admit(pod: dict[str, Any], labels: dict[str, str]) -> None:
    """Copy those of a node's labels onto the pod; one that the pod has already is replaced."""
    copied = {name: labels[name] for name in LABELS if name in labels}
    if copied:
        metadata = pod["metadata"]
        metadata["labels"] = {**(metadata.get("labels") or {}), **copied}
