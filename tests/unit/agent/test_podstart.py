"""Which pods take the short way, and which do not."""

from collections.abc import Callable

import pytest

from kcore.agent.podprofile import Profiles
from kcore.agent.podstart import PodStart
from kcore.agent.podstate import Moment
from kcore.agent.settings import HollowSettings
from kcore.api.core.v1.pod_pb2 import Pod
from tests.unit.agent.pods import WALL_S, assigned

NOW = Moment(5.0, WALL_S)


def start(settings: HollowSettings | None = None) -> PodStart:
    settings = settings or HollowSettings()
    return PodStart(settings, Profiles(settings))


def test_a_plain_pod_that_was_just_bound_is_recognised() -> None:
    assert start().recognise(assigned().SerializeToString(), NOW) is not None


def test_the_same_template_is_used_for_all_its_pods() -> None:
    ways = start()
    first, second = (ways.recognise(assigned(name).SerializeToString(), NOW) for name in ("a", "b"))
    assert first is not None
    assert second is not None
    assert first.template is second.template


@pytest.mark.parametrize(
    "change",
    [
        lambda pod: pod.metadata.annotations.update({"kcore.io/exit-after": "1"}),
        lambda pod: pod.metadata.ownerReferences.add(kind="Job"),
        lambda pod: pod.metadata.deletionTimestamp.SetInParent(),
        lambda pod: setattr(pod.spec, "hostNetwork", True),
        lambda pod: setattr(pod.spec, "activeDeadlineSeconds", 9),
        lambda pod: pod.spec.initContainers.add(name="i"),
        lambda pod: pod.spec.readinessGates.add(conditionType="g"),
        lambda pod: setattr(pod.spec.containers[0], "image", "webserver:404"),
        lambda pod: setattr(pod.spec.containers[0].readinessProbe, "initialDelaySeconds", 2),
        lambda pod: setattr(pod.status, "phase", "Running"),
        lambda pod: setattr(pod.status.startTime, "seconds", 2),
        lambda pod: pod.status.conditions.add(type="Ready"),
        lambda pod: pod.spec.ClearField("containers"),
    ],
)
def test_any_other_pod_is_left_to_the_general_way(change: Callable[[Pod], object]) -> None:
    pod = assigned()
    change(pod)
    assert start().recognise(pod.SerializeToString(), NOW) is None


@pytest.mark.parametrize(
    "settings", [HollowSettings(start_delay_s=0.1), HollowSettings(failure_rate=0.1), HollowSettings(pull_failure_rate=0.1)]
)
def test_delays_and_failures_need_the_general_way(settings: HollowSettings) -> None:
    assert start(settings).recognise(assigned().SerializeToString(), NOW) is None


def test_a_pod_whose_status_does_not_end_its_bytes_is_left_to_the_general_way() -> None:
    pod = assigned()
    status = Pod(status=pod.status).SerializeToString()
    pod.ClearField("status")
    assert start().recognise(status + pod.SerializeToString(), NOW) is None


def test_memory_for_templates_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from kcore.base import limits

    monkeypatch.setattr(limits, "POD_PROFILES_MAX", 3)
    ways = start()
    for number in range(10):
        pod = assigned()
        pod.spec.containers[0].image = f"i:{number}"
        pod.spec.containers[0].resources.requests["cpu"].string = str(number)
        fresh = ways.recognise(pod.SerializeToString(), NOW)
        assert fresh is not None
        written = Pod.FromString(ways.running(fresh, ("10.1.0.2",), (), NOW))
        assert written.status.containerStatuses[0].image == f"i:{number}"
        assert written.status.containerStatuses[0].allocatedResources["cpu"].string == str(number)
