"""Plugins of your own: a filter or a score over all nodes at once, in numpy, named `module:attribute` in the scheduler's configuration.

    class Roomy:
        '''Prefer nodes with few pods.'''

        def score(self, ask: Ask, nodes: Nodes) -> NDArray[np.int64]:
            return 100 - 100 * nodes.pod_count // np.maximum(nodes.pod_limit, 1)

    profiles:
    - plugins: {score: {enabled: [{name: "my.plugins:Roomy", weight: 3}]}}

A class is called with the `args` of its pluginConfig as keywords; any other attribute is taken as it is. What it gets are arrays over nodes
(`nodes.Nodes`), all of them or the one that a pod was just placed on: the answer for a node may follow from that node and the pod's ask
alone, or results that are kept between pods would be wrong. A filter says with `reason` why it rejects.

    nodes           what a plugin sees of nodes
    loading         from a name to what the scheduler calls
    measured_load   an example: a score by what is measured on nodes, rather than by what pods ask for
"""
from kcore.scheduler.extension.nodes import Filter, Nodes, Score
from kcore.scheduler.rows import Ask

__all__ = ["Ask", "Filter", "Nodes", "Score"]
