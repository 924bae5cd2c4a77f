"""FlowSchema: which requests belong to which priority level.

Source: Kubernetes `pkg/apis/flowcontrol/validation`.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import meta, names
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.kinds.flowcontrol import fixed
from kcore.machinery.kinds.flowcontrol.conditions import validate_status
from kcore.machinery.kinds.rules import KindRules, Object, keep_spec_and_metadata

PRECEDENCE_MAX: Final = 10000

_METHODS: Final = ("ByNamespace", "ByUser")
_VERBS: Final = ("create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch")
# By kind of subject: the field that describes it.
_SUBJECTS: Final = {"Group": "group", "ServiceAccount": "serviceAccount", "User": "user"}
_FORBIDDEN_ORDER: Final = ("serviceAccount", "user", "group")

_NAME: Final = (StructField("Name", "name", ""),)
_METHOD_FIELDS: Final = (StructField("Type", "type", ""),)
_SUBJECT_FIELDS: Final = (
    StructField("Kind", "kind", ""), StructField("User", "user", None, _NAME), StructField("Group", "group", None, _NAME),
    StructField("ServiceAccount", "serviceAccount", None, (StructField("Namespace", "namespace", ""), *_NAME)),
)
_RESOURCE_FIELDS: Final = (
    StructField("Verbs", "verbs"), StructField("APIGroups", "apiGroups"), StructField("Resources", "resources"),
    StructField("ClusterScope", "clusterScope", False), StructField("Namespaces", "namespaces"),
)
_RULE_FIELDS: Final = (
    StructField("Subjects", "subjects", None, _SUBJECT_FIELDS), StructField("ResourceRules", "resourceRules", None, _RESOURCE_FIELDS),
    StructField("NonResourceRules", "nonResourceRules", None, (
        StructField("Verbs", "verbs"), StructField("NonResourceURLs", "nonResourceURLs"),
    )),
)
_SPEC_FIELDS: Final = (
    StructField("PriorityLevelConfiguration", "priorityLevelConfiguration", {"Name": ""}, _NAME),
    StructField("MatchingPrecedence", "matchingPrecedence", 0),
    StructField("DistinguisherMethod", "distinguisherMethod", None, _METHOD_FIELDS), StructField("Rules", "rules", None, _RULE_FIELDS),
)

Part = dict[str, Any]


def validate_flow_schema(value: Object) -> list[FieldError]:
    """Check precedence, method, priority level and rules."""
    errors: list[FieldError] = []
    spec, name = value.get("spec") or {}, meta.name(value)
    _validate_precedence(spec.get("matchingPrecedence") or 0, name, errors)
    method = spec.get("distinguisherMethod")
    if method is not None and method.get("type") not in _METHODS:
        errors.append(fe.not_supported("spec.distinguisherMethod.type", fe.struct(method, _METHOD_FIELDS), _METHODS))
    level, path = (spec.get("priorityLevelConfiguration") or {}).get("name") or "", "spec.priorityLevelConfiguration.name"
    if level:
        errors.extend(fe.invalid(path, level, sentence) for sentence in names.dns1123_subdomain(level))
    else:
        errors.append(fe.required(path, "must reference a priority level"))
    for index, rule in enumerate(spec.get("rules") or ()):
        _validate_rules(rule or {}, f"spec.rules[{index}]", errors)
    wanted = fixed.FLOW_SCHEMAS.get(name)
    if wanted is not None and fe.struct(spec, _SPEC_FIELDS) != fe.struct(wanted, _SPEC_FIELDS):
        errors.append(fe.invalid("spec", fe.struct(spec, _SPEC_FIELDS), f"spec of '{name}' must equal the fixed value"))
    validate_status(value, errors)
    return errors


def _validate_precedence(precedence: int, name: str, errors: list[FieldError]) -> None:
    path = "spec.matchingPrecedence"
    if precedence <= 0:
        errors.append(fe.invalid(path, precedence, "must be a positive value"))
    if precedence > PRECEDENCE_MAX:
        errors.append(fe.invalid(path, precedence, f"must not be greater than {PRECEDENCE_MAX}"))
    if precedence == 1 and name != "exempt":
        errors.append(fe.invalid(path, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"))


def _validate_rules(rule: Part, path: str, errors: list[FieldError]) -> None:
    subjects, resources, others = (rule.get(field) or () for field in ("subjects", "resourceRules", "nonResourceRules"))
    for index, subject in enumerate(subjects):
        _validate_subject(subject or {}, f"{path}.subjects[{index}]", errors)
    if not subjects:
        errors.append(fe.required(f"{path}.subjects", "subjects must contain at least one value"))
    if not resources and not others:
        errors.append(fe.required(path, "at least one of resourceRules and nonResourceRules has to be non-empty"))
    for index, each in enumerate(resources):
        _validate_resource_rule(each or {}, f"{path}.resourceRules[{index}]", errors)
    for index, each in enumerate(others):
        _validate_other_rule(each or {}, f"{path}.nonResourceRules[{index}]", errors)


def _validate_subject(subject: Part, path: str, errors: list[FieldError]) -> None:
    kind = subject.get("kind") or ""
    if kind not in _SUBJECTS:
        errors.append(fe.not_supported(f"{path}.kind", kind, _SUBJECTS))
        return
    field = _SUBJECTS[kind]
    described = subject.get(field)
    if described is None:
        errors.append(fe.required(f"{path}.{field}", f"{field} is required when subject kind is '{kind}'"))
    else:
        _validate_described(kind, described, f"{path}.{field}", errors)
    kinds = {field: kind for kind, field in _SUBJECTS.items()}
    for other in _FORBIDDEN_ORDER:
        if other != field and subject.get(other) is not None:
            errors.append(fe.forbidden(f"{path}.{other}", f"{other} is forbidden when subject kind is not '{kinds[other]}'"))


def _validate_described(kind: str, described: Part, path: str, errors: list[FieldError]) -> None:
    name, namespace = described.get("name") or "", described.get("namespace") or ""
    if not name:
        errors.append(fe.required(f"{path}.name"))
    if kind != "ServiceAccount":
        return
    if name not in ("", "*"):
        errors.extend(fe.invalid(f"{path}.name", name, sentence) for sentence in names.dns1123_subdomain(name))
    if namespace:
        errors.extend(fe.invalid(f"{path}.namespace", namespace, sentence) for sentence in names.dns1123_label(namespace))
    else:
        errors.append(fe.required(f"{path}.namespace", "must specify namespace for service account"))


def _validate_verbs(verbs: Sequence[str], path: str, errors: list[FieldError]) -> None:
    if not verbs:
        errors.append(fe.required(path, "verbs must contain at least one value"))
    elif "*" in verbs:
        _validate_alone(verbs, "verbs", path, errors)
    elif not set(verbs) <= set(_VERBS):
        errors.append(fe.not_supported(path, verbs, _VERBS))


def _validate_alone(values: Sequence[str], what: str, path: str, errors: list[FieldError]) -> None:
    if len(values) > 1 and "*" in values:
        errors.append(fe.invalid(path, values, f"if '*' is present, must not specify other {what}"))


def _validate_resource_rule(rule: Part, path: str, errors: list[FieldError]) -> None:
    _validate_verbs(rule.get("verbs") or [], f"{path}.verbs", errors)
    for field, what in (("apiGroups", "api group"), ("resources", "resource")):
        values = rule.get(field) or []
        if not values:
            errors.append(fe.required(f"{path}.{field}", f"resource rules must supply at least one {what}"))
        _validate_alone(values, f"{what}s", f"{path}.{field}", errors)
    namespaces = rule.get("namespaces") or []
    if not namespaces and not rule.get("clusterScope"):
        sentence = "resource rules that are not cluster scoped must supply at least one namespace"
        errors.append(fe.required(f"{path}.namespaces", sentence))
    elif "*" in namespaces:
        _validate_alone(namespaces, "namespaces", f"{path}.namespaces", errors)
    else:
        for index, namespace in enumerate(namespaces):
            for sentence in names.dns1123_label(namespace):
                detail = f"each member of this list must be '*' or a DNS-1123 label; {sentence}"
                errors.append(fe.invalid(f"{path}.namespaces[{index}]", namespace, detail))


def _validate_other_rule(rule: Part, path: str, errors: list[FieldError]) -> None:
    _validate_verbs(rule.get("verbs") or [], f"{path}.verbs", errors)
    urls, at = rule.get("nonResourceURLs") or [], f"{path}.nonResourceURLs"
    if not urls:
        errors.append(fe.required(at, "nonResourceURLs must contain at least one value"))
    elif "*" in urls:
        _validate_alone(urls, "non-resource URLs", at, errors)
    else:
        for index, url in enumerate(urls):
            wrong = _url_sentence(url or "")
            if wrong:
                errors.append(fe.invalid(f"{at}[{index}]", url or "", wrong))


def _url_sentence(url: str) -> str:
    if not url:
        return "must not be empty"
    if not url.startswith("/"):
        return "must start with slash"
    if " " in url:
        return "must not contain white-space"
    if "//" in url:
        return "must not contain double slash"
    stars = url.count("*")
    return "wildcard can only do suffix matching" if stars > 1 or (stars and not url.endswith("/*")) else ""


RULES: Final = KindRules(
    validate=validate_flow_schema, validate_update=lambda new, _old: validate_flow_schema(new),
    validate_status_update=lambda new, _old: validate_flow_schema(new), prepare_status_update=keep_spec_and_metadata,
)
