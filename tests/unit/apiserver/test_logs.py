"""The log of a hollow pod: what its containers print, what a reader asks for, and how one is followed."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kcore.apiserver.logs import options
from kcore.apiserver.logs.podlog import Follower
from kcore.machinery import timestamp
from kcore.machinery.request_options import from_connection
from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import Api, pod

Object = dict[str, Any]
START, END = "2024-01-01T00:00:00Z", "2024-01-01T00:01:00Z"
NOW = timestamp.parse_time("2024-01-01T01:00:00Z")
PROBED = {"name": "c", "image": "x:1", "startupProbe": {"initialDelaySeconds": 5}, "readinessProbe": {"initialDelaySeconds": 10}}
STARTED = "c: started, image x:1\n"
STORY = f"{STARTED}c: startup probe succeeded\nc: readiness probe succeeded\n"


def running(annotations: Object | None = None, state: Object | None = None, last: Object | None = None) -> Object:
    """A pod of one container with probes, running unless another state is given."""
    status = {"name": "c", "state": state or {"running": {"startedAt": START}}, "lastState": last or {}}
    metadata = {"name": "p", "annotations": annotations or {}}
    return {"metadata": metadata, "spec": {"containers": [PROBED]}, "status": {"containerStatuses": [status]}}


def terminated(code: int = 3, started: str = START) -> Object:
    return {"terminated": {"startedAt": started, "finishedAt": END, "exitCode": code, "reason": "Error"}}


def read(of: Object, now: float = NOW, **asked: Any) -> str:
    """The log, as one reads it once."""
    found = Follower("c", options.read(asked, "p")).feed(of, now)
    assert found.is_over
    return found.data.decode()


def test_a_container_prints_the_story_of_its_life() -> None:
    assert read(running()) == STORY
    assert read(running(), NOW - 3600) == STARTED
    assert read(running(state=terminated())) == f"{STORY}c: exited with code 3 (Error)\n"


def test_an_annotation_is_printed_in_its_place() -> None:
    assert read(running({"kcore.io/log": "one\ntwo"})) == "one\ntwo\n"
    assert read(running({"kcore.io/log": ""})) == ""


def test_a_reader_chooses_lines_and_their_form() -> None:
    assert read(running(), tailLines=1) == "c: readiness probe succeeded\n"
    assert read(running(), tailLines=0) == ""
    assert read(running(), timestamps=True, tailLines=1) == "2024-01-01T00:00:15.000000000Z c: readiness probe succeeded\n"
    assert read(running(), sinceTime="2024-01-01T00:00:05Z") == STORY.removeprefix(STARTED)
    assert read(running(), sinceSeconds=3590) == "c: readiness probe succeeded\n"
    assert read(running(), limitBytes=4) == "c: s"
    assert read(running(), stream="Stderr") == ""


def test_the_life_before_is_read_on_demand_and_while_there_is_none_yet() -> None:
    before = {"last": terminated(started="2024-01-01T00:00:50Z")}
    assert read(running(**before), previous=True) == f"{STARTED}c: startup probe succeeded\nc: exited with code 3 (Error)\n"
    assert read(running(state={"waiting": {"reason": "CrashLoopBackOff"}}, **before)).endswith("c: exited with code 3 (Error)\n")


@pytest.mark.parametrize(
    ("state", "asked", "sentence"),
    [
        ({"waiting": {"reason": "PodInitializing"}}, {}, 'container "c" in pod "p" is waiting to start: PodInitializing'),
        ({"waiting": {"reason": "ErrImagePull"}}, {}, 'container "c" in pod "p" is waiting to start: image can\'t be pulled'),
        ({"waiting": {"reason": "ImagePullBackOff"}}, {}, 'container "c" in pod "p" is waiting to start: trying and failing to pull image'),
        (None, {"previous": True}, 'previous terminated container "c" in pod "p" not found'),
    ],
)
def test_a_container_without_a_log_says_why(state: Object | None, asked: Object, sentence: str) -> None:
    with pytest.raises(StatusError) as caught:
        read(running(state=state), **asked)
    assert (caught.value.code, caught.value.message) == (400, sentence)


def test_a_follower_reads_on_until_the_container_ends() -> None:
    log, start = Follower("c", options.read({"follow": True, "tailLines": 1}, "p")), NOW - 3600
    first = log.feed(running(), start)
    assert (first.data.decode(), first.wake_s, first.is_over) == (STARTED, start + 5, False)
    second = log.feed(running(), start + 7)
    assert (second.data.decode(), second.wake_s) == ("c: startup probe succeeded\n", start + 15)
    assert log.feed(running(), start + 8).data == b""
    last = log.feed(running(state=terminated()), NOW)
    assert (last.data.decode(), last.is_over) == ("c: readiness probe succeeded\nc: exited with code 3 (Error)\n", True)


def test_a_follower_reads_one_life() -> None:
    log = Follower("c", options.read({"follow": True}, "p"))
    log.feed(running(), NOW)
    again = running(state={"running": {"startedAt": "2024-01-01T00:02:00Z"}}, last=terminated())
    found = log.feed(again, NOW)
    assert (found.data.decode(), found.is_over) == ("c: exited with code 3 (Error)\n", True)


def test_a_follower_ends_with_the_pod_the_status_or_the_limit() -> None:
    for then in (None, {**running(), "status": {}}):
        log = Follower("c", options.read({"follow": True}, "p"))
        assert not log.feed(running(), NOW).is_over
        assert log.feed(then, NOW).is_over
    assert Follower("c", options.read({"follow": True, "limitBytes": 5}, "p")).feed(running(), NOW).is_over


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"tailLines": -1}, "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ({"limitBytes": 0}, "limitBytes: Invalid value: 0: must be greater than 0"),
        ({"sinceSeconds": 0}, "sinceSeconds: Invalid value: 0: must be greater than 0"),
        ({"stream": "x"}, 'stream: Unsupported value: "x": supported values: "All", "Stderr", "Stdout"'),
    ],
)
def test_options_that_make_no_sense_are_invalid(asked: Object, sentence: str) -> None:
    with pytest.raises(StatusError) as caught:
        options.read(asked, "p")
    assert (caught.value.code, caught.value.message) == (422, f'PodLogOptions "p" is invalid: {sentence}')


def test_a_query_is_read_with_its_types() -> None:
    query = {"container": ["c"], "follow": ["true"], "tailLines": ["5"], "timestamps": ["false"], "limitBytes": [""], "pretty": ["1"]}
    assert from_connection(query) == {"container": "c", "follow": True, "tailLines": 5, "timestamps": False}
    with pytest.raises(StatusError):
        from_connection({"tailLines": ["x"]})


async def test_the_pipeline_finds_pod_and_container(api: Api) -> None:
    await api.create("pods", pod("p"))
    assert api.pipeline.open_log(api.request("get", "pods/log", "p"))[1] is None
    await api.create("pods", pod("q", nodeName="n1"))
    found, log = api.pipeline.open_log(api.request("get", "pods/log", "q"))
    assert log is not None
    with pytest.raises(StatusError) as caught:
        log.feed(found, NOW)
    assert caught.value.message == 'container "c" in pod "q" is not available'
    with pytest.raises(StatusError) as caught:
        api.pipeline.open_log(api.request("get", "pods/log", "q", container="zz"))
    assert caught.value.message == "container zz is not valid for pod q"
    with pytest.raises(StatusError) as caught:
        api.pipeline.open_log(api.request("get", "pods/log", "none"))
    assert caught.value.code == 404


async def test_connections_say_why_they_cannot_be_made(api: Api) -> None:
    two = pod("p", nodeName="n1")
    two["spec"]["containers"].append({"name": "d", "image": "x"})
    await api.create("pods", two)
    await api.create("pods", copy.deepcopy(pod("waiting")))
    sentences = {
        ("get", "pods/exec", "p"): "a container name must be specified for pod p, choose one of: [c d]",
        ("create", "pods/portforward", "p"): 'pods/portforward of "p" is not possible: hollow nodes run no process',
        ("create", "pods/attach", "waiting"): "pod waiting does not have a host assigned",
        ("get", "pods/proxy", "none"): 'pods "none" not found',
        ("get", "pods/proxy", "p:80"): 'pods/proxy of "p" is not possible: hollow nodes run no process',
        ("get", "pods/proxy", "https:none:80"): 'pods "none" not found',
        ("get", "pods/proxy", "ftp:p:80"): 'invalid pod request "ftp:p:80"',
        ("get", "pods/proxy", ":80"): 'invalid pod request ":80"',
    }
    for (verb, resource, name), sentence in sentences.items():
        request = api.request(verb, resource, name)
        ask = api.pipeline.read if verb == "get" else api.pipeline.write
        with pytest.raises(StatusError) as caught:
            ask(request)
        assert caught.value.message == sentence
