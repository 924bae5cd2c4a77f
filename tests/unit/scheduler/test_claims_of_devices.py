"""What resource claims and extended resources ask for, what a request takes of a shared device, and what a pod has claims give back."""

from typing import Any

import pytest

from kcore.machinery.quantity import parse
from kcore.scheduler.columns import Columns
from kcore.scheduler.cycle import Decision, schedule
from kcore.scheduler.dra.asks import Choice, ClaimReference, Extended, ExtendedContainer, Request, Wish
from kcore.scheduler.dra.capacity import AllocationError, Capacity, Range, consumed, fits
from kcore.scheduler.dra.devices import DevicesChanged
from kcore.scheduler.dra.extended import Mapping, plan
from kcore.scheduler.dra.rows import Consumer, Device, DeviceClaim, DeviceClass, Held, Readiness, Slice, TaintRule, Where
from kcore.scheduler.evaluation import Evaluations
from kcore.scheduler.labels import NAME_FIELD
from kcore.scheduler.plugins.dynamic_resources import DynamicResources
from kcore.scheduler.plugins.node_resources_fit import NodeResourcesFit
from kcore.scheduler.rows import Expression, PodRow, Taint, Term, Toleration
from tests.unit.scheduler.pods import SMALL, node, pod


def capacity(text: str, **policy: Any) -> Capacity:
    def amount(found: str) -> int:
        return parse(found).nano

    bounds = policy.pop("range", None)
    found = {name: tuple(map(amount, value)) if name == "values" else amount(value) for name, value in policy.items()}
    return Capacity(text, amount(text), range=Range(*map(amount, bounds)) if bounds else None, **found)


@pytest.mark.parametrize(
    ("there_is", "asked", "taken"),
    [
        (capacity("16Gi"), None, "16Gi"),
        (capacity("16Gi"), "3Gi", "3Gi"),
        (capacity("16Gi", default="1Gi", values=["1Gi", "4Gi"]), None, "1Gi"),
        (capacity("16Gi", default="1Gi", values=["1Gi", "4Gi"]), "2Gi", "4Gi"),
        (capacity("16Gi", default="1Gi", range=["1Gi", "8Gi", "2Gi"]), "512Mi", "1Gi"),
        (capacity("16Gi", default="1Gi", range=["1Gi", "8Gi", "2Gi"]), "2Gi", "3Gi"),
        (capacity("10", default="1", range=["500m", "8", "500m"]), "1200m", "1500m"),
    ],
)
def test_a_request_is_rounded_up_to_what_the_policy_of_a_device_allows(there_is: Capacity, asked: str | None, taken: str):
    requests = {} if asked is None else {"m": parse(asked).nano}
    assert consumed([("m", there_is)], requests) == {"m": parse(taken).nano}
    assert fits([("m", there_is)], requests, {})


@pytest.mark.parametrize(
    ("there_is", "asked", "used"),
    [
        (capacity("16Gi"), "3Gi", "14Gi"),
        (capacity("16Gi", default="1Gi", values=["1Gi", "4Gi"]), "5Gi", "0"),
        (capacity("16Gi", default="1Gi", range=["1Gi", "8Gi", "2Gi"]), "8Gi", "0"),
    ],
)
def test_what_is_too_much_or_against_the_policy_does_not_fit(there_is: Capacity, asked: str, used: str):
    assert not fits([("m", there_is)], {"m": parse(asked).nano}, {"m": parse(used).nano})
    assert not fits([], {"m": parse(asked).nano}, {})


def test_an_amount_below_nothing_is_an_error():
    with pytest.raises(AllocationError, match="capacity value is negative"):
        consumed([("m", capacity("-1"))], {})


def container(number: int, count: int, starting: bool = False) -> ExtendedContainer:
    return ExtendedContainer(number, f"c{number}", starting, (("x/gpu", count, 1),) if count else ())


def test_containers_that_start_a_pod_use_the_devices_of_those_that_run_later_and_one_asks_for_what_they_lack():
    extended = Extended((("x/gpu", "gpu"),), (container(0, 1, True), container(1, 3, True), container(2, 2)))
    found = plan(extended, ["x/gpu"])
    requests = [(choice.name, choice.alternatives[0].device_count) for choice in found.wish.choices]
    assert requests == [("container-1-request-1", 1), ("container-2-request-1", 2)]
    assert found.mappings == (
        Mapping("c2", "x/gpu", "container-2-request-1"),
        Mapping("c0", "x/gpu", "container-2-request-1"),
        Mapping("c1", "x/gpu", "container-2-request-1"),
        Mapping("c1", "x/gpu", "container-1-request-1"),
    )


GPU = DeviceClass("gpu", extended="x/gpu")
ONE = Wish((Choice("r", (Request("r", "gpu"),)),))
HERE = (Term((), (Expression(NAME_FIELD, "In", ("n0",)),)),)


def cluster(*rows: Any, **more: int) -> Columns:
    columns = Columns()
    for name in ("n0", "n1"):
        columns.set_node(node(name)._replace(allocatable=(("cpu", 4000), ("memory", 1 << 30), *more.items())))
    for row in (GPU, *rows):
        columns.devices.set(row)
    return columns


def gpus(at: str, count: int = 1, **more: Any) -> Slice:
    return Slice(f"s-{at}", "d", at, 1, 1, Where(at), tuple(Device(f"g{number}", **more) for number in range(count)))


def claiming(*names: str, **more: Any) -> PodRow:
    return pod("p", SMALL._replace(claims=tuple(ClaimReference(f"default/{name}") for name in names), **more))


def decide(asked: PodRow, columns: Columns) -> Decision:
    return schedule(asked, columns, Evaluations(), lambda _: 0)


def test_an_extended_resource_comes_from_a_node_that_offers_it_or_from_its_devices():
    asked = pod("p", SMALL._replace(amounts=(*SMALL.amounts, ("x/gpu", 1)), extended=(container(0, 1),)))
    assert decide(asked, cluster(gpus("n1"))).node == "n1"
    assert decide(asked, cluster()).message.startswith("0/2 nodes are available: 2 cannot allocate all claims.")
    columns = cluster(gpus("n1"))
    columns.set_node(node("n1")._replace(allocatable=(("cpu", 4000), ("memory", 1 << 30), ("x/gpu", 0))))
    assert decide(asked, columns).node == "n1"
    columns.devices.remove(DeviceClass, "gpu")
    assert "Insufficient x/gpu" in decide(asked, columns).message


def test_a_tainted_device_is_given_to_whom_the_taint_does_not_matter():
    rule = TaintRule("t", Taint("sick", "", "NoExecute"), ("", "n0", ""))
    tolerant = Wish((Choice("r", (Request("r", "gpu", tolerations=(Toleration("sick", "Exists", "", ""),)),)),))
    columns = cluster(gpus("n0"), rule, DeviceClaim("default/a", "u", ONE), DeviceClaim("default/b", "v", tolerant))
    assert decide(claiming("a"), columns).node is None
    assert decide(claiming("b"), columns).node == "n0"
    columns.devices.remove(TaintRule, "t")
    assert decide(claiming("a"), columns).node == "n0"


def test_a_claim_gives_devices_back_that_its_pod_cannot_use_and_nobody_else_does():
    held = DeviceClaim("default/a", "u", ONE, allocation=(Held(("d", "gone", "g0")),), terms=(Term((), ()),))
    columns = cluster(held)
    found = decide(claiming("a"), columns)
    assert found.message == "0/2 nodes are available: 2 resourceclaim not available on the node. deallocation of ResourceClaim completed"
    assert [write.patch["status"] for write in found.writes] == [{"reservedFor": None, "allocation": None, "devices": None}]
    columns.devices.set(held._replace(reserved=(Consumer("pods", "q", "uid-q"),)))
    assert not decide(claiming("a"), columns).writes


@pytest.mark.parametrize(
    ("readiness", "node_name"),
    [
        (Readiness(waits=True, ready=True, since=1), "n0"),
        (Readiness(waits=True, ready=False, since=9_000), "n0"),
        (Readiness(waits=True, ready=False, since=1), None),
        (Readiness(waits=True, ready=False, failure="device binding failed: ..."), None),
    ],
)
def test_devices_that_failed_or_were_not_ready_in_time_are_good_for_nobody(readiness: Readiness, node_name: str | None):
    held = DeviceClaim("default/a", "u", ONE, allocation=(Held(("d", "n0", "g0")),), terms=HERE, readiness=readiness)
    columns = cluster(gpus("n0"), held)
    columns.devices.now = 9_100.0
    assert decide(claiming("a"), columns).node == node_name


def test_a_question_that_cannot_be_answered_ends_the_attempt():
    every = Wish((Choice("r", (Request("r", "gpu", device_count=None),)),))
    columns = cluster(gpus("n0")._replace(slice_count=2), DeviceClaim("default/a", "u", every))
    found = decide(claiming("a"), columns)
    assert found.failed and found.message == (
        'running "DynamicResources" filter plugin: claim default/a, request r: asks for all devices, '
        "but resource pool d/n0 is currently being updated"
    )


def test_a_search_that_takes_too_long_is_given_up():
    names = [f"r{number}" for number in range(8)]
    wish = Wish(tuple(Choice(name, (Request(name, "gpu", device_count=4),)) for name in names))
    columns = cluster(gpus("n0", 31), DeviceClaim("default/a", "u", wish))
    found = decide(claiming("a"), columns)
    assert found.failed and "node n0: timed out trying to allocate devices" in found.message


def test_who_waits_for_devices_is_woken_by_what_can_help():
    asked, held = claiming("a").ask, DeviceClaim("default/b", "u", ONE, allocation=(Held(("d", "n0", "g0")),))
    cases = [
        (DevicesChanged(None, gpus("n0")), True),
        (DevicesChanged(None, TaintRule("t", Taint("a", "", ""))), True),
        (DevicesChanged(None, held), False),
        (DevicesChanged(held, held._replace(allocation=None)), True),
        (DevicesChanged(None, held._replace(key="default/a")), True),
    ]
    for event, wakes in cases:
        assert DynamicResources().wakes(event, asked) is wakes, event
    wants = SMALL._replace(amounts=(("x/gpu", 1),))
    assert NodeResourcesFit().wakes(DevicesChanged(None, GPU), wants)
    assert not NodeResourcesFit().wakes(DevicesChanged(GPU, GPU._replace(selectors=("true",))), wants)
