"""Leader election told as stories: each command of a scenario file has its output below it (`KCORE_REWRITE=1` writes the output anew).

    candidate NAME           a process starts under this identity, knowing nothing     clock NAME S   its wall clock is off by so much
    look NAME                it looks at the Lease and acts on the decision            blind NAME     it decides without reaching the server
    wait S                   time passes                                               lease          prints the Lease
    give-up NAME             a leader gives the Lease up                                delete         somebody deletes the Lease
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from kcore.client.election import decide as election
from kcore.client.election.decide import Create, ElectionConfig, Observed, Record, StepDown, Update, Wait

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("election*.txt"))
START_S = 1_000_000.0


class World:
    """One Lease, and what each candidate knows of it."""

    def __init__(self):
        self.now = 0.0
        self.record: Record | None = None
        self.known: dict[str, Observed] = {}
        self.offsets: dict[str, float] = {}

    def run(self, line):
        command, *words = line.split()
        return getattr(self, f"do_{command.replace('-', '_')}")(*words) or ["ok"]

    def do_candidate(self, name):
        self.known[name] = Observed(None, self.now)

    def do_clock(self, name, seconds):
        self.offsets[name] = float(seconds)

    def do_wait(self, seconds):
        self.now += float(seconds)

    def do_look(self, name):
        if self.record != self.known[name].record:
            self.known[name] = replace(self.known[name], record=self.record, changed_at=self.now)
        decision = self.decide(name)
        if isinstance(decision, Create | Update):
            self.record = decision.record
            changed_at = self.now if decision.record != self.known[name].record else self.known[name].changed_at
            self.known[name] = Observed(decision.record, changed_at, self.now)
        return self.told(name, decision)

    def do_blind(self, name):
        return self.told(name, self.decide(name))

    def do_give_up(self, name):
        assert self.known[name].renewed_at is not None
        self.record = election.released(self.known[name].record, START_S + self.now)
        self.known[name] = Observed(self.record, self.now)

    def do_delete(self):
        self.record = None

    def do_lease(self):
        r = self.record
        if r is None:
            return ["none"]
        return [
            f"{r.holder or 'nobody'} for {r.duration_s} s, acquired {r.acquired_at - START_S:g}, "
            f"renewed {r.renewed_at - START_S:g}, {r.transitions} transitions"
        ]

    def decide(self, name):
        wall_now = START_S + self.now + self.offsets.get(name, 0.0)
        return election.decide(self.known[name], self.now, wall_now, name, ElectionConfig())

    def told(self, name, decision):
        match decision:
            case Create():
                return ["creates the Lease"]
            case Update(record):
                return ["renews" if record.acquired_at != record.renewed_at else "takes"]
            case Wait(seconds):
                return [f"waits {seconds:g} s"]
            case StepDown(reason):
                self.known[name] = replace(self.known[name], renewed_at=None)
                return [f"steps down: {reason}"]


def played(text):
    world, lines = World(), []
    for line in text.splitlines():
        if line.startswith("    "):
            continue
        lines.append(line)
        if line and not line.startswith("#"):
            lines += [f"    {each}" for each in world.run(line)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_a_story_goes_as_it_is_told(file):
    told = file.read_text()
    happened = played(told)
    if os.environ.get("KCORE_REWRITE") == "1":
        file.write_text(happened)
    else:
        assert happened == told
