"""The scheduler told as stories: each command of a scenario file has its output below it (`KCORE_REWRITE=1` writes the output anew).

    node NAME [cpu=N] [memory=N] [pods=N] [cordoned] [taint=KEY:EFFECT] [LABEL=VALUE]    registers or changes a node
    drop NAME                                                                            removes it
    pod NAME [cpu=N] [memory=N] [priority=N] [port=N] [on=NODE] [gate=NAME] [select=LABEL:VALUE] [tolerate=KEY] [never]
        [app=VALUE] [started=N] [nominated=NODE] [leaving]
        [evenly=KEY:SKEW] [roughly=KEY:SKEW] [near=KEY:APP] [far=KEY:APP] [likes=KEY:APP:WEIGHT]
    service APP [gone]               a Service of the pods of an app
    namespace NAME [LABEL=VALUE]     labels a namespace
    budget NAME app=VALUE allowed=N  a PodDisruptionBudget of the pods of an app
    group NAME [min=N] [priority=N] [whole] [gone]   a PodGroup; pods are `in=GROUP`
    gone NAME                        the pod is deleted
    decide [N]                       decides for up to N pods, and prints where they go or why they wait, and who has to go for them
    spare NAME for NAME              a pod could not be preempted
    refuse NAME                      its binding fails
    wait SECONDS                     time passes
    queue                            prints where pods wait
    explain NAME [options of pod]    prints what each node is to a pod
"""

import os
from pathlib import Path

import pytest

from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.base.features import GENERIC_WORKLOAD
from kcore.machinery.labels import from_labels
from kcore.scheduler.cache import Placed
from kcore.scheduler.configuration.reading import Configuration
from kcore.scheduler.core import Core
from kcore.scheduler.cycle import explain
from kcore.scheduler.gangs.rows import GangRow, GroupRow, entry_key
from kcore.scheduler.gangs.turns import GroupNote
from kcore.scheduler.preemption.budgets import BudgetRow
from kcore.scheduler.rows import (
    Account,
    Ask,
    Expression,
    NodeRow,
    Peer,
    PodAffinity,
    PodPreference,
    PodRow,
    PodSelector,
    PodTerm,
    Spread,
    Taint,
    Toleration,
)

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.txt"))


def options(words: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, _, value in (word.partition("=") for word in words)}


class World:
    """A scheduler that is told what the watch would tell it."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.core = Core(self.clock, SeededEntropy(1), Configuration(features=frozenset((GENERIC_WORKLOAD,))))
        self.pods: dict[str, PodRow] = {}
        self.groups: dict[str, GroupRow] = {}
        self.condemned: dict[str, Placed] = {}

    def run(self, line: str) -> list[str]:
        command, *words = line.split()
        output: list[str] = getattr(self, f"do_{command}")(*words) or []
        return output or ["ok"]

    def do_node(self, name: str, *words: str) -> None:
        given = options(words)
        allocatable = (("cpu", int(given.pop("cpu", 4000))), ("memory", int(given.pop("memory", 8192))))
        limit, cordoned, taint = int(given.pop("pods", 110)), "cordoned" in given, given.pop("taint", "")
        given.pop("cordoned", None)
        taints = (Taint(taint.partition(":")[0], "", taint.partition(":")[2]),) if taint else ()
        self.core.node_changed(NodeRow(name, given, cordoned, taints, allocatable, limit))

    def do_drop(self, name: str) -> None:
        self.core.node_deleted(name)

    def do_pod(self, name: str, *words: str) -> None:
        self.pods[name] = self._pod(name, *words)
        self.core.pod_changed(self.pods[name])

    def do_gone(self, name: str) -> None:
        self.core.pod_deleted(self.pods.pop(name).key)

    def do_decide(self, limit: str = "100") -> list[str]:
        batch = self.core.decide(int(limit))
        self.condemned |= {victim.key: victim for eviction in batch.evictions for victim in eviction.victims}
        return [
            *(f"{pod.name} -> {decision.node}" for pod, decision, _ in batch.assumed),
            *(
                f"{pod.name}: {decision.message} [{' '.join(decision.rejected_by)}]" + (f" nominated to {node}" if node else "")
                for pod, decision, node in batch.waiting
            ),
            *(
                f"{by.group if isinstance(by, GangRow) else by.name} preempts {' '.join(each.key for each in victims)} on {node}"
                for by, node, victims in batch.evictions
            ),
            *(f"{pod.name} is not nominated any more" for pod in batch.displaced),
            *(self._told(note) for note in batch.groups),
        ]

    def _told(self, note: GroupNote) -> str:
        group = self.groups[note.group.name] = note.group._replace(condition=note.condition)
        self.core.gangs.group_changed(group)
        return f"group {group.name}: {' '.join(filter(None, note.condition))}"

    def do_budget(self, name: str, *words: str) -> None:
        given = options(words)
        self.core.budgets.set(BudgetRow("default", name, from_labels({"app": given["app"]}), int(given["allowed"])))

    def do_group(self, name: str, *words: str) -> None:
        given = options(words)
        if "gone" in given:
            self.core.gangs.group_gone(f"default/{name}")
        else:
            old = self.groups.get(name)
            row = GroupRow("default", name, f"uid-{name}", 0, int(given.get("priority", 0)), int(given.get("min", 0)), "whole" in given)
            self.groups[name] = row._replace(condition=old.condition if old else None)
            self.core.gangs.group_changed(self.groups[name])

    def do_service(self, app: str, *words: str) -> None:
        self.core.service_changed("default", app, None if "gone" in words else {"app": app})

    def do_namespace(self, name: str, *words: str) -> None:
        self.core.namespace_changed(name, options(words))

    def do_spare(self, victim: str, _: str, preemptor: str) -> None:
        self.core.spared(self.pods[preemptor], self.condemned[f"default/{victim}"])

    def do_refuse(self, name: str) -> None:
        self.core.refused([self.pods[name]])

    def do_wait(self, seconds: str) -> None:
        self.clock.jump(float(seconds))
        self.clock.step(float(seconds))

    def do_queue(self) -> list[str]:
        pods = ((name, self.core.queue.state(pod.key)) for name, pod in self.pods.items())
        groups = ((f"group {name}", self.core.queue.state(entry_key(row.key))) for name, row in self.groups.items())
        return [f"{name} {state.value}" for name, state in (*pods, *groups) if state]

    def do_explain(self, name: str, *words: str) -> list[str]:
        found = explain(self._pod(name, *words), self.core.columns)
        lines = [f"{node}: {why.plugin}: {', '.join(why.reasons)}" for node, why in found.rejected.items()]
        for node in found.feasible:
            scores = " ".join(f"{plugin}={scores[node]}" for plugin, scores in found.scores.items())
            lines.append(f"{node}: {found.totals.get(node, '-')} {scores}".rstrip())
        return [*sorted(lines), f"best: {' '.join(found.best)}"]

    def _pod(self, name: str, *words: str) -> PodRow:
        given = options(words)
        amounts = tuple((resource, int(given[resource])) for resource in ("cpu", "memory") if resource in given)
        cpu, memory = int(given.get("cpu", 100)), int(given.get("memory", 200))
        ports = (("0.0.0.0", "TCP", int(given["port"])),) if "port" in given else ()
        ask = Ask(
            tolerations=(Toleration(given["tolerate"], "Exists", "", ""),) if "tolerate" in given else (),
            node_selector=(tuple(given["select"].split(":", 1)),) if "select" in given else (),  # type: ignore[arg-type]
            ports=ports,
            amounts=amounts,
            nonzero_cpu=cpu,
            nonzero_memory=memory,
            priority=int(given.get("priority", 0)),
            never_preempt="never" in given,
            spread=_spread(given),
            affinity=_affinity(given),
        )
        priority = ask.priority
        gates = (given["gate"],) if "gate" in given else ()
        account = Account(amounts, cpu, memory, ports, priority)
        node = given.get("on", "")
        labels = (("app", given["app"]),) if "app" in given else ()
        account = account._replace(peer=Peer("default", labels, "leaving" in given, ask.affinity))
        row = PodRow("default", name, f"uid-{name}", "default-scheduler", node, priority, False, "leaving" in given, gates, ask, account)
        return row._replace(
            started=int(given.get("started", 0)),
            nominated=given.get("nominated", ""),
            pod_group=given.get("in", ""),
            preempted="leaving" in given,
        )


def _pods(app: str) -> PodSelector:
    return PodSelector((Expression("app", "In", (app,)),), ("default",))


def _spread(given: dict[str, str]) -> tuple[Spread, ...]:
    wishes = ((given[word].split(":"), hard) for word, hard in (("evenly", True), ("roughly", False)) if word in given)
    return tuple(Spread(key, int(skew), hard, _pods(given.get("app", ""))) for (key, skew), hard in wishes)


def _affinity(given: dict[str, str]) -> PodAffinity | None:
    near, far, likes = (tuple(given[word].split(":")) if word in given else () for word in ("near", "far", "likes"))
    found = PodAffinity(
        (PodTerm(_pods(near[1]), near[0]),) if near else (),
        (PodTerm(_pods(far[1]), far[0]),) if far else (),
        (PodPreference(int(likes[2]), PodTerm(_pods(likes[1]), likes[0])),) if likes else (),
    )
    return found if any(found) else None


def replay(text: str) -> str:
    world, lines = World(), []
    for line in text.splitlines():
        if line.startswith("  "):
            continue
        lines.append(line)
        if line and not line.startswith("#"):
            lines += [f"  {each}" for each in world.run(line)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_tells_the_same_story(path: Path) -> None:
    told = path.read_text()
    found = replay(told)
    if os.environ.get("KCORE_REWRITE") == "1":
        path.write_text(found)
    assert found == told
