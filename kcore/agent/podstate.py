"""The life of a pod on a hollow node, as a state machine: what its containers do by themselves as time passes.

A container goes through these stages; below each is what ends it:

    CREATING --------> RUNNING ---------> TERMINATED          (restart policy wants no more)
     sandbox, image,    |  exits           ^
     init containers    |                  | exits
        |               v                  |
        |            BACKING_OFF ------> RUNNING              (10 s, 20 s ... 300 s; the first restart is at once)
        v
    PULL_FAILED -> PULL_BACKING_OFF -> PULL_FAILED ...        (an image that no registry has)

`Advance` takes a pod as far as time allows, and the state says when something will happen next. It holds no message;
`kcore.agent.podstatus` writes it as a PodStatus and reads it back after a restart.

Times: `Moment` has the steady time that durations are measured in and the wall clock's second that is written into the status,
so that a clock that jumps moves no timer.

Source: kubelet pkg/kubelet/kuberuntime (computePodActions, doBackOff), pkg/kubelet/kubelet_pods.go (getPhase).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final, NamedTuple

from kcore.agent.podprofile import ALWAYS, NEVER, ContainerProfile, PodProfile
from kcore.agent.settings import HollowSettings
from kcore.base import limits

CREATING: Final = 0
RUNNING: Final = 1
TERMINATED: Final = 2
BACKING_OFF: Final = 3
PULL_FAILED: Final = 4
PULL_BACKING_OFF: Final = 5

PENDING: Final = "Pending"
RUNNING_PHASE: Final = "Running"
SUCCEEDED: Final = "Succeeded"
FAILED: Final = "Failed"

KILLED_CODE: Final = 137
"""Exit code of a container that a deadline ended (SIGKILL)."""

STOPPED_CODE: Final = 143
"""Exit code of a container that was asked to stop (SIGTERM), so that a Job does not count it as done."""


class Moment(NamedTuple):
    """Now: steady seconds, and the wall clock's second."""

    steady_s: float
    wall_s: int


class Exit(NamedTuple):
    """How a container's last run ended. Number: of that run, 0 for the first."""

    code: int
    reason: str
    started_wall_s: int
    finished_wall_s: int
    number: int


@dataclass(slots=True)
class Container:
    """One container's life so far.

    until_s       steady time at which its stage ends by itself; inf: never
    started_s     steady time at which it has started (startup probe), and ready_s at which it is ready
    restarts      number of the present run
    crashes       runs that ended since one last lasted long enough: the backoff counts them
    """

    stage: int = CREATING
    until_s: float = inf
    running_s: float = 0.0
    started_s: float = inf
    ready_s: float = inf
    is_started: bool = False
    is_ready: bool = False
    restarts: int = 0
    crashes: int = 0
    pulls: int = 0
    started_wall_s: int = 0
    exit_code: int = 0
    last: Exit | None = None


@dataclass(slots=True)
class PodState:
    """One pod's life so far.

    start_wall_s   when the node first saw it, 0: not yet; `begun_s` is the same in steady time
    sandbox_s      steady time at which its sandbox can be made
    addresses      of the pod, once it has some; a pod on the host's network has the host's
    ends_s         steady time at which it ends, because it is deleted; inf: it is not
    outcome        its final phase; empty while it is not final
    is_over        it was deleted and has ended: its object can go
    """

    profile: PodProfile
    init: list[Container]
    main: list[Container]
    ephemeral: list[Container] = field(default_factory=list)
    start_wall_s: int = 0
    begun_s: float = 0.0
    deadline_s: float = inf
    sandbox_s: float = inf
    addresses: tuple[str, ...] = ()
    is_initialized: bool = False
    ends_s: float = inf
    outcome: str = ""
    reason: str = ""
    message: str = ""
    is_over: bool = False

    @property
    def needs_addresses(self) -> bool:
        """Say whether the pod has to be given addresses before it can go on."""
        return not self.addresses and not self.outcome and not self.is_over

    @property
    def wakes_s(self) -> float:
        """Steady time at which something happens by itself; inf: never."""
        if self.outcome or self.is_over:
            return self.ends_s if not self.is_over else inf
        times = [self.ends_s, self.deadline_s]
        if self.addresses:
            for each in (*self.init, *self.main, *self.ephemeral):
                times.append(each.until_s)
                if each.stage == RUNNING:
                    times.append(inf if each.is_started else each.started_s)
                    times.append(inf if each.is_ready else each.ready_s)
        else:
            times.append(self.sandbox_s)
        return min(times)


def new_state(profile: PodProfile) -> PodState:
    """State of a pod that has not begun."""
    return PodState(
        profile,
        [Container() for _ in profile.init],
        [Container() for _ in profile.main],
        [Container() for _ in profile.ephemeral],
    )


def run_at_once(state: PodState, addresses: tuple[str, ...], now: Moment) -> None:
    """Begin a pod of plain containers and have them run, as `Advance` does where nothing takes time."""
    state.start_wall_s, state.begun_s, state.sandbox_s = now.wall_s, now.steady_s, now.steady_s
    state.addresses = addresses
    state.is_initialized = True
    for container in state.main:
        container.stage = RUNNING
        container.running_s = container.started_s = container.ready_s = now.steady_s
        container.started_wall_s = now.wall_s
        container.is_started = container.is_ready = True


def adapt(state: PodState, profile: PodProfile) -> None:
    """Take over a changed spec: new ephemeral containers, another deadline. Names of other containers cannot change."""
    before, state.profile = state.profile, profile
    state.ephemeral += [Container() for _ in profile.ephemeral[len(before.ephemeral) :]]
    if state.start_wall_s:
        state.deadline_s = state.begun_s + profile.deadline_s if profile.deadline_s >= 0 else inf


class Advance:
    """Takes pods through their lives, with one node's settings and one source of chance."""

    __slots__ = ("_random", "_settings")

    def __init__(self, settings: HollowSettings, random: Callable[[], float]) -> None:
        """Random: a number in [0, 1), as `Entropy.random`."""
        self._settings = settings
        self._random = random

    def begin(self, state: PodState, now: Moment) -> None:
        """Note that the node has seen the pod."""
        state.start_wall_s = now.wall_s
        state.begun_s = now.steady_s
        state.sandbox_s = now.steady_s + self._lasting(self._settings.sandbox_delay_s)
        if state.profile.deadline_s >= 0:
            state.deadline_s = now.steady_s + state.profile.deadline_s

    def end(self, state: PodState, grace_s: float, now: Moment) -> None:
        """Note that the pod is being deleted; said again, it only comes nearer."""
        state.ends_s = min(state.ends_s, now.steady_s + min(grace_s, self._settings.termination_s))

    def __call__(self, state: PodState, now: Moment) -> None:
        """Take a pod as far as time allows. A pod without addresses is taken no further than asking for them."""
        if state.is_over:
            return
        if now.steady_s >= state.ends_s:
            self._finish_deleted(state, now)
            return
        if state.outcome:
            return
        if now.steady_s >= state.deadline_s:
            self._fail_at_deadline(state, now)
            return
        if not state.addresses:
            return
        if not state.is_initialized:
            self._advance_init(state, now)
        if state.is_initialized:
            self._advance_main(state, now)

    def _advance_init(self, state: PodState, now: Moment) -> None:
        """Run init containers one after the other; a sidecar lets the next one go when it has started."""
        for profile, container in zip(state.profile.init, state.init, strict=True):
            self._step(profile, container, now)
            if profile.is_sidecar:
                if not container.is_started:
                    return
            elif container.stage != TERMINATED:
                return
            elif container.exit_code:
                _settle(state, FAILED, now)
                return
        state.is_initialized = True

    def _advance_main(self, state: PodState, now: Moment) -> None:
        for profile, container in zip(state.profile.init, state.init, strict=True):
            if profile.is_sidecar:
                self._step(profile, container, now)
        for profile, container in zip(state.profile.main, state.main, strict=True):
            self._step(profile, container, now)
        for profile, container in zip(state.profile.ephemeral, state.ephemeral, strict=True):
            self._step(profile, container, now)
        if state.main and all(each.stage == TERMINATED for each in state.main):
            _settle(state, FAILED if any(each.exit_code for each in state.main) else SUCCEEDED, now)

    def _step(self, profile: ContainerProfile, container: Container, now: Moment) -> None:
        """Take one container as far as time allows."""
        steady_s = now.steady_s
        if container.stage == CREATING and container.until_s == inf:
            delay_s = self._lasting(self._settings.pull_delay_s + self._settings.start_delay_s)
            container.until_s = steady_s + delay_s
        for _ in range(limits.HOLLOW_STEPS_MAX):
            if container.until_s > steady_s:
                break
            self._leave(profile, container, now)
        if container.stage == RUNNING:
            container.is_started = container.is_started or container.started_s <= steady_s
            container.is_ready = container.is_started and (container.is_ready or container.ready_s <= steady_s)

    def _leave(self, profile: ContainerProfile, container: Container, now: Moment) -> None:
        """Do what happens when a container's stage ends."""
        if container.stage == RUNNING:
            self._exit(profile, container, now)
        elif container.stage == PULL_FAILED:
            container.stage = PULL_BACKING_OFF
            container.until_s = now.steady_s + backoff_s(container.pulls) - limits.PULL_FAILURE_SHOWN_S
        elif container.stage == BACKING_OFF:
            container.restarts += 1
            self._run(profile, container, now)
        else:
            self._pull(profile, container, now)

    def _pull(self, profile: ContainerProfile, container: Container, now: Moment) -> None:
        fails = self._settings.pull_failure_rate
        if not profile.is_pullable or (fails and self._random() < fails):
            container.stage = PULL_FAILED
            container.pulls += 1
            container.until_s = now.steady_s + limits.PULL_FAILURE_SHOWN_S
        else:
            self._run(profile, container, now)

    def _run(self, profile: ContainerProfile, container: Container, now: Moment) -> None:
        container.stage = RUNNING
        container.running_s = now.steady_s
        container.started_wall_s = now.wall_s
        container.is_started = container.is_ready = False
        container.started_s = now.steady_s + profile.startup_s
        container.ready_s = container.started_s + self._lasting(profile.ready_s)
        container.exit_code = profile.exit_code
        container.until_s = now.steady_s + self._lasting(profile.exits_after_s) if profile.exits_after_s >= 0 else inf
        if self._settings.failure_rate and self._random() < self._settings.failure_rate:
            container.exit_code = 1
            container.until_s = min(container.until_s, now.steady_s + self._lasting(self._settings.failure_after_s))

    def _exit(self, profile: ContainerProfile, container: Container, now: Moment) -> None:
        """A container finished: it is started again, at once or after a pause, or stays as it is."""
        ran_s = now.steady_s - container.running_s
        _terminate(container, container.exit_code, now)
        if profile.restart_policy == NEVER or (profile.restart_policy != ALWAYS and not container.exit_code):
            return
        container.crashes = 1 if ran_s >= limits.CRASH_BACKOFF_RESET_S else container.crashes + 1
        container.stage = BACKING_OFF
        container.until_s = now.steady_s + (backoff_s(container.crashes - 1) if container.crashes > 1 else 0.0)

    def _finish_deleted(self, state: PodState, now: Moment) -> None:
        """A deleted pod has ended: what runs is stopped, and nothing that waits will run."""
        if not state.outcome:
            _stop(state.init, STOPPED_CODE, now)
            _stop(state.main, STOPPED_CODE, now)
            _stop(state.ephemeral, STOPPED_CODE, now)
            ended = state.main and all(each.stage == TERMINATED and not each.exit_code for each in state.main)
            state.outcome = SUCCEEDED if ended else FAILED
        state.is_over = True

    def _fail_at_deadline(self, state: PodState, now: Moment) -> None:
        for group in (state.init, state.main, state.ephemeral):
            _stop(group, KILLED_CODE, now)
        state.outcome = FAILED
        state.reason = "DeadlineExceeded"
        state.message = "Pod was active on the node longer than the specified deadline"

    def _lasting(self, seconds: float) -> float:
        jitter = self._settings.jitter
        return seconds * (1.0 + jitter * self._random()) if jitter and seconds else seconds


def backoff_s(failures: int) -> float:
    """Pause after so many failures in a row: 10 s, doubling, at most 300 s."""
    return min(limits.CRASH_BACKOFF_S * (1 << min(failures - 1, 16)), limits.CRASH_BACKOFF_S_MAX)


def _settle(state: PodState, outcome: str, now: Moment) -> None:
    """The pod has its final phase: sidecars have nothing left to serve."""
    state.outcome = outcome
    _stop(state.init, 0, now)
    _stop(state.ephemeral, 0, now)


def _stop(containers: Sequence[Container], code: int, now: Moment) -> None:
    for container in containers:
        container.until_s = inf
        if container.stage == RUNNING:
            _terminate(container, code, now)
        elif container.stage == BACKING_OFF:
            container.stage = TERMINATED


def _terminate(container: Container, code: int, now: Moment) -> None:
    container.stage = TERMINATED
    container.until_s = inf
    container.exit_code = code
    container.is_started = container.is_ready = False
    reason = "Completed" if not code else "Error"
    container.last = Exit(code, reason, container.started_wall_s, now.wall_s, container.restarts)
