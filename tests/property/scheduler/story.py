"""Random lives of a cluster, told to a scheduler's core and to a model of plain dicts; the slow twin judges every decision as it is made.

A story is a list of steps, each a word and a number that chooses among what there is. It follows from a seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.base.features import GENERIC_WORKLOAD
from kcore.scheduler.configuration.reading import Configuration
from kcore.scheduler.core import Attempt, Batch, Core
from kcore.scheduler.gangs.rows import GroupRow, entry_key
from kcore.scheduler.rows import (
    Account,
    Ask,
    Expression,
    NodeRow,
    Peer,
    PodAffinity,
    PodRow,
    PodSelector,
    PodTerm,
    Spread,
    Taint,
    Toleration,
)
from tests.property.scheduler import clusters
from tests.reference.scheduler import twin

GROUPS = {"g": 0, "h": 5}
"""Groups, with the priority of their pods."""
WEIGHTS = {
    "pod": 6, "node": 3, "drop": 1, "decide": 10, "bound": 8, "bound late": 1, "refused": 2, "deleted": 2, "evicted": 4, "spared": 1,
    "wait": 4, "group": 1, "group gone": 1,
}  # fmt: skip
"""How often what happens."""

STEPS_MAX = 80
TOPOLOGY = ("zone", "rack", "kubernetes.io/hostname")
FEATURES = Configuration(features=frozenset((GENERIC_WORKLOAD,)))


class Step(NamedTuple):
    """Something that happens; the number chooses to what, or by how much."""

    word: str
    which: int = 0
    what: NodeRow | PodRow | None = None


def script(seed: int, length: int) -> list[Step]:
    """Return the story of a seed, or its beginning: one that shows a fault is cut short by its length."""
    chance = Random(seed)
    first = [*(a_node(chance) for _ in range(3)), *(Step("group", 4 * at + chance.randrange(4)) for at in range(len(GROUPS)))]
    makers = {"node": a_node, "pod": some_pods}
    words = chance.choices([*WEIGHTS], [*WEIGHTS.values()], k=STEPS_MAX)
    rest = [makers[word](chance) if word in makers else Step(word, chance.randrange(12)) for word in words]
    return [*first, *rest][:length]


def a_node(chance: Random) -> Step:
    """A node comes, or becomes another one."""
    name = chance.choice(clusters.NAMES[:5])
    labels = {"zone": chance.choice("ab"), "rack": chance.choice("12"), "kubernetes.io/hostname": name}
    taints = (Taint("team", "", chance.choice(clusters.EFFECTS)),) if chance.random() < 0.1 else ()
    allocatable = (("cpu", chance.choice((1000, 2000, 4000))), ("memory", 1 << 33))
    return Step("node", 0, NodeRow(name, labels, chance.random() < 0.05, taints, allocatable, chance.choice((2, 3, 4, 110))))


def some_pods(chance: Random) -> Step:
    """Pods of one kind come, alone or in a group."""
    group = chance.choice(("", "", *GROUPS))
    priority = GROUPS[group] if group else chance.choice((0, 3, 7, 9))
    labels = (("app", chance.choice("ab")),)
    others = PodSelector((Expression("app", "In", (chance.choice("ab"),)),), ("default",))
    term = (PodTerm(others, chance.choice(TOPOLOGY)),)
    joins = chance.choices((None, PodAffinity(avoided=term), PodAffinity(required=term)), (8, 2, 1))[0]
    spread = (Spread(chance.choice(TOPOLOGY), chance.randint(1, 2), True, PodSelector((Expression(*labels[0][:1], "In", labels[0][1:]),))),)
    amounts = (("cpu", chance.choice((200, 500, 900, 1500))),)
    ask = Ask(
        amounts=amounts, nonzero_cpu=amounts[0][1], nonzero_memory=200 << 20, priority=priority, never_preempt=priority == 9,
        affinity=joins, spread=spread if chance.random() < 0.2 else (),
        node_selector=(("zone", chance.choice("ab")),) if chance.random() < 0.2 else (),
        tolerations=(Toleration("team", "Exists", "", ""),) if chance.random() < 0.3 else (),
        ports=(("0.0.0.0", "TCP", 80),) if chance.random() < 0.1 else (),
    )  # fmt: skip
    account = Account(amounts, ask.nonzero_cpu, ask.nonzero_memory, ask.ports, priority, Peer("default", labels, False, joins))
    row = PodRow("default", "", "", "default-scheduler", "", priority, False, False, (), ask, account, pod_group=group)
    return Step("pod", chance.randint(1, 4), row)


class Story:
    """A scheduler's core and what it is told.

    sent     pods that are on their way to a node: assumed, and not answered
    late     pods whose binding happened although nobody has said so: answered as failed after the watch showed them
    leaving  pods that are being preempted, with for whom
    """

    def __init__(self, seed: int = 1, features: Configuration = FEATURES) -> None:
        self.clock = VirtualClock()
        self.core = Core(self.clock, SeededEntropy(seed), features)
        self.nodes: dict[str, NodeRow] = {}
        self.pods: dict[str, PodRow] = {}
        self.groups: dict[str, GroupRow] = {}
        self.sent: dict[str, str] = {}
        self.leaving: dict[str, tuple[object, object]] = {}
        self.decisions: list[tuple[str, str | None]] = []
        self.count = 0

    def tell(self, step: Step) -> None:
        """Let a step happen, and check what must always hold."""
        word = step.word.replace(" ", "_")
        getattr(self, f"do_{word}")(step)
        self.check()

    def do_node(self, step: Step) -> None:
        assert isinstance(step.what, NodeRow)
        self.nodes[step.what.name] = step.what
        self.core.node_changed(step.what)

    def do_drop(self, step: Step) -> None:
        name = choose(self.nodes, step.which)
        if name:
            del self.nodes[name]
            self.core.node_deleted(name)

    def do_pod(self, step: Step) -> None:
        assert isinstance(step.what, PodRow)
        for _ in range(step.which):
            self.count += 1
            name = f"p{self.count}"
            self.see(step.what._replace(name=name, uid=f"uid-{name}"))

    def do_deleted(self, step: Step) -> None:
        name = choose(self.pods, step.which)
        if name:
            self.remove(name)

    def do_group(self, step: Step) -> None:
        name = choose(GROUPS, step.which // 4)
        row = GroupRow("default", name, name, 0, GROUPS[name], step.which % 4, step.which % 5 == 0)
        self.groups[name] = row
        self.core.gangs.group_changed(row)

    def do_group_gone(self, step: Step) -> None:
        name = choose(GROUPS, step.which)
        self.groups.pop(name, None)
        self.core.gangs.group_gone(f"default/{name}")

    def do_wait(self, step: Step) -> None:
        self.clock.jump(step.which)
        self.clock.step(step.which)

    def do_decide(self, step: Step) -> None:
        for _ in range(step.which + 1):
            before = self.cluster()
            self.judge(self.core.decide(1), before)

    def do_bound(self, step: Step) -> None:
        """The API shows a pod on its node."""
        name = choose(self.sent, step.which)
        if name:
            self.see(self.pods[name]._replace(node_name=self.sent.pop(name)))

    def do_bound_late(self, step: Step) -> None:
        """A binding is answered as failed that had happened, and that the API shows."""
        name = choose(self.sent, step.which)
        if name:
            row = self.pods[name]
            self.see(row._replace(node_name=self.sent.pop(name)))
            self.core.refused([row])

    def do_refused(self, step: Step) -> None:
        name = choose(self.sent, step.which)
        if name:
            del self.sent[name]
            self.core.refused([self.pods[name]])

    def do_evicted(self, step: Step) -> None:
        """A pod that is preempted is shown as leaving, or is gone."""
        name = choose(self.leaving, step.which)
        if name and step.which % 2:
            del self.leaving[name]
            self.remove(name)
        elif name and self.pods[name].node_name:
            row = self.pods[name]
            account = row.account._replace(peer=row.account.peer._replace(terminating=True))
            self.see(row._replace(terminating=True, preempted=True, account=account))

    def do_spared(self, step: Step) -> None:
        name = choose(self.leaving, step.which)
        if name and not self.pods[name].terminating:
            preemptor, victim = self.leaving.pop(name)
            self.core.spared(preemptor, victim)

    def see(self, row: PodRow) -> None:
        """Let the watch show a pod."""
        self.pods[row.name] = row
        self.core.pod_changed(row)

    def remove(self, name: str) -> None:
        """Let the watch show that a pod is gone."""
        for known in (self.pods, self.sent, self.leaving):
            known.pop(name, None)
        self.core.pod_deleted(f"default/{name}")

    # what is checked

    def place_of(self, name: str) -> str:
        return self.pods[name].node_name or self.sent.get(name, "")

    def cluster(self) -> list[tuple[NodeRow, list[Account]]]:
        """Return what stands where, as the model has it."""
        placed = [(self.place_of(name), row.account) for name, row in self.pods.items()]
        return [(node, [account for place, account in placed if place == node.name]) for node in self.nodes.values()]

    def judge(self, batch: Batch, before: list[tuple[NodeRow, list[Account]]]) -> None:
        """Judge what was decided, pod by pod, on the cluster as it was then."""
        for attempt in batch.assumed:
            self.judge_placed(attempt, before)
        for pod, decision, nominated in batch.waiting:
            self.decisions.append((pod.name, None))
            assert self.pods[pod.name].uid == pod.uid
            if not pod.pod_group and not self.core.columns.nominated:
                assert not twin.decide(pod, before).scores, f"{pod.name} was refused: {decision.message}"
            if self.pods[pod.name].nominated != nominated:
                self.see(self.pods[pod.name]._replace(nominated=nominated))
        for pod in batch.displaced:
            self.see(self.pods[pod.name]._replace(nominated=""))
        for preemptor, _, victims in batch.evictions:
            for victim in victims:
                assert victim.account.priority < preemptor.priority
                self.leaving[victim.key.partition("/")[2]] = preemptor, victim
        for name in {attempt.pod.pod_group for attempt in batch.assumed} - {""}:
            placed = sum(bool(self.place_of(other)) for other, row in self.pods.items() if row.pod_group == name)
            assert placed >= max(1, self.groups[name].min_count), f"{placed} of {name} are placed"

    def judge_placed(self, attempt: Attempt, before: list[tuple[NodeRow, list[Account]]]) -> None:
        pod, node = self.pods[attempt.pod.name], attempt.decision.node
        assert node is not None and pod.name not in self.sent and not pod.node_name and not pod.terminating
        assert pod.uid == attempt.pod.uid
        assert node in twin.decide(pod, before).scores, f"{pod.name} does not fit on {node}"
        self.sent[pod.name] = node
        self.decisions.append((pod.name, node))
        next(accounts for row, accounts in before if row.name == node).append(pod.account)

    def check(self) -> None:
        """Check that nothing leaks and nobody is lost."""
        self.core.cache.verify()
        for name, row in self.pods.items():
            place = self.place_of(name)
            assert self.core.cache.is_assumed(row.key) == (name in self.sent)
            placed = self.core.cache.placed(row.key)
            assert (placed.node_name if placed else "") == place
            waits = not place and not row.terminating
            if not row.pod_group:
                assert (row.key in self.core.queue) == (waits or name in self.sent)
            elif waits:
                gang = self.core.gangs.book.of(row.key)
                assert gang is not None and row.key in gang.waiting
                assert entry_key(gang.key) in self.core.queue
        assert {f"default/{name}" for name in self.pods} >= {key for claims in self.core.columns.nominated.values() for key in claims}

    def end(self) -> None:
        """Let everything come to rest, and check that whoever waits then fits nowhere."""
        for _ in range(200):
            for name in [*self.leaving]:
                self.remove(name)
            self.leaving.clear()
            while self.sent:
                self.do_bound(Step("bound"))
            self.do_wait(Step("wait", 350))
            known = len(self.decisions), len(self.pods)
            while True:
                tried = len(self.decisions)
                self.do_decide(Step("decide"))
                self.check()
                if tried == len(self.decisions):
                    break
            if not self.sent and not self.leaving and known[1] == len(self.pods):
                break
        else:
            raise AssertionError("the cluster does not come to rest")
        if not self.core.columns.nominated:
            for name, row in self.pods.items():
                if not self.place_of(name) and not row.pod_group:
                    assert not twin.decide(row, self.cluster()).scores, f"{name} was forgotten"


def choose(among: Mapping[str, object], which: int) -> str:
    """Choose a key; "" where there is none."""
    keys = [*among]
    return keys[which % len(keys)] if keys else ""


def told(story: list[Step], seed: int = 1) -> Story:
    """Tell a whole story."""
    found = Story(seed)
    for step in story:
        found.tell(step)
    return found
