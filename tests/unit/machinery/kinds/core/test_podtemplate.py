"""PodTemplates, and the templates that workloads hold."""

from __future__ import annotations

import copy

from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.core import podtemplate
from kcore.machinery.kinds.core.podtemplate import default_template, drop_disabled, template_warnings, validate_template
from tests.unit.machinery.kinds.core.pods import Object, container, messages, spec


def template(metadata: Object | None = None, **fields: object) -> Object:
    return {"metadata": metadata or {"labels": {"a": "b"}}, "spec": spec(**fields)}


def wrong(value: Object) -> list[str]:
    errors: list[FieldError] = []
    validate_template(value, "spec.template", errors)
    return messages(errors)


def test_a_template_gets_defaults_and_no_service_links() -> None:
    made: Object = {"spec": {"containers": [{"image": "a"}]}}
    default_template(made)
    assert made == {"spec": {"containers": [{"image": "a", "imagePullPolicy": "Always"}]}}
    empty: Object = {}
    podtemplate.default(empty)
    assert empty == {"template": {"spec": {}}}


def test_a_good_template_is_accepted() -> None:
    assert wrong(template()) == []


def test_metadata_of_a_template_is_checked() -> None:
    found = wrong(template({"labels": {"a": "-"}, "annotations": {"a b": "", "container.apparmor.security.beta.kubernetes.io/x": ""}}))
    assert [message.split(":")[0] for message in found] == [
        "spec.template.labels", "spec.template.annotations",
        "spec.template.annotations[container.apparmor.security.beta.kubernetes.io/x]",
    ]


def test_a_template_has_no_ephemeral_containers() -> None:
    assert wrong(template(ephemeralContainers=[container(name="e")])) == [
        "spec.template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template",
    ]


def test_profiles_of_a_template_must_match_its_annotations() -> None:
    metadata = {"annotations": {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}}
    assert wrong(template(metadata, securityContext={"seccompProfile": {"type": "RuntimeDefault"}})) == [
        "spec.template.spec.securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must match",
    ]


def test_fields_of_features_that_are_off_go_from_templates() -> None:
    made = template(schedulingGroup={})
    drop_disabled(made)
    assert "schedulingGroup" not in made["spec"]
    kept = template(schedulingGroup={})
    drop_disabled(kept, template(schedulingGroup={}))
    assert "schedulingGroup" in kept["spec"]


def test_warnings_of_a_template_have_its_path() -> None:
    made = template(terminationGracePeriodSeconds=-1)
    assert template_warnings(made, "spec.template") == [
        "spec.template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1",
    ]
    assert len(podtemplate.warnings({"template": made})) == 1
    assert podtemplate.warnings({"template": made}, {"template": made}) == []


def test_a_pod_template_counts_its_changes() -> None:
    old: Object = {"template": template()}
    podtemplate.prepare_create(old)
    assert old["metadata"] == {"generation": 1}
    same, other = {"template": template()}, {"template": template(hostname="h")}
    podtemplate.prepare_update(same, old)
    podtemplate.prepare_update(other, old)
    assert [same["metadata"], other["metadata"]] == [{"generation": 1}, {"generation": 2}]
    legacy: Object = {"template": template()}
    podtemplate.prepare_update(legacy, copy.deepcopy({"template": template()}))
    assert "metadata" not in legacy


def test_a_pod_template_may_change_to_anything_valid() -> None:
    old = {"template": template()}
    assert podtemplate.validate(old) == []
    assert podtemplate.validate_update({"template": template(hostname="h")}, old) == []
    assert messages(podtemplate.validate_update({"template": template(hostname="H_")}, old))[0].startswith("template.spec.hostname")
