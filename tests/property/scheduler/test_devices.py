"""The search for devices against the slow way, and what is remembered against what is found afresh."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.scheduler.columns import Columns
from kcore.scheduler.dra.allocator import allocate
from kcore.scheduler.dra.asks import Choice, Constraint, Request, Wish
from kcore.scheduler.dra.devices import Devices
from kcore.scheduler.dra.rows import Device, DeviceClaim, DeviceClass, Offer, Slice, Where
from kcore.scheduler.dra.verdict import verdict
from kcore.scheduler.rows import Taint
from tests.reference.scheduler import devices as twin
from tests.unit.scheduler.pods import node

MODELS = ("a", "b")
COUNTER = ("set", "slots")
devices = st.builds(
    lambda model, numa, tainted, amount: Device(
        "",
        (("d/model", ("string", model)), *((("d/numa", ("int", numa)),) if numa is not None else ())),
        taints=(Taint("bad", "", "NoSchedule"),) if tainted else (),
        consumes=((COUNTER, amount),) if amount else (),
    ),
    st.sampled_from(MODELS),
    st.none() | st.integers(0, 1),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([0, 0, 1, 2]),
)


@st.composite
def offers(draw: st.DrawFn) -> list[Offer]:
    found = draw(st.lists(st.tuples(devices, st.sampled_from([True, True, True, False])), max_size=5))
    return [
        Offer(("d", "p", f"d{number}"), device._replace(name=f"d{number}"), number, {}, usable, Where("n"))
        for number, (device, usable) in enumerate(found)
    ]


def requests(name: str) -> st.SearchStrategy[Request]:
    return st.builds(
        lambda selectors, count, admin: Request(name, "c", selectors, count, admin),
        st.sampled_from([(), *((model,) for model in MODELS)]),
        st.sampled_from([1, 1, 2, 3, None]),
        st.sampled_from([False, False, False, True]),
    )


def choices(name: str) -> st.SearchStrategy[Choice]:
    several = st.tuples(requests(f"{name}/s0"), requests(f"{name}/s1")).map(lambda found: Choice(name, found, scored=True))
    return requests(name).map(lambda found: Choice(name, (found,))) | several


constraints = st.builds(
    Constraint, st.sampled_from([(), ("r0",), ("r0", "r1"), ("r1/s0",)]), st.sampled_from(["d/numa", "d/model"]), st.booleans()
)
wishes = st.builds(
    lambda found, kept: Wish(tuple(found), tuple(kept)),
    st.tuples(choices("r0"), choices("r1")).map(list) | choices("r0").map(lambda found: [found]),
    st.lists(constraints, max_size=1),
)


@given(st.lists(wishes, min_size=1, max_size=2).map(tuple), offers(), st.sets(st.integers(0, 4), max_size=2), st.integers(0, 4))
@settings(max_examples=300, deadline=None)
def test_a_solution_is_found_if_there_is_one_and_it_has_the_first_alternatives(
    wanted: tuple[Wish, ...], offered: list[Offer], taken: set[int], slots: int
) -> None:
    taken &= set(range(len(offered)))
    left = {("d", "p", COUNTER): slots}
    found = allocate(wanted, offered, taken, left, twin.selects)
    assert (None if found is None else found.score) == twin.best_score(wanted, offered, taken, left)
    if found is not None:
        picks = [[(pick.request, pick.number, pick.admin) for pick in each] for each in found.picks]
        assert twin.is_solution(wanted, picks, offered, taken, left)


def numbered(found: list[Device]) -> tuple[Device, ...]:
    return tuple(device._replace(name=f"d{number}", consumes=()) for number, device in enumerate(found))


names = st.sampled_from(["n0", "n1", ""])
slices = st.builds(
    lambda name, at, generation, count, found: Slice(name, "d", f"pool-{at}", generation, count, Where(at), numbered(found)),
    st.sampled_from(["s0", "s1", "s2"]),
    names,
    st.integers(1, 2),
    st.integers(1, 2),
    st.lists(devices, max_size=3),
)
held = st.lists(st.tuples(names.map(lambda at: f"pool-{at}"), st.sampled_from(["d0", "d1"])), max_size=2).map(
    lambda found: tuple((("d", pool, device), False) for pool, device in found)
)
WISH = Wish((Choice("r", (Request("r", "c"),)),))
keys = st.sampled_from(["x/a", "x/b"])
claims = st.builds(lambda key, allocation: DeviceClaim(key, "u", WISH, allocation=allocation), keys, st.none() | held)
steps = st.one_of(
    st.tuples(st.just("set"), slices | claims),
    st.tuples(st.just("drop"), st.sampled_from([(Slice, "s0"), (Slice, "s1"), (DeviceClaim, "x/a")])),
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
        assert [bool(can) for can in whole.can] == [fresh.allocate((WISH,), each) is not None for each in nodes.values()]
        for each in nodes.values():
            assert kept.allocate((WISH,), each) == fresh.allocate((WISH,), each)
