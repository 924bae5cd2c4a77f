"""What a plugin is: a filter, a score, or both, over all nodes at once.

kube-scheduler calls a plugin once per node; here a plugin gets the columns and fills an array. There are three kinds of each, told apart
by what can change their answer, because that decides how long an answer can be kept:

- of the *node* itself (labels, taints, images): a `NodeFilter` gives a mask, a `NodeScore` raw scores; kept until a node changes
- of what is *placed* there (amounts, ports): a `PlacedFilter` gives reason codes, a `PlacedScore` scores, for any span of slots; when a pod
  is placed, the one slot it went to is computed anew
- of *peers*, pods elsewhere (topology spread, inter-pod affinity): a `PeerFilter` begins `Verdicts` for an ask, a `PeerScore` `Scores`.
  These keep what they count per topology value; when a pod is placed they take in its slot, and only if what they say of a value has
  changed are the nodes marked anew. They come last, and get the whole pod: its labels and namespace matter

Upstream's other extension points, and where they are here: PreFilter and PreScore are `reads` (what of the ask matters; None skips the
plugin) and what a plugin keeps in the columns; Normalize is `normalise`; PreEnqueue is scheduling gates, in the queue; Bind is `binding`;
AddPod and RemovePod are `Verdicts.update`; PostFilter is `preemption`; Reserve, PreBind and Unreserve are a `reserving.part.Part`. A
PreFilter that looks at more than the pod (its claims, in `cycle.look_up`) puts what it found into the ask, or refuses the pod on all nodes.

A plugin is stateless; what it needs to remember lies in the columns.
"""
from __future__ import annotations

from collections.abc import Hashable
from typing import Final, NamedTuple, Protocol

import numpy as np

from kcore.scheduler.columns import Columns, Float64, Int64, UInt8
from kcore.scheduler.events import ClusterEvent
from kcore.scheduler.rows import Ask, PodRow

SCORE_MAX: Final = 100
# The bit of a reason code that says that removing pods from the node would not help.
UNRESOLVABLE: Final = 1 << 62


class Waker(Protocol):
    """The part of a filter that the queue asks."""

    @property
    def name(self) -> str:
        """Return the plugin's name, as upstream has it."""
        ...

    @property
    def hears(self) -> tuple[type[ClusterEvent], ...]:
        """Return the kinds of events that it is asked about; no other one can help."""
        ...

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """Say whether a pod that this filter rejected may fit after this event; may say so in vain, never the reverse."""
        ...


class NodeFilter(Waker, Protocol):
    """A filter that only nodes themselves decide. What it rejects cannot be helped by removing pods."""

    @property
    def reason(self) -> str:
        """Return why a node is rejected."""
        ...

    def reads(self, ask: Ask) -> Hashable:
        """Return what of the ask decides; None where every node passes whatever it is."""
        ...

    def mask(self, ask: Ask, columns: Columns) -> UInt8:
        """Return 1 for each slot that passes, else 0 (slots without a node may have either)."""
        ...


class PlacedFilter(Waker, Protocol):
    """A filter that placed pods decide."""

    def reads(self, ask: Ask) -> Hashable:
        """Return what of the ask decides; None where every node passes."""
        ...

    def codes(self, ask: Ask, columns: Columns, start: int, stop: int, out: Int64) -> None:
        """Write 0 for each slot of the span that passes, else a bit per reason."""
        ...

    def reasons(self, ask: Ask) -> tuple[str, ...]:
        """Return the reason of each bit."""
        ...


class NodeScore(Protocol):
    """A score that only nodes themselves decide."""

    @property
    def name(self) -> str:
        """Return the plugin's name, as upstream has it."""
        ...

    def reads(self, ask: Ask) -> Hashable:
        """Return what of the ask decides; None where the plugin has no score for this pod."""
        ...

    def raw(self, ask: Ask, columns: Columns) -> Int64 | None:
        """Return a raw score per slot; None where all are 0."""
        ...

    def normalise(self, raw: Int64 | None, feasible: UInt8) -> Int64 | int:
        """Turn raw scores into 0 to 100 over the feasible nodes; one number where all are equal."""
        ...


class PlacedScore(Protocol):
    """A score that placed pods decide, 0 to 100 as it is."""

    @property
    def name(self) -> str:
        """Return the plugin's name, as upstream has it."""
        ...

    def reads(self, ask: Ask) -> Hashable:
        """Return what of the ask decides; None where the plugin has no score for this pod."""
        ...

    def score(self, ask: Ask, columns: Columns, feasible: UInt8, start: int, stop: int, out: Int64) -> None:
        """Write the score of each feasible slot of the span, 0 for others."""
        ...


class Kept(Protocol):
    """What a peer plugin keeps for one ask, until a node changes."""

    @property
    def kept(self) -> bool:
        """Whether all that is counted for it is still followed; else it has to begin anew."""
        ...

    @property
    def size_bytes(self) -> int:
        """How much memory it takes."""
        ...

    def update(self, slots: Int64) -> bool:
        """Take in slots on which pods have come, gone or changed; -> whether what it says of other slots has changed, too.

        What came and went again in between leaves no trace, so a trial is taken in, looked at, undone, and taken in once more.
        """
        ...


class Verdicts(Kept, Protocol):
    """What a peer filter says of nodes."""

    def codes(self, count: int, out: Int64) -> None:
        """Write 0 for each of the first slots that passes, else a bit per reason."""
        ...

    def code(self, slot: int) -> int:
        """Return what `codes` would write for one slot."""
        ...


class PeerFilter(Waker, Protocol):
    """A filter that pods on other nodes decide."""

    def reads(self, pod: PodRow, columns: Columns) -> Hashable:
        """Return what decides besides the ask: of the pod, and which wishes of placed pods concern it; None where every node passes."""
        ...

    def verdicts(self, pod: PodRow, columns: Columns) -> Verdicts | None:
        """Begin to follow what decides for a pod; None where every node passes."""
        ...

    def reasons(self, ask: Ask) -> tuple[str, ...]:
        """Return the reason of each bit."""
        ...


class Scores(Kept, Protocol):
    """What a peer score says of nodes."""

    @property
    def raw(self) -> Int64 | Float64:
        """What was summed for each slot when it was asked last, before that was normalised."""
        ...

    def score(self, feasible: UInt8, changed: bool, out: Int64) -> None:
        """Write 0 to 100 for each slot of the mask, 0 for others; changed: the mask may be another one than before."""
        ...


class PeerScore(Protocol):
    """A score that pods on other nodes decide."""

    @property
    def name(self) -> str:
        """Return the plugin's name, as upstream has it."""
        ...

    def reads(self, pod: PodRow, columns: Columns) -> Hashable:
        """Return what decides besides the ask, as for a filter; None where the plugin has no score for this pod."""
        ...

    def scores(self, pod: PodRow, columns: Columns) -> Scores | None:
        """Begin to follow what decides for a pod; None where the plugin has no score for it."""
        ...


class Diagnosis(NamedTuple):
    """The reasons of all nodes.

    reasons           how many nodes each reason holds for
    rejected_by       the plugins that rejected a node, sorted
    """

    nodes: int
    reasons: dict[str, int]
    rejected_by: tuple[str, ...]


def normalise_to_largest(raw: Int64, feasible: UInt8, reverse: bool) -> Int64 | int:
    """Scale so that the largest raw score among feasible nodes becomes 100; reverse makes that 0 and 0 that 100."""
    largest = int(np.max(raw, where=feasible.view(np.bool_), initial=0))
    if largest == 0:
        return SCORE_MAX if reverse else 0
    scaled: Int64 = raw * SCORE_MAX // largest
    return SCORE_MAX - scaled if reverse else scaled
