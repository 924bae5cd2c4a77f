"""What a plugin of one's own sees: columns over nodes, and the two things that it may be."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kcore.scheduler.columns import Columns, Int64
from kcore.scheduler.rows import Ask


class Nodes:
    """Columns over some nodes, each of the same length; not to be written to.

    Amounts of cpu are in thousandths, all others in bytes or ones. A slot may be that of a node that is gone: what is said of it is not
    looked at.
    """

    def __init__(self, columns: Columns, start: int, stop: int) -> None:
        self._columns = columns
        self._span = slice(start, stop)
        self.size = stop - start

    @property
    def names(self) -> list[str]:
        """The nodes' names."""
        return self._columns.names[self._span]

    @property
    def pod_count(self) -> Int64:
        """How many pods each has."""
        return self._columns.pod_count[self._span]

    @property
    def pod_limit(self) -> Int64:
        """How many pods each takes."""
        return self._columns.pod_limit[self._span]

    def allocatable(self, resource: str) -> Int64:
        """How much each has of a resource."""
        return self._amounts(self._columns.allocatable, resource)

    def requested(self, resource: str) -> Int64:
        """How much of a resource the pods there ask for."""
        return self._amounts(self._columns.requested, resource)

    def free(self, resources: Sequence[str]) -> Int64:
        """(resources, nodes): how much of each resource no pod has asked for."""
        columns = self._columns
        rows, _ = columns.asked(tuple((name, 0) for name in resources))
        found: Int64 = columns.allocatable[rows, self._span] - columns.requested[rows, self._span]
        found[rows < 0] = 0
        return found

    def usage(self, resource: str) -> Int64:
        """How much of a resource is used, as measured: the node's annotation kcore.io/usage; 0 where nobody measures."""
        return self._columns.usage_of(resource)[self._span]

    def label(self, key: str) -> NDArray[np.object_]:
        """The value of a label, "" where it is missing."""
        column = self._columns.label(key)
        found: NDArray[np.object_] = np.array(column.values, np.object_)[column.codes[self._span]]
        return found

    def _amounts(self, table: Int64, resource: str) -> Int64:
        row = self._columns.resources.get(resource)
        return np.zeros(self.size, np.int64) if row is None else table[row, self._span]


class Filter(Protocol):
    """A plugin that says on which nodes a pod may go."""

    @property
    def reason(self) -> str:
        """Return why a node is rejected, such as `node(s) were too warm`."""
        ...

    def passes(self, ask: Ask, nodes: Nodes) -> NDArray[Any]:
        """Return for each node whether the pod may go there."""
        ...


class Score(Protocol):
    """A plugin that says how good nodes are for a pod."""

    def score(self, ask: Ask, nodes: Nodes) -> NDArray[Any]:
        """Return 0 to 100 for each node."""
        ...
