"""A scheduler that decides equal pods as runs against one that decides them one by one."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.scheduler.core import Batch, Core
from kcore.scheduler.rows import Account, NodeRow, PodRow
from tests.property.scheduler import clusters

nodes = st.lists(clusters.nodes(pod_limit=4), min_size=2, max_size=5, unique_by=lambda node: node.name)
limits = st.sampled_from((1, 3, 50))


def alike(template: PodRow, name: str, priority: int, shares: bool) -> PodRow:
    """Return a pod of a template; one that shares asks and shows not only equal things, but the very same."""
    ask, account = template.ask, template.account
    if not shares:
        ask, account = ask._replace(), account._replace()
    return template._replace(name=name, uid=f"uid-{name}", priority=priority, ask=ask, account=account)


def templates(waiting: list[PodRow], plain: list[bool], priorities: list[int]) -> list[PodRow]:
    """Return the pods with these priorities; those that are plain look at amounts and nodes alone."""
    made = []
    for pod, is_plain, priority in zip(waiting, plain, priorities, strict=True):
        ask = pod.ask._replace(priority=priority)
        if is_plain:
            ask = ask._replace(spread=(), affinity=None, ports=(), node_name="")
        peer = pod.account.peer._replace(affinity=ask.affinity)
        made.append(pod._replace(ask=ask, account=Account(ask.amounts, ask.nonzero_cpu, ask.nonzero_memory, ask.ports, priority, peer)))
    return made


def told(batch: Batch) -> tuple[object, ...]:
    return (
        [(each.pod.key, each.decision) for each in batch.assumed],
        [(each.pod.key, each.decision, each.nominated) for each in batch.waiting],
        [(each.preemptor.key, each.node, [victim.key for victim in each.victims]) for each in batch.evictions],
        [pod.key for pod in batch.displaced],
    )


class Side:
    """One of the two."""

    def __init__(self, rows: list[NodeRow], shares: bool, seed: int) -> None:
        self.shares = shares
        self.clock = VirtualClock()
        self.core = Core(self.clock, SeededEntropy(seed))
        self.placed: list[PodRow] = []
        for row in rows:
            self.core.node_changed(row)

    def add(self, template: PodRow, name: str) -> None:
        self.core.pod_changed(alike(template, name, template.ask.priority, self.shares))

    def decide(self, limit: int) -> tuple[object, ...]:
        batch = self.core.decide(limit)
        self.placed += [each.pod._replace(node_name=each.decision.node or "") for each in batch.assumed]
        return told(batch)

    def end(self, number: int) -> None:
        if self.placed:
            self.core.pod_deleted(self.placed.pop(number % len(self.placed)).key)

    def standing(self) -> tuple[object, ...]:
        queue = {key: (waiting.state, waiting.attempts) for key, waiting in self.core.queue._pods.items()}
        return self.core.columns.held(), self.core.columns.tallied(), queue


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 1), st.integers(1, 12)),
        st.tuples(st.just("decide"), limits, st.just(0)),
        st.tuples(st.just("decide"), limits, st.just(0)),
        st.tuples(st.just("end"), st.integers(0, 99), st.just(0)),
        st.tuples(st.just("node"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("pause"), st.integers(0, 11), st.just(0)),
    ),
    max_size=12,
)


@given(
    st.lists(clusters.waiting(), min_size=2, max_size=2),
    st.lists(st.sampled_from((True, True, False)), min_size=2, max_size=2),
    st.lists(st.sampled_from((0, 0, 0, 7)), min_size=2, max_size=2),
    nodes,
    st.lists(clusters.nodes(pod_limit=4), min_size=1, max_size=2),
    steps,
    st.integers(0, 3),
)
@settings(max_examples=100)
def test_runs_are_decided_as_one_by_one(
    waiting: list[PodRow], plain: list[bool], priorities: list[int], rows: list[NodeRow], more: list[NodeRow],
    script: list[tuple[str, int, int]], seed: int,
) -> None:  # fmt: skip
    kinds = templates(waiting, plain, priorities)
    sides = Side(rows, True, seed), Side(rows, False, seed)
    count = 0
    for what, first, second in [("add", 0, 9), *script, ("decide", 50, 0)]:
        for side in sides:
            if what == "add":
                for number in range(second):
                    side.add(kinds[first], f"p{count + number}")
            elif what == "end":
                side.end(first)
            elif what == "node":
                side.core.node_changed(more[first % len(more)])
            elif what == "pause":
                side.clock.jump(first)
        if what == "decide":
            assert sides[0].decide(first) == sides[1].decide(first)
        count += second if what == "add" else 0
        assert sides[0].standing() == sides[1].standing()
        for side in sides:
            side.core.cache.verify()
