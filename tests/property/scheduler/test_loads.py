"""What amounts decide in one pass against the twin, and the ranking of what was found against a search through everything."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.scheduler._loads import LARGE, Loads, Wanted
from kcore.scheduler._ranking import Ranking
from kcore.scheduler.rows import Account, Ask, NodeRow
from tests.reference.scheduler import twin

ROWS = {"cpu": 0, "memory": 1, "example.com/gpu": 2}
CAPACITY = 192
amounts = st.one_of(st.integers(0, 8), st.sampled_from((250, 1000, 4000, LARGE - 1)), st.integers(0, LARGE - 1))


class World:
    """Slots that repeat a few drawn nodes, in an order of their own, with what each holds."""

    def __init__(self, data: st.DataObject, count: int) -> None:
        self.count = count
        kinds = data.draw(st.lists(st.tuples(*([amounts] * 6), st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=5))
        random = Random(data.draw(st.integers(0, 9)))
        chosen = [random.choice(kinds) for _ in range(count)]
        self.allocatable, self.requested = np.zeros((3, CAPACITY), np.int64), np.zeros((3, CAPACITY), np.int64)
        self.nonzero, self.limit, self.pods = np.zeros((2, CAPACITY), np.int64), np.zeros(CAPACITY, np.int64), np.zeros(CAPACITY, np.int64)
        for slot, (cpu, memory, cpu_asked, memory_asked, cpu_scored, memory_scored, gpus, limit) in enumerate(chosen):
            self.allocatable[:, slot] = cpu or 1, memory or 1, gpus
            self.requested[:, slot] = cpu_asked, memory_asked, gpus // 2
            self.nonzero[:, slot] = cpu_scored, memory_scored
            self.limit[slot], self.pods[slot] = limit, 1
        self.mask = np.array([random.random() < 0.8 for _ in range(count)], np.uint8)
        self.bases = np.array([random.randrange(3) for _ in range(count)], np.int64) if data.draw(st.booleans()) else None
        self.loads = Loads(self.allocatable, self.requested, self.nonzero, self.limit, self.pods)
        self.ranking = Ranking(np.zeros(CAPACITY, np.uint8), np.zeros(CAPACITY, np.int64))

    def wanted(self, ask: Ask, base: int) -> dict[int, int]:
        """Return the total of each feasible slot, as the twin has it."""
        found = {}
        for slot in np.flatnonzero(self.mask).tolist():
            offered = tuple((name, int(self.allocatable[row, slot])) for name, row in ROWS.items())
            node = NodeRow("n", {}, False, (), offered, int(self.limit[slot]))
            held = tuple((name, int(self.requested[row, slot])) for name, row in ROWS.items())
            placed = [Account(held, int(self.nonzero[0, slot]), int(self.nonzero[1, slot]))]
            free = {name: amount - dict(held)[name] for name, amount in offered}
            if self.pods[slot] + 1 > self.limit[slot] or any(amount > free.get(name, 0) for name, amount in ask.amounts):
                continue
            extra = base + (int(self.bases[slot]) if self.bases is not None else 0)
            found[slot] = 2 * twin.least_allocated(ask, node, placed) + 3 * twin.balanced_allocation(ask, node, placed) + extra
        return found


@st.composite
def wishes(draw: st.DrawFn) -> Ask:
    asked = {name: draw(st.one_of(st.just(0), amounts)) for name in ("cpu", "memory")}
    asked["example.com/gpu"] = draw(st.sampled_from((0, 0, 1)))
    asked["example.com/none"] = draw(st.sampled_from((0, 0, 0, 1)))
    return Ask(
        amounts=tuple((name, amount) for name, amount in asked.items() if amount), nonzero_cpu=draw(amounts), nonzero_memory=draw(amounts)
    )


def as_wanted(ask: Ask) -> Wanted:
    asked = dict(ask.amounts)
    balanced = asked.get("cpu", 0), asked.get("memory", 0)
    return Wanted(ask.amounts, ROWS, balanced, (ask.nonzero_cpu, ask.nonzero_memory), 2, 3 if any(balanced) else 0)


def check(world: World, wanted: dict[int, int], feasible: np.ndarray, totals: np.ndarray) -> None:
    assert np.flatnonzero(feasible).tolist() == sorted(wanted)
    assert {slot: int(totals[slot]) for slot in wanted} == wanted
    assert world.ranking.feasible_count == len(wanted)
    best = [slot for slot in sorted(wanted) if wanted[slot] == max(wanted.values())]
    for number, slot in enumerate(best):
        assert world.ranking.choose(lambda _, number=number: number) == (slot, len(best))


@given(st.data(), wishes(), st.sampled_from((1, 63, 64, 65, 150)), st.integers(0, 400))
@settings(max_examples=60)
def test_amounts_are_judged_as_by_the_single_plugins(data: st.DataObject, ask: Ask, count: int, base: int) -> None:
    world = World(data, count)
    feasible, totals = np.ones(CAPACITY, np.uint8), np.zeros(CAPACITY, np.int64)
    feasible[count:] = 0
    world.ranking = Ranking(feasible, totals)
    world.loads.judge(as_wanted(ask), world.mask, base, world.bases, world.ranking)
    check(world, world.wanted(ask, base), feasible, totals)
    slot = data.draw(st.integers(0, count - 1))
    before = feasible[slot]
    world.loads.count(slot, (("cpu", 7), ("example.com/new", 1)), ROWS, 100, 0, 1)
    changed = world.loads.judge_slots(np.array([slot]), as_wanted(ask), world.mask, base, world.bases, world.ranking)
    assert changed == (before != feasible[slot])
    check(world, world.wanted(ask, base), feasible, totals)


@given(st.data(), wishes(), st.sampled_from((5, 64, 100)), st.integers(0, 5))
@settings(max_examples=60)
def test_equal_pods_are_placed_as_one_after_the_other(data: st.DataObject, ask: Ask, count: int, seed: int) -> None:
    world = World(data, count)
    feasible, totals = np.zeros(CAPACITY, np.uint8), np.zeros(CAPACITY, np.int64)
    world.ranking = Ranking(feasible, totals)
    world.loads.judge(as_wanted(ask), world.mask, 0, world.bases, world.ranking)
    drawn, again = Random(seed), Random(seed)
    requested, nonzero, pods = world.requested.copy(), world.nonzero.copy(), world.pods.copy()
    placed = world.loads.place(8, as_wanted(ask), world.mask, 0, world.bases, world.ranking, ask.amounts, ROWS, 100, 7, drawn.randrange)
    after = world.requested.copy(), world.nonzero.copy(), world.pods.copy()
    world.requested[:], world.nonzero[:], world.pods[:] = requested, nonzero, pods
    for slot, ties, total, feasible_count in placed:
        wanted = world.wanted(ask, 0)
        best = [each for each in sorted(wanted) if wanted[each] == max(wanted.values())]
        assert (slot, ties, total) == (best[again.randrange(len(best)) if len(best) > 1 else 0], len(best), max(wanted.values()))
        assert feasible_count == len(wanted)
        for name, amount in ask.amounts:
            world.requested[ROWS[name], slot] += amount
        world.nonzero[:, slot] += (100, 7)
        world.pods[slot] += 1
    assert [each.tolist() for each in after] == [each.tolist() for each in (world.requested, world.nonzero, world.pods)]
    left = world.wanted(ask, 0)
    assert len(placed) == 8 or not left or (world.bases is not None and placed[-1][0] not in left)
    check(world, left, feasible, totals)


@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 1)), max_size=140), st.integers(0, 191), st.integers(-2, 2))
def test_a_ranking_finds_every_slot_of_the_highest_total(slots: list[tuple[int, int]], changed: int, total: int) -> None:
    totals, feasible = np.zeros(CAPACITY, np.int64), np.zeros(CAPACITY, np.uint8)
    totals[: len(slots)], feasible[: len(slots)] = [each for each, _ in slots], [each for _, each in slots]
    ranking = Ranking(feasible, totals)
    ranking.rank(len(slots))
    for _ in range(2):
        best = [slot for slot in np.flatnonzero(feasible).tolist() if totals[slot] == totals[feasible == 1].max()]
        assert ranking.feasible_count == feasible.sum()
        for number, slot in enumerate(best):
            assert ranking.choose(lambda _, number=number: number) == (slot, len(best))
        if not best:
            with pytest.raises(ValueError, match="feasible"):
                ranking.choose(lambda _: 0)
        totals[changed], feasible[changed] = total, 1
        ranking.rank_slot(changed)


def test_what_leaves_an_array_is_refused() -> None:
    flags, numbers = np.zeros(64, np.uint8), np.zeros(64, np.int64)
    table = np.zeros((2, 64), np.int64)
    ranking, loads = Ranking(flags, numbers), Loads(table, table.copy(), table.copy(), numbers, numbers.copy())
    wanted = Wanted((), ROWS, (0, 0), (0, 0), 1, 1)
    with pytest.raises(ValueError, match="blocks"):
        Ranking(flags[:63], numbers[:63])
    with pytest.raises(ValueError, match="blocks"):
        Loads(table, np.zeros((2, 128), np.int64), table.copy(), numbers, numbers.copy())
    with pytest.raises(ValueError, match="resources"):
        Loads(table, np.zeros((3, 64), np.int64), table.copy(), numbers, numbers.copy())
    with pytest.raises(ValueError, match="slot 64"):
        ranking.rank_slot(64)
    with pytest.raises(ValueError, match="slot 64"):
        loads.count(64, (), ROWS, 0, 0, 1)
    with pytest.raises(ValueError, match="65 slots"):
        loads.judge(wanted, np.ones(65, np.uint8), 0, None, ranking)
    with pytest.raises(ValueError, match="array of 3"):
        loads.judge(wanted, np.ones(64, np.uint8), 0, numbers[:3], ranking)
    with pytest.raises(ValueError, match="slot 9"):
        loads.judge_slots(np.array([9]), wanted, np.ones(9, np.uint8), 0, None, ranking)
    with pytest.raises(ValueError, match="weights"):
        Wanted((), ROWS, (0, 0), (0, 0), 1, 1 << 21)
