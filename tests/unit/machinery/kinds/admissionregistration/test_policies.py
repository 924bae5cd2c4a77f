"""Admission policies: what they match, their variables, expressions and mutations."""
from typing import Any

from kcore.machinery.kinds.admissionregistration import (
    mutatingadmissionpolicy,
    validatingadmissionpolicy,
    validatingadmissionpolicybinding,
)

RULE = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"], "scope": "*"}
MATCH = {"matchPolicy": "Exact", "namespaceSelector": {}, "objectSelector": {}, "resourceRules": [RULE]}


def validating(**changed: Any) -> list[str]:
    spec = {"failurePolicy": "Fail", "matchConstraints": MATCH, "validations": [{"expression": "true"}], **changed}
    return [error.message() for error in validatingadmissionpolicy.RULES.validate({"metadata": {"name": "p"}, "spec": spec})]


def mutating(*mutations: dict[str, Any], **changed: Any) -> list[str]:
    spec = {"failurePolicy": "Fail", "matchConstraints": MATCH, "reinvocationPolicy": "Never", "mutations": list(mutations), **changed}
    return [error.message() for error in mutatingadmissionpolicy.RULES.validate({"metadata": {"name": "p"}, "spec": spec})]


def test_a_parameter_is_named_by_version_and_kind() -> None:
    assert validating(paramKind={"apiVersion": "a/b/c", "kind": "No Kind"}) == [
        'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
        'spec.paramKind.kind: Invalid value: "No Kind": may have mixed case, but should otherwise match: a DNS-1035 label must consist of '
        "lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character "
        "(e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
    ]
    expression = {"expression": "params.data.max != ''"}
    assert validating(paramKind={"apiVersion": "v1", "kind": "ConfigMap"}, validations=[expression]) == []
    assert "undeclared reference to 'params'" in validating(validations=[expression])[0]


def test_a_variable_names_those_before_it() -> None:
    variables = [{"name": "a", "expression": "1"}, {"name": "b", "expression": "variables.a + 1"}]
    assert validating(variables=variables, validations=[{"expression": "variables.b > 1"}]) == []
    assert [message.partition(":")[0] for message in validating(variables=variables[::-1])] == ["spec.variables[0].expression"]


def test_messages_are_one_line_and_their_expressions_strings() -> None:
    wrong = {"expression": "true", "message": "a\nb", "messageExpression": "1", "reason": "Odd"}
    assert validating(validations=[wrong]) == [
        'spec.validations[0].messageExpression: Invalid value: "1": must evaluate to string but got int',
        'spec.validations[0].message: Invalid value: "a\\nb": message must not contain line breaks',
        'spec.validations[0].reason: Unsupported value: "Odd": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
    ]


def test_annotations_are_few_and_have_keys_of_their_own() -> None:
    one = {"key": "k", "valueExpression": "'v'"}
    assert validating(auditAnnotations=[one, one]) == ['spec.auditAnnotations[1].key: Duplicate value: "k"']
    assert "must not have more than 20 auditAnnotations" in validating(auditAnnotations=[{**one, "key": f"k{n}"} for n in range(21)])[0]


def test_match_conditions_that_stay_are_not_compiled_again() -> None:
    spec = {"failurePolicy": "Fail", "matchConstraints": MATCH, "validations": [{"expression": "true"}]}
    old = {"metadata": {"name": "p"}, "spec": {**spec, "matchConditions": [{"name": "c", "expression": "gone("}]}}
    new = {"metadata": {"name": "p"}, "spec": {**spec, "matchConditions": [{"name": "d", "expression": "gone("}]}}
    assert validatingadmissionpolicy.RULES.validate_update(old, old) == []
    assert [error.field for error in validatingadmissionpolicy.RULES.validate_update(new, old)] == ["spec.matchConditions[0].expression"]


def test_a_mutation_has_the_form_that_it_says() -> None:
    assert mutating({"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "Object{}"}}) == []
    assert mutating({"patchType": "JSONPatch"}) == [
        "spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch"
    ]
    assert mutating({"patchType": "JSONPatch", "jsonPatch": {"expression": "1"}}) == [
        'spec.mutations[0].jsonPatch.expression: Invalid value: "1": must evaluate to list(JSONPatch) but got int'
    ]


def test_what_is_deleted_is_not_mutated() -> None:
    patch = {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "Object{}"}}
    match = {**MATCH, "resourceRules": [{**RULE, "operations": ["DELETE"]}]}
    assert mutating(patch, matchConstraints=match) == [
        'spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"'
    ]


def test_a_binding_denies_or_warns_and_names_its_parameter_one_way() -> None:
    reference = {"name": "n", "selector": {"matchLabels": {"a": "b"}}, "parameterNotFoundAction": "Deny"}
    spec = {"policyName": "p", "validationActions": ["Deny", "Warn", "Deny"], "paramRef": reference}
    assert [error.message() for error in validatingadmissionpolicybinding.RULES.validate({"spec": spec})] == [
        "spec.paramRef.name: Forbidden: name and selector are mutually exclusive",
        "spec.paramRef.selector: Forbidden: name and selector are mutually exclusive",
        'spec.validationActions[2]: Duplicate value: "Deny"',
        'spec.validationActions: Invalid value: ["Deny","Warn","Deny"]: must not contain both Deny and Warn (repeating the same '
        "validation failure information in the API response and headers serves no purpose)",
    ]
