"""Cells of objects in states that no recording has: what is to go, addresses said twice."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.machinery import scheme, table, timestamp
from kcore.machinery.kinds import cells

NOW = timestamp.parse_time("2026-11-24T12:00:00Z")
GOING = {"name": "x", "deletionTimestamp": "2026-11-24T11:59:00Z"}
TWICE = {"loadBalancer": {"ingress": [{"ip": "2.2.2.2"}, {"hostname": "a.example"}, {"ip": "2.2.2.2"}, {"ip": "1.1.1.1"}]}}
DEFAULT = {"name": "x", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}


def condition(*types: str) -> dict[str, Any]:
    return {"conditions": [{"type": each, "status": "True"} for each in types]}


def hosts(*names: str) -> dict[str, Any]:
    return {"rules": [{"host": each} if each else {} for each in names]}


def cell(plural: str, column: str, obj: dict[str, Any]) -> Any:
    spec = scheme.load().find(plural)
    assert spec is not None
    columns = table.columns(spec)
    shown = table.row(spec, columns, {"metadata": {"name": "x"}, **obj}, NOW)
    return shown[[each.name for each in columns].index(column)]


@pytest.mark.parametrize(
    ("plural", "column", "obj", "wanted"),
    [
        ("persistentvolumeclaims", "Status", {"metadata": GOING, "status": {"phase": "Bound"}}, "Terminating"),
        ("persistentvolumeclaims", "Status", {"status": {"phase": "Bound"}}, "Bound"),
        ("persistentvolumes", "Status", {"metadata": GOING, "status": {"phase": "Released"}}, "Terminating"),
        ("storageclasses", "Name", {"metadata": DEFAULT}, "x"),
        ("csidrivers", "Modes", {"spec": {}}, "<none>"),
        ("csidrivers", "TokenRequests", {"spec": {"tokenRequests": [{"audience": ""}]}}, ""),
        ("services", "External-IP", {"spec": {"type": "LoadBalancer"}, "status": TWICE}, "1.1.1.1,2.2.2.2,a.example"),
        ("services", "External-IP", {"spec": {"type": "LoadBalancer"}}, "<pending>"),
        ("ingresses", "Address", {"status": TWICE}, "1.1.1.1,2.2.2.2,a.example"),
        ("ingresses", "Hosts", {"spec": hosts("a", "", "b")}, "a,b"),
        ("ingresses", "Hosts", {"spec": hosts("a", "", "b", "c", "")}, "a,b,c + 2 more..."),
        ("endpoints", "Endpoints", {"subsets": [{"ports": [{"port": 80}]}]}, ""),
        ("endpoints", "Endpoints", {}, "<none>"),
        ("endpointslices", "Ports", {"ports": [{"name": "http"}, {"port": 80, "name": "web"}, {}]}, "http,80,*"),
        ("jobs", "Status", {"metadata": GOING, "status": condition("Suspended")}, "Terminating"),
        ("jobs", "Status", {"metadata": GOING, "status": condition("Failed")}, "Failed"),
        ("jobs", "Status", {"status": condition("SuccessCriteriaMet")}, "Running"),
        ("jobs", "Status", {"status": condition("FailureTarget", "Suspended")}, "Suspended"),
        ("horizontalpodautoscalers", "MinPods", {"spec": {"minReplicas": 0}}, "0"),
        ("horizontalpodautoscalers", "MinPods", {"spec": {}}, "<unset>"),
        ("events", "Source", {"source": {"component": "kubelet", "host": "n1"}}, "kubelet, n1"),
        ("events", "Source", {"source": {"host": "n1"}}, ", n1"),
        ("resourceclaims", "State", {"metadata": GOING, "status": {"reservedFor": [{}]}}, "deleted"),
        ("resourceclaims", "State", {"status": {"allocation": {}, "reservedFor": [{}]}}, "allocated,reserved"),
        ("flowschemas", "MissingPL", {"status": {}}, "?"),
    ],
)
def test_a_cell_says_what_kubernetes_says(plural: str, column: str, obj: dict[str, Any], wanted: Any) -> None:
    assert cell(plural, column, obj) == wanted


def test_flow_schemas_stand_in_the_order_in_which_they_are_asked() -> None:
    asked = (("a", 9), ("c", 1), ("b", 1))
    found: list[dict[str, Any]] = [{"metadata": {"name": name}, "spec": {"matchingPrecedence": number}} for name, number in asked]
    key = cells.order("flowcontrol.apiserver.k8s.io", "FlowSchema")
    assert key is not None and [each["metadata"]["name"] for each in sorted(found, key=key)] == ["b", "c", "a"]
    assert cells.order("", "Pod") is None
