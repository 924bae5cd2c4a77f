"""The search for devices against the slow way, and what is remembered against what is found afresh."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.machinery.quantity import NANO
from kcore.scheduler.columns import Columns
from kcore.scheduler.dra.allocator import Usage, allocate
from kcore.scheduler.dra.asks import Choice, Constraint, Request, Wish
from kcore.scheduler.dra.capacity import Capacity
from kcore.scheduler.dra.devices import Devices
from kcore.scheduler.dra.rows import Device, DeviceClaim, DeviceClass, Held, Offer, Pool, Slice, TaintRule, Where
from kcore.scheduler.dra.verdict import verdict
from kcore.scheduler.rows import Taint
from tests.reference.scheduler import devices as twin
from tests.unit.scheduler.pods import node

MODELS = ("a", "b")
COUNTER = ("set", "slots")
devices = st.builds(
    lambda model, numa, tainted, amount, size, shared: Device(
        "",
        (("d/model", ("string", model)), *((("d/numa", ("int", numa)),) if numa is not None else ())),
        capacity=(("m", Capacity(str(size), size * NANO)),) if size or shared else (),
        taints=(Taint("bad", "", "NoSchedule"),) if tainted else (),
        consumes=((COUNTER, amount),) if amount else (),
        shared=shared,
    ),
    st.sampled_from(MODELS),
    st.none() | st.integers(0, 1),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([0, 0, 1, 2]),
    st.sampled_from([0, 2, 4]),
    st.sampled_from([False, False, True]),
)


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    found = draw(st.lists(devices, max_size=5))
    offers = (Offer(("d", "p", f"d{n}"), device._replace(name=f"d{n}"), n, {}, Where("n")) for n, device in enumerate(found))
    return Pool(("d", "p"), "", tuple(offers), ((COUNTER, draw(st.integers(0, 4))),))


def requests(name: str) -> st.SearchStrategy[Request]:
    return st.builds(
        lambda selectors, count, admin, size: Request(name, "c", selectors, count, admin, capacity=(("m", size * NANO),) if size else ()),
        st.sampled_from([(), *((model,) for model in MODELS)]),
        st.sampled_from([1, 1, 2, 3, None]),
        st.sampled_from([False, False, False, True]),
        st.sampled_from([0, 0, 1, 3]),
    )


def choices(name: str) -> st.SearchStrategy[Choice]:
    several = st.tuples(requests(f"{name}/s0"), requests(f"{name}/s1")).map(lambda found: Choice(name, found, scored=True))
    return requests(name).map(lambda found: Choice(name, (found,))) | several


constraints = st.builds(
    Constraint, st.sampled_from([(), ("r0",), ("r0", "r1"), ("r1/s0",)]), st.sampled_from(["d/numa", "d/model"]), st.booleans()
)


def is_answerable(wish: Wish) -> bool:
    """That all devices keep to a constraint is not looked for: where they do not, that is an error."""
    return not wish.constraints or all(each.device_count is not None for choice in wish.choices for each in choice.alternatives)


wishes = st.builds(
    lambda found, kept: Wish(tuple(found), tuple(kept)),
    st.tuples(choices("r0"), choices("r1")).map(list) | choices("r0").map(lambda found: [found]),
    st.lists(constraints, max_size=1),
).filter(is_answerable)
some_of = st.sets(st.integers(0, 4), max_size=2)


@given(st.lists(wishes, min_size=1, max_size=2).map(tuple), pools(), some_of, some_of)
@settings(max_examples=400, deadline=None)
def test_a_solution_is_found_if_there_is_one_and_it_has_the_first_alternatives(
    wanted: tuple[Wish, ...], pool: Pool, taken: set[int], parted: set[int]
) -> None:
    taken = {number for number in taken if number < len(pool.offers)}
    used = {number: 2 * NANO for number in parted if number < len(pool.offers) and pool.offers[number].device.shared}
    usage = Usage(frozenset(taken), tuple((number, (("m", amount),)) for number, amount in used.items()), (pool.counters,))
    found = allocate(wanted, [pool], usage, twin.selects)
    left = dict(pool.counters)
    assert (None if found is None else found.score) == twin.best_score(wanted, pool, taken, used, left)
    if found is not None:
        picks = [[(pick.request, pick.number) for pick in each] for each in found.picks]
        assert twin.is_solution(wanted, picks, pool.offers, taken, used, left)


def numbered(found: list[Device]) -> tuple[Device, ...]:
    return tuple(device._replace(name=f"d{number}", consumes=()) for number, device in enumerate(found))


names = st.sampled_from(["n0", "n1", ""])
slices = st.builds(
    lambda name, at, pool, generation, count, found: Slice(name, "d", f"pool-{pool}", generation, count, Where(at), numbered(found)),
    st.sampled_from(["s0", "s1", "s2"]),
    names,
    names,
    st.integers(1, 2),
    st.integers(1, 2),
    st.lists(devices, max_size=3),
)
held = st.lists(st.tuples(names.map(lambda at: f"pool-{at}"), st.sampled_from(["d0", "d1"])), max_size=2).map(
    lambda found: tuple(Held(("d", pool, device)) for pool, device in found)
)
WISH = Wish((Choice("r", (Request("r", "c"),)),))
keys = st.sampled_from(["x/a", "x/b"])
claims = st.builds(lambda key, allocation: DeviceClaim(key, "u", WISH, allocation=allocation), keys, st.none() | held)
rules = st.builds(
    lambda pool, device: TaintRule("t", Taint("bad", "", "NoExecute"), ("", f"pool-{pool}", device)), names, st.sampled_from(["d0", ""])
)
steps = st.one_of(
    st.tuples(st.just("set"), slices | claims | rules),
    st.tuples(st.just("drop"), st.sampled_from([(Slice, "s0"), (Slice, "s1"), (DeviceClaim, "x/a"), (TaintRule, "t")])),
    st.tuples(st.just("assume"), claims),
    st.tuples(st.just("restore"), st.sampled_from(["x/a", "x/b"])),
    st.tuples(st.just("look"), st.sampled_from(["n0", "n1"])),
)


@given(st.lists(steps, max_size=30))
@settings(max_examples=200, deadline=None)
def test_what_is_remembered_equals_what_is_found_afresh(changes: list[tuple]) -> None:
    kept, nodes = Devices(), {name: node(name) for name in ("n0", "n1")}
    columns = Columns(devices=kept)
    for each in nodes.values():
        columns.set_node(each)
    rows: dict[tuple[type, str], object] = {}
    kept.set(DeviceClass("c"))
    assumed: dict[str, DeviceClaim] = {}
    for step, value in changes:
        if step == "set":
            kept.set(value)
            rows[(type(value), value[0])] = value
            if isinstance(value, DeviceClaim) and value.allocation is not None:
                assumed.pop(value.key, None)
        elif step == "drop":
            kept.remove(*value)
            rows.pop(value, None)
            assumed.pop(value[1], None)
        elif step == "assume" and (DeviceClaim, value.key) in rows and rows[(DeviceClaim, value.key)].allocation is None:  # type: ignore[attr-defined]
            kept.assume(value)
            assumed[value.key] = value
        elif step == "restore":
            kept.restore(value)
            assumed.pop(value, None)
        fresh = Devices()
        fresh.set(DeviceClass("c"))
        for row in rows.values():
            fresh.set(row)  # type: ignore[arg-type]
        for claim in assumed.values():
            fresh.assume(claim)
        whole = verdict((WISH,), columns)
        assert [code == 0 for code in whole.codes] == [fresh.allocate((WISH,), each) is not None for each in nodes.values()]
        for each in nodes.values():
            assert kept.allocate((WISH,), each) == fresh.allocate((WISH,), each)
