"""The status that a hollow node writes: phases, conditions with their reasons, container states, and what belongs to others."""

from math import inf

import pytest

from kcore.agent import podstate, podstatus
from kcore.agent.podprofile import Profiles
from kcore.agent.podstate import Advance, Moment, PodState, new_state
from kcore.agent.settings import HollowSettings
from kcore.api.core.v1.pod_pb2 import Pod, PodStatus
from tests.unit.agent.pods import WALL_S, assigned


class Story:
    """A pod, its state and its clock."""

    def __init__(self, pod: Pod, settings: HollowSettings | None = None) -> None:
        self.settings = settings or HollowSettings()
        self.profiles = Profiles(self.settings)
        self.advance = Advance(self.settings, lambda: 0.5)
        self.pod, self.now_s = pod, 0.0
        self.state: PodState = new_state(self.profiles.of(pod))
        self.advance.begin(self.state, self.moment)
        self.state.addresses = ("10.1.0.2",)
        self.go(0.0)

    @property
    def moment(self) -> Moment:
        return Moment(self.now_s, WALL_S + int(self.now_s))

    def go(self, seconds: float) -> PodStatus:
        end_s = self.now_s + seconds
        while True:
            self.advance(self.state, self.moment)
            podstatus.write(self.state, self.pod, ("172.16.0.2",), self.moment)
            if self.state.wakes_s > end_s:
                break
            self.now_s = self.state.wakes_s
        self.now_s = end_s
        return self.pod.status


def conditions(status: PodStatus) -> dict[str, tuple[str, str, str, int]]:
    return {each.type: (each.status, each.reason, each.message, each.lastTransitionTime.seconds - WALL_S) for each in status.conditions}


def test_a_running_pod_says_all_that_a_kubelet_says() -> None:
    status = Story(assigned()).pod.status
    assert status.phase == "Running"
    assert [each.type for each in status.conditions] == [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ]
    assert all(each.status == "True" and each.observedGeneration == 1 for each in status.conditions)
    assert status.qosClass == "BestEffort"
    assert (status.podIP, [each.ip for each in status.podIPs]) == ("10.1.0.2", ["10.1.0.2"])
    assert (status.hostIP, [each.ip for each in status.hostIPs]) == ("172.16.0.2", ["172.16.0.2"])
    assert status.startTime.seconds == WALL_S
    assert status.observedGeneration == 1
    (container,) = status.containerStatuses
    assert (container.name, container.image) == ("main", "nginx:1.27")
    assert (container.ready, container.started, container.restartCount) == (True, True, 0)
    assert container.state.running.startedAt.seconds == WALL_S
    assert container.imageID.startswith("nginx@sha256:")
    assert len(container.containerID) == len("containerd://") + 64


def test_what_others_wrote_stays() -> None:
    pod = assigned()
    pod.status.conditions.add(type="example.com/gate", status="False")
    pod.status.nominatedNodeName = "node-9"
    status = Story(pod).pod.status
    assert conditions(status)["PodScheduled"] == ("True", "", "", -1)
    assert conditions(status)["example.com/gate"][0] == "False"
    assert status.nominatedNodeName == "node-9"


def test_writing_twice_changes_nothing() -> None:
    story = Story(assigned(exit_after="5", exit_code="1"))
    for seconds in (0.0, 5.0, 1.0, 30.0):
        story.go(seconds)
        before = PodStatus()
        before.CopyFrom(story.pod.status)
        story.now_s += 0.25
        podstatus.write(story.state, story.pod, ("172.16.0.2",), story.moment)
        assert before == story.pod.status


def test_conditions_keep_their_times_until_they_change() -> None:
    pod = assigned()
    pod.spec.containers[0].readinessProbe.initialDelaySeconds = 7
    story = Story(pod)
    assert conditions(story.pod.status)["Ready"] == ("False", "ContainersNotReady", "containers with unready status: [main]", 0)
    found = conditions(story.go(20.0))
    assert found["Ready"] == ("True", "", "", 7)
    assert found["ContainersReady"] == ("True", "", "", 7)
    assert found["Initialized"] == ("True", "", "", 0)


def test_a_pod_that_has_no_address_yet_is_pending() -> None:
    pod = assigned()
    profile = Profiles(HollowSettings()).of(pod)
    state = new_state(profile)
    now = Moment(0.0, WALL_S)
    Advance(HollowSettings(), lambda: 0.0).begin(state, now)
    podstatus.write(state, pod, ("172.16.0.2",), now)
    assert pod.status.phase == "Pending"
    assert not pod.status.podIP
    assert conditions(pod.status)["PodReadyToStartContainers"][0] == "False"
    assert conditions(pod.status)["Initialized"][0] == "True"
    assert pod.status.containerStatuses[0].state.waiting.reason == "ContainerCreating"


def test_init_containers_hold_the_others_back() -> None:
    pod = assigned()
    pod.spec.initContainers.add(name="a", image="i")
    pod.spec.initContainers.add(name="b", image="i")
    story = Story(pod, HollowSettings(init_run_s=2.0))
    status = story.go(2.0)
    assert status.phase == "Pending"
    assert conditions(status)["Initialized"] == ("False", "ContainersNotInitialized", "containers with incomplete status: [b]", 0)
    a, b = status.initContainerStatuses
    assert (a.state.terminated.reason, a.state.terminated.exitCode, a.ready) == ("Completed", 0, True)
    assert b.state.HasField("running")
    assert status.containerStatuses[0].state.waiting.reason == "PodInitializing"
    status = story.go(2.0)
    assert status.phase == "Running"
    assert conditions(status)["Initialized"] == ("True", "", "", 4)


def test_a_crash_loop_shows_how_it_waits() -> None:
    story = Story(assigned(exit_after="1", exit_code="3"))
    status = story.go(2.0)
    (container,) = status.containerStatuses
    assert status.phase == "Running"
    assert container.restartCount == 1
    assert container.state.waiting.reason == "CrashLoopBackOff"
    assert container.state.waiting.message == (f"back-off 10s restarting failed container=main pod=web_default({story.pod.metadata.uid})")
    assert container.lastState.terminated.exitCode == 3
    assert container.lastState.terminated.reason == "Error"
    assert conditions(status)["Ready"][1] == "ContainersNotReady"
    (container,) = story.go(10.0).containerStatuses
    assert container.restartCount == 2
    assert container.state.HasField("running")
    assert container.lastState.terminated.containerID != container.containerID


def test_longer_pauses_are_told_in_minutes() -> None:
    story = Story(assigned(exit_after="0", exit_code="1"))
    (container,) = story.go(400.0).containerStatuses
    assert container.state.waiting.message.startswith("back-off 5m0s restarting")


def test_an_image_that_nobody_has_is_told_in_two_ways() -> None:
    pod = assigned()
    pod.spec.containers[0].image = "webserver:404"
    story = Story(pod)
    (container,) = story.pod.status.containerStatuses
    assert (container.state.waiting.reason, container.imageID, container.containerID) == ("ErrImagePull", "", "")
    (container,) = story.go(2.0).containerStatuses
    assert container.state.waiting.reason == "ImagePullBackOff"
    assert container.state.waiting.message.startswith('Back-off pulling image "webserver:404"')
    assert story.pod.status.phase == "Pending"


@pytest.mark.parametrize(("code", "phase", "reason"), [("0", "Succeeded", "PodCompleted"), ("2", "Failed", "PodFailed")])
def test_a_finished_pod_is_not_ready_any_more(code: str, phase: str, reason: str) -> None:
    pod = assigned(exit_code=code, exit_after="3")
    pod.spec.restartPolicy = "Never"
    status = Story(pod).go(3.0)
    assert status.phase == phase
    assert conditions(status)["Ready"] == ("False", reason, "", 3)
    assert conditions(status)["ContainersReady"] == ("False", reason, "", 3)
    assert conditions(status)["PodReadyToStartContainers"][0] == "False"
    assert conditions(status)["Initialized"] == ("True", "PodCompleted" if code == "0" else "", "", 0)
    ended = status.containerStatuses[0].state.terminated
    assert (ended.exitCode, ended.startedAt.seconds, ended.finishedAt.seconds) == (int(code), WALL_S, WALL_S + 3)
    assert status.podIP == "10.1.0.2", "a finished pod still tells what its address was"


def test_a_deadline_is_told_in_the_status() -> None:
    pod = assigned()
    pod.spec.activeDeadlineSeconds = 5
    status = Story(pod).go(5.0)
    assert (status.phase, status.reason) == ("Failed", "DeadlineExceeded")
    assert status.message == "Pod was active on the node longer than the specified deadline"


def test_readiness_gates_hold_readiness_back() -> None:
    pod = assigned()
    pod.spec.readinessGates.add(conditionType="example.com/gate")
    story = Story(pod)
    message = 'corresponding condition of pod readiness gate "example.com/gate" does not exist.'
    assert conditions(story.pod.status)["Ready"] == ("False", "ReadinessGatesNotReady", message, 0)
    gate = pod.status.conditions.add(type="example.com/gate", status="False")
    message = 'the status of pod readiness gate "example.com/gate" is not "True", but False'
    assert conditions(story.go(1.0))["Ready"][2] == message
    next(each for each in pod.status.conditions if each.type == gate.type).status = "True"
    assert conditions(story.go(1.0))["Ready"] == ("True", "", "", 1)


def test_resources_and_generation_are_those_of_the_spec() -> None:
    pod = assigned()
    pod.spec.containers[0].resources.requests["cpu"].string = "100m"
    pod.spec.containers[0].resources.limits["cpu"].string = "200m"
    story = Story(pod)
    pod.spec.containers[0].resources.requests["cpu"].string = "150m"
    pod.metadata.generation = 2
    status = story.go(0.0)
    (container,) = status.containerStatuses
    assert container.allocatedResources["cpu"].string == "150m"
    assert container.resources.limits["cpu"].string == "200m"
    assert status.observedGeneration == 2
    assert {each.observedGeneration for each in status.conditions if each.type != "PodScheduled"} == {2}


@pytest.mark.parametrize("seconds", [0.0, 0.5, 1.0, 5.0, 11.0, 12.0, 40.0])
@pytest.mark.parametrize("kind", ["plain", "crash", "image", "job", "init", "sidecar", "deadline"])
def test_a_status_is_read_back_as_what_it_was(kind: str, seconds: float) -> None:
    """A new process goes on where the old one was: same stage, same restarts, and the next thing at the same second."""
    pod = assigned(**({"exit_after": "1", "exit_code": "1"} if kind == "crash" else {}))
    if kind == "image":
        pod.spec.containers[0].image = "webserver:404"
    if kind == "job":
        pod.spec.restartPolicy = "Never"
        pod.metadata.ownerReferences.add(kind="Job", controller=True)
    if kind in ("init", "sidecar"):
        pod.spec.initContainers.add(name="i", image="i", restartPolicy="Always" if kind == "sidecar" else "")
    if kind == "deadline":
        pod.spec.activeDeadlineSeconds = 30
    story = Story(pod, HollowSettings(init_run_s=3.0))
    story.go(seconds)
    again = podstatus.read(story.profiles.of(pod), pod, story.moment)
    assert again.outcome == story.state.outcome
    assert again.addresses == story.state.addresses
    assert again.is_initialized == story.state.is_initialized
    for mine, old in zip((*again.init, *again.main), (*story.state.init, *story.state.main), strict=True):
        assert (mine.restarts, mine.is_ready, mine.is_started) == (old.restarts, old.is_ready, old.is_started)
        if old.stage in (podstate.RUNNING, podstate.TERMINATED, podstate.BACKING_OFF):
            assert mine.stage == old.stage
            assert mine.last == old.last or (old.stage != podstate.RUNNING and mine.last is not None)
    if kind != "image" and story.state.wakes_s < inf:
        assert abs(again.wakes_s - story.state.wakes_s) <= 1.0
    before = PodStatus()
    before.CopyFrom(pod.status)
    podstatus.write(again, pod, ("172.16.0.2",), story.moment)
    if kind != "image":
        assert before == pod.status


def test_a_pod_that_no_node_began_is_new() -> None:
    pod = assigned()
    state = podstatus.read(Profiles(HollowSettings()).of(pod), pod, Moment(5.0, WALL_S))
    assert state == new_state(state.profile)


def test_container_ids_of_each_run_differ() -> None:
    made = {podstatus.container_id("0b7d4b1c-7a43-4c8a-9d7e-1f1f1f1f1f1f", ordinal, number) for ordinal in range(3) for number in range(3)}
    assert len(made) == 9
    assert {len(each) for each in made} == {77}
    assert len(podstatus.container_id("short", 0, 0)) == 77


@pytest.mark.parametrize(
    ("image", "repository"), [("nginx:1.27", "nginx"), ("registry:5000/a/b:1", "registry:5000/a/b"), ("a/b@sha256:00", "a/b"), ("a", "a")]
)
def test_image_ids_name_the_repository(image: str, repository: str) -> None:
    assert podstatus.image_id(image).startswith(repository + "@sha256:")
