"""The short way of a plain pod against the general one: the same status, and no pod is taken for plain that is not."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.agent import podstatus
from kcore.agent.podprofile import Profiles
from kcore.agent.podstart import PodStart
from kcore.agent.podstate import Advance, Moment, new_state, run_at_once
from kcore.agent.settings import HollowSettings
from kcore.api.core.v1.pod_pb2 import Pod

HOLLOW = HollowSettings()
PROFILES = Profiles(HOLLOW)
START = PodStart(HOLLOW, PROFILES)
ADVANCE = Advance(HOLLOW, lambda: 0.5)
HOSTS = ("172.16.0.2", "fd00::2")

words = st.text("abc-é", max_size=6)
amounts = st.dictionaries(st.sampled_from(["cpu", "memory", "example.com/gpu"]), st.sampled_from(["1", "100m", "3Gi"]))


@st.composite
def pods(draw: st.DrawFn) -> Pod:
    """A pod that was just bound; often plain, sometimes with something that makes it otherwise."""
    pod = Pod()
    meta, spec, status = pod.metadata, pod.spec, pod.status
    meta.name, meta.namespace, meta.uid = draw(words), draw(words), str(draw(st.uuids()) if draw(st.booleans()) else draw(words))
    meta.labels.update(draw(st.dictionaries(words, words, max_size=2)))
    meta.generation = draw(st.integers(0, 1 << 40))
    spec.nodeName, spec.restartPolicy = draw(words), draw(st.sampled_from(["", "Always", "Never"]))
    for index in range(draw(st.integers(0, 3))):
        container = spec.containers.add(name=f"c{index}", image=draw(st.sampled_from(["nginx", "a/b:1", "webserver:404"])))
        for resource, amount in draw(amounts).items():
            container.resources.requests[resource].string = amount
        for resource, amount in draw(amounts).items():
            container.resources.limits[resource].string = amount
        if draw(st.integers(0, 5)) == 0:
            container.readinessProbe.initialDelaySeconds = draw(st.integers(0, 1))
        if draw(st.integers(0, 5)) == 0:
            container.startupProbe.initialDelaySeconds = draw(st.integers(0, 1))
        if draw(st.integers(0, 5)) == 0:
            container.restartPolicy = "Never"
    status.phase, status.qosClass = draw(st.sampled_from(["Pending", "Pending", "Pending", "Running", ""])), draw(words)
    status.conditions.add(type="PodScheduled", status="True").lastTransitionTime.seconds = 7
    _make_otherwise(pod, draw(st.integers(0, 40)))
    return pod


def _make_otherwise(pod: Pod, how: int) -> None:
    meta, spec, status = pod.metadata, pod.spec, pod.status
    match how:
        case 0:
            meta.annotations["kcore.io/exit-code"] = "1"
        case 1:
            meta.annotations["other"] = "1"
        case 2:
            meta.ownerReferences.add(kind="Job", controller=True)
        case 3:
            spec.hostNetwork = True
        case 4:
            spec.activeDeadlineSeconds = 3
        case 5:
            spec.initContainers.add(name="i")
        case 6:
            spec.readinessGates.add(conditionType="g")
        case 7:
            spec.ephemeralContainers.add().ephemeralContainerCommon.name = "e"
        case 8:
            meta.deletionTimestamp.seconds = 3
        case 9:
            status.startTime.seconds = 3
        case 10:
            status.conditions.add(type="Ready", status="False")
        case 11:
            status.podIPs.add(ip="10.0.0.1")
        case 12:
            status.hostIPs.add(ip="10.0.0.1")
        case 13:
            status.containerStatuses.add(name="c0")
        case 14:
            status.nominatedNodeName = "n"
            status.resourceClaimStatuses.add(name="claim")
        case _:
            pass


@settings(max_examples=400)
@given(pods(), st.integers(1_700_000_000, 4_000_000_000), st.sampled_from([("10.1.0.2",), ("10.1.0.2", "fd00::2")]))
def test_both_ways_write_the_same(pod: Pod, wall_s: int, addresses: tuple[str, ...]) -> None:
    now = Moment(5.0, wall_s)
    raw = pod.SerializeToString()
    fresh = START.recognise(raw, now)
    if fresh is None:
        return
    short = Pod.FromString(START.running(fresh, addresses, HOSTS, now))
    state = new_state(PROFILES.of(pod))
    ADVANCE.begin(state, now)
    state.addresses = addresses
    ADVANCE(state, now)
    podstatus.write(state, pod, HOSTS, now)
    assert short == pod
    assert (fresh.uid, fresh.namespace, fresh.name) == (pod.metadata.uid, pod.metadata.namespace, pod.metadata.name)
    assert (fresh.node, fresh.generation) == (pod.spec.nodeName, pod.metadata.generation)
    at_once = new_state(fresh.template.profile)
    run_at_once(at_once, addresses, now)
    for container in (*at_once.main, *state.main):
        container.until_s = 0.0
    assert at_once == state


@given(pods())
def test_only_plain_pods_are_recognised(pod: Pod) -> None:
    now = Moment(5.0, 1_767_225_600)
    if START.recognise(pod.SerializeToString(), now) is None:
        return
    state = new_state(PROFILES.of(pod))
    ADVANCE.begin(state, now)
    state.addresses = ("10.1.0.2",)
    ADVANCE(state, now)
    assert podstatus.phase(state) == "Running"
    assert state.wakes_s == float("inf")
    assert pod.status.phase == "Pending"
    assert not pod.spec.hostNetwork
