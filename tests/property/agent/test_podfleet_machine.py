"""PodFleet against a fake API server with everything late, lost, doubled or restarted: what settles must be right.

The machine delivers events when it likes, carries requests out when it likes, loses their answers, and starts the process again.
`everything_settles` then lets all of it arrive and checks: every pod that should run does, with an address of its own; deleted pods
are gone, and never without their final status; nothing is written for pods that are as they should be.
"""

from collections import deque
from math import inf

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kcore.agent.hollownode import HollowNode, HollowPod
from kcore.agent.nodestate import NodeFacts
from kcore.agent.podfleet import PodFleet
from kcore.agent.podstate import Moment
from kcore.agent.settings import HollowSettings
from kcore.api.bulk.v1 import bulk_service_pb2 as bulk_pb2
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.meta.v1 import meta_pb2
from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.client import kinds, wire
from kcore.client.bulk import BulkResult
from kcore.client.items import Item
from kcore.client.wire import DELETED, WatchEvent
from kcore.machinery import status
from kcore.machinery.status import StatusError
from kcore.network import NodeIpam
from kcore.testing.fake_server import FakeServer, Mutation, Selection

PODS = kinds.of_message(Pod)
ROOM = 5
names = st.integers(0, 8).map(lambda number: f"pod-{number}")
HOLLOW = HollowSettings(sandbox_delay_s=0.5, start_delay_s=0.5, termination_s=2.0)


class PodFleetMachine(RuleBasedStateMachine):
    """One node with room for five pods, its process, and an API server."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock(horizon=inf)
        self.server = FakeServer(self.clock, SeededEntropy(1))
        self.server.subscribe(self.committed)
        self.elapsed_s = 0.0
        self.start()

    def start(self) -> None:
        node = HollowNode("node-0", 0, NodeFacts("node-0", "u", ("10.1.0.0/29",), ("172.16.0.2",), True, False))
        node.addresses = NodeIpam(["10.1.0.0/29"])
        self.fleet = PodFleet({"node-0": node}, HOLLOW, lambda: 0.5)
        self.undelivered: deque[WatchEvent] = deque()
        self.sent: list[tuple[HollowPod, Item]] = []
        self.answered: list[tuple[HollowPod, BulkResult | None]] = []
        present = [WatchEvent("ADDED", pod.SerializeToString(), self.key(pod), int(pod.metadata.resourceVersion)) for pod in self.pods()]
        self.fleet.receive(present, self.now)
        self.fleet.open(self.now)

    @property
    def now(self) -> Moment:
        return Moment(self.elapsed_s, 1_767_225_600 + int(self.elapsed_s))

    def pods(self) -> list[Pod]:
        return self.server.list(PODS, Selection.of(meta_pb2.ListRequest()))

    def key(self, pod: Pod) -> str:
        return wire.join_key(pod.metadata.namespace, pod.metadata.name)

    def committed(self, mutations: list[Mutation]) -> None:
        for mutation in mutations:
            self.check_mutation(mutation)
            self.undelivered.append(WatchEvent(mutation.type, mutation.new.SerializeToString(), mutation.key, mutation.revision))

    def check_mutation(self, mutation: Mutation) -> None:
        if mutation.type == DELETED and mutation.old is not None and mutation.old.metadata.HasField("deletionTimestamp"):
            assert mutation.old.status.phase in ("Failed", "Succeeded"), "a pod was deleted without its final status"

    @rule(name=names, finishes=st.booleans())
    def create(self, name: str, finishes: bool) -> None:
        if any(pod.metadata.name == name for pod in self.pods()):
            return
        pod = Pod()
        pod.metadata.name, pod.metadata.namespace = name, "default"
        pod.spec.nodeName, pod.spec.restartPolicy = "node-0", "Never"
        pod.spec.terminationGracePeriodSeconds = 30
        pod.spec.containers.add(name="c", image="i")
        if finishes:
            pod.metadata.annotations["kcore.io/exit-after"] = "3"
        self.server.create(PODS, pod)

    @rule(name=names, grace_s=st.sampled_from([1, 30]))
    def delete(self, name: str, grace_s: int) -> None:
        self.on_server(lambda: self.server.delete(PODS, "default", name, meta_pb2.DeleteOptions(gracePeriodSeconds=grace_s)))

    @rule(name=names, value=st.sampled_from("abc"))
    def label(self, name: str, value: str) -> None:
        def change() -> None:
            pod = self.server.get(PODS, f"default/{name}")
            pod.metadata.labels["l"] = value
            self.server.update(PODS, pod)

        self.on_server(change)

    def on_server(self, change: object) -> BulkResult:
        assert callable(change)
        try:
            answer = self.server.commit(change)
        except StatusError as error:
            return BulkResult(error, "", "", "", b"")
        version = answer.metadata.resourceVersion if answer is not None else ""
        return BulkResult(None, "", version, "", b"")

    @rule(count=st.integers(1, 4))
    def deliver(self, count: int) -> None:
        batch = [self.undelivered.popleft() for _ in range(min(count, len(self.undelivered)))]
        self.fleet.receive(batch, self.now)

    @rule(count=st.integers(1, 4))
    def send(self, count: int) -> None:
        self.sent += self.fleet.take(count)

    @precondition(lambda self: self.sent)
    @rule(choice=st.integers(0, 99), fate=st.sampled_from(["done", "done", "done", "lost", "unanswered", "busy"]))
    def carry_out(self, choice: int, fate: str) -> None:
        pod, item = self.sent.pop(choice % len(self.sent))
        result: BulkResult | None
        if fate == "busy":
            result = BulkResult(status.too_many_requests("later"), "", "", "", b"")
        elif fate == "lost":
            result = None
        else:
            done = self.on_server(lambda: self.apply(item))
            result = done if fate == "done" else None
        self.answered.append((pod, result))

    def apply(self, sent: Item) -> Pod:
        (item,) = bulk_pb2.WriteRequest.FromString(sent).items
        if item.verb == "delete":
            return self.server.delete(PODS, item.namespace, item.name, item.delete_options)
        return self.server.update(PODS, Pod.FromString(item.object), item.subresource)

    @precondition(lambda self: self.answered)
    @rule(choice=st.integers(0, 99))
    def answer(self, choice: int) -> None:
        pod, result = self.answered.pop(choice % len(self.answered))
        self.fleet.settle(pod, result, self.now)

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 3.0, 11.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.elapsed_s += seconds
        self.fleet.wake(self.now)

    @rule()
    def restart(self) -> None:
        """The process is killed; what it sent arrives, or does not, before the next one looks."""
        for _, item in self.sent[::2]:
            self.on_server(lambda item=item: self.apply(item))
        self.start()

    @invariant()
    def no_two_pods_have_one_address(self) -> None:
        live = [pod for pod in self.pods() if pod.status.phase not in ("Succeeded", "Failed") and pod.status.podIP]
        assert len({pod.status.podIP for pod in live}) == len(live)

    @rule()
    def everything_settles(self) -> None:
        for _ in range(200):
            self.deliver(len(self.undelivered) or 1)
            self.send(100)
            while self.sent:
                self.carry_out(0, "done")
            while self.answered:
                self.answer(0)
            self.let_time_pass(1.0)
        assert not self.undelivered
        assert self.fleet.take(100) == []
        pods = self.pods()
        assert not [pod for pod in pods if pod.metadata.HasField("deletionTimestamp")]
        live = [pod for pod in pods if pod.status.phase not in ("Succeeded", "Failed")]
        running = [pod for pod in live if pod.status.phase == "Running"]
        assert len(running) == min(len(live), ROOM)
        for pod in pods:
            if "kcore.io/exit-after" in pod.metadata.annotations and pod.status.podIP:
                assert pod.status.phase == "Succeeded"
        assert len(self.fleet) == len(pods)
        assert all(self.fleet.pod(self.key(pod)) is not None for pod in pods)


PodFleetMachine.TestCase.settings = settings(max_examples=80, stateful_step_count=60, deadline=None)
TestPodFleetMachine = PodFleetMachine.TestCase
