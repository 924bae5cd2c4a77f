"""Handles of resources and what they lead to."""

import pytest

from kcore.api.core.v1.binding_pb2 import Binding
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.client import kinds


def test_a_resource_is_the_same_handle_by_all_its_names():
    handle = kinds.resource("", "v1", "pods")
    assert kinds.of_kind("", "v1", "Pod") is handle
    assert kinds.of_message(Pod) is handle
    assert kinds.of_message(Pod()) is handle
    assert kinds.find("po") is handle
    assert handle.message is Pod


def test_methods_bodies_and_answers_come_from_the_services():
    handle = kinds.find("pods")
    assert handle.method("create") == "/kcore.api.core.v1.PodService/Create"
    assert handle.method("update", "status") == "/kcore.api.core.v1.PodService/UpdateStatus"
    assert handle.body("binding") is Binding
    assert handle.body("status") is Pod
    assert handle.answer("create", "binding").__name__ == "Status"


def test_every_served_resource_has_an_rpc_for_its_verbs():
    for handle in kinds.served():
        for path, (verb, subresource) in handle.rpcs().items():
            assert handle.method(verb, subresource) == path
            assert handle.answer(verb, subresource) is not None


@pytest.mark.parametrize(
    "ask",
    [
        lambda: kinds.resource("", "v1", "nothings"),
        lambda: kinds.of_kind("apps", "v9", "Deployment"),
        lambda: kinds.find("nothing"),
        lambda: kinds.of_message(kinds.find("po").list_message),
        lambda: kinds.find("po").method("fly"),
    ],
)
def test_what_does_not_exist_is_a_lookup_error(ask):
    with pytest.raises(LookupError):
        ask()
