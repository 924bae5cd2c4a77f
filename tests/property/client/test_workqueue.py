"""The workqueue against a model that is a list and two sets, under any order of calls."""

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kcore.base.clock import VirtualClock
from kcore.base.virtual_loop import VirtualLoop
from kcore.client.workqueue import WorkQueue

KEYS = st.sampled_from("abcde")


class WorkQueueMachine(RuleBasedStateMachine):
    """The model: `waiting` in order, `held` by workers, `again` to be queued when done, `due` with the time of each."""

    def __init__(self):
        super().__init__()
        self.clock = VirtualClock(horizon=0.0)
        self.loop = VirtualLoop(self.clock)
        self.queue = WorkQueue("model", self.clock)
        self.waiting, self.held, self.again, self.due = [], set(), set(), {}
        self.count = 0

    def do(self, coroutine):
        return self.loop.run_until_complete(coroutine)

    def call(self, function, *arguments):
        async def inside():
            function(*arguments)

        self.do(inside())

    def model_add(self, key):
        if key in self.held:
            self.again.add(key)
        elif key not in self.waiting:
            self.waiting.append(key)

    @rule(key=KEYS)
    def add(self, key):
        self.call(self.queue.add, key)
        self.model_add(key)

    @rule(key=KEYS, delay_s=st.integers(0, 20))
    def add_after(self, key, delay_s):
        self.call(self.queue.add_after, key, delay_s)
        if delay_s == 0:
            self.model_add(key)
            return
        due_at = self.clock.monotonic() + delay_s
        if key not in self.due or due_at < self.due[key][0]:
            self.count += 1
            self.due[key] = (due_at, self.count)

    @precondition(lambda self: self.waiting)
    @rule()
    def get(self):
        expected = self.waiting.pop(0)
        assert self.do(self.queue.get()) == expected
        assert expected not in self.held
        self.held.add(expected)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def done(self, data):
        key = data.draw(st.sampled_from(sorted(self.held)))
        self.call(self.queue.done, key)
        self.held.discard(key)
        if key in self.again:
            self.again.discard(key)
            self.waiting.append(key)

    @rule(seconds=st.integers(0, 15))
    def wait(self, seconds):
        self.do(self.clock.advance(seconds))
        self.do(asyncio.sleep(0))
        now = self.clock.monotonic()
        for key, (due_at, _) in sorted(self.due.items(), key=lambda item: item[1]):
            if due_at <= now:
                del self.due[key]
                self.model_add(key)

    @invariant()
    def agrees(self):
        assert len(self.queue) == len(self.waiting)
        assert self.queue.processing_count == len(self.held)
        assert self.queue.delayed_count == len(self.due)
        assert self.queue.is_idle == (not self.waiting and not self.held)

    def teardown(self):
        self.call(self.queue.shut_down)
        self.do(asyncio.sleep(0))
        self.loop.close()


WorkQueueMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestWorkQueue = WorkQueueMachine.TestCase
