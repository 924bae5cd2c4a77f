"""ObjectMeta: accessors, owner references, and the rules that hold for the metadata of every kind.

Objects are dicts in Kubernetes JSON form. What the registry may silently keep of the stored object stands in `keep_stored`; what it must
refuse stands in `validate` and `validate_update`. `managedFields` are the registry's own and are not judged here.

Source: Kubernetes apimachinery `pkg/api/validation/objectmeta.go`.
"""
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import labels as label_rules
from kcore.machinery import names
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.gvk import GroupVersionKind, split_api_version
from kcore.machinery.names import NameValidator

Object = dict[str, Any]

ANNOTATIONS_SIZE_MAX: Final = 256 * 1024
GENERATED_SUFFIX_SIZE: Final = 5
GENERATED_PREFIX_SIZE_MAX: Final = 63 - GENERATED_SUFFIX_SIZE

TEMPLATE_GENERATION: Final = "deprecated.daemonset.template.generation"
"""The annotation of a DaemonSet that counts the changes of its template."""

FINALIZER_KUBERNETES: Final = "kubernetes"
FINALIZER_ORPHAN: Final = "orphan"
FINALIZER_FOREGROUND: Final = "foregroundDeletion"
_STANDARD_FINALIZERS: Final = frozenset((FINALIZER_KUBERNETES, FINALIZER_ORPHAN, FINALIZER_FOREGROUND))

_LISTS: Final = ("labels", "annotations", "ownerReferences")
"""What is judged when it is new: what is stored already was."""

_BANNED_OWNERS: Final = frozenset((GroupVersionKind("", "v1", "Event"),))
_OWNER_FIELDS: Final = (
    StructField("apiVersion", "apiVersion", ""), StructField("kind", "kind", ""), StructField("name", "name", ""),
    StructField("uid", "uid", ""), StructField("controller", "controller", fe.OMITTED),
    StructField("blockOwnerDeletion", "blockOwnerDeletion", fe.OMITTED),
)


def metadata(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of an object, an empty dict if it has none."""
    found: dict[str, Any] = value.get("metadata") or {}
    return found


def name(value: Mapping[str, Any]) -> str:
    """Return the name of an object, or the empty string."""
    return metadata(value).get("name") or ""


def namespace(value: Mapping[str, Any]) -> str:
    """Return the namespace of an object, or the empty string."""
    return metadata(value).get("namespace") or ""


def uid(value: Mapping[str, Any]) -> str:
    """Return the uid of an object, or the empty string."""
    return metadata(value).get("uid") or ""


def resource_version(value: Mapping[str, Any]) -> str:
    """Return the resource version of an object, or the empty string."""
    return metadata(value).get("resourceVersion") or ""


def generation(value: Mapping[str, Any]) -> int:
    """Return the generation of an object, 0 if it has none."""
    return metadata(value).get("generation") or 0


def labels(value: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels of an object, an empty dict if it has none."""
    return metadata(value).get("labels") or {}


def annotations(value: Mapping[str, Any]) -> dict[str, str]:
    """Return the annotations of an object, an empty dict if it has none."""
    return metadata(value).get("annotations") or {}


def finalizers(value: Mapping[str, Any]) -> list[str]:
    """Return the finalizers of an object, an empty list if it has none."""
    return metadata(value).get("finalizers") or []


def deletion_timestamp(value: Mapping[str, Any]) -> str:
    """Return when the object was asked to go, or the empty string."""
    return metadata(value).get("deletionTimestamp") or ""


def owner_references(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the owner references of an object, an empty list if it has none."""
    return metadata(value).get("ownerReferences") or []


def controller_of(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the owner reference that is marked as the controller."""
    return next((reference for reference in owner_references(value) if reference.get("controller")), None)


def is_controlled_by(value: Mapping[str, Any], owner: Mapping[str, Any]) -> bool:
    """Say whether the object's controller is this very owner (by uid)."""
    reference = controller_of(value)
    return reference is not None and reference.get("uid") == uid(owner)


def controller_reference(owner: Mapping[str, Any], gvk: GroupVersionKind) -> dict[str, Any]:
    """Build the reference by which an owner controls what it creates."""
    return {
        "apiVersion": gvk.api_version, "kind": gvk.kind, "name": name(owner), "uid": uid(owner),
        "controller": True, "blockOwnerDeletion": True,
    }


def generated_name(prefix: str, suffix: str) -> str:
    """Join `generateName` and a random suffix; a long prefix is cut so that the name stays a DNS label."""
    return prefix[:GENERATED_PREFIX_SIZE_MAX] + suffix


def drop_system_fields(value: Object, namespaced: bool) -> None:
    """Ignore what a client says in a new object of things that are the server's alone."""
    found = value.setdefault("metadata", {})
    for field in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "uid", "creationTimestamp"):
        found.pop(field, None)
    if not namespaced:
        found.pop("namespace", None)


def keep_stored(new: Object, old: Object) -> None:
    """Fill in what an update may leave out, and undo what it never changes: uid, times, and that a cluster's object has no namespace."""
    fresh, stored = new.setdefault("metadata", {}), metadata(old)
    if not fresh.get("uid") and stored.get("uid"):
        fresh["uid"] = stored["uid"]
    if not stored.get("namespace"):
        fresh.pop("namespace", None)
    if stored.get("creationTimestamp"):
        fresh["creationTimestamp"] = stored["creationTimestamp"]
    if stored.get("deletionTimestamp"):
        fresh["deletionTimestamp"] = stored["deletionTimestamp"]
    if stored.get("deletionGracePeriodSeconds") is not None and fresh.get("deletionGracePeriodSeconds") is None:
        fresh["deletionGracePeriodSeconds"] = stored["deletionGracePeriodSeconds"]


def validate(
    found: Mapping[str, Any], namespaced: bool, name_validator: NameValidator, errors: list[FieldError],
    path: str = "metadata", own_finalizers: bool = True,
) -> None:
    """Check the metadata of an object that is created.

    own_finalizers  refuse finalizers that are neither standard nor qualified (most built-in kinds)
    """
    _validate_name(found, name_validator, path, errors)
    _validate_namespace(found.get("namespace") or "", namespaced, path, errors)
    if (found.get("generation") or 0) < 0:
        errors.append(fe.invalid(f"{path}.generation", found["generation"], "must be greater than or equal to 0"))
    _validate_lists(found, path, errors)
    validate_finalizers(found.get("finalizers") or (), f"{path}.finalizers", errors)
    if own_finalizers:
        validate_own_finalizers(found.get("finalizers") or (), f"{path}.finalizers", errors)


def validate_update(
    new: Mapping[str, Any], old: Mapping[str, Any], errors: list[FieldError], path: str = "metadata", own_finalizers: bool = True,
) -> None:
    """Check the metadata of an update against the stored one (after `keep_stored`)."""
    prefix = new.get("generateName") or ""
    if prefix:
        errors.extend(fe.invalid(f"{path}.generateName", prefix, sentence) for sentence in names.path_name(prefix, True))
    _validate_lists({field: new[field] for field in _LISTS if field in new and new[field] != old.get(field)}, path, errors)
    if new.get("finalizers") and new["finalizers"] != old.get("finalizers"):
        validate_finalizers(new["finalizers"], f"{path}.finalizers", errors)
    if old.get("deletionTimestamp"):
        _validate_no_new_finalizers(new.get("finalizers") or (), old.get("finalizers") or (), f"{path}.finalizers", errors)
    if not new.get("resourceVersion"):
        errors.append(fe.invalid(f"{path}.resourceVersion", new.get("resourceVersion") or "", "must be specified for an update"))
    if (new.get("generation") or 0) < (old.get("generation") or 0):
        errors.append(fe.invalid(f"{path}.generation", new.get("generation") or 0, "must not be decremented"))
    for field in ("name", "namespace", "uid", "creationTimestamp"):
        if (new.get(field) or "") != (old.get(field) or ""):
            errors.append(fe.immutable(f"{path}.{field}", new.get(field) or ""))
    for field in ("deletionTimestamp", "deletionGracePeriodSeconds"):
        if new.get(field) != old.get(field):
            errors.append(fe.immutable(f"{path}.{field}", new.get(field)))
    if own_finalizers:
        validate_own_finalizers(new.get("finalizers") or (), f"{path}.finalizers", errors)


def validate_annotations(found: Mapping[str, str] | None, path: str, errors: list[FieldError]) -> None:
    """Check the keys of annotations and the size of all of them together."""
    if not found:
        return
    size = 0
    for key, value in sorted(found.items()):
        errors.extend(fe.invalid(path, key, sentence) for sentence in names.qualified_name(key.lower()))
        size += len(key.encode()) + len((value or "").encode())
    if size > ANNOTATIONS_SIZE_MAX:
        errors.append(fe.too_long(path, ANNOTATIONS_SIZE_MAX))


def validate_finalizers(found: Sequence[str], path: str, errors: list[FieldError]) -> None:
    """Check the form of finalizers, and that dependents are not both orphaned and deleted."""
    for finalizer in found:
        errors.extend(fe.invalid(path, finalizer, sentence) for sentence in names.qualified_name(finalizer))
    if FINALIZER_ORPHAN in found and FINALIZER_FOREGROUND in found:
        detail = f"finalizer {FINALIZER_ORPHAN} and {FINALIZER_FOREGROUND} cannot be both set"
        errors.append(fe.invalid(path, list(found), detail))


def validate_own_finalizers(found: Sequence[str], path: str, errors: list[FieldError]) -> None:
    """Refuse finalizers that are neither standard nor carry a domain."""
    for index, finalizer in enumerate(found):
        if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
            detail = "name is neither a standard finalizer name nor is it fully qualified"
            errors.append(fe.invalid(f"{path}[{index}]", finalizer, detail))


def validate_owner_references(found: Sequence[Mapping[str, Any]], path: str, errors: list[FieldError]) -> None:
    """Check each owner reference, and that at most one owner is the controller."""
    controller = ""
    for index, reference in enumerate(found):
        _validate_owner(reference or {}, f"{path}[{index}]", errors)
        if not reference.get("controller"):
            continue
        owner = f"{reference.get('kind') or ''}/{reference.get('name') or ''}"
        if controller:
            detail = f'Only one reference can have Controller set to true. Found "true" in references for {controller} and {owner}'
            errors.append(fe.invalid(path, fe.struct(found, _OWNER_FIELDS), detail))
        else:
            controller = owner


def _validate_name(found: Mapping[str, Any], name_validator: NameValidator, path: str, errors: list[FieldError]) -> None:
    prefix = found.get("generateName") or ""
    if prefix:
        errors.extend(fe.invalid(f"{path}.generateName", prefix, sentence) for sentence in name_validator(prefix, True))
    own = found.get("name") or ""
    if own:
        errors.extend(fe.invalid(f"{path}.name", own, sentence) for sentence in name_validator(own, False))
    elif not prefix:
        errors.append(fe.required(f"{path}.name", "name or generateName is required"))


def _validate_namespace(found: str, namespaced: bool, path: str, errors: list[FieldError]) -> None:
    if not namespaced:
        if found:
            errors.append(fe.forbidden(f"{path}.namespace", "not allowed on this type"))
    elif not found:
        errors.append(fe.required(f"{path}.namespace"))
    else:
        errors.extend(fe.invalid(f"{path}.namespace", found, sentence) for sentence in names.dns1123_label(found))


def _validate_lists(found: Mapping[str, Any], path: str, errors: list[FieldError]) -> None:
    if found.get("labels"):
        label_rules.validate_labels(found["labels"], f"{path}.labels", errors)
    if found.get("annotations"):
        validate_annotations(found["annotations"], f"{path}.annotations", errors)
    if found.get("ownerReferences"):
        validate_owner_references(found["ownerReferences"], f"{path}.ownerReferences", errors)


def _validate_no_new_finalizers(new: Sequence[str], old: Sequence[str], path: str, errors: list[FieldError]) -> None:
    added = sorted(set(new) - set(old))
    if added:
        shown = ", ".join(fe.quote(finalizer) for finalizer in added)
        detail = f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{shown}}}"
        errors.append(fe.forbidden(path, detail))


def _validate_owner(reference: Mapping[str, Any], path: str, errors: list[FieldError]) -> None:
    for field in ("apiVersion", "kind", "name", "uid"):
        if not reference.get(field):
            errors.append(fe.required(f"{path}.{field}", "must not be empty"))
    try:
        group, version = split_api_version(reference.get("apiVersion") or "")
    except ValueError as cause:
        errors.append(fe.invalid(f"{path}.apiVersion", reference.get("apiVersion"), str(cause)))
        return
    gvk = GroupVersionKind(group, version, reference.get("kind") or "")
    if gvk in _BANNED_OWNERS:
        errors.append(fe.invalid(path, fe.struct(reference, _OWNER_FIELDS), f"{gvk} is disallowed from being an owner"))
