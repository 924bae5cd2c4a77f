"""Which flow a request belongs to."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.apiserver.authorization import Attributes
from kcore.apiserver.bootstrap import flows as bootstrap
from kcore.apiserver.entry import schemas
from kcore.machinery.request import User

KNOWN = "system:authenticated"
SCHEMAS = sorted(schemas.schema_of(obj) for obj in bootstrap.flows() if obj["kind"] == "FlowSchema")
NODE = User("system:node:n", groups=("system:nodes", KNOWN))
ALICE = User("alice", groups=("developers", KNOWN))
ROBOT = User("system:serviceaccount:kube-system:robot", groups=("system:serviceaccounts", KNOWN))




@pytest.mark.parametrize(
    ("user", "asked", "name"),
    [
        (User("root", groups=("system:masters", KNOWN)), Attributes("list", resource="pods"), "exempt"),
        (User("system:anonymous", groups=("system:unauthenticated",)), Attributes("get", path="/healthz"), "probes"),
        (User("system:anonymous", groups=("system:unauthenticated",)), Attributes("get", path="/version"), "global-default"),
        (ROBOT, Attributes("update", "coordination.k8s.io", "leases", namespace="kube-system"), "system-leader-election"),
        (ROBOT, Attributes("delete", "coordination.k8s.io", "leases", namespace="kube-system"), "kube-system-service-accounts"),
        (ROBOT._replace(name="system:serviceaccount:web:robot"), Attributes("get", resource="pods", namespace="web"), "service-accounts"),
        (NODE, Attributes("patch", resource="nodes", subresource="status"), "system-node-high"),
        (NODE, Attributes("get", resource="pods", namespace="web"), "system-nodes"),
        (User("system:kube-scheduler", groups=(KNOWN,)), Attributes("list", resource="pods"), "kube-scheduler"),
        (ALICE, Attributes("list", resource="pods"), "global-default"),
        (User("nobody"), Attributes("list", resource="pods"), None),
    ],
)
def test_requests_belong_to_the_schema_that_comes_first(user: User, asked: Attributes, name: str | None) -> None:
    found = schemas.first(SCHEMAS, user, asked)
    assert (found and found.name) == name


def rule(**more: Any) -> dict[str, Any]:
    resources = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], **more}
    return {"subjects": [{"kind": "User", "user": {"name": "*"}}], "resourceRules": [resources]}


def test_a_rule_has_namespaces_or_what_is_in_none() -> None:
    within, outside = Attributes("get", resource="pods", namespace="a"), Attributes("get", resource="pods")
    assert schemas.takes_in(rule(namespaces=["a"]), ALICE, within) and not schemas.takes_in(rule(namespaces=["a"]), ALICE, outside)
    assert not schemas.takes_in(rule(namespaces=["b"]), ALICE, within) and schemas.takes_in(rule(namespaces=["*"]), ALICE, within)
    assert schemas.takes_in(rule(clusterScope=True), ALICE, outside) and not schemas.takes_in(rule(clusterScope=True), ALICE, within)


def test_a_rule_names_parts_of_resources_by_themselves() -> None:
    status = Attributes("get", resource="pods", subresource="status", namespace="a")
    assert not schemas.takes_in(rule(namespaces=["*"]), ALICE, status)
    assert schemas.takes_in(rule(namespaces=["*"], resources=["pods/status"]), ALICE, status)
    assert schemas.takes_in(rule(namespaces=["*"], resources=["*"]), ALICE, status)


def test_flows_of_a_schema_are_told_apart_by_what_it_says() -> None:
    schema, asked = SCHEMAS[0], Attributes("get", resource="pods", namespace="a")
    found = [schemas.distinguished(schema._replace(method=method), ALICE, asked) for method in ("ByUser", "ByNamespace", "")]
    assert found == ["alice", "a", ""]


def test_hands_are_dealt_evenly_and_seldom_alike() -> None:
    hands = [schemas.hand("s", f"user-{number}", 128, 6) for number in range(2_000)]
    assert all(len(set(hand)) == 6 and all(0 <= line < 128 for line in hand) for hand in hands)
    assert len({frozenset(hand) for hand in hands}) > 1_995
    dealt = [sum(line in hand for hand in hands) for line in range(128)]
    assert min(dealt) > 50 and max(dealt) < 150
    assert schemas.hand("s", "u", 3, 8) and len(schemas.hand("s", "u", 3, 8)) == 3
    assert schemas.hand("s", "u", 0, 0) == ()
