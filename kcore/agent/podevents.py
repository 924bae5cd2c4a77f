"""What a hollow node tells about a pod in Events: that an image cannot be pulled, that a container backs off.

What goes well is not told, since it would be three Events for each of thousands of pods.

Source: kubelet pkg/kubelet/images/image_manager.go, kuberuntime_manager.go (reasons and messages).
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from kcore.agent import podstate
from kcore.agent.podprofile import ContainerProfile
from kcore.agent.podstate import Container, PodState
from kcore.agent.podstatus import pull_failure

NORMAL: Final = "Normal"
WARNING: Final = "Warning"

Stages = tuple[int, ...]


class Told(NamedTuple):
    """One Event about a pod."""

    type: str
    reason: str
    message: str


def stages(state: PodState) -> Stages:
    """Stages of all containers, to compare with later ones."""
    return tuple(each.stage for each in (*state.init, *state.main))


def happened(state: PodState, before: Stages, pod: str) -> Iterator[Told]:
    """Tell what is new since the containers were in those stages.

    pod   how messages call the pod: `name_namespace(uid)`
    """
    profiles: Sequence[ContainerProfile] = (*state.profile.init, *state.profile.main)
    containers: Sequence[Container] = (*state.init, *state.main)
    for profile, container, stage in zip(profiles, containers, before, strict=True):
        if container.stage == stage:
            continue
        if container.stage == podstate.PULL_FAILED:
            yield Told(WARNING, "Failed", f'Failed to pull image "{profile.image}": {pull_failure(profile.image)}')
            yield Told(WARNING, "Failed", "Error: ErrImagePull")
        elif container.stage == podstate.PULL_BACKING_OFF:
            yield Told(NORMAL, "BackOff", f'Back-off pulling image "{profile.image}"')
            yield Told(WARNING, "Failed", "Error: ImagePullBackOff")
        elif container.stage == podstate.BACKING_OFF:
            yield Told(WARNING, "BackOff", f"Back-off restarting failed container {profile.name} in pod {pod}")
