"""The entry through which recordings are compared."""

from kcore.testing import oracle


def test_an_object_comes_back_from_its_envelope():
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    data = oracle.encode(pod)
    assert data.startswith(b"k8s\x00")
    found = oracle.decode(data)
    assert (found["kind"], found["apiVersion"], found["metadata"]["name"]) == ("Pod", "v1", "a")
    assert oracle.encode(found) == data


def test_a_gated_pod_is_not_decided():
    pod = {
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "default"},
        "spec": {"schedulerName": "default-scheduler", "schedulingGates": [{"name": "x"}], "containers": []},
    }
    assert oracle.decide({"id": "one", "nodes": [], "pods": [], "objects": [], "pod": pod}) == {
        "chosen": None, "nominated": None, "victims": []
    }  # fmt: skip
