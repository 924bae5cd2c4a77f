"""How objects are described."""

import pytest

from kcore.cli import describe


def described(obj: dict[str, object]) -> list[str]:
    return list(describe.lines(obj))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("nodeName", "Node Name"), ("podIPs", "Pod IPs"), ("dnsPolicy", "DNS Policy"), ("qosClass", "QoS Class"), ("phase", "Phase"),
        ("ephemeral-storage", "ephemeral-storage"), ("ca.crt", "ca.crt"), ("MemoryPressure", "MemoryPressure"), ("imageID", "Image ID"),
    ],
)  # fmt: skip
def test_fields_have_titles_and_names_stay(name: str, shown: str) -> None:
    assert describe.title(name) == shown


def test_metadata_comes_first_without_its_frame() -> None:
    found = described({"kind": "X", "metadata": {"uid": "u", "labels": {"b": "2", "a": "1"}, "name": "n"}, "spec": {"replicas": 3}})
    assert found == ["Name:    n", "Labels:  a=1", "         b=2", "Spec:", "  Replicas:  3"]


def test_what_is_empty_is_left_out() -> None:
    assert described({"metadata": {"name": "n"}, "status": {"loadBalancer": {"ingress": []}}, "spec": {}}) == ["Name:  n"]


def test_false_zero_and_nothing_are_shown() -> None:
    assert described({"metadata": {}, "spec": {"a": False, "b": 0, "c": None}}) == ["Spec:", "  A:  false", "  B:  0", "  C:  <none>"]


def test_a_list_of_plain_objects_is_a_table_with_names_first_and_texts_last() -> None:
    conditions = [{"status": "True", "message": "all well", "type": "Ready"}, {"type": "Other", "status": "False"}]
    assert described({"metadata": {}, "status": {"conditions": conditions}}) == [
        "Status:", "  Conditions:", "    Type    Status   Message", "    Ready   True     all well", "    Other   False",
    ]  # fmt: skip


def test_objects_with_parts_stand_under_their_names() -> None:
    containers = [{"name": "web", "resources": {"requests": {"cpu": "1"}}}]
    assert described({"metadata": {}, "spec": {"containers": containers}}) == [
        "Spec:", "  Containers:", "    web:", "      Resources:", "        Requests:", "          cpu:  1",
    ]  # fmt: skip


def test_scalars_and_lists_of_one_field_are_on_one_line() -> None:
    found = described({"metadata": {}, "status": {"podIPs": [{"ip": "a"}, {"ip": "b"}], "names": ["x", "y"]}})
    assert found == ["Status:", "  Pod IPs:  a, b", "  Names:    x, y"]


def test_texts_of_several_lines_stand_below() -> None:
    assert described({"metadata": {}, "data": {"f": "one\ntwo\n"}}) == ["Data:", "  f:", "    one", "    two"]


def test_secrets_are_counted_not_shown() -> None:
    assert described({"kind": "Secret", "metadata": {}, "data": {"password": "aHVudGVyMg=="}}) == ["Data:  password: 7 bytes"]
