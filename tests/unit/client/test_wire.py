"""Cutting requests and answers of any kind apart."""

from kcore.api.core.v1.pod_pb2 import PodList
from kcore.api.core.v1.pod_service_pb2 import PodWatchResponse, PodWriteRequest
from kcore.api.meta.v1.meta_pb2 import WriteOptions
from kcore.client import wire
from tests.unit.client.virtual import pod


def test_a_watch_response_is_cut_into_events_with_key_revision_and_the_very_bytes():
    one, two = pod("a", app="x"), pod("b")
    one.metadata.resourceVersion, two.metadata.resourceVersion = "7", "8"
    response = PodWatchResponse()
    response.events.add(type="ADDED", object=one)
    response.events.add(type="DELETED", object=two)

    events = wire.split_watch(response.SerializeToString())

    assert [(e.type, e.key, e.revision) for e in events] == [("ADDED", "default/a", 7), ("DELETED", "default/b", 8)]
    assert events[0].raw == one.SerializeToString()


def test_the_key_of_an_object_without_namespace_is_its_name():
    node = pod("n1", namespace="")
    assert wire.key_of(node.SerializeToString()) == wire.ObjectKey("n1", 0)
    assert wire.split_key("n1") == ("", "n1")
    assert wire.split_key("default/a") == ("default", "a")


def test_a_list_is_cut_into_the_bytes_of_its_objects():
    page = PodList()
    page.metadata.resourceVersion = "12"
    setattr(page.metadata, "continue", "next")
    page.items.append(pod("a"))
    found = wire.split_list(page.SerializeToString())
    assert found == wire.RawList([pod("a").SerializeToString()], "12", "next")


def test_a_write_request_is_what_the_message_of_the_kind_would_be():
    options = WriteOptions(field_manager="me")
    written = wire.write_request("default", "a", pod("a").SerializeToString(), options.SerializeToString())
    assert PodWriteRequest.FromString(written) == PodWriteRequest(namespace="default", name="a", object=pod("a"), options=options)


def test_only_a_bookmark_with_the_annotation_ends_the_initial_events():
    mark = pod("")
    assert not wire.ends_initial_events(mark.SerializeToString())
    mark.metadata.annotations["k8s.io/initial-events-end"] = "true"
    assert wire.ends_initial_events(mark.SerializeToString())
