"""What a hollow node reads of a pod: the few facts of its spec and annotations that decide how its containers live.

Profiles are values and are shared: pods of one template have one profile, however many there are (`Profiles`, bounded).
"""

from math import inf
from typing import NamedTuple

from kcore.agent.command import NEVER as NEVER_ENDS
from kcore.agent.command import Ending, ending
from kcore.agent.settings import EXIT_AFTER, EXIT_CODE, HollowSettings
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.core.v1.pod_spec_pb2 import Container, PodSpec
from kcore.base import limits

ALWAYS = "Always"
ON_FAILURE = "OnFailure"
NEVER = "Never"


class ContainerProfile(NamedTuple):
    """One container.

    startup_s       from running to started: the startup probe's initial delay
    ready_s         from started to ready: the readiness probe's initial delay; inf: never
    exits_after_s   it finishes after running so long, with `exit_code`; below 0: it runs until the pod is deleted
    restart_policy  its own or the pod's
    is_sidecar      an init container that goes on running
    """

    name: str
    image: str
    is_pullable: bool
    startup_s: float
    ready_s: float
    exits_after_s: float
    exit_code: int
    restart_policy: str
    is_sidecar: bool

    @property
    def is_plain(self) -> bool:
        """Say whether it runs, and is ready, as soon as it can, and goes on until the pod is deleted."""
        return self.is_pullable and self.exits_after_s < 0 and not self.startup_s and not self.ready_s


class PodProfile(NamedTuple):
    """One pod. Deadline: seconds from its start, below 0 if it has none."""

    init: tuple[ContainerProfile, ...]
    main: tuple[ContainerProfile, ...]
    ephemeral: tuple[ContainerProfile, ...]
    restart_policy: str
    host_network: bool
    deadline_s: float
    readiness_gates: tuple[str, ...]


class Profiles:
    """Makes profiles, and keeps one of each."""

    __slots__ = ("_known", "_settings")

    def __init__(self, settings: HollowSettings) -> None:
        self._settings = settings
        self._known: dict[PodProfile, PodProfile] = {}

    def of(self, pod: Pod) -> PodProfile:
        """Profile of a pod.

        Cost      some 3 us and 2 us a container
        """
        profile = _profile(pod, self._settings)
        if len(self._known) >= limits.POD_PROFILES_MAX:
            self._known.clear()
        return self._known.setdefault(profile, profile)


def _profile(pod: Pod, settings: HollowSettings) -> PodProfile:
    spec = pod.spec
    told, usual = _told(pod), _usual(pod, settings)
    policy = spec.restartPolicy or ALWAYS
    main = tuple(_container(each, settings, policy, told or _plain(each) or usual) for each in spec.containers)
    init = tuple(_init_container(each, settings, policy) for each in spec.initContainers) if spec.initContainers else ()
    gates = tuple(gate.conditionType for gate in spec.readinessGates) if spec.readinessGates else ()
    deadline_s = float(spec.activeDeadlineSeconds) if spec.HasField("activeDeadlineSeconds") else -1.0
    return PodProfile(
        init=init,
        main=main,
        ephemeral=_ephemeral(spec) if spec.ephemeralContainers else (),
        restart_policy=policy,
        host_network=spec.hostNetwork,
        deadline_s=deadline_s,
        readiness_gates=gates,
    )


def _told(pod: Pod) -> Ending | None:
    """How annotations let the containers end; None if they do not say."""
    annotations = pod.metadata.annotations
    if annotations and (EXIT_CODE in annotations or EXIT_AFTER in annotations):
        return Ending(max(_number(annotations.get(EXIT_AFTER, "")), 0.0), int(_number(annotations.get(EXIT_CODE, ""))) & 0xFF)
    return None


def _plain(container: Container) -> Ending | None:
    """How a container ends by its command; None if that is not plain."""
    return ending(container.command, container.args) if container.command else None


def _usual(pod: Pod, settings: HollowSettings) -> Ending:
    """How containers end of which nothing else is known: those of a Job do their work, others run on."""
    if any(owner.kind == "Job" and owner.controller for owner in pod.metadata.ownerReferences):
        return Ending(settings.job_run_s, 0)
    return NEVER_ENDS


def _number(text: str) -> float:
    """Value of an annotation; 0 for what is no finite number, since a pod must not stop its node."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if abs(value) <= limits.HOLLOW_EXIT_AFTER_S_MAX else 0.0


def _container(container: Container, settings: HollowSettings, policy: str, ends: Ending) -> ContainerProfile:
    return ContainerProfile(
        container.name,
        container.image,
        settings.is_pullable(container.image),
        float(container.startupProbe.initialDelaySeconds) if container.HasField("startupProbe") else 0.0,
        _ready_s(container, settings),
        ends.after_s,
        ends.code,
        container.restartPolicy or policy,
        False,
    )


def _ready_s(container: Container, settings: HollowSettings) -> float:
    """How long a container that has started takes to be ready; inf: never, since its probe's command plainly fails."""
    if not container.HasField("readinessProbe"):
        return settings.readiness_delay_s
    probe = container.readinessProbe
    probed = ending(probe.handler.exec.command, ())
    return inf if probed is not None and probed.code else settings.readiness_delay_s + probe.initialDelaySeconds


def _init_container(container: Container, settings: HollowSettings, policy: str) -> ContainerProfile:
    """An init container runs to its end; one that restarts always is a sidecar and goes on."""
    ends = _plain(container)
    if container.restartPolicy == ALWAYS:
        return _container(container, settings, policy, ends or NEVER_ENDS)._replace(is_sidecar=True)
    own = container.restartPolicy or (NEVER if policy == NEVER else ON_FAILURE)
    return _container(container, settings, policy, ends or Ending(settings.init_run_s, 0))._replace(restart_policy=own)


def _ephemeral(spec: PodSpec) -> tuple[ContainerProfile, ...]:
    """Ephemeral containers run until the pod ends; they have no probes and are not started again."""
    return tuple(
        ContainerProfile(each.ephemeralContainerCommon.name, each.ephemeralContainerCommon.image, True, 0.0, 0.0, -1.0, 0, NEVER, False)
        for each in spec.ephemeralContainers
    )
