"""An example of a plugin of one's own: prefer the nodes on which least is measured, whatever their pods ask for.

Pods often ask for more than they use, and some for less; the default plugins know requests alone. Who measures writes a node's annotation
`kcore.io/usage`, such as {"cpu": "1500m", "memory": "3Gi"}. Each node gives, of each resource, the share that is not used; a pod on its way
in counts with its request, since nothing of it is measured yet, nor of pods that came a moment ago.

    profiles:
    - plugins: {score: {enabled: [{name: "kcore.scheduler.extension.measured_load:MeasuredLoad", weight: 5}]}}
      pluginConfig:
      - name: kcore.scheduler.extension.measured_load:MeasuredLoad
        args: {resources: [cpu]}
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kcore.scheduler.extension.nodes import Nodes
from kcore.scheduler.rows import Ask


class MeasuredLoad:
    """Score nodes by the mean share of these resources that is measured to be free."""

    def __init__(self, resources: Sequence[str] = ("cpu", "memory")) -> None:
        self._resources = tuple(resources)

    def score(self, ask: Ask, nodes: Nodes) -> NDArray[np.int64]:
        """Return 0 to 100 for each node."""
        asked = dict(ask.amounts)
        total = np.zeros(nodes.size, np.int64)
        for resource in self._resources:
            allocatable = nodes.allocatable(resource)
            free = np.maximum(allocatable - nodes.usage(resource) - asked.get(resource, 0), 0)
            total += 100 * free // np.maximum(allocatable, 1)
        return total // max(1, len(self._resources))
