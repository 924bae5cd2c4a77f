"""A trace of a cluster becomes hollow nodes and pods, and is told how full it made them."""

from collections import Counter
from pathlib import Path

from bench.load import openb
from bench.load.openb import GPU, MODEL, Filled, Kind, Machine, Trace

NODES = "sn,cpu_milli,memory_mib,gpu,model\nn0,8000,1024,0,\nn1,16000,2048,2,T4\nn2,8000,1024,0,\n"
PODS = """name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos
p0,1000,512,0,0,,LS
p1,2000,256,1,460,V100M32|T4|V100M32,BE
p2,4000,256,8,1000,,LS
"""
SMALL, SHARE, WHOLE = Kind(1000, 512, 0), Kind(2000, 256, 460, ("T4", "V100M32")), Kind(4000, 256, 8000)
TRACE = Trace(Counter({Machine(8000, 1024, 0): 2, Machine(16000, 2048, 2000, "T4"): 1}), (SMALL, SHARE, WHOLE, SMALL))


def test_nodes_are_grouped_and_pods_stay_in_order_with_their_shares_summed(tmp_path: Path) -> None:
    (tmp_path / "nodes.csv").write_text(NODES)
    (tmp_path / "pods.csv").write_text(PODS)
    assert openb.read(tmp_path) == Trace(TRACE.machines, (SMALL, SHARE, WHOLE))


def test_nodes_have_gpus_in_thousandths_and_their_model_as_label() -> None:
    assert openb.shapes(TRACE.machines) == [
        {"count": 2, "capacity": {"cpu": "8000m", "memory": "1024Mi"}, "labels": {}},
        {"count": 1, "capacity": {"cpu": "16000m", "memory": "2048Mi", GPU: "2000"}, "labels": {MODEL: "T4"}},
    ]


def test_a_pod_asks_for_its_share_and_requires_its_models() -> None:
    pod = openb.template(SHARE)
    resources = pod.spec.containers[0].resources
    assert {name: amount.string for name, amount in resources.requests.items()} == {"cpu": "2000m", "memory": "256Mi", GPU: "460"}
    assert {name: amount.string for name, amount in resources.limits.items()} == {GPU: "460"}
    (term,) = pod.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms
    ((wanted),) = term.matchExpressions
    assert (wanted.key, wanted.operator, list(wanted.values)) == (MODEL, "In", ["T4", "V100M32"])


def test_a_pod_without_wishes_has_no_gpu_and_no_affinity() -> None:
    pod = openb.template(SMALL)
    assert GPU not in pod.spec.containers[0].resources.requests and not pod.spec.HasField("affinity")


def test_a_kind_of_which_one_waits_is_left_out_of_later_passes() -> None:
    found = Filled(TRACE)
    found.take_in([SMALL, SHARE, SMALL], [WHOLE], 2.0)
    assert found.left() == [SMALL, SHARE, SMALL] and not found.is_full
    found.take_in([SMALL], [SMALL, SHARE], 1.0)
    assert found.left() == [] and found.is_full
    told = found.as_dict()
    assert (told["placed"], told["placed_by_pass"], told["waiting"], told["kinds_waiting"]) == (4, [3, 1], 3, 3)
    assert told["placed_per_s"] == 1.3


def test_nodes_are_not_full_if_a_pod_was_refused() -> None:
    found = Filled(TRACE)
    found.take_in([], [SMALL, SHARE, WHOLE], 0.0, refused=1)
    assert found.left() == [] and not found.is_full and list(openb.lines(found))[-1] == "the nodes are not full"


def test_use_is_what_placed_pods_request_of_what_nodes_offer() -> None:
    found = Filled(TRACE)
    found.take_in([SMALL, SHARE, SHARE], [WHOLE], 1.0)
    assert found.used() == {"cpu": 15.62, "memory": 25.0, "gpu": 46.0}
    assert Filled(Trace(Counter({Machine(1, 1, 0): 1}), (SMALL,))).used()["gpu"] == 0.0


def test_many_passes_are_told_in_one_line() -> None:
    found = Filled(TRACE)
    for _ in range(9):
        found.take_in([SMALL], [], 1.0)
    assert "placed        9  (pass after pass 1, 1, 1, 1, 1, and in 4 passes more 4)" in list(openb.lines(found))
