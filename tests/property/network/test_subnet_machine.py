"""SubnetAllocator against a plain model: no subnet to two nodes, whatever comes and goes, and rebuilding from podCIDRs changes nothing."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kcore.network.subnet import SubnetAllocator, SubnetsExhausted, cluster_ranges

RANGES = cluster_ranges(["10.1.0.0/22", "fd00::/61"])
COUNT = 4
names = st.integers(0, 7).map(lambda n: f"node-{n}")


class SubnetMachine(RuleBasedStateMachine):
    """A cluster with room for four nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.allocator = SubnetAllocator(RANGES)
        self.model: dict[str, tuple[str, ...]] = {}

    @rule(name=names)
    def allocate(self, name: str) -> None:
        answer = self.allocator.allocate(name)
        if isinstance(answer, SubnetsExhausted):
            assert len(self.model) == COUNT
            assert name not in self.model
            return
        assert self.model.get(name, answer) == answer
        assert not {cidr for other, held in self.model.items() if other != name for cidr in held} & set(answer)
        self.model[name] = answer

    @rule(name=names)
    def release(self, name: str) -> None:
        assert self.allocator.release(name) == self.model.pop(name, ())

    @rule()
    def rebuild(self) -> None:
        self.allocator = SubnetAllocator(RANGES)
        for name, cidrs in self.model.items():
            assert self.allocator.adopt(name, cidrs) == ()

    @invariant()
    def both_agree(self) -> None:
        assert {name: self.allocator.subnets(name) for name in self.allocator.nodes()} == self.model
        assert [taken for _, taken, _ in self.allocator.usage()] == [len(self.model)] * len(RANGES)


SubnetMachine.TestCase.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
TestSubnetMachine = SubnetMachine.TestCase
