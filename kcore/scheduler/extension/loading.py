"""From the name of a plugin of one's own to what the scheduler calls: filters and scores of what is placed."""
from __future__ import annotations

import importlib
from collections.abc import Hashable
from typing import Any, Final

import numpy as np

from kcore.machinery import field_error as fe
from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.configuration.fields import Fields
from kcore.scheduler.events import ClusterEvent, NodeChanged, NodeGone, PodGone
from kcore.scheduler.extension.nodes import Filter, Nodes, Score
from kcore.scheduler.framework import SCORE_MAX
from kcore.scheduler.rows import Ask


class OwnFilter:
    """A filter of one's own, asked about any span of nodes."""

    hears: Final = (NodeChanged, NodeGone, PodGone)

    def __init__(self, name: str, plugin: Filter) -> None:
        self.name = name
        self._plugin = plugin

    def reads(self, ask: Ask) -> Hashable:
        """Return that every pod is concerned."""
        return True

    def codes(self, ask: Ask, columns: Columns, start: int, stop: int, out: Int64) -> None:
        """Write 1 where the plugin does not let the pod pass."""
        out[start:stop] = np.asarray(self._plugin.passes(ask, Nodes(columns, start, stop))) == 0

    def reasons(self, ask: Ask) -> tuple[str, ...]:
        """Return the plugin's reason."""
        return (self._plugin.reason,)

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """Any change of a node, and any pod's end, may help."""
        return True


class OwnScore:
    """A score of one's own, asked about any span of nodes."""

    def __init__(self, name: str, plugin: Score) -> None:
        self.name = name
        self._plugin = plugin

    def reads(self, ask: Ask) -> Hashable:
        """Return that every pod is concerned."""
        return True

    def score(self, ask: Ask, columns: Columns, feasible: UInt8, start: int, stop: int, out: Int64) -> None:
        """Write the plugin's score of the feasible nodes, held within 0 to 100."""
        scores = np.clip(np.asarray(self._plugin.score(ask, Nodes(columns, start, stop))), 0, SCORE_MAX)
        out[start:stop] = np.where(feasible[start:stop], scores, 0)


def load(name: str, args: Fields) -> tuple[Any, ...]:
    """Import a plugin and return it as a filter, a score, or both; where that fails, the problems of its arguments tell why."""
    arguments = {each: args.raw(each) for each in args.names()}
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
        plugin = found(**arguments) if isinstance(found, type) else found
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        args.problems.append(fe.invalid(args.path, name, f"cannot be loaded: {error}"))
        return ()
    made = (
        *((OwnFilter(name, plugin),) if hasattr(plugin, "passes") else ()),
        *((OwnScore(name, plugin),) if hasattr(plugin, "score") else ()),
    )
    if not made:
        args.problems.append(fe.invalid(args.path, name, "has neither a method passes nor a method score"))
    return made
