"""A pod's state as the PodStatus that a kubelet would report, and back.

`write` changes only what a kubelet owns: what others put into the status (qosClass, PodScheduled, conditions of readiness gates,
resource claims) stays, and a condition keeps its transition time while its status stays the same. `read` rebuilds a state from a
status, for pods that outlived their node's process.

Source: kubelet pkg/kubelet/status/generate.go (conditions, reasons, messages), kubelet_pods.go (convertToAPIContainerStatuses).
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from math import inf
from typing import Final, NamedTuple

from kcore.agent import podstate
from kcore.agent.podprofile import PodProfile
from kcore.agent.podstate import Container, Exit, Moment, PodState, backoff_s, new_state
from kcore.api.core.v1 import pod_pb2
from kcore.api.core.v1.pod_pb2 import ContainerStatus, Pod, PodCondition, PodStatus
from kcore.api.core.v1.resource_requirements_pb2 import ResourceRequirements
from kcore.base import limits

READY_TO_START: Final = "PodReadyToStartContainers"
INITIALIZED: Final = "Initialized"
READY: Final = "Ready"
CONTAINERS_READY: Final = "ContainersReady"
OWN_CONDITIONS: Final = frozenset((READY_TO_START, INITIALIZED, READY, CONTAINERS_READY))

INIT_ORDINAL: Final = 1 << 16
EPHEMERAL_ORDINAL: Final = 1 << 17
"""Where the numbering of these containers starts, in a pod's container ids."""


class _Condition(NamedTuple):
    type: str
    holds: bool
    reason: str = ""
    message: str = ""


def write(state: PodState, pod: Pod, host_ips: Sequence[str], now: Moment) -> None:
    """Bring the status of a pod to what its state says.

    pod       as it was seen last; its status is changed in place
    host_ips  addresses of its node, the primary one first
    Cost      some 10 us for a pod of one container
    """
    status = pod.status
    status.phase = phase(state)
    status.observedGeneration = pod.metadata.generation
    _set_or_clear(status, "reason", state.reason)
    _set_or_clear(status, "message", state.message)
    _write_addresses(state, status, host_ips)
    if state.start_wall_s:
        status.startTime.seconds = state.start_wall_s
    _write_conditions(state, pod, now)
    _write_containers(state, pod)


def phase(state: PodState) -> str:
    """The pod's phase: Pending until every main container has run once, then Running until it is final."""
    if state.outcome:
        return state.outcome
    if not state.is_initialized or any(each.last is None and each.stage != podstate.RUNNING for each in state.main):
        return podstate.PENDING
    return podstate.RUNNING_PHASE


def _set_or_clear(status: PodStatus, name: str, value: str) -> None:
    if value:
        setattr(status, name, value)
    else:
        status.ClearField(name)


def _write_addresses(state: PodState, status: PodStatus, host_ips: Sequence[str]) -> None:
    if host_ips and state.start_wall_s and [each.ip for each in status.hostIPs] != list(host_ips):
        status.hostIP = host_ips[0]
        del status.hostIPs[:]
        for ip in host_ips:
            status.hostIPs.add().ip = ip
    if state.addresses and [each.ip for each in status.podIPs] != list(state.addresses):
        status.podIP = state.addresses[0]
        del status.podIPs[:]
        for ip in state.addresses:
            status.podIPs.add().ip = ip


def _write_conditions(state: PodState, pod: Pod, now: Moment) -> None:
    status, generation = pod.status, pod.metadata.generation
    others = [each for each in status.conditions if each.type not in OWN_CONDITIONS]
    is_first = len(others) == len(status.conditions)
    if is_first and _is_all_well(state):
        kept = [*all_well(now.wall_s, generation), *others]
    else:
        before = {each.type: each for each in status.conditions}
        kept = [_condition(each, before.get(each.type), generation, now) for each in _conditions(state, before)]
        kept += others
    del status.conditions[:]
    status.conditions.extend(kept)


def _is_all_well(state: PodState) -> bool:
    """Say whether every condition holds: the common case, whose conditions are made once a second and copied."""
    return (
        state.is_initialized
        and bool(state.addresses)
        and not state.outcome
        and not state.profile.readiness_gates
        and not state.init
        and all(each.is_ready for each in state.main)
    )


@lru_cache(maxsize=limits.POD_CONDITIONS_CACHED_MAX)
def all_well(wall_s: int, generation: int) -> tuple[PodCondition, ...]:
    """Conditions of a pod that came up well at once; not to be changed."""
    now = Moment(0.0, wall_s)
    return tuple(
        _condition(_Condition(type_, True), None, generation, now) for type_ in (READY_TO_START, INITIALIZED, READY, CONTAINERS_READY)
    )


def _condition(wanted: _Condition, before: PodCondition | None, generation: int, now: Moment) -> PodCondition:
    made = PodCondition(type=wanted.type, status="True" if wanted.holds else "False", observedGeneration=generation)
    if wanted.reason:
        made.reason = wanted.reason
    if wanted.message:
        made.message = wanted.message
    if before is not None and before.status == made.status and before.HasField("lastTransitionTime"):
        made.lastTransitionTime.CopyFrom(before.lastTransitionTime)
    else:
        made.lastTransitionTime.seconds = now.wall_s
    return made


def _conditions(state: PodState, present: "dict[str, PodCondition]") -> Iterator[_Condition]:
    yield _Condition(READY_TO_START, bool(state.addresses) and not state.outcome)
    yield _initialized(state)
    containers = _containers_ready(state)
    yield _ready(state, containers, present)
    yield containers


def _initialized(state: PodState) -> _Condition:
    if state.outcome == podstate.SUCCEEDED:
        return _Condition(INITIALIZED, True, "PodCompleted")
    if state.is_initialized or (not state.init and not state.outcome):
        return _Condition(INITIALIZED, True)
    waiting = [
        profile.name
        for profile, container in zip(state.profile.init, state.init, strict=True)
        if not (container.is_started if profile.is_sidecar else container.stage == podstate.TERMINATED and not container.exit_code)
    ]
    if not waiting:
        return _Condition(INITIALIZED, True)
    return _Condition(INITIALIZED, False, "ContainersNotInitialized", f"containers with incomplete status: [{' '.join(waiting)}]")


def _containers_ready(state: PodState) -> _Condition:
    if state.outcome:
        return _Condition(CONTAINERS_READY, False, "PodCompleted" if state.outcome == podstate.SUCCEEDED else "PodFailed")
    pairs = [*zip(state.profile.main, state.main, strict=True)]
    pairs += [(profile, each) for profile, each in zip(state.profile.init, state.init, strict=True) if profile.is_sidecar]
    unready = [profile.name for profile, container in pairs if not container.is_ready]
    if not unready:
        return _Condition(CONTAINERS_READY, True)
    return _Condition(CONTAINERS_READY, False, "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")


def _ready(state: PodState, containers: _Condition, present: "dict[str, PodCondition]") -> _Condition:
    if not containers.holds:
        return containers._replace(type=READY)
    for gate in state.profile.readiness_gates:
        if gate not in present:
            return _Condition(
                READY, False, "ReadinessGatesNotReady", f'corresponding condition of pod readiness gate "{gate}" does not exist.'
            )
        if present[gate].status != "True":
            message = f'the status of pod readiness gate "{gate}" is not "True", but {present[gate].status}'
            return _Condition(READY, False, "ReadinessGatesNotReady", message)
    return _Condition(READY, True)


def _write_containers(state: PodState, pod: Pod) -> None:
    status, spec, profile = pod.status, pod.spec, state.profile
    del status.containerStatuses[:]
    waiting = "PodInitializing" if state.init and not state.is_initialized and state.addresses else "ContainerCreating"
    for index, container in enumerate(state.main):
        made = status.containerStatuses.add(name=profile.main[index].name, image=profile.main[index].image)
        _write_container(made, container, pod, index, waiting)
        write_resources(made, spec.containers[index].resources)
    if state.init:
        del status.initContainerStatuses[:]
        waiting = "PodInitializing" if state.addresses else "ContainerCreating"
        for index, container in enumerate(state.init):
            made = status.initContainerStatuses.add(name=profile.init[index].name, image=profile.init[index].image)
            _write_container(made, container, pod, INIT_ORDINAL + index, waiting)
            write_resources(made, spec.initContainers[index].resources)
            if container.stage == podstate.TERMINATED and not container.exit_code:
                made.ready = True
    if state.ephemeral:
        del status.ephemeralContainerStatuses[:]
        for index, container in enumerate(state.ephemeral):
            made = status.ephemeralContainerStatuses.add(name=profile.ephemeral[index].name, image=profile.ephemeral[index].image)
            _write_container(made, container, pod, EPHEMERAL_ORDINAL + index, "ContainerCreating")


def _write_container(made: ContainerStatus, container: Container, pod: Pod, ordinal: int, waiting: str) -> None:
    made.ready = container.is_ready
    made.restartCount = container.restarts
    made.started = container.is_started
    made.lastState.SetInParent()
    uid = pod.metadata.uid
    if container.stage == podstate.RUNNING:
        made.state.running.startedAt.seconds = container.started_wall_s
        made.imageID = image_id(made.image)
        made.containerID = container_id(uid, ordinal, container.restarts)
        if container.last is not None:
            _write_exit(made.lastState.terminated, container.last, container_id(uid, ordinal, container.last.number))
    elif container.last is not None:
        made.imageID = image_id(made.image)
        made.containerID = container_id(uid, ordinal, container.last.number)
        if container.stage == podstate.TERMINATED:
            _write_exit(made.state.terminated, container.last, made.containerID)
        else:
            made.state.waiting.reason = "CrashLoopBackOff"
            pause_s = int(backoff_s(max(container.crashes - 1, 1)))
            meta = pod.metadata
            text = f"{pause_s // 60}m{pause_s % 60}s" if pause_s >= 60 else f"{pause_s}s"
            made.state.waiting.message = f"back-off {text} restarting failed container={made.name} pod={meta.name}_{meta.namespace}({uid})"
            _write_exit(made.lastState.terminated, container.last, made.containerID)
    else:
        made.imageID = ""
        _write_waiting(made, container, waiting)


def _write_waiting(made: ContainerStatus, container: Container, waiting: str) -> None:
    state = made.state.waiting
    if container.stage == podstate.PULL_FAILED:
        state.reason = "ErrImagePull"
        state.message = pull_failure(made.image)
    elif container.stage == podstate.PULL_BACKING_OFF:
        state.reason = "ImagePullBackOff"
        state.message = f'Back-off pulling image "{made.image}": ErrImagePull: {pull_failure(made.image)}'
    else:
        state.reason = waiting


def _write_exit(made: pod_pb2.ContainerStateTerminated, ended: Exit, identity: str) -> None:
    made.exitCode = ended.code
    made.reason = ended.reason
    made.startedAt.seconds = ended.started_wall_s
    made.finishedAt.seconds = ended.finished_wall_s
    made.containerID = identity


def write_resources(made: ContainerStatus, wanted: ResourceRequirements) -> None:
    """What the container got, which on a hollow node is what it asked for; a resize shows here."""
    if wanted.requests:
        made.allocatedResources.MergeFrom(wanted.requests)
    made.resources.CopyFrom(wanted)


def pull_failure(image: str) -> str:
    """Why an image cannot be pulled."""
    return f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": not found'


@lru_cache(maxsize=limits.IMAGE_IDS_CACHED_MAX)
def image_id(image: str) -> str:
    """Digest of an image; made up, but always the same for one image."""
    repository = image.partition("@")[0]
    head, slash, tail = repository.rpartition("/")
    return f"{head}{slash}{tail.partition(':')[0]}@sha256:{sha256(image.encode()).hexdigest()}"


def container_id(uid: str, ordinal: int, number: int) -> str:
    """Id of the run with this number of a pod's container; 64 hexadecimal digits, as a runtime's."""
    return f"containerd://{uid_digits(uid)}{ordinal:08x}{number:024x}"


def uid_digits(uid: str) -> str:
    """The part of a pod's container ids that comes from its uid: always 32 ASCII characters, since they are patched into bytes."""
    digits = uid.replace("-", "")
    return digits if len(digits) == 32 and digits.isascii() else sha256(uid.encode()).hexdigest()[:32]


def read(profile: PodProfile, pod: Pod, now: Moment) -> PodState:
    """State of a pod that a node's earlier process ran; a new one if no node has begun it."""
    status = pod.status
    state = new_state(profile)
    if not status.HasField("startTime"):
        return state
    state.start_wall_s = status.startTime.seconds
    state.begun_s = _steady(state.start_wall_s, now)
    if profile.deadline_s >= 0:
        state.deadline_s = state.begun_s + profile.deadline_s
    state.addresses = tuple(each.ip for each in status.podIPs)
    state.sandbox_s = now.steady_s
    if status.phase in (podstate.SUCCEEDED, podstate.FAILED):
        state.outcome, state.reason, state.message = status.phase, status.reason, status.message
    state.is_initialized = any(each.type == INITIALIZED and each.status == "True" for each in status.conditions) and bool(state.addresses)
    for profiles, containers, statuses in (
        (profile.init, state.init, status.initContainerStatuses),
        (profile.main, state.main, status.containerStatuses),
        (profile.ephemeral, state.ephemeral, status.ephemeralContainerStatuses),
    ):
        by_name = {each.name: each for each in statuses}
        for own, container in zip(profiles, containers, strict=True):
            if own.name in by_name:
                _read_container(container, by_name[own.name], own.startup_s, own.ready_s, own.exits_after_s, own.exit_code, now)
    return state


def _steady(wall_s: int, now: Moment) -> float:
    """Steady time of a wall clock's second in the past."""
    return now.steady_s - max(now.wall_s - wall_s, 0)


def _read_container(
    container: Container, seen: ContainerStatus, startup_s: float, ready_s: float, exits_after_s: float, exit_code: int, now: Moment
) -> None:
    container.restarts = seen.restartCount
    container.crashes = seen.restartCount + 1 if seen.restartCount else 0
    if seen.lastState.HasField("terminated"):
        container.last = _read_exit(seen.lastState.terminated, max(seen.restartCount - 1, 0))
    if seen.state.HasField("running"):
        container.stage = podstate.RUNNING
        container.started_wall_s = seen.state.running.startedAt.seconds
        container.running_s = _steady(container.started_wall_s, now)
        container.started_s = container.running_s + startup_s
        container.ready_s = container.started_s + ready_s
        container.is_started, container.is_ready = seen.started, seen.ready
        container.exit_code = exit_code
        container.until_s = container.running_s + exits_after_s if exits_after_s >= 0 else inf
    elif seen.state.HasField("terminated"):
        container.stage = podstate.TERMINATED
        container.last = _read_exit(seen.state.terminated, seen.restartCount)
        container.exit_code = container.last.code
    elif container.last is not None:
        container.last = container.last._replace(number=seen.restartCount)
        container.stage = podstate.BACKING_OFF
        container.crashes = seen.restartCount + 1
        pause_s = backoff_s(container.crashes - 1) if container.crashes > 1 else 0.0
        container.until_s = _steady(container.last.finished_wall_s, now) + pause_s


def _read_exit(seen: pod_pb2.ContainerStateTerminated, number: int) -> Exit:
    return Exit(seen.exitCode, seen.reason, seen.startedAt.seconds, seen.finishedAt.seconds, number)
