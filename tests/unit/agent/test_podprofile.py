"""What a hollow node reads of a pod: when its containers start, are ready and finish."""

from math import inf

import pytest

from kcore.agent.podprofile import ContainerProfile, Profiles
from kcore.agent.settings import HollowSettings
from tests.unit.agent.pods import assigned

PROFILES = Profiles(HollowSettings())


def main(**annotations: str) -> ContainerProfile:
    return PROFILES.of(assigned("web", "node-0", **annotations)).main[0]


def test_a_plain_container_runs_until_it_is_deleted() -> None:
    assert main() == ContainerProfile("main", "nginx:1.27", True, 0.0, 0.0, -1.0, 0, "Always", False)


@pytest.mark.parametrize(
    ("annotations", "after_s", "code"),
    [
        ({"exit_code": "3"}, 0.0, 3),
        ({"exit_after": "2.5"}, 2.5, 0),
        ({"exit_code": "1", "exit_after": "60"}, 60.0, 1),
        ({"exit_code": "nonsense", "exit_after": "soon"}, 0.0, 0),
        ({"exit_after": "nan"}, 0.0, 0),
        ({"exit_after": "-5"}, 0.0, 0),
        ({"exit_after": "1e300", "exit_code": "257"}, 0.0, 1),
    ],
)
def test_annotations_let_containers_finish(annotations: dict[str, str], after_s: float, code: int) -> None:
    found = main(**annotations)
    assert (found.exits_after_s, found.exit_code) == (after_s, code)


def test_pods_of_a_job_finish_after_a_second() -> None:
    pod = assigned()
    pod.metadata.ownerReferences.add(kind="Job", name="j", controller=True)
    assert PROFILES.of(pod).main[0].exits_after_s == 1.0


def test_annotations_go_before_the_job() -> None:
    pod = assigned(exit_code="4", exit_after="9")
    pod.metadata.ownerReferences.add(kind="Job", name="j", controller=True)
    assert (PROFILES.of(pod).main[0].exits_after_s, PROFILES.of(pod).main[0].exit_code) == (9.0, 4)


def test_a_command_that_plainly_ends_goes_before_what_is_usual_and_after_annotations() -> None:
    pod = assigned()
    pod.spec.containers[0].command[:] = ["sh", "-c"]
    pod.spec.containers[0].args[:] = ["sleep 3; exit 4"]
    assert PROFILES.of(pod).main[0][5:7] == (3.0, 4)
    pod.metadata.ownerReferences.add(kind="Job", name="j", controller=True)
    assert PROFILES.of(pod).main[0][5:7] == (3.0, 4)
    pod.metadata.annotations["kcore.io/exit-code"] = "5"
    assert PROFILES.of(pod).main[0][5:7] == (0.0, 5)


def test_init_containers_end_as_their_command_says() -> None:
    pod = assigned()
    pod.spec.initContainers.add(name="fails", image="i", command=["/bin/false"])
    pod.spec.initContainers.add(name="waits", image="i", command=["sleep", "infinity"])
    fails, waits = PROFILES.of(pod).init
    assert (fails.exits_after_s, fails.exit_code) == (0.0, 1)
    assert waits.exits_after_s < 0


@pytest.mark.parametrize(
    "image", ["webserver:404", "invalid.registry.k8s.io/invalid/alpine:3.1", "library/nonexistent:1", "foo:non-existent"],
)
def test_images_that_nobody_has_are_known(image: str) -> None:
    pod = assigned()
    pod.spec.containers[0].image = image
    assert not PROFILES.of(pod).main[0].is_pullable


def test_probes_say_when_a_container_has_started_and_is_ready() -> None:
    pod = assigned()
    pod.spec.containers[0].startupProbe.initialDelaySeconds = 3
    pod.spec.containers[0].readinessProbe.initialDelaySeconds = 5
    found = Profiles(HollowSettings(readiness_delay_s=0.5)).of(pod).main[0]
    assert (found.startup_s, found.ready_s) == (3.0, 5.5)
    pod.spec.containers[0].readinessProbe.handler.exec.command[:] = ["/bin/true"]
    assert PROFILES.of(pod).main[0].ready_s == 5.0
    pod.spec.containers[0].readinessProbe.handler.exec.command[:] = ["/bin/false"]
    assert PROFILES.of(pod).main[0].ready_s == inf


def test_init_containers_finish_and_sidecars_do_not() -> None:
    pod = assigned()
    pod.spec.initContainers.add(name="setup", image="i")
    pod.spec.initContainers.add(name="proxy", image="i", restartPolicy="Always")
    setup, proxy = Profiles(HollowSettings(init_run_s=2.0)).of(pod).init
    assert (setup.exits_after_s, setup.restart_policy, setup.is_sidecar) == (2.0, "OnFailure", False)
    assert (proxy.exits_after_s, proxy.restart_policy, proxy.is_sidecar) == (-1.0, "Always", True)
    pod.spec.restartPolicy = "Never"
    assert PROFILES.of(pod).init[0].restart_policy == "Never"


def test_a_containers_own_restart_policy_goes_first() -> None:
    pod = assigned()
    pod.spec.containers[0].restartPolicy = "Never"
    assert PROFILES.of(pod).main[0].restart_policy == "Never"


def test_pods_that_live_alike_share_a_profile() -> None:
    assert PROFILES.of(assigned("a")) is PROFILES.of(assigned("b"))


def test_reading_a_pod_does_not_change_it() -> None:
    pod = assigned()
    pod.metadata.annotations["other"] = "x"
    before = pod.SerializeToString(deterministic=True)
    PROFILES.of(pod)
    assert pod.SerializeToString(deterministic=True) == before
