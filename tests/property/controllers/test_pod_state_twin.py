"""What controllers read of a Pod message is what the rules of the kind say of the same pod as a dict."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.controllers import pod_state
from kcore.machinery import codec
from kcore.machinery.kinds import readiness

NOW = 1_000


@st.composite
def pods(draw: Any) -> Pod:
    found = Pod()
    found.metadata.name = "a"
    if draw(st.booleans()):
        found.metadata.deletionTimestamp.seconds = NOW
    phase = draw(st.sampled_from(["", "Pending", "Running", "Succeeded", "Failed", "Unknown"]))
    if phase:
        found.status.phase = phase
    for type_ in draw(st.lists(st.sampled_from(["Ready", "Initialized", "ContainersReady"]), unique=True)):
        condition = found.status.conditions.add(type=type_, status=draw(st.sampled_from(["True", "False", "Unknown"])))
        if draw(st.booleans()):
            condition.lastTransitionTime.seconds = draw(st.integers(900, NOW))
    return found


@given(pods(), st.integers(0, 200))
def test_message_and_dict_agree(pod: Pod, min_ready_s: int) -> None:
    value = codec.decode("kcore.api.core.v1.Pod", pod.SerializeToString())
    assert pod_state.is_active(pod) == readiness.is_active(value)
    assert pod_state.is_finished(pod) == readiness.is_terminal(value)
    assert pod_state.is_ready(pod) == readiness.is_ready(value)
    available = pod_state.available_in_s(pod_state.ready_since(pod), min_ready_s, NOW) == 0.0
    assert available == readiness.is_available(value, min_ready_s, NOW)
