"""SubjectAccessReview in its three forms, and SelfSubjectRulesReview.

Source: Kubernetes `pkg/apis/authorization/validation`, `pkg/registry/authorization`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kcore.apiserver.authorization import Attributes, Authorizer, Decision
from kcore.apiserver.objects import Outcome
from kcore.apiserver.registry import Registry, Write
from kcore.machinery import codec, status
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.request import User

Object = dict[str, Any]
Handler = Callable[[Registry, Write, Object], Outcome]
GROUP: Final = "authorization.k8s.io"
OBJECT_META: Final = "kcore.api.meta.v1.ObjectMeta"
PATH_FIELDS: Final = (StructField("Path", "path", ""), StructField("Verb", "verb", ""))
PARTS: Final = ("verb", "group", "resource", "subresource", "namespace", "name", "version")
BOTH: Final = "cannot be specified in combination with resourceAttributes"
NEITHER: Final = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
NO_SUBJECT: Final = "at least one of user or group must be specified"
BOTH_SELECTORS: Final = "may not specified at the same time as requirements"


def handlers(authorizer: Authorizer) -> dict[tuple[str, str], Handler]:
    """What a create of each kind does."""

    def subject(_registry: Registry, write: Write, obj: Object) -> Outcome:
        spec = obj.get("spec") or {}
        refuse(check_spec(spec) + check_subject(spec), check_metadata(obj, ""))
        return reviewed(write, obj, authorizer.authorize(user_of(spec), attributes(spec)))

    def local(_registry: Registry, write: Write, obj: Object) -> Outcome:
        spec = obj.get("spec") or {}
        place(write, obj)
        refuse(check_spec(spec) + check_subject(spec), check_metadata(obj, write.namespace), check_local(spec, write.namespace))
        return reviewed(write, obj, authorizer.authorize(user_of(spec), attributes(spec)))

    def own(_registry: Registry, write: Write, obj: Object) -> Outcome:
        spec = obj.get("spec") or {}
        refuse(check_spec(spec), check_metadata(obj, ""))
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
    errors: list[FieldError] = []
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and path is not None:
        errors.append(fe.invalid("spec.nonResourceAttributes", fe.struct(path, PATH_FIELDS), BOTH))
    if resource is None and path is None:
        errors.append(fe.invalid("spec.resourceAttributes", None, NEITHER))
    for name in ("fieldSelector", "labelSelector"):
        errors += check_selector((resource or {}).get(name), f"spec.resourceAttributes.{name}")
    return errors


def check_selector(selector: Object | None, path: str) -> list[FieldError]:
    """A selector is given in one of its two forms."""
    if selector is None:
        return []
    raw, requirements = selector.get("rawSelector", ""), selector.get("requirements")
    if raw and requirements:
        return [fe.invalid(f"{path}.rawSelector", raw, BOTH_SELECTORS)]
    if not raw and not requirements:
        return [fe.required(f"{path}.requirements", f"when {path} is specified, requirements or rawSelector is required")]
    return []


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
