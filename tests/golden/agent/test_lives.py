"""Lives of hollow pods as stories: each command has below it what a watcher of the pod sees (`KCORE_REWRITE=1` writes it anew).

settings NAME=VALUE ...       delays and failures of the node
pod FIELD=VALUE ...           a new pod: policy, deadline, gate, and annotations exit-code, exit-after; `job` makes it a Job's
init|sidecar|container NAME FIELD=VALUE ...    its containers: image, ready (probe delay), startup (probe delay)
watch SECONDS                 lets time pass; prints each status that differs from the one before, with the second at which it came
delete [SECONDS]              deletes the pod with a grace period
"""

import os
from pathlib import Path
from typing import Any

import pytest

from kcore.agent import podstatus
from kcore.agent.podprofile import Profiles
from kcore.agent.podstate import Advance, Moment, PodState, new_state
from kcore.agent.settings import HollowSettings
from kcore.api.core.v1.pod_pb2 import ContainerStatus, Pod
from tests.unit.agent.pods import WALL_S, assigned

LIVES = sorted((Path(__file__).parent / "lives").glob("*.txt"))


class Life:
    """One pod on one hollow node."""

    def __init__(self) -> None:
        self.settings = HollowSettings()
        self.now_s = 0.0
        self.pod = Pod()
        self.state: PodState | None = None
        self.shown = ""

    def run(self, line: str) -> list[str]:
        command, *words = line.split()
        found: list[str] = getattr(self, f"do_{command}")(*words)
        return found

    def do_settings(self, *words: str) -> list[str]:
        values: Any = {name: float(value) for name, value in pairs(words)}
        self.settings = HollowSettings(**values)
        return []

    def do_pod(self, *words: str) -> list[str]:
        self.pod, self.state, self.now_s, self.shown = assigned(), None, 0.0, ""
        del self.pod.spec.containers[:]
        for name, value in pairs(words):
            if name == "policy":
                self.pod.spec.restartPolicy = value
            elif name == "deadline":
                self.pod.spec.activeDeadlineSeconds = int(value)
            elif name == "gate":
                self.pod.spec.readinessGates.add(conditionType=value)
            elif name == "job":
                self.pod.metadata.ownerReferences.add(kind="Job", controller=True)
            else:
                self.pod.metadata.annotations["kcore.io/" + name] = value
        return []

    def do_container(self, name: str, *words: str) -> list[str]:
        describe(self.pod.spec.containers.add(name=name, image="app:1"), words)
        return []

    def do_init(self, name: str, *words: str) -> list[str]:
        describe(self.pod.spec.initContainers.add(name=name, image="app:1"), words)
        return []

    def do_sidecar(self, name: str, *words: str) -> list[str]:
        describe(self.pod.spec.initContainers.add(name=name, image="app:1", restartPolicy="Always"), words)
        return []

    def do_delete(self, grace_s: str = "30") -> list[str]:
        assert self.state is not None
        Advance(self.settings, lambda: 0.5).end(self.state, float(grace_s), self.moment)
        return []

    def do_gate(self, status: str) -> list[str]:
        name = self.pod.spec.readinessGates[0].conditionType
        self.pod.status.conditions.add(type=name, status=status)
        return []

    def do_watch(self, seconds: str) -> list[str]:
        advance, end_s, lines = Advance(self.settings, lambda: 0.5), self.now_s + float(seconds), []
        if self.state is None:
            self.state = new_state(Profiles(self.settings).of(self.pod))
            advance.begin(self.state, self.moment)
        while True:
            if self.state.needs_addresses and self.state.sandbox_s <= self.now_s:
                self.state.addresses = ("10.1.0.2",)
            advance(self.state, self.moment)
            podstatus.write(self.state, self.pod, ("172.16.0.2",), self.moment)
            text = shown(self.pod, self.state)
            if text != self.shown:
                lines.append(f"{self.now_s:g}s {text}")
                self.shown = text
            if self.state.wakes_s > end_s:
                self.now_s = end_s
                return lines or ["nothing happens"]
            self.now_s = self.state.wakes_s

    @property
    def moment(self) -> Moment:
        return Moment(self.now_s, WALL_S + int(self.now_s))


def pairs(words: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(word.partition("=")[0], word.partition("=")[2]) for word in words]


def describe(container: Any, words: tuple[str, ...]) -> None:
    for name, value in pairs(words):
        if name == "image":
            container.image = value
        elif name == "policy":
            container.restartPolicy = value
        elif name == "ready":
            container.readinessProbe.initialDelaySeconds = int(value)
        elif name == "startup":
            container.startupProbe.initialDelaySeconds = int(value)


def shown(pod: Pod, state: PodState) -> str:
    status = pod.status
    holds = {each.type: each.status == "True" for each in status.conditions}
    marks = [name for name in ("Initialized", "ContainersReady", "Ready") if holds[name]]
    containers = [container_shown(each) for each in (*status.initContainerStatuses, *status.containerStatuses)]
    over = " and is deleted" if state.is_over else ""
    return f"{status.phase}{' ' + status.reason if status.reason else ''} [{' '.join(marks)}] {', '.join(containers)}{over}"


def container_shown(status: ContainerStatus) -> str:
    name = status.name + (f"#{status.restartCount}" if status.restartCount else "")
    if status.state.HasField("running"):
        return f"{name} runs" + ("" if status.started else ", not started") + ("" if status.ready else ", not ready")
    if status.state.HasField("terminated"):
        return f"{name} ended {status.state.terminated.reason} {status.state.terminated.exitCode}"
    return f"{name} waits {status.state.waiting.reason}"


@pytest.mark.parametrize("path", LIVES, ids=lambda path: path.stem)
def test_life_goes_as_written(path: Path) -> None:
    life, written = Life(), []
    for line in path.read_text().splitlines():
        if line.startswith("    "):
            continue
        written.append(line)
        if line and not line.startswith("#"):
            written += [f"    {output}" for output in life.run(line)]
    told = "\n".join(written) + "\n"
    if os.environ.get("KCORE_REWRITE"):
        path.write_text(told)
    assert told == path.read_text()
