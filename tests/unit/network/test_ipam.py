"""Addresses of one node's pods: given once, released, rested, adopted."""

import pytest

from kcore.network.ipam import Exhausted, NodeIpam
from kcore.network.record import Entry, MemoryRecord, RecordError

SMALL = ["10.1.0.0/29"]
DUAL = ["10.1.0.0/29", "fd00:1::/64"]


class ListRecord(MemoryRecord):
    """Keeps what it is told; can be made to fail."""

    __slots__ = ("appended", "fails", "given")

    def __init__(self, given: tuple[Entry, ...] = ()) -> None:
        self.given = given
        self.appended: list[Entry] = []
        self.fails = False

    def entries(self) -> tuple[Entry, ...]:
        return self.given

    def append(self, entry: Entry) -> None:
        if self.fails:
            raise RecordError("the disk is full")
        self.appended.append(entry)


def test_addresses_start_behind_the_gateway() -> None:
    ipam = NodeIpam(SMALL)
    assert ipam.gateways == ("10.1.0.1",)
    assert ipam.allocate("a") == ("10.1.0.2",)
    assert ipam.allocate("b") == ("10.1.0.3",)


def test_a_pod_that_asks_again_gets_the_same_address() -> None:
    ipam = NodeIpam(SMALL)
    assert ipam.allocate("a") == ipam.allocate("a") == ipam.addresses("a")


def test_dual_stack_pods_have_one_address_of_each_family() -> None:
    assert NodeIpam(DUAL).allocate("a") == ("10.1.0.2", "fd00:1::2")


def test_exhaustion_names_the_range() -> None:
    ipam = NodeIpam(SMALL)
    for owner in "abcde":
        assert isinstance(ipam.allocate(owner), tuple)
    answer = ipam.allocate("f")
    assert isinstance(answer, Exhausted)
    assert answer.message == "no IP addresses available in range 10.1.0.2-10.1.0.6 of pod CIDR 10.1.0.0/29"
    assert answer.rest_s == 0
    assert ipam.free() == 0


def test_an_exhausted_family_takes_nothing_of_the_other() -> None:
    ipam = NodeIpam(["fd00:1::/64", "10.1.0.0/30"])
    assert ipam.allocate("a") == ("fd00:1::2", "10.1.0.2")
    assert isinstance(ipam.allocate("b"), Exhausted)
    ipam.release("a")
    assert ipam.allocate("b") == ("fd00:1::3", "10.1.0.2")


def test_a_released_address_comes_back_last() -> None:
    ipam = NodeIpam(SMALL)
    ipam.allocate("a")
    ipam.allocate("b")
    ipam.release("b")
    ipam.release("a")
    assert [ipam.allocate(owner)[0] for owner in "cdefg"] == [f"10.1.0.{n}" for n in (4, 5, 6, 3, 2)]  # type: ignore[index]


def test_a_released_address_rests_at_least_so_long() -> None:
    ipam = NodeIpam(["10.1.0.0/30"], rest_s=5.0)
    ipam.allocate("a", now=0.0)
    ipam.release("a", now=10.0)
    answer = ipam.allocate("b", now=12.0)
    assert isinstance(answer, Exhausted)
    assert answer.rest_s == 3.0
    assert ipam.allocate("b", now=15.0) == ("10.1.0.2",)


def test_releasing_what_nobody_has_changes_nothing() -> None:
    assert NodeIpam(SMALL).release("nobody") == ()


def test_retain_takes_back_what_vanished_pods_had() -> None:
    ipam = NodeIpam(SMALL)
    for owner in "abc":
        ipam.allocate(owner)
    assert ipam.retain(["b", "z"]) == ("a", "c")
    assert ipam.owners() == {"b"}


def test_adopted_addresses_are_not_given_again() -> None:
    ipam = NodeIpam(DUAL)
    assert ipam.adopt("old", ["10.1.0.4", "fd00:1::9"]) == ()
    assert ipam.adopt("old", ["10.1.0.4", "fd00:1::9"]) == ()
    assert ipam.allocate("a") == ("10.1.0.5", "fd00:1::a")
    assert ipam.allocate("b") == ("10.1.0.6", "fd00:1::b")
    assert ipam.allocate("c") == ("10.1.0.2", "fd00:1::c")
    assert ipam.allocate("d") == ("10.1.0.3", "fd00:1::d")
    assert isinstance(ipam.allocate("e"), Exhausted)


def test_an_adopted_address_that_is_released_is_given_once() -> None:
    ipam = NodeIpam(SMALL)
    ipam.adopt("old", ["10.1.0.3"])
    ipam.release("old")
    assert sorted(ipam.allocate(owner)[0] for owner in "abcde") == [f"10.1.0.{n}" for n in range(2, 7)]  # type: ignore[index]
    assert isinstance(ipam.allocate("f"), Exhausted)


def test_an_address_that_was_released_can_be_adopted() -> None:
    ipam = NodeIpam(["10.1.0.0/30"])
    ipam.allocate("a")
    ipam.release("a")
    assert ipam.adopt("b", ["10.1.0.2"]) == ()
    assert isinstance(ipam.allocate("c"), Exhausted)


@pytest.mark.parametrize(
    ("addresses", "reason"),
    [
        (["10.1.0.2", "fd00:1::2"], "address 10.1.0.2 is held by pod a"),
        (["10.9.0.2", "fd00:1::3"], "address 10.9.0.2 is outside 10.1.0.0/29, fd00:1::/64"),
        (["10.1.0.1", "fd00:1::3"], "address 10.1.0.1 is outside"),
        (["10.1.0.7", "fd00:1::3"], "address 10.1.0.7 is outside"),
        (["ten", "fd00:1::3"], "address ten is malformed"),
        (["10.1.0.3"], "are not one of each of"),
        (["10.1.0.3", "10.1.0.4"], "are not one of each of"),
    ],
)
def test_addresses_that_cannot_be_a_pods_are_problems(addresses: list[str], reason: str) -> None:
    ipam = NodeIpam(DUAL)
    ipam.allocate("a")
    problems = ipam.adopt("b", addresses)
    assert reason in problems[0].message
    assert ipam.addresses("b") == ()


def test_what_cannot_be_recorded_is_not_given() -> None:
    record = ListRecord()
    ipam = NodeIpam(SMALL, record)
    record.fails = True
    with pytest.raises(RecordError, match="disk is full"):
        ipam.allocate("a")
    assert ipam.addresses("a") == ()
    record.fails = False
    assert ipam.allocate("a") == ("10.1.0.2",)
    record.fails = True
    with pytest.raises(RecordError, match="disk is full"):
        ipam.release("a")
    assert ipam.addresses("a") == ("10.1.0.2",)


def test_a_recorded_past_is_taken_over() -> None:
    record = ListRecord((Entry("gone", ("10.1.0.5",), held=False), Entry("a", ("10.1.0.2",)), Entry("b", ("10.1.0.4",))))
    ipam = NodeIpam(SMALL, record)
    assert ipam.owners() == {"a", "b"}
    assert [ipam.allocate(owner)[0] for owner in "cde"] == ["10.1.0.6", "10.1.0.3", "10.1.0.5"]  # type: ignore[index]
    assert isinstance(ipam.allocate("f"), Exhausted)


def test_a_record_that_gives_one_address_to_two_pods_is_refused() -> None:
    record = ListRecord((Entry("a", ("10.1.0.2",)), Entry("b", ("10.1.0.2",))))
    with pytest.raises(ValueError, match=r"10\.1\.0\.2 is held by pod a"):
        NodeIpam(SMALL, record)


@pytest.mark.parametrize("cidrs", [[], ["10.1.0.0/31"], ["10.1.0.0/32"], ["pods"]])
def test_podcidrs_without_room_are_refused(cidrs: list[str]) -> None:
    with pytest.raises(ValueError):
        NodeIpam(cidrs)


def test_a_vast_subnet_costs_no_more_than_its_bound() -> None:
    ipam = NodeIpam(["fd00:1::/64"])
    assert ipam.free() == 1 << 16
    for number in range(100_000):
        assert isinstance(ipam.allocate(str(number)), tuple)
        ipam.release(str(number))
