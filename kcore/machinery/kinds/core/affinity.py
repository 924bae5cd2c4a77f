"""Where a pod wants to run: node and pod affinity, tolerations, topology spread.

Source: Kubernetes `pkg/apis/core/validation`, observed answers of 1.37.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from kcore.base.limits import LABEL_KEYS_REMEMBERED_MAX
from kcore.machinery import names
from kcore.machinery.field_error import FieldError, duplicate, forbidden, invalid, not_supported, required
from kcore.machinery.labels import validate_message

Json = Mapping[str, Any]

REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
WEIGHT_MAX: Final = 100
TAINT_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")

_TOLERATION_OPERATORS: Final = ("Equal", "Exists")
# Operators whose feature is off are refused with a list that names them.
_NUMERIC_OPERATORS: Final = ("Lt", "Gt")
_SPREAD_ACTIONS: Final = ("DoNotSchedule", "ScheduleAnyway")
_INCLUSION_POLICIES: Final = ("Honor", "Ignore")
_IN_BOTH: Final = "exists in both matchLabelKeys and labelSelector"


def validate_affinity(affinity: Json, path: str, errors: list[FieldError], *, check_values: bool = True) -> None:
    """Check `spec.affinity`; `check_values` off leaves out the form of label values (pods stored by older releases)."""
    node = affinity.get("nodeAffinity")
    if node is not None:
        required_terms = node.get(REQUIRED)
        if required_terms is not None:
            validate_node_selector(required_terms, f"{path}.nodeAffinity.{REQUIRED}", errors, check_values=check_values)
        for index, item in enumerate(node.get(PREFERRED) or ()):
            at = f"{path}.nodeAffinity.{PREFERRED}[{index}]"
            _validate_weight(item.get("weight") or 0, at, errors)
            _validate_node_term(item.get("preference") or {}, f"{at}.preference", errors, check_values=False)
    for kind in ("podAffinity", "podAntiAffinity"):
        part = affinity.get(kind)
        if part is None:
            continue
        for index, term in enumerate(part.get(REQUIRED) or ()):
            _validate_pod_term(term, f"{path}.{kind}.{REQUIRED}[{index}]", errors, check_values)
        for index, item in enumerate(part.get(PREFERRED) or ()):
            at = f"{path}.{kind}.{PREFERRED}[{index}]"
            _validate_weight(item.get("weight") or 0, at, errors)
            _validate_pod_term(item.get("podAffinityTerm") or {}, f"{at}.podAffinityTerm", errors, check_values)


def validate_node_selector(selector: Json, path: str, errors: list[FieldError], *, check_values: bool = True) -> None:
    """Check a node selector: terms, of which one must hold."""
    terms = selector.get("nodeSelectorTerms")
    if not terms:
        errors.append(required(f"{path}.nodeSelectorTerms", "must have at least one node selector term"))
        return
    for index, term in enumerate(terms):
        _validate_node_term(term, f"{path}.nodeSelectorTerms[{index}]", errors, check_values)


def validate_tolerations(tolerations: list[Any], path: str, errors: list[FieldError]) -> None:
    """Check the tolerations of a pod."""
    for index, toleration in enumerate(tolerations):
        at = f"{path}[{index}]"
        key, operator = toleration.get("key"), toleration.get("operator") or ""
        effect, value = toleration.get("effect") or "", toleration.get("value") or ""
        if key:
            _validate_key(key, f"{at}.key", errors)
        elif operator != "Exists":
            detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            errors.append(invalid(f"{at}.operator", operator, detail))
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            errors.append(invalid(f"{at}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"))
        if operator in ("", "Equal"):
            sentences = names.label_value(value)
            if sentences:
                errors.append(invalid(f"{at}.operator", value, ";".join(sentences)))
        elif operator == "Exists":
            if value:
                errors.append(invalid(f"{at}.operator", value, "value must be empty when `operator` is 'Exists'"))
        else:
            known = (*_TOLERATION_OPERATORS, *_NUMERIC_OPERATORS) if operator in _NUMERIC_OPERATORS else _TOLERATION_OPERATORS
            errors.append(not_supported(f"{at}.operator", operator, known))
        if effect and effect not in TAINT_EFFECTS:
            errors.append(not_supported(f"{at}.effect", effect, TAINT_EFFECTS))


def _spread_pair(constraint: Mapping[str, Any]) -> tuple[str, str]:
    """What no two topology spread constraints of a pod have in common."""
    return constraint.get("topologyKey") or "", constraint.get("whenUnsatisfiable") or ""


def validate_topology_spread(constraints: list[Any], path: str, errors: list[FieldError], *, check_selector: bool = True) -> None:
    """Check the topology spread constraints of a pod."""
    to_come = Counter(_spread_pair(constraint) for constraint in constraints)
    for index, constraint in enumerate(constraints):
        at = f"{path}[{index}]"
        skew, key, action = constraint.get("maxSkew") or 0, constraint.get("topologyKey"), constraint.get("whenUnsatisfiable") or ""
        if skew <= 0:
            errors.append(invalid(f"{at}.maxSkew", skew, "must be greater than zero"))
        if not key:
            errors.append(required(f"{at}.topologyKey", "can not be empty"))
        if action not in _SPREAD_ACTIONS:
            errors.append(not_supported(f"{at}.whenUnsatisfiable", action, _SPREAD_ACTIONS))
        pair = _spread_pair(constraint)
        to_come[pair] -= 1
        if to_come[pair]:
            errors.append(duplicate(f"{at}.{{topologyKey, whenUnsatisfiable}}", f"{{{pair[0]}, {pair[1]}}}"))
        _validate_min_domains(constraint.get("minDomains"), action, f"{at}.minDomains", errors)
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            policy = constraint.get(field)
            if policy is not None and policy not in _INCLUSION_POLICIES:
                errors.append(not_supported(f"{at}.{field}", policy, _INCLUSION_POLICIES))
        keys = constraint.get("matchLabelKeys")
        if keys:
            _validate_spread_keys(keys, constraint.get("labelSelector"), f"{at}.matchLabelKeys", errors)
        if check_selector:
            validate_message(constraint.get("labelSelector"), f"{at}.labelSelector", errors)


@lru_cache(maxsize=LABEL_KEYS_REMEMBERED_MAX)
def _key_sentences(key: str) -> names.Sentences:
    return names.qualified_name(key)


def _validate_key(key: str, path: str, errors: list[FieldError]) -> None:
    sentences = _key_sentences(key)
    if sentences:
        errors.extend(invalid(path, key, sentence) for sentence in sentences)


def _validate_weight(weight: int, path: str, errors: list[FieldError]) -> None:
    if not 1 <= weight <= WEIGHT_MAX:
        errors.append(invalid(f"{path}.weight", weight, f"must be in the range 1-{WEIGHT_MAX}"))


def _validate_node_term(term: Json, path: str, errors: list[FieldError], check_values: bool) -> None:
    for index, item in enumerate(term.get("matchExpressions") or ()):
        _validate_node_expression(item, f"{path}.matchExpressions[{index}]", errors, check_values)
    for index, item in enumerate(term.get("matchFields") or ()):
        _validate_node_field(item, f"{path}.matchFields[{index}]", errors)


def _validate_node_expression(item: Json, path: str, errors: list[FieldError], check_values: bool) -> None:
    operator, values = item.get("operator") or "", item.get("values") or ()
    if operator in ("In", "NotIn"):
        if not values:
            errors.append(required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            errors.append(forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            errors.append(required(f"{path}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'"))
    else:
        errors.append(invalid(f"{path}.operator", operator, "not a valid selector operator"))
    _validate_key(item.get("key") or "", f"{path}.key", errors)
    if check_values:
        for index, value in enumerate(values):
            errors.extend(invalid(f"{path}.values[{index}]", value, sentence) for sentence in names.label_value(value))


def _validate_node_field(item: Json, path: str, errors: list[FieldError]) -> None:
    operator, values, key = item.get("operator") or "", item.get("values") or (), item.get("key") or ""
    if operator in ("In", "NotIn"):
        if len(values) != 1:
            detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            errors.append(required(f"{path}.values", detail))
    else:
        errors.append(invalid(f"{path}.operator", operator, "not a valid selector operator"))
    if key != "metadata.name":
        errors.append(invalid(f"{path}.key", key, "not a valid field selector key"))
        return
    for index, value in enumerate(values):
        errors.extend(invalid(f"{path}.values[{index}]", value, sentence) for sentence in names.dns1123_subdomain(value))


def _validate_pod_term(term: Json, path: str, errors: list[FieldError], check_values: bool) -> None:
    selector = term.get("labelSelector")
    validate_message(selector, f"{path}.labelSelector", errors, check_values)
    validate_message(term.get("namespaceSelector"), f"{path}.namespaceSelector", errors, check_values)
    for namespace in term.get("namespaces") or ():
        errors.extend(invalid(f"{path}.namespace", namespace, sentence) for sentence in names.dns1123_label(namespace))
    _validate_term_keys(term, selector, path, errors)
    key = term.get("topologyKey") or ""
    if not key:
        errors.append(required(f"{path}.topologyKey", "can not be empty"))
    _validate_key(key, f"{path}.topologyKey", errors)


def _validate_term_keys(term: Json, selector: Json | None, path: str, errors: list[FieldError]) -> None:
    match, mismatch = term.get("matchLabelKeys") or (), term.get("mismatchLabelKeys") or ()
    for field, keys in (("matchLabelKeys", match), ("mismatchLabelKeys", mismatch)):
        if keys and selector is None:
            errors.append(forbidden(f"{path}.{field}", "must not be specified when labelSelector is not set"))
            continue
        for index, key in enumerate(keys):
            _validate_key(key, f"{path}.{field}[{index}]", errors)
    if selector is not None and match:
        # The keys were merged into the selector before: one that occurs there a second time is the user's own.
        places = {key: index for index, key in enumerate(match)}
        seen = set(selector.get("matchLabels") or ())
        for expression in selector.get("matchExpressions") or ():
            key = expression.get("key") or ""
            if key in places and key in seen:
                errors.append(invalid(f"{path}[{places[key]}]", key, _IN_BOTH))
            seen.add(key)
    for index, key in enumerate(match):
        if key in mismatch:
            errors.append(invalid(f"{path}.matchLabelKeys[{index}]", key, "exists in both matchLabelKeys and mismatchLabelKeys"))


def _validate_min_domains(count: int | None, action: str, path: str, errors: list[FieldError]) -> None:
    if count is None:
        return
    if count <= 0:
        errors.append(invalid(path, count, "must be greater than zero"))
    if action != "DoNotSchedule":
        errors.append(invalid(path, count, f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"))


def _validate_spread_keys(keys: list[str], selector: Json | None, path: str, errors: list[FieldError]) -> None:
    if selector is None:
        errors.append(forbidden(path, "must not be specified when labelSelector is not set"))
        return
    places = {key: index for index, key in enumerate(keys)}
    for index, key in enumerate(keys):
        _validate_key(key, f"{path}[{index}]", errors)
    seen = set(selector.get("matchLabels") or ())
    for expression in selector.get("matchExpressions") or ():
        key = expression.get("key") or ""
        if key in places and key in seen:
            errors.append(invalid(f"{path}[{places[key]}]", key, _IN_BOTH))
        seen.add(key)
