"""Node subnets: cut from the cluster CIDRs, one a family, given round and never twice."""

import pytest

from kcore.network.subnet import SubnetAllocator, SubnetsExhausted, cluster_ranges

SINGLE = cluster_ranges(["10.244.0.0/22"])
DUAL = cluster_ranges(["10.244.0.0/23", "fd00:10:244::/56"])


def test_nodes_get_consecutive_subnets() -> None:
    allocator = SubnetAllocator(SINGLE)
    assert allocator.allocate("a") == ("10.244.0.0/24",)
    assert allocator.allocate("b") == ("10.244.1.0/24",)
    assert allocator.subnets("b") == ("10.244.1.0/24",)
    assert allocator.usage() == (("10.244.0.0/22", 2, 4),)


def test_a_node_that_has_subnets_keeps_them() -> None:
    allocator = SubnetAllocator(SINGLE)
    assert allocator.allocate("a") == allocator.allocate("a")
    assert allocator.usage()[0][1] == 1


def test_dual_stack_gives_one_of_each_family_in_order() -> None:
    allocator = SubnetAllocator(DUAL)
    allocator.allocate("a")
    assert allocator.allocate("b") == ("10.244.1.0/24", "fd00:10:244:1::/64")


def test_exhaustion_is_a_value_with_a_sentence() -> None:
    allocator = SubnetAllocator(DUAL)
    allocator.allocate("a")
    allocator.allocate("b")
    answer = allocator.allocate("c")
    assert isinstance(answer, SubnetsExhausted)
    assert answer.message == "no subnet of 10.244.0.0/23 is free for the node: all 2 are taken"
    assert allocator.usage()[1][1] == 2, "the other family must not lose a subnet"


def test_a_subnet_that_was_given_back_is_the_last_to_be_given() -> None:
    allocator = SubnetAllocator(SINGLE)
    allocator.allocate("a")
    assert allocator.release("a") == ("10.244.0.0/24",)
    assert [allocator.allocate(name) for name in "bcde"] == [(f"10.244.{index}.0/24",) for index in (1, 2, 3, 0)]


def test_release_of_an_unknown_node_is_no_matter() -> None:
    assert SubnetAllocator(SINGLE).release("nobody") == ()


def test_adopted_subnets_are_not_given_again() -> None:
    allocator = SubnetAllocator(SINGLE)
    assert allocator.adopt("old", ["10.244.0.0/24"]) == ()
    assert allocator.allocate("new") == ("10.244.1.0/24",)
    assert allocator.nodes() == {"old", "new"}


def test_a_larger_adopted_subnet_takes_all_that_it_covers() -> None:
    allocator = SubnetAllocator(SINGLE)
    allocator.adopt("old", ["10.244.0.0/23"])
    assert allocator.allocate("new") == ("10.244.2.0/24",)


def test_a_subnet_that_two_nodes_name_is_reported_and_stays_taken_until_both_went() -> None:
    allocator = SubnetAllocator(SINGLE)
    allocator.adopt("a", ["10.244.0.0/24"])
    (problem,) = allocator.adopt("b", ["10.244.0.0/24"])
    assert problem.message == "podCIDR 10.244.0.0/24 of node b overlaps that of node a"
    allocator.release("a")
    assert allocator.usage()[0][1] == 1
    allocator.release("b")
    assert allocator.usage()[0][1] == 0


@pytest.mark.parametrize(("cidr", "reason"), [("192.168.0.0/24", "is outside the cluster CIDRs"), ("nonsense", "is not a CIDR")])
def test_a_foreign_podcidr_is_reported_and_kept(cidr: str, reason: str) -> None:
    allocator = SubnetAllocator(SINGLE)
    (problem,) = allocator.adopt("a", [cidr])
    assert reason in problem.message
    assert allocator.allocate("a") == (cidr,)
    assert allocator.release("a") == (cidr,)
    assert allocator.usage()[0][1] == 0


def test_adopting_again_replaces_what_the_node_named_before() -> None:
    allocator = SubnetAllocator(SINGLE)
    allocator.adopt("a", ["10.244.0.0/24"])
    allocator.adopt("a", ["10.244.3.0/24"])
    assert allocator.subnets("a") == ("10.244.3.0/24",)
    assert allocator.usage()[0][1] == 1


def test_a_subnet_named_twice_by_one_node_is_released_once() -> None:
    allocator = SubnetAllocator(SINGLE)
    allocator.adopt("a", ["10.244.0.0/24", "10.244.0.0/24"])
    allocator.release("a")
    assert allocator.usage()[0][1] == 0


def test_reserved_ranges_are_left_out() -> None:
    allocator = SubnetAllocator(SINGLE, reserved=["10.244.0.0/23", "10.96.0.0/16"])
    assert allocator.allocate("a") == ("10.244.2.0/24",)


@pytest.mark.parametrize(
    ("cidrs", "reason"),
    [
        ([], "no cluster CIDR is given"),
        (["10.0.0.0/16", "10.1.0.0/16"], "one of each family"),
        (["10.0.0.0/25"], "does not fit"),
        (["fd00::/40"], "more than 2^16 subnets"),
        (["10.0.0.1/16"], "has host bits set"),
        (["pods"], "does not appear to be"),
    ],
)
def test_cluster_cidrs_that_cannot_serve_are_refused(cidrs: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason.replace("^", r"\^")):
        cluster_ranges(cidrs)


def test_ten_thousand_nodes_fit_into_the_default_range() -> None:
    allocator = SubnetAllocator(cluster_ranges(["10.128.0.0/9"]))
    given = {allocator.allocate(f"node-{number}") for number in range(10_000)}
    assert len(given) == 10_000
