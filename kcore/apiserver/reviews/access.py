"""SubjectAccessReview in its three forms, and SelfSubjectRulesReview.

Source: Kubernetes `pkg/apis/authorization/validation`, `pkg/registry/authorization`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kcore.apiserver.authorization import Attributes, Authorizer, Decision
from kcore.apiserver.objects import Outcome
from kcore.apiserver.registry import Registry, Write
from kcore.machinery import codec, fields, labels, status
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.request import User

Object = dict[str, Any]
Check = Callable[[Object, str, list[FieldError]], None]
Handler = Callable[[Registry, Write, Object], Outcome]
GROUP: Final = "authorization.k8s.io"
OBJECT_META: Final = "kcore.api.meta.v1.ObjectMeta"
PATH_FIELDS: Final = (StructField("Path", "path", ""), StructField("Verb", "verb", ""))
PARTS: Final = ("verb", "group", "resource", "subresource", "namespace", "name", "version")
EXACTLY_ONE: Final = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
NO_SUBJECT: Final = "at least one of user or group must be specified"
BOTH_SELECTORS: Final = "may not specified at the same time as requirements"


def handlers(authorizer: Authorizer) -> dict[tuple[str, str], Handler]:
    """What a create of each kind does."""

    def subject(_registry: Registry, write: Write, obj: Object) -> Outcome:
        spec = obj.get("spec") or {}
        refuse(check_spec(spec), check_subject(spec), check_selectors(spec), check_metadata(obj, ""))
        return reviewed(write, obj, authorizer.authorize(user_of(spec), attributes(spec)))

    def local(_registry: Registry, write: Write, obj: Object) -> Outcome:
        spec = obj.get("spec") or {}
        place(write, obj)
        wrong = check_spec(spec) + check_subject(spec) + check_selectors(spec)
        refuse(wrong, check_metadata(obj, write.namespace), check_local(spec, write.namespace))
        return reviewed(write, obj, authorizer.authorize(user_of(spec), attributes(spec)))

    def own(_registry: Registry, write: Write, obj: Object) -> Outcome:
        spec = obj.get("spec") or {}
        refuse(check_spec(spec), check_selectors(spec), check_metadata(obj, ""))
        return reviewed(write, obj, authorizer.authorize(write.caller, attributes(spec)))

    def own_rules(_registry: Registry, write: Write, obj: Object) -> Outcome:
        namespace = (obj.get("spec") or {}).get("namespace", "")
        if not namespace:
            raise status.bad_request("no namespace on request")
        return answered(write, {"metadata": {}, "spec": {}, "status": rules_status(authorizer, write.caller, namespace)})

    return {
        ("subjectaccessreviews", ""): subject,
        ("localsubjectaccessreviews", ""): local,
        ("selfsubjectaccessreviews", ""): own,
        ("selfsubjectrulesreviews", ""): own_rules,
    }


def place(write: Write, obj: Object) -> None:
    """Put a review into the namespace that it was sent to. Raises StatusError if it says another."""
    metadata = obj.setdefault("metadata", {})
    if metadata.get("namespace", write.namespace) != write.namespace:
        raise status.bad_request("the namespace of the provided object does not match the namespace sent on the request")
    metadata["namespace"] = write.namespace


def reviewed(write: Write, obj: Object, decision: Decision) -> Outcome:
    """The review with its answer."""
    told: Object = {"allowed": decision.allowed}
    if decision.reason:
        told["reason"] = decision.reason
    if ignored := ignored_selectors((obj.get("spec") or {}).get("resourceAttributes") or {}):
        told["evaluationError"] = "; ".join(ignored)
    return answered(write, {**obj, "status": told})


def answered(write: Write, obj: Object) -> Outcome:
    """An object that is answered but not stored."""
    spec = write.spec
    return Outcome(spec.message, spec.api_version, spec.kind, codec.encode(spec.message, obj), created=True)


def user_of(spec: Object) -> User:
    """The user that a review asks about."""
    extra = tuple((key, tuple(values or ())) for key, values in (spec.get("extra") or {}).items())
    return User(spec.get("user", ""), spec.get("uid", ""), tuple(spec.get("groups") or ()), extra)


def attributes(spec: Object) -> Attributes:
    """The request that a review asks about."""
    path = spec.get("nonResourceAttributes")
    if path is not None:
        return Attributes(path.get("verb", ""), path=path.get("path", ""))
    found = spec.get("resourceAttributes") or {}
    verb, group, resource, subresource, namespace, name, version = (found.get(part, "") for part in PARTS)
    selector = selector_text(found.get("fieldSelector") or {})
    return Attributes(verb, group, resource, subresource, namespace, name, "", selector, version)


def ignored_selectors(resource: Object) -> list[str]:
    """Which selectors, or parts of them, nobody understands, so that the review is about more than was asked."""
    told = []
    for name, parse, reading in (("fieldSelector", fields.parse, field_requirement), ("labelSelector", labels.parse, label_requirement)):
        selector = resource.get(name) or {}
        readable = [reading(each or {}) for each in selector.get("requirements") or ()]
        if raw := selector.get("rawSelector"):
            try:
                parse(raw)
            except ValueError:
                readable = [False]
        if not all(readable):
            told.append(f"spec.resourceAttributes.{name} {'partially ' if any(readable) else ''}ignored due to parse error")
    return told


def field_requirement(requirement: Object) -> bool:
    """Whether a selector of fields can say so: they are only equal to one value, or not."""
    return requirement.get("operator") in ("In", "NotIn") and len(requirement.get("values") or ()) == 1


def label_requirement(requirement: Object) -> bool:
    """Whether a selector of labels can say so."""
    return requirement.get("operator") in ("In", "NotIn", "Exists", "DoesNotExist")


def selector_text(selector: Object) -> str:
    """A field selector as text: what it demands to be equal, all that an authorizer goes by."""
    if raw := selector.get("rawSelector"):
        return str(raw)
    terms = ((item.get("key", ""), item.get("operator"), item.get("values") or []) for item in selector.get("requirements") or ())
    return ",".join(f"{key}={values[0]}" for key, operator, values in terms if operator == "In" and len(values) == 1)


# what is wrong with a review


def refuse(*errors: list[FieldError]) -> None:
    """Raises StatusError if there are errors."""
    if found := [error for some in errors for error in some]:
        raise status.invalid(GROUP, "", "", found)


def check_spec(spec: Object) -> list[FieldError]:
    """What every review must say."""
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if (resource is None) == (path is None):
        return [fe.invalid("spec", fe.struct(path, PATH_FIELDS), EXACTLY_ONE)]
    return []


def check_selectors(spec: Object) -> list[FieldError]:
    """The selectors of a review are well formed, but for operators, of which newer clients may know more."""
    errors: list[FieldError] = []
    resource = spec.get("resourceAttributes") or {}
    for name, check in (("fieldSelector", check_field_requirement), ("labelSelector", labels.validate_requirement)):
        check_selector(resource.get(name), check, f"spec.resourceAttributes.{name}", errors)
    return errors


def check_selector(selector: Object | None, check: Check, path: str, errors: list[FieldError]) -> None:
    """A selector is given in one of its two forms."""
    if selector is None:
        return
    raw, requirements = selector.get("rawSelector", ""), selector.get("requirements") or ()
    if raw and requirements:
        errors.append(fe.invalid(f"{path}.rawSelector", raw, BOTH_SELECTORS))
    if not raw and not requirements:
        errors.append(fe.required(f"{path}.requirements", f"when {path} is specified, requirements or rawSelector is required"))
    for index, requirement in enumerate(requirements):
        check(requirement or {}, f"{path}.requirements[{index}]", errors)


def check_field_requirement(requirement: Object, path: str, errors: list[FieldError]) -> None:
    """A requirement about a field names it, and has values if its operator takes some."""
    if not requirement.get("key"):
        errors.append(fe.required(f"{path}.key", "must be specified"))
    labels.validate_operands(requirement, path, errors)


def check_subject(spec: Object) -> list[FieldError]:
    """A review about others says about whom."""
    if spec.get("user") or spec.get("groups"):
        return []
    return [fe.invalid("spec.user", "", NO_SUBJECT)]


def check_metadata(obj: Object, namespace: str) -> list[FieldError]:
    """A review has no metadata, but for the namespace of one that is about a namespace."""
    metadata = obj.get("metadata") or {}
    kept = {name for name, value in metadata.items() if value and name != "managedFields" and not (namespace and name == "namespace")}
    if not kept:
        return []
    printed = fe.Rendered(fe.compact_json(codec.decode(OBJECT_META, codec.encode(OBJECT_META, metadata)), sort_keys=False))
    return [fe.invalid("metadata", printed, "must be empty except for namespace" if namespace else "must be empty")]


def check_local(spec: Object, namespace: str) -> list[FieldError]:
    """A review about a namespace asks about resources in it."""
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    errors: list[FieldError] = []
    if resource is not None and (asked := resource.get("namespace", "")) != namespace:
        errors.append(fe.invalid("spec.resourceAttributes.namespace", asked, "must match metadata.namespace"))
    if path is not None:
        errors.append(fe.invalid("spec.nonResourceAttributes", fe.struct(path, PATH_FIELDS), "disallowed on this kind of request"))
    return errors


# rules


def rules_status(authorizer: Authorizer, user: User, namespace: str) -> Object:
    """What a user may do in a namespace, as far as it can be told."""
    found, errors = authorizer.rules_for(user, namespace)
    fields = ("verbs", "apiGroups", "resources", "resourceNames")
    told: Object = {
        "resourceRules": [{name: rule[name] for name in fields if rule.get(name)} for rule in found if rule.get("resources")],
        "nonResourceRules": [
            {"verbs": rule.get("verbs") or [], "nonResourceURLs": rule["nonResourceURLs"]} for rule in found if rule.get("nonResourceURLs")
        ],
        "incomplete": bool(errors),
    }
    if errors:
        told["evaluationError"] = ", ".join(errors)
    return told
