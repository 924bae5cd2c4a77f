"""Who may do what: RBAC, the Node authorizer, escalation, and what a node may write."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest

from kcore.apiserver.authorization import Attributes, of_path, rules
from kcore.apiserver.authorization.attributes import of_request
from kcore.controllers import manager
from kcore.machinery.request import User
from kcore.machinery.status import StatusError
from kcore.serve.users import CONTROLLERS, USERS, by_token
from tests.unit.apiserver.api import ADMIN, MERGE_PATCH, Api, configmap, node, pod, reason_of

ALICE = User("alice", "2", ("developers", "system:authenticated"))
HOLLOW = USERS["nodes"]
FORBIDDEN = (403, "Forbidden")
RBAC = "rbac.authorization.k8s.io"
Object = dict[str, Any]


def rule(verbs: str, resources: str, groups: str = "", names: str = "") -> Object:
    """A rule; words stand apart by spaces."""
    found: Object = {"verbs": verbs.split(), "apiGroups": groups.split(" "), "resources": resources.split()}
    return found | {"resourceNames": names.split()} if names else found


def binding(name: str, role: str, user: str = "alice", kind: str = "Role") -> Object:
    """A binding of a role to a user."""
    subject = {"kind": "User", "name": user, "apiGroup": RBAC}
    return {"metadata": {"name": name}, "subjects": [subject], "roleRef": {"apiGroup": RBAC, "kind": kind, "name": role}}


async def grant(api: Api, *given: Object, user: str = "alice", name: str = "r") -> None:
    """Give a user rules in the namespace `default`."""
    await api.create("roles", {"metadata": {"name": name}, "rules": list(given)})
    await api.create("rolebindings", binding(name, name, user))


async def attempt(api: Api, user: User, verb: str, resource: str, name: str = "", body: Any = None, **more: Any) -> Any:
    """What comes of a request: the object, or code and reason of its failure."""
    request = api.request(verb, resource, name, body, **more)
    request.user, request.content_type = user, MERGE_PATCH if verb == "patch" else ""
    try:
        if verb == "get":
            return api.pipeline.read(request)[1].obj()
        if verb in ("list", "watch"):
            return api.pipeline.permitted(request)
        outcome = api.send(request)
        if outcome.submission is not None:
            await outcome.submission.durable()
        return outcome.obj()
    except StatusError as error:
        return reason_of(error)


# RBAC


async def test_nothing_is_allowed_without_a_role(api: Api) -> None:
    for verb in ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"):
        assert await attempt(api, ALICE, verb, "configmaps", "c", configmap("c")) == FORBIDDEN, verb


async def test_a_binding_counts_from_its_answer_to_that_of_its_deletion(api: Api) -> None:
    await grant(api, rule("create get", "configmaps"))
    assert (await attempt(api, ALICE, "create", "configmaps", body=configmap("c")))["metadata"]["name"] == "c"
    assert (await attempt(api, ALICE, "get", "configmaps", "c"))["metadata"]["name"] == "c"
    assert await attempt(api, ALICE, "delete", "configmaps", "c") == FORBIDDEN
    await api.update("roles", {"metadata": {"name": "r"}, "rules": [rule("delete", "configmaps")]})
    assert await attempt(api, ALICE, "get", "configmaps", "c") == FORBIDDEN
    assert await attempt(api, ALICE, "delete", "configmaps", "c") != FORBIDDEN
    await api.delete("rolebindings", "r")
    assert await attempt(api, ALICE, "delete", "configmaps", "c") == FORBIDDEN


async def test_a_refusal_says_who_may_not_do_what(api: Api) -> None:
    with pytest.raises(StatusError) as failed:
        api.server.authorizer.require(ALICE, Attributes("get", "apps", "deployments", "scale", "shop", "web"))
    expected = 'User "alice" cannot get resource "deployments/scale" in API group "apps" in the namespace "shop"'
    assert failed.value.message == f'deployments.apps "web" is forbidden: {expected}'


async def test_a_role_in_one_namespace_gives_nothing_elsewhere(api: Api) -> None:
    """Also not where a permission for one namespace was just remembered, and not for resources that stand in none."""
    await grant(api, rule("get list", "configmaps namespaces nodes"))
    assert await attempt(api, ALICE, "list", "configmaps") != FORBIDDEN
    assert await attempt(api, ALICE, "list", "configmaps", namespace="kube-system") == FORBIDDEN
    assert await attempt(api, ALICE, "get", "namespaces", "default") != FORBIDDEN
    assert await attempt(api, ALICE, "get", "namespaces", "kube-system") == FORBIDDEN
    request = api.request("list", "nodes")
    request.user, request.namespace = ALICE, "default"
    with pytest.raises(StatusError) as failed:
        api.pipeline.permitted(request)
    assert reason_of(failed.value) == FORBIDDEN


async def test_resource_names_count_for_what_has_a_name(api: Api) -> None:
    await grant(api, rule("get list create delete deletecollection", "configmaps", names="one"))
    assert await attempt(api, ALICE, "get", "configmaps", "one") == (404, "NotFound")
    assert await attempt(api, ALICE, "get", "configmaps", "two") == FORBIDDEN
    assert await attempt(api, ALICE, "list", "configmaps") == FORBIDDEN
    assert await attempt(api, ALICE, "list", "configmaps", fieldSelector="metadata.name=one") != FORBIDDEN
    assert await attempt(api, ALICE, "create", "configmaps", body=configmap("one")) == FORBIDDEN
    assert await attempt(api, ALICE, "deletecollection", "configmaps") == FORBIDDEN


async def test_an_update_that_creates_needs_the_right_to_create(api: Api) -> None:
    await grant(api, rule("update", "configmaps leases", " coordination.k8s.io"), rule("update escalate", "roles", RBAC))
    role = {"metadata": {"name": "fresh"}, "rules": []}
    assert await attempt(api, ALICE, "update", "roles", "fresh", role) == FORBIDDEN
    await grant(api, rule("create", "roles", RBAC), name="more")
    assert (await attempt(api, ALICE, "update", "roles", "fresh", role))["metadata"]["name"] == "fresh"


@pytest.mark.parametrize(
    ("given", "asked", "allowed"),
    [
        (rule("get", "pods"), Attributes("get", "", "pods"), True),
        (rule("get", "pods"), Attributes("get", "", "pods", "log"), False),
        (rule("get", "pods/log"), Attributes("get", "", "pods", "log"), True),
        (rule("get", "*/log"), Attributes("get", "", "pods", "log"), True),
        (rule("get", "*/log"), Attributes("get", "", "pods"), False),
        (rule("*", "*", "*"), Attributes("x", "y", "z", "w"), True),
        (rule("*", "*", "*"), Attributes("get", path="/metrics"), False),
        (rule("get", "pods", "apps"), Attributes("get", "", "pods"), False),
        ({"verbs": ["get"], "nonResourceURLs": ["/healthz"]}, Attributes("get", path="/healthz"), True),
        ({"verbs": ["get"], "nonResourceURLs": ["/api/*"]}, Attributes("get", path="/api/v1"), True),
        ({"verbs": ["get"], "nonResourceURLs": ["/api/*"]}, Attributes("get", path="/api"), False),
        ({"verbs": ["get"], "nonResourceURLs": ["*"]}, Attributes("get", path="/x"), True),
    ],
)
def test_a_rule_lets_through_what_it_names(given: Object, asked: Attributes, allowed: bool) -> None:
    assert rules.lets_through(given, asked) is allowed


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1/pods", Attributes("list", "", "pods", version="v1")),
        ("GET", "/api/v1/namespaces/a", Attributes("get", "", "namespaces", "", "a", "a", version="v1")),
        ("PUT", "/api/v1/namespaces/a/finalize", Attributes("update", "", "namespaces", "finalize", "a", "a", version="v1")),
        ("POST", "/api/v1/namespaces/a/pods/p/exec", Attributes("create", "", "pods", "exec", "a", "p", version="v1")),
        ("GET", "/api/v1/watch/namespaces/a/pods", Attributes("watch", "", "pods", "", "a", version="v1")),
        ("DELETE", "/apis/x.io/v1/things", Attributes("deletecollection", "x.io", "things", version="v1")),
        ("GET", "/apis/x.io/v1", Attributes("get", path="/apis/x.io/v1")),
        ("GET", "/healthz", Attributes("get", path="/healthz")),
        ("POST", "/x%2f/y", Attributes("post", path="/x//y")),
    ],
)
def test_a_path_says_what_is_asked_for(method: str, path: str, expected: Attributes) -> None:
    assert of_path(method, path) == expected


def test_a_query_makes_a_watch_and_names_an_object() -> None:
    query = {"watch": ["1"], "fieldSelector": ["metadata.name=p"]}
    assert of_path("GET", "/api/v1/pods", query) == Attributes("watch", "", "pods", "", "", "p", "", "metadata.name=p", "v1")


async def test_pipeline_and_path_ask_for_the_same(api: Api) -> None:
    for verb, resource, name, path in (
        ("get", "namespaces", "a", "/api/v1/namespaces/a"),
        ("list", "pods", "", "/api/v1/namespaces/default/pods"),
        ("update", "deployments/scale", "d", "/apis/apps/v1/namespaces/default/deployments/d/scale"),
    ):
        method = {"get": "GET", "list": "GET", "update": "PUT"}[verb]
        assert of_request(api.request(verb, resource, name)) == of_path(method, path)


# escalation


async def test_nobody_grants_more_than_he_has(api: Api) -> None:
    await grant(api, rule("get list", "configmaps"), rule("create update", "roles rolebindings", RBAC))
    fresh = {"metadata": {"name": "more"}, "rules": [rule("get", "secrets")]}
    assert await attempt(api, ALICE, "create", "roles", body=fresh) == FORBIDDEN
    same = {"metadata": {"name": "same"}, "rules": [rule("get", "configmaps")]}
    assert (await attempt(api, ALICE, "create", "roles", body=same))["metadata"]["name"] == "same"
    same["rules"] = [rule("*", "configmaps")]
    assert await attempt(api, ALICE, "update", "roles", "same", same) == FORBIDDEN
    assert await attempt(api, ALICE, "create", "rolebindings", body=binding("b", "cluster-admin", kind="ClusterRole")) == FORBIDDEN
    assert await attempt(api, ALICE, "create", "rolebindings", body=binding("b", "none")) == (404, "NotFound")


async def test_who_may_escalate_or_bind_grants_what_he_does_not_have(api: Api) -> None:
    own = rule("create escalate", "roles", RBAC), rule("create", "rolebindings", RBAC)
    await grant(api, *own, rule("bind", "clusterroles", RBAC, "view"))
    fresh = {"metadata": {"name": "more"}, "rules": [rule("get", "secrets")]}
    assert (await attempt(api, ALICE, "create", "roles", body=fresh))["metadata"]["name"] == "more"
    assert await attempt(api, ALICE, "create", "rolebindings", body=binding("v", "view", kind="ClusterRole")) != FORBIDDEN
    assert await attempt(api, ALICE, "create", "rolebindings", body=binding("a", "cluster-admin", kind="ClusterRole")) == FORBIDDEN


def test_what_is_missing_is_told_a_thing_a_line() -> None:
    held = [rule("get", "pods")]
    wanted = [rule("get list", "pods configmaps"), {"verbs": ["get"], "nonResourceURLs": ["/x"]}]
    told = [rules.text(single) for single in rules.compact(rules.missing(held, wanted))]
    assert told == [
        '{NonResourceURLs:["/x"], Verbs:["get"]}',
        '{APIGroups:[""], Resources:["pods"], Verbs:["list"]}',
        '{APIGroups:[""], Resources:["configmaps"], Verbs:["get" "list"]}',
    ]


# nodes


def node_user(name: str) -> User:
    return User(f"system:node:{name}", groups=("system:nodes", "system:authenticated"))


async def test_a_node_reads_what_its_pods_refer_to(api: Api) -> None:
    authorizer = api.server.authorizer
    await api.create("nodes", node("n1"))
    volumes = [{"name": "v", "secret": {"secretName": "s"}}]
    await api.create("pods", pod("p", volumes=volumes, nodeName="n1"))
    asked = Attributes("get", "", "secrets", "", "default", "s")
    assert authorizer.authorize(node_user("n1"), asked).allowed
    assert authorizer.authorize(node_user("n2"), asked).reason == "node: no relationship found between node 'n2' and this object"
    await api.create("pods", pod("q", volumes=[{"name": "v", "configMap": {"name": "c"}}], nodeName="n2"))
    assert authorizer.authorize(node_user("n2"), Attributes("get", "", "configmaps", "", "default", "c")).allowed
    await api.delete("pods", "p", gracePeriodSeconds=0)
    assert not authorizer.authorize(node_user("n1"), asked).allowed


async def test_a_node_writes_itself_and_its_own_pods(api: Api) -> None:
    own, other = node_user("n1"), node_user("n2")
    assert (await attempt(api, own, "create", "nodes", body=node("n1")))["metadata"]["name"] == "n1"
    assert await attempt(api, own, "create", "nodes", body=node("n3")) == FORBIDDEN
    labelled = {"metadata": {"name": "n1", "labels": {"node-restriction.kubernetes.io/x": "y"}}}
    assert await attempt(api, own, "patch", "nodes", "n1", labelled) == FORBIDDEN
    await api.create("pods", pod("p", nodeName="n1"))
    status = {"metadata": {"name": "p"}, "status": {"phase": "Running"}}
    assert await attempt(api, other, "update", "pods/status", "p", status) == FORBIDDEN
    assert (await attempt(api, own, "update", "pods/status", "p", status))["status"]["phase"] == "Running"
    assert await attempt(api, other, "delete", "pods", "p", gracePeriodSeconds=0) == FORBIDDEN
    assert await attempt(api, own, "create", "pods", body=pod("q", nodeName="n1")) == FORBIDDEN
    assert (await attempt(api, own, "delete", "pods", "p", gracePeriodSeconds=0))["metadata"]["name"] == "p"


async def test_a_node_gets_tokens_for_its_own_pods_alone(api: Api) -> None:
    own, other = node_user("n1"), node_user("n2")
    await api.create("pods", pod("p", nodeName="n1"))
    uid = api.get("pods", "p")["metadata"]["uid"]
    bound = {"spec": {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "p", "uid": uid}}}
    assert (await attempt(api, own, "create", "serviceaccounts/token", "default", bound))["status"]["token"]
    assert await attempt(api, own, "create", "serviceaccounts/token", "default", {"spec": {}}) == FORBIDDEN
    assert await attempt(api, other, "create", "serviceaccounts/token", "default", bound) == FORBIDDEN


async def test_hollow_nodes_write_hollow_nodes_and_their_pods(api: Api) -> None:
    assert (await attempt(api, HOLLOW, "create", "nodes", body=node("h", **{"kcore.io/hollow": "true"})))["metadata"]["name"] == "h"
    assert await attempt(api, HOLLOW, "create", "nodes", body=node("real")) == FORBIDDEN
    await api.create("nodes", node("real"))
    hollow_now = {"metadata": {"name": "real", "labels": {"kcore.io/hollow": "true"}}}
    assert await attempt(api, HOLLOW, "update", "nodes", "real", hollow_now) == FORBIDDEN
    await api.create("pods", pod("p", nodeName="h"))
    await api.create("pods", pod("q", nodeName="real"))
    status = {"status": {"phase": "Running"}}
    assert await attempt(api, HOLLOW, "update", "pods/status", "q", {"metadata": {"name": "q"}, **status}) == FORBIDDEN
    assert await attempt(api, HOLLOW, "delete", "pods", "q") == FORBIDDEN
    assert (await attempt(api, HOLLOW, "update", "pods/status", "p", {"metadata": {"name": "p"}, **status}))["status"]["phase"] == "Running"
    assert await attempt(api, HOLLOW, "get", "secrets", "s") == FORBIDDEN


# what every cluster has


async def test_a_start_gives_roles_back_what_they_lost(api: Api) -> None:
    before = api.get("clusterroles", "system:discovery")
    changed = {**before, "rules": [rule("get", "pods")]}
    await api.update("clusterroles", changed)
    kept = api.get("clusterroles", "system:basic-user")
    kept["metadata"]["annotations"][f"{RBAC.replace('.k8s', '.kubernetes')}/autoupdate"] = "false"
    await api.update("clusterroles", {**kept, "rules": []})
    await api.delete("clusterrolebindings", "cluster-admin")
    await api.server.bootstrap()
    after = api.get("clusterroles", "system:discovery")["rules"]
    assert after[0] == rule("get", "pods") and rules.missing(after, before["rules"]) == []
    assert not api.get("clusterroles", "system:basic-user").get("rules")
    assert api.get("clusterrolebindings", "cluster-admin")["subjects"][0]["name"] == "system:masters"
    revision = api.storage.revision
    await api.server.bootstrap()
    assert api.storage.revision == revision


async def test_each_controller_has_the_role_of_its_account_alone(api: Api) -> None:
    known = by_token({name: name for name in USERS})
    pods, sets = (Attributes("create", group, name, "", "default") for group, name in (("", "pods"), ("apps", "replicasets")))
    for account, allowed, refused in (
        ("replicaset-controller", pods, sets),
        ("deployment-controller", sets, pods),
        ("node-controller", Attributes("patch", "", "nodes", "status"), Attributes("create", "", "nodes")),
        ("job-controller", Attributes("update", "batch", "jobs", "status", "default"), Attributes("get", "", "secrets", "", "default")),
    ):
        user = known[f"controllers.{account}"]
        assert api.server.authorizer.authorize(user, allowed).allowed, account
        assert not api.server.authorizer.authorize(user, refused).allowed, account
    assert not api.server.authorizer.authorize(USERS["controllers"], Attributes("create", "", "pods", "", "default")).allowed


def test_every_controller_acts_as_an_account_that_there_is() -> None:
    names = (*manager.CONTROLLERS, *manager.OPTIONAL, *chain(*manager.OF_FEATURES.values()), manager.NODE_IPAM)
    assert {manager.ACCOUNTS.get(name, f"{name}-controller") for name in names} == set(CONTROLLERS)


async def test_parts_have_no_more_than_they_need(api: Api) -> None:
    authorizer = api.server.authorizer
    for part, refused in (
        ("scheduler", Attributes("create", "", "pods", "", "default")),
        ("scheduler", Attributes("get", "", "secrets", "", "default", "s")),
        ("nodes", Attributes("create", "", "pods", "", "default")),
        ("network", Attributes("update", "", "nodes", "", "", "n")),
        ("controllers", Attributes("create", RBAC, "clusterrolebindings")),
    ):
        assert not authorizer.authorize(USERS[part], refused).allowed, (part, refused)
    assert authorizer.authorize(USERS["scheduler"], Attributes("create", "", "pods", "binding", "default", "p")).allowed
    assert authorizer.authorize(ADMIN, Attributes("anything", path="/at/all")).allowed
