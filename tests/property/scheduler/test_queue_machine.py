"""The queue against a model: no pod is forgotten, none is handed out twice or before its time, and none is woken in vain."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kcore.scheduler.events import NodeChanged, NodeGone, PodGone
from kcore.scheduler.profile import DEFAULT
from kcore.scheduler.queue import Queue, State, backoff_s
from kcore.scheduler.rows import Account
from tests.unit.scheduler.pods import node, pod

NAMES = ("a", "b", "c", "d", "e")
REJECTED_BY = (("NodeResourcesFit",), ("NodeAffinity",), ("NodeAffinity", "NodeResourcesFit"), ("SomeoneElse",), ())


class Sleeper:
    """A pod that sleeps, as the model has it."""

    def __init__(self, rejected_by: tuple[str, ...], nominated: str) -> None:
        self.rejected_by = rejected_by
        self.nominated = nominated


class QueueMachine(RuleBasedStateMachine):
    """Pods come, go and change; attempts fail; events and time pass. Pods of one priority are a group."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = Queue({DEFAULT.name: DEFAULT.wakers})
        self.now = 0.0
        self.pods = {}
        self.out = {}
        self.failures = {}
        self.waits = {}
        self.asleep = {}
        self.turn = {}

    @initialize()
    def begin(self) -> None:
        """Start where it matters: pods that have failed."""
        for name in NAMES[:4]:
            self.update(name, 0, False)
        for _ in range(4):
            self.pop()
        for name, nominated in zip(NAMES[:4], ("", "", "n", "m"), strict=True):
            self.fail(name, ("NodeResourcesFit",), nominated)

    def group(self, name: str) -> int:
        return self.pods[name].priority

    def wake(self, name: str) -> None:
        del self.asleep[name]

    def give_turn(self, group: int) -> None:
        """The one that sleeps longest has it; those that a node is being cleared for come last, node by node."""
        self.turn.pop(group, None)
        members = [name for name in self.asleep if self.group(name) == group]
        nodes = list(dict.fromkeys(self.asleep[name].nominated for name in self.nominated_first if name in members))
        ranked = sorted(members, key=lambda name: (bool(self.asleep[name].nominated), nodes.index(self.asleep[name].nominated)))
        if ranked:
            self.turn[group] = ranked[0]
            self.wake(ranked[0])

    @property
    def nominated_first(self) -> list[str]:
        return list(self.asleep)

    def leave(self, name: str) -> None:
        """A pod leaves its group."""
        group = self.group(name)
        self.asleep.pop(name, None)
        if self.turn.get(group) == name:
            self.give_turn(group)

    @rule(name=st.sampled_from(NAMES), priority=st.sampled_from((0, 0, 0, 5)), gated=st.sampled_from((False, False, False, True)))
    def change(self, name: str, priority: int, gated: bool) -> None:
        self.update(name, priority, gated)

    def update(self, name: str, priority: int, gated: bool) -> None:
        if name in self.pods and gated and not self.pods[name].gates:
            return
        if name in self.pods and self.group(name) != priority:
            self.leave(name)
        self.pods[name] = pod(name, priority=priority, gates=("x",) if gated else ())
        self.queue.update(self.pods[name], self.now)

    @rule(name=st.sampled_from(NAMES))
    def delete(self, name: str) -> None:
        if name in self.pods:
            self.leave(name)
        for known in (self.pods, self.out, self.failures, self.waits):
            known.pop(name, None)
        self.queue.delete(f"default/{name}", self.now)

    @rule()
    def hand_out(self) -> None:
        self.pop()

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

    @precondition(lambda self: self.out)
    @rule(data=st.data(), rejected_by=st.sampled_from(REJECTED_BY), nominated=st.sampled_from(("", "", "n", "m")))
    def find_none(self, data: st.DataObject, rejected_by: tuple[str, ...], nominated: str) -> None:
        self.fail(data.draw(st.sampled_from(sorted(self.out))), rejected_by, nominated)

    def fail(self, name: str, rejected_by: tuple[str, ...], nominated: str) -> None:
        row = self.out.pop(name)
        self.queue.fail(row, rejected_by, self.now, nominated)
        self.failures[name] = self.failures.get(name, 0) + 1
        changed = row.priority != self.pods[name].priority
        self.waits[name] = (() if changed else rejected_by, self.now)
        if rejected_by and not changed:
            self.asleep[name] = Sleeper(rejected_by, nominated)
            if self.turn.get(self.group(name)) == name:
                del self.turn[self.group(name)]
        elif not changed:
            self.leave(name)

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def find_a_node(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.out)))
        row = self.out[name]
        self.queue.assumed(row, self.now)
        if self.turn.get(row.priority) == name:
            self.give_turn(row.priority)

    @rule(event=st.sampled_from(("pod", "clearing", "node", "gone")), fits=st.booleans())
    def event(self, event: str, fits: bool) -> None:
        room = {"cpu": 500 if fits else 499, "pods": 1}
        events = {
            "pod": (PodGone("n", Account(), False, lambda _: room), "NodeResourcesFit" if fits else ""),
            "clearing": (PodGone("n", Account(), True, lambda _: room), "NodeResourcesFit" if fits else ""),
            "node": (NodeChanged(None, node("n", cpu=1)), "NodeAffinity"),
            "gone": (NodeGone(node("n")), ""),
        }
        happened, helped = events[event]
        promised = any(sleeper.nominated == "n" for sleeper in self.asleep.values())
        self.queue.wake(happened, self.now)
        served = set()
        if event != "node":
            for name in [name for name, sleeper in self.asleep.items() if sleeper.nominated == "n"]:
                if event != "clearing" or helped in self.asleep[name].rejected_by:
                    served.add(self.group(name))
                    self.wake(name)
        for group in (0, 5):
            members = [sleeper for name, sleeper in self.asleep.items() if self.group(name) == group]
            taken = event in ("pod", "clearing") and promised and all(sleeper.nominated for sleeper in members)
            if group not in served and group not in self.turn and not taken and any(helped in each.rejected_by for each in members):
                self.give_turn(group)

    @rule(seconds=st.sampled_from((0.5, 3.0, 12.0, 299.0)))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.queue.flush(self.now)
        for name in [name for name in self.asleep if self.now - self.waits[name][1] >= 300.0]:
            self.wake(name)

    @invariant()
    def every_pod_is_somewhere(self) -> None:
        states = {name: self.queue.state(f"default/{name}") for name in self.pods}
        assert None not in states.values()
        assert len(self.queue) == len(self.pods)
        for state in State:
            assert self.queue.count(state) == sum(each is state for each in states.values())
        assert {name for name, state in states.items() if state is State.IN_FLIGHT} == set(self.out)
        assert {name for name, state in states.items() if state is State.UNSCHEDULABLE} == set(self.asleep)

    @invariant()
    def who_has_the_turn_is_awake(self) -> None:
        for group, name in self.turn.items():
            assert self.group(name) == group
            assert self.queue.state(f"default/{name}") in (State.ACTIVE, State.BACKOFF, State.IN_FLIGHT, State.GATED)


QueueMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=40)
test_the_queue_keeps_every_pod = QueueMachine.TestCase
