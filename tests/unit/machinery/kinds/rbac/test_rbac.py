"""Roles and their bindings."""
from typing import Any

from kcore.machinery.kinds.rbac import clusterrole, clusterrolebinding, role, rolebinding

RULE = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}


def messages(errors: list[Any]) -> list[str]:
    return [error.message() for error in errors]


def test_a_rule_names_verbs_groups_and_resources() -> None:
    assert role.RULES.validate({"rules": [RULE]}) == clusterrole.RULES.validate({"rules": [RULE]}) == []
    assert messages(role.RULES.validate({"rules": [{}]})) == [
        "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
        "rules[0].resources: Required value: resource rules must supply at least one resource", "rules[0].verbs: Required value",
    ]


def test_paths_are_for_cluster_roles_and_not_with_resources() -> None:
    paths = {"verbs": ["get"], "nonResourceURLs": ["/x"]}
    assert clusterrole.RULES.validate({"rules": [paths]}) == []
    assert messages(role.RULES.validate({"rules": [paths]})) == [
        'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs'
    ]
    assert [error.field for error in clusterrole.RULES.validate({"rules": [{**RULE, **paths}]})] == ["rules[0].nonResourceURLs"]


def test_an_aggregated_role_needs_selectors() -> None:
    assert [error.field for error in clusterrole.RULES.validate({"aggregationRule": {}})] == ["aggregationRule.clusterRoleSelectors"]
    bad = {"clusterRoleSelectors": [{"matchLabels": {"a": "b c"}}]}
    assert messages(clusterrole.RULES.validate({"aggregationRule": bad}))[-1] == (
        "aggregationRule.clusterRoleSelectors[0]: Invalid value: null: invalid label selector."
    )


def test_groups_of_roles_and_subjects_are_filled_in() -> None:
    subjects = [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s"}]
    value: dict[str, Any] = {"roleRef": {"kind": "Role", "name": "r"}, "subjects": subjects}
    rolebinding.RULES.default(value)
    assert value["roleRef"]["apiGroup"] == value["subjects"][0]["apiGroup"] == "rbac.authorization.k8s.io"
    assert "apiGroup" not in value["subjects"][1]
    assert rolebinding.RULES.validate(value) == []
    assert messages(clusterrolebinding.RULES.validate(value)) == [
        'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"', "subjects[1].namespace: Required value",
    ]


def test_the_role_of_a_binding_stays() -> None:
    old: dict[str, Any] = {"roleRef": {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"}}
    new = {"roleRef": {**old["roleRef"], "name": "other"}, "subjects": [{"kind": "X"}]}
    assert messages(rolebinding.RULES.validate_update(new, old)) == [
        'subjects[0].kind: Unsupported value: "X": supported values: "ServiceAccount", "User", "Group"', "subjects[0].name: Required value",
        'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"other"}: field is immutable',
    ]
