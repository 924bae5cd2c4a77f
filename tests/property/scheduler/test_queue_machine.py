"""The queue against a model: no pod is forgotten, none is handed out twice, and none before its time."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kcore.scheduler.events import NodeChanged, PodGone
from kcore.scheduler.profile import DEFAULT
from kcore.scheduler.queue import Queue, State, backoff_s
from kcore.scheduler.rows import Account
from tests.unit.scheduler.pods import node, pod

NAMES = ("a", "b", "c", "d")
REJECTED_BY = (("NodeResourcesFit",), ("NodeAffinity",), ("NodeAffinity", "NodeResourcesFit"), ("GangScheduling",), ())


class QueueMachine(RuleBasedStateMachine):
    """Pods come, go and change; attempts fail; events and time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = Queue(DEFAULT.wakers)
        self.now = 0.0
        self.pods = {}
        self.out = {}
        self.failures = {}
        self.waits = {}

    @rule(name=st.sampled_from(NAMES), priority=st.sampled_from((0, 0, 5)), gated=st.booleans())
    def update(self, name: str, priority: int, gated: bool) -> None:
        if name in self.pods and gated and not self.pods[name].gates:
            return
        self.pods[name] = pod(name, priority=priority, gates=("x",) if gated else ())
        self.queue.update(self.pods[name], self.now)

    @rule(name=st.sampled_from(NAMES))
    def delete(self, name: str) -> None:
        for known in (self.pods, self.out, self.failures, self.waits):
            known.pop(name, None)
        self.queue.delete(f"default/{name}")

    @rule()
    def pop(self) -> None:
        row = self.queue.pop(self.now)
        ready = [name for name in self.pods if self.queue.state(f"default/{name}") is State.ACTIVE]
        if row is None:
            assert ready == []
            return
        assert row == self.pods[row.name]
        assert row.name not in self.out
        assert not row.gates
        assert all(self.pods[name].priority <= row.priority for name in ready)
        rejected_by, failed_at = self.waits.pop(row.name, (("any",), self.now))
        if not rejected_by:
            assert self.now >= failed_at + backoff_s(self.failures[row.name])
        self.out[row.name] = row

    @rule(data=st.data(), rejected_by=st.sampled_from(REJECTED_BY))
    def fail(self, data: st.DataObject, rejected_by: tuple[str, ...]) -> None:
        if not self.out:
            return
        name = data.draw(st.sampled_from(sorted(self.out)))
        self.queue.fail(self.out.pop(name), rejected_by, self.now)
        self.failures[name] = self.failures.get(name, 0) + 1
        self.waits[name] = (rejected_by, self.now)

    @rule(helps=st.booleans())
    def event(self, helps: bool) -> None:
        before = {name: self.queue.state(f"default/{name}") for name in self.pods}
        self.queue.wake(PodGone("n", Account()) if helps else NodeChanged(None, node("n", cpu=1)), self.now)
        for name, state in before.items():
            after = self.queue.state(f"default/{name}")
            rejected_by = self.waits.get(name, ((), 0.0))[0]
            may_help = "NodeResourcesFit" in rejected_by if helps else "NodeAffinity" in rejected_by
            if state is State.UNSCHEDULABLE and may_help:
                assert after in (State.ACTIVE, State.BACKOFF)
            else:
                assert after is state

    @rule(seconds=st.sampled_from((0.5, 3.0, 299.0)))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.queue.flush(self.now)

    @invariant()
    def every_pod_is_somewhere(self) -> None:
        states = {name: self.queue.state(f"default/{name}") for name in self.pods}
        assert None not in states.values()
        assert len(self.queue) == len(self.pods)
        for state in State:
            assert self.queue.count(state) == sum(each is state for each in states.values())
        assert {name for name, state in states.items() if state is State.IN_FLIGHT} == set(self.out)
        for name, state in states.items():
            if state is State.UNSCHEDULABLE:
                assert self.now - self.waits[name][1] < 300.0


QueueMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
test_the_queue_keeps_every_pod = QueueMachine.TestCase
