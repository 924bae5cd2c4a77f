"""What is not taken over from a snapshot: that parts of the saved plane lead."""

from __future__ import annotations

from kcore.machinery import codec
from kcore.serve.snapshot import LEASE_MESSAGE, given_up
from kcore.store.storage import KeyValue


def lease(name: str, holder: str, namespace: str = "kube-system") -> KeyValue:
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 15, "leaseTransitions": 3}
    raw = codec.encode(LEASE_MESSAGE, {"metadata": {"name": name, "namespace": namespace}, "spec": spec})
    key = f"/registry/leases/{namespace}/{name}".encode()
    return KeyValue(key, codec.envelope("coordination.k8s.io/v1", "Lease", raw), 2, 9, 4, 0)


def test_the_parts_of_a_saved_plane_lead_no_longer() -> None:
    saved = lease("kube-scheduler", "scheduler_/the/data")
    restored = given_up(saved)
    found = codec.decode(LEASE_MESSAGE, codec.open_envelope(restored.value)[2])
    assert found["spec"] == {"leaseDurationSeconds": 15, "leaseTransitions": 3}
    assert found["metadata"]["name"] == "kube-scheduler"
    assert restored._replace(value=saved.value) == saved


def test_other_leases_keep_their_holders() -> None:
    for other in (lease("node-0", "node-0", "kube-node-lease"), lease("operator", "operator-1"), lease("mine", "scheduler_x", "default")):
        assert given_up(other) is other
