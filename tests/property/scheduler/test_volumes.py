"""Verdicts on claims against the slow way; pools, usage and assumptions against what is built afresh."""

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.scheduler.columns import Columns
from kcore.scheduler.rows import Account, Expression, Term
from kcore.scheduler.volumes.asks import ClaimUse, Disk, PodVolumes
from kcore.scheduler.volumes.catalog import Catalog
from kcore.scheduler.volumes.matching import verdict
from kcore.scheduler.volumes.needs import Refusal, needs_of
from kcore.scheduler.volumes.rows import NO_PROVISIONER, Claim, Class, Driver, Limits, Room, Volume
from tests.reference.scheduler import volumes as twin
from tests.unit.scheduler.pods import node

NODES = [node(f"n{number}", host=f"n{number}", zone=f"z{number % 2}") for number in range(4)]
CLASSES = {
    "local": Class("local", NO_PROVISIONER, True),
    "made": Class("made", "maker", True, (Term((Expression("zone", "In", ("z0",)),), ()),)),
    "roomy": Class("roomy", "roomer", True),
}
DRIVERS = {"roomer": Driver("roomer", True)}
NAMES = [f"v{number}" for number in range(6)]
KEYS = [f"default/c{number}" for number in range(3)]
class_names = st.sampled_from([*CLASSES, "none"])
modes = st.sampled_from([("ReadWriteOnce",), ("ReadWriteOnce", "ReadOnlyMany")])
affinities = st.none() | st.sampled_from(["host", "zone"]).flatmap(
    lambda key: st.sets(st.sampled_from(["n0", "n1", "n2", "z0", "z1"]), min_size=1, max_size=2).map(
        lambda values: (Term((Expression(key, "In", tuple(sorted(values))),), ()),)
    )
)
volumes = st.builds(
    lambda **fields: Volume(**fields),
    name=st.sampled_from(NAMES),
    labels=st.just(()),
    class_name=class_names,
    capacity_bytes=st.integers(1, 6),
    access_modes=modes,
    volume_mode=st.sampled_from(["Filesystem", "Filesystem", "Block"]),
    affinity=affinities,
    claim=st.sampled_from(["", "", "", *KEYS]),
    claim_uid=st.just(""),
    free=st.sampled_from([True, True, True, False]),
    driver=st.just("csi"),
    handle=st.sampled_from(["h0", "h1"]),
)
claims = st.builds(
    lambda **fields: Claim(**fields),
    key=st.sampled_from(KEYS),
    uid=st.just("u"),
    class_name=class_names.filter(lambda name: name != "none"),
    request_bytes=st.integers(1, 6),
    access_modes=modes,
    selected=st.sampled_from(["", "", "", "", "n1"]),
)
rooms = st.builds(
    lambda **fields: Room(**fields),
    key=st.sampled_from(["a", "b", "c"]),
    class_name=st.just("roomy"),
    nodes=st.none() | st.just(()) | st.just((Expression("zone", "In", ("z1",)),)),
    capacity_bytes=st.integers(0, 9),
    limit_bytes=st.none() | st.integers(0, 9),
)


def columns_of(*rows: object) -> Columns:
    columns = Columns()
    for each in NODES:
        columns.set_node(each)
    for row in (*CLASSES.values(), *DRIVERS.values(), *rows):
        columns.catalog.set(row)  # type: ignore[arg-type]
    return columns


@given(
    st.lists(volumes, max_size=6, unique_by=lambda volume: volume.name),
    st.lists(claims, min_size=1, max_size=3, unique_by=lambda claim: (claim.key, claim.request_bytes)),
    st.lists(rooms, max_size=3, unique_by=lambda room: room.key),
)
@settings(max_examples=300)
def test_the_verdict_on_each_node_is_that_of_the_slow_way(found: list[Volume], wanted: list[Claim], offered: list[Room]) -> None:
    wanted = list({claim.key: claim for claim in wanted}.values())
    sizes = [claim.request_bytes for claim in wanted]
    if len(set(sizes)) < len(sizes):
        wanted = wanted[:1]  # which of two equal claims chooses first is nobody's business
    columns = columns_of(*found, *wanted, *offered)
    needs = needs_of("default/p", PodVolumes(tuple(ClaimUse(claim.key) for claim in wanted)), columns.catalog, columns.usage)
    assert not isinstance(needs, Refusal)
    whole = verdict(needs, columns)
    world = twin.World(found, CLASSES, DRIVERS, offered)
    for slot, each in enumerate(NODES):
        reason, score = twin.look(wanted, each, world)
        assert {0: "", 1: twin.NO_VOLUME, 2: twin.NO_ROOM}[int(whole.codes[slot])] == reason
        if not reason:
            assert int(whole.scores[slot]) == score


uses = st.builds(
    PodVolumes,
    st.lists(st.sampled_from(KEYS), max_size=3).map(lambda keys: tuple(map(ClaimUse, keys))),
    st.lists(st.builds(Disk, st.sampled_from([("ebs", "a"), ("gce", "b")]), st.booleans()), max_size=2).map(tuple),
)
bound_claims = st.builds(
    lambda claim, name, complete: claim._replace(volume_name=name, complete=complete), claims, st.sampled_from(["", *NAMES]), st.booleans()
)
steps = st.one_of(
    st.tuples(st.just("set"), volumes | bound_claims),
    st.tuples(st.just("drop"), st.sampled_from([(Volume, name) for name in NAMES] + [(Claim, key) for key in KEYS])),
    st.tuples(st.just("place"), st.sampled_from(["n0", "n1", "gone"]), uses),
    st.tuples(st.just("displace"), st.integers(0, 99)),
    st.tuples(st.just("give"), st.sampled_from(NAMES), st.sampled_from(KEYS)),
    st.tuples(st.just("select"), st.sampled_from(KEYS)),
    st.tuples(st.just("restore"), st.sampled_from(NAMES), st.sampled_from(KEYS)),
)


@given(st.lists(steps, max_size=40))
@settings(max_examples=200)
def test_pools_and_usage_equal_those_built_afresh_after_any_changes(changes: list[tuple]) -> None:
    columns, placed = columns_of(Limits("n0", (("csi", 1),))), []
    catalog = columns.catalog
    for step, *values in changes:
        if step == "set":
            catalog.set(values[0])
        elif step == "drop":
            catalog.remove(*values[0])
        elif step == "place":
            placed.append((values[0], Account(volumes=values[1])))
            columns.place(*placed[-1])
        elif step == "displace" and placed:
            columns.displace(*placed.pop(values[0] % len(placed)))
        elif step == "give":
            volume, claim = catalog.volume(values[0]), catalog.claim(values[1])
            if volume is not None and claim is not None and volume.claimable:
                catalog.assume_volume(values[0], claim)
        elif step == "select" and catalog.shown_claim(values[0]) is not None:
            catalog.assume_claim(values[0], "n1")
        elif step == "restore":
            catalog.restore_volume(values[0])
            catalog.restore_claim(values[1])
        for key in KEYS:
            columns.recount(key)
    rebuilt = Columns(catalog)
    for each in NODES:
        rebuilt.set_node(each)
    for name, account in placed:
        rebuilt.place(name, account)
    assert columns.held() == rebuilt.held()
    assert pooled(catalog) == claimable(map(catalog.volume, NAMES))
    for key in KEYS:
        claim = catalog.claim(key)
        if claim is not None:
            named = [name for name in NAMES if (volume := catalog.volume(name)) is not None and volume.claim == key]
            assert [volume.name for volume in catalog.volumes_of(claim)] == named
    for name in NAMES:
        catalog.restore_volume(name)
    for key in KEYS:
        catalog.restore_claim(key)
    assert catalog.assumed_count == 0
    assert pooled(catalog) == claimable(map(catalog.shown_volume, NAMES))


def claimable(found: Iterable[Volume | None]) -> set[str]:
    return {volume.name for volume in found if volume is not None and volume.claimable}


def pooled(catalog: Catalog) -> set[str]:
    return {name for pool in catalog.pools.values() for names in pool._names for name in names}
